"""A whole section left out at once: one request an item with one shared reason, answered together or one by one."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.models import Environment, Item, NotApplicable, Section, User
from readiness.rules.permissions import Refused, archived_refusals, change_refusals, insist
from readiness.rules.texts import reason_refusals, unkept
from readiness.rules.waivers import LeftOutLine
from readiness.rules.waivers import leave_out_refusals as section_refusals
from readiness.selectors.sections import items_in

from . import ledger
from .folding import lock_item
from .items import saved_last_by
from .requests import answer, answer_refusals, ask_to_leave_out, leave_out_refusals


class SectionCrossed(Exception):
    """Somebody changed items of the section first. Nothing was written; ``said`` names each and who."""

    def __init__(self, said: list[str]) -> None:
        super().__init__(" ".join(said))
        self.said = said


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What became of a batch: what was answered, and by item why each other one was not."""

    answered: list[NotApplicable]
    left: list[tuple[Item, list[str]]]


@transaction.atomic
def ask_section(
    *, by: User, environment: Environment, section: Section, reason: str, seen: Mapping[int, int], now: datetime
) -> list[NotApplicable]:
    """Ask that every item of a section on a sheet be left out, but for those of which that cannot be asked now.

    ``seen`` are the versions of all its items that the person saw. Raises ``SectionCrossed`` where one of them is
    another by now, or the section has other items.
    """
    insist(reason_refusals(reason))
    items = [lock_item(item.pk) for item in sorted(items_in(environment, section, now), key=lambda item: item.pk)]
    team = environment.service.team
    insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    insist(archived_refusals(environment.archived_at, environment.service.archived_at))
    _insist_as_seen(items, seen)
    lines = [
        LeftOutLine(item=item.pk, version=item.version, reasons=tuple(leave_out_refusals(item, now=now)))
        for item in items
    ]
    insist(section_refusals(lines))
    batch = token_hex(16)
    with ledger.at_the_end():
        return [
            ask_to_leave_out(item, by=by, reason=reason, now=now, batch=batch)
            for item, line in zip(items, lines, strict=True)
            if not line.reasons
        ]


def _insist_as_seen(items: Collection[Item], seen: Mapping[int, int]) -> None:
    crossed = [item for item in items if item.pk in seen and item.version != seen[item.pk]]
    said = [
        _("{saved_last_by} saved “{title}” meanwhile.").format(
            saved_last_by=saved_last_by(item), title=item.entry.title
        )
        for item in crossed
    ]
    if {item.pk for item in items} != set(seen):
        said.append(_("This section has other items by now."))
    if said:
        raise SectionCrossed(said)


@transaction.atomic
def decide_batch(*, by: User, requests: Collection[int], grant: bool, note: str, now: datetime) -> Answered:
    """Grant or refuse together what was asked together, with one note: ``requests`` are those that the person saw.

    What cannot be answered so any more is named and left as it is, and the rest goes through. Raises ``Refused`` where
    nothing could be answered.
    """
    insist(unkept(note) if grant else reason_refusals(note))
    found = NotApplicable.objects.filter(pk__in=requests).exclude(batch="").order_by("item_id")
    items = {item_id: lock_item(item_id) for item_id in found.values_list("item_id", flat=True)}
    asked = list(found.select_related("asked_by", "decided_by"))
    if not asked or len({request.batch for request in asked}) != 1:
        raise Refused([_("Nothing that was asked together is named here.")])
    result = Answered(answered=[], left=[])
    with ledger.at_the_end():
        for request in asked:
            item = items[request.item_id]
            reasons = answer_refusals(request, item, by=by, grant=grant, now=now)
            if reasons:
                result.left.append((item, reasons))
                continue
            answer(request, item, by=by, grant=grant, note=note, now=now, batch=request.batch)
            result.answered.append(request)
    if not result.answered:
        raise Refused(list(dict.fromkeys(reason for _, reasons in result.left for reason in reasons)))
    return result
