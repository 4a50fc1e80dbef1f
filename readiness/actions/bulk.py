"""One thing done to several items of a sheet at once: each gets a record of its own, and is refused by itself."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from secrets import token_hex

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.models import Environment, Item, User
from readiness.rules.bulk import tick_refusals
from readiness.rules.permissions import Refused, archived_refusals, change_refusals, insist
from readiness.rules.status import status_at
from readiness.rules.texts import links_refusals, reason_refusals, summary_refusals
from readiness.selectors.clauses import wanting_links
from readiness.selectors.sheets import belongs_to

from . import ledger
from .folding import lock_item
from .items import hand_over, owner_refusals, saved_last_by, vouch
from .requests import ask_to_leave_out, leave_out_refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of each item: done, or left as it was with the reasons."""

    done: list[Item]
    left: list[tuple[Item, list[str]]]


@transaction.atomic
def tick(
    *, by: User, environment: Environment, seen: Mapping[int, int], summary: str, links: Sequence[str], now: datetime
) -> Done:
    """Vouch for several items with the same words and links. ``seen`` are their versions that the person saw.

    A word that would count for nothing, or stand against what a probe sees, is refused here: it is given at the item.
    """
    insist(summary_refusals(summary) + links_refusals(links))
    items = _locked(by, environment, seen)
    wants_link = wanting_links(item.entry_id for item in items)

    def refuse(item: Item) -> list[str]:
        lacking = item.entry_id in wants_link and not links
        return tick_refusals(status_at(item.facts, now), lacks_link=lacking)

    return _each(items, seen, refuse, lambda item: vouch(item, by=by, summary=summary, links=links, now=now))


@transaction.atomic
def assign(
    *,
    by: User,
    environment: Environment,
    seen: Mapping[int, int],
    owner: User | None,
    due_on: date | None,
    now: datetime,
) -> Done:
    """Give several items one owner, one due date, or both: None leaves what an item has."""
    if owner is None and due_on is None:
        raise Refused([_("Choose an owner, a due date, or both.")])
    items = _locked(by, environment, seen)
    insist(owner_refusals(owner, environment.service))

    def write(item: Item) -> None:
        hand_over(item, by=by, owner=owner or item.owner, due_on=due_on or item.due_on, now=now)

    return _each(items, seen, lambda _: [], write)


@transaction.atomic
def leave_out(*, by: User, environment: Environment, seen: Mapping[int, int], reason: str, now: datetime) -> Done:
    """Ask that several items be left out for one reason: a request an item, which a reviewer may answer together."""
    insist(reason_refusals(reason))
    items = _locked(by, environment, seen)
    batch = token_hex(16)

    def write(item: Item) -> None:
        ask_to_leave_out(item, by=by, reason=reason, now=now, batch=batch)

    return _each(items, seen, lambda item: leave_out_refusals(item, now=now), write)


def _locked(by: User, environment: Environment, seen: Collection[int]) -> list[Item]:
    """Lock the items, in the order of their keys. Raises ``Refused`` where this person may not change them."""
    if not seen:
        raise Refused([_("Choose at least one item.")])
    found = Item.objects.filter(pk__in=seen, service=environment.service_id).order_by("pk").values_list("pk", flat=True)
    items = [lock_item(pk) for pk in list(found)]
    team = environment.service.team
    insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    insist(archived_refusals(environment.archived_at, environment.service.archived_at))
    return [item for item in items if belongs_to(environment, item)]


def _each(
    items: Sequence[Item],
    seen: Mapping[int, int],
    refuse: Callable[[Item], list[str]],
    write: Callable[[Item], object],
) -> Done:
    """Do it to each item that nothing refuses, with their events at the end; return what became of each."""
    result = Done(done=[], left=[])
    with ledger.at_the_end():
        for item in items:
            if item.version != seen[item.pk]:
                crossed = _("{saved_last_by} saved this item meanwhile. Look at it, then send again.").format(
                    saved_last_by=saved_last_by(item)
                )
                result.left.append((item, [crossed]))
            elif reasons := refuse(item):
                result.left.append((item, reasons))
            else:
                write(item)
                result.done.append(item)
    return result
