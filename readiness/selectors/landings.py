"""Where every live environment stands at some instants, and what differs between two such pictures."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness.enums.standing import Status, Verdict
from readiness.models import Entry, Environment, Item, User
from readiness.rules.verdicts import stand_at, tally

from .decisions import standing_decisions
from .sheets import items_on
from .strips import answered_by, counting, entries_in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """One item on one sheet at one instant."""

    entry: Entry
    owner: User | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetStood:
    """One sheet at one instant. ``items`` are by entry."""

    environment: Environment
    verdict: Verdict
    items: Mapping[int, Stood]


Picture = Mapping[datetime, Mapping[int, SheetStood]]
"""Every live environment's sheet, by instant and environment."""


def picture(instants: Collection[datetime]) -> Picture:
    """Return where every live environment stands at each instant, by what is known now.

    Three queries, and two for each instant.
    """
    live = Environment.objects.filter(archived_at=None, service__archived_at=None)
    environments = list(live.select_related("service__team").order_by("service__slug", "kind", "name"))
    entries = entries_in_order()
    by_service: dict[int, list[Item]] = {}
    for item in Item.objects.filter(entry__retired_at=None, service__archived_at=None).select_related("owner"):
        by_service.setdefault(item.service_id, []).append(item)
    return {at: dict(_sheets(environments, by_service, counting(entries, at), at)) for at in instants}


def _sheets(
    environments: Sequence[Environment], by_service: Mapping[int, list[Item]], entries: Sequence[Entry], at: datetime
) -> Iterator[tuple[int, SheetStood]]:
    decided = standing_decisions(None, at)
    by_team = {one.service.team_id: answered_by(entries, one.service.team_id) for one in environments}
    for environment in environments:
        asked = by_team[environment.service.team_id]
        mine = items_on(environment, by_service.get(environment.service_id, []), asked)
        stands = {entry_id: stand_at(item.pk, item.facts, at) for entry_id, item in mine.items()}
        counted = tally(stands.values(), under=decided.get(environment.pk), at=at)
        items = {
            entry.pk: Stood(entry=entry, owner=mine[entry.pk].owner, status=stands[entry.pk].status)
            for entry in asked
            if entry.pk in mine
        }
        yield environment.pk, SheetStood(environment=environment, verdict=counted.verdict, items=items)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """One item of one environment from an instant on. A status is None where the item is not on the sheet."""

    at: datetime
    entry: Entry
    owner: User | None
    before: Status | None
    after: Status | None

    @property
    def loses(self) -> bool:
        """Whether somebody has to do something again, or for the first time."""
        return self.after is not None and not self.after.settled and (self.before is None or self.before.settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictEffect:
    """Another verdict from an instant on."""

    at: datetime
    before: Verdict
    after: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvironmentEffect:
    """What differs in one environment: items in the order of its sheet at each instant, and verdicts."""

    environment: Environment
    items: Sequence[Effect]
    verdicts: Sequence[VerdictEffect]

    @property
    def lost(self) -> int:
        """How many items were settled and are not."""
        return len({one.entry.pk for one in self.items if one.loses and one.before is not None})

    @property
    def gained(self) -> int:
        """How many items are new on the sheet and not settled."""
        return len({one.entry.pk for one in self.items if one.loses and one.before is None})


def difference(before: Picture, after: Picture) -> list[EnvironmentEffect]:
    """Return the environments that stand otherwise in the second picture, with what differs from which instant on.

    A difference that goes on as it was at the instant before is told once, and so is an item that goes.
    """
    found = []
    for environment in {pk: sheet.environment for sheets in after.values() for pk, sheet in sheets.items()}.values():
        items: list[Effect] = []
        verdicts: list[VerdictEffect] = []
        for at in sorted(after):
            was, now = before[at][environment.pk], after[at][environment.pk]
            items += [one for one in _items(was, now, at) if _news(one, items)]
            verdict = VerdictEffect(at=at, before=was.verdict, after=now.verdict)
            if was.verdict is not now.verdict and _other_verdict(verdict, verdicts):
                verdicts.append(verdict)
        if items or verdicts:
            found.append(EnvironmentEffect(environment=environment, items=items, verdicts=verdicts))
    return found


def _items(was: SheetStood, now: SheetStood, at: datetime) -> Iterator[Effect]:
    for entry_id in [*now.items, *(one for one in was.items if one not in now.items)]:
        old, new = was.items.get(entry_id), now.items.get(entry_id)
        stood = new or old
        if stood is None or (old and old.status) is (new and new.status):
            continue
        yield Effect(
            at=at,
            entry=stood.entry,
            owner=stood.owner,
            before=old.status if old else None,
            after=new.status if new else None,
        )


def _news(effect: Effect, known: Sequence[Effect]) -> bool:
    last = next((one for one in reversed(known) if one.entry.pk == effect.entry.pk), None)
    if last is None:
        return True
    gone = last.after is None and effect.after is None
    return not gone and (last.before, last.after) != (effect.before, effect.after)


def _other_verdict(effect: VerdictEffect, known: Sequence[VerdictEffect]) -> bool:
    return not known or (known[-1].before, known[-1].after) != (effect.before, effect.after)
