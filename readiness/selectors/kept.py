"""What is kept of every live environment: facts with their bounds in time, and what follows from them until one passes.

None of it asks a database: ``fleet`` reads it, and follows the ledger.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from django.utils import timezone

from readiness.enums.standing import Status
from readiness.enums.words import Kind
from readiness.models import Clause, Entry, Environment
from readiness.rules.status import ItemFacts
from readiness.rules.verdicts import Stand, Tally, Under, stand_at, tally

from .strips import Strip, answered_by, counting, strip

EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
NOTHING = ItemFacts()
FACTS = ItemFacts.names()
_KINDS = {kind: place for place, kind in enumerate(Kind.values)}


@dataclass(frozen=True, slots=True)
class KeptItem:
    """What is kept of one item."""

    pk: int
    owner: int | None
    facts: ItemFacts


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who owns an item. ``teams`` are those they are in; none where they have left."""

    username: str
    name: str
    teams: frozenset[int]


@dataclass(slots=True, eq=False, kw_only=True)
class Row:
    """One environment as it stands. ``entries`` are asked of its team, in order; one without a status does not apply.

    ``pk``, ``team`` and ``launch_on`` are the environment's, ``settled`` and ``total`` its tally's: thousands are asked
    for them at once. ``order`` is what rows are sorted by.

    ``drawn`` is for whoever draws it: what follows from the row alone may be kept there. A change makes a new row.
    """

    environment: Environment
    pk: int
    team: int
    launch_on: date | None
    order: tuple[Any, ...]
    entries: Sequence[Entry]
    items: Mapping[int, KeptItem]
    statuses: Mapping[int, Status]
    tally: Tally
    settled: int
    total: int
    under: Under | None
    waiting: int
    drawn: dict[Any, Any] = field(default_factory=dict)

    @property
    def strip(self) -> Strip:
        """Its strip."""
        return strip(self.entries, self.statuses)

    @property
    def is_go(self) -> bool:
        """Whether a go stands on it, with or without conditions."""
        return self.under is not None and self.under.is_go

    def tally_in(self, section: int | None) -> Tally:
        """Return the statuses of its items of one section, counted, under the verdict of all; None asks for all."""
        if section is None:
            return self.tally
        mine = (self.statuses.get(entry.pk) for entry in self.entries if entry.section_id == section)
        return Tally(verdict=self.tally.verdict, counts=Counter(status for status in mine if status is not None))


class Asked:
    """Which entries are asked of a team, and which of them apply to a kind of environment. ``clauses`` are by entry."""

    def __init__(self, entries: Sequence[Entry], clauses: Mapping[int, Sequence[Clause]]) -> None:
        self.entries, self.clauses = entries, clauses
        self.bounds = sorted({one.counts_from for one in entries if one.counts_from is not None})
        self._known: dict[tuple[int, str, int], tuple[list[Entry], list[Entry]]] = {}

    def of(self, team_id: int, kind: str, at: datetime) -> tuple[list[Entry], list[Entry]]:
        """Return the entries that count for a team at an instant, and those of them that apply to a kind."""
        key = team_id, kind, bisect_right(self.bounds, at)
        known = self._known.get(key)
        if known is None:
            answered = answered_by(counting(self.entries, at), team_id)
            known = self._known[key] = answered, [one for one in answered if kind in one.kinds]
        return known


class Held:
    """One service: its environments and all that their standing follows from. ``again_at``: read it again by then."""

    __slots__ = ("_rows", "again_at", "bounds", "environments", "items", "unders", "waiting")

    def __init__(
        self,
        environments: Sequence[Environment],
        items: Mapping[int | None, Mapping[int, KeptItem]],
        unders: Mapping[int, Under],
        waiting: Mapping[int, int],
        asked: Asked,
    ) -> None:
        self.environments, self.items, self.unders, self.waiting = environments, items, unders, waiting
        self.again_at: datetime | None = None
        self._rows: tuple[int, list[Row]] | None = None
        bounds = {bound for mine in items.values() for one in mine.values() for bound in _bounds(one.facts)}
        bounds.update(until for under in unders.values() for until in under.conditions.values())
        self.bounds = sorted(bounds.union(asked.bounds))

    def rows(self, asked: Asked, at: datetime) -> list[Row]:
        """Return its environments as they stand at an instant; reckoned again only where a bound was passed."""
        place = bisect_right(self.bounds, at)
        known = self._rows
        if known is None or known[0] != place:
            self._rows = known = place, [self._row(one, asked, at) for one in self.environments]
        return known[1]

    def moves(self, since: datetime, until: datetime) -> bool:
        """Return whether a bound lies after an instant and not after another."""
        return self.around(since)[1] <= until

    def around(self, at: datetime) -> tuple[datetime, datetime]:
        """Return the last bound up to an instant, and the first one after it."""
        since, until = _around(self.bounds, at)
        again_at = self.again_at
        if again_at is None:
            return since, until
        return (max(since, again_at), until) if again_at <= at else (since, min(until, again_at))

    def _row(self, one: Environment, asked: Asked, at: datetime) -> Row:
        answered, applying = asked.of(one.service.team_id, one.kind, at)
        of_service, own = self.items.get(None, {}), self.items.get(one.pk, {})
        items = {
            entry.pk: item for entry in applying if (item := own.get(entry.pk) or of_service.get(entry.pk)) is not None
        }
        stands: dict[int, Stand] = {entry: stand_at(item.pk, item.facts, at) for entry, item in items.items()}
        under = self.unders.get(one.pk)
        counted = tally(stands.values(), under=under, at=at)
        return Row(
            environment=one,
            pk=one.pk,
            team=one.service.team_id,
            launch_on=one.launch_on,
            order=_order(one),
            entries=answered,
            items=items,
            statuses={entry: stand.status for entry, stand in stands.items()},
            tally=counted,
            settled=counted.settled,
            total=counted.total,
            under=under,
            waiting=sum(self.waiting.get(item.pk, 0) for item in items.values()) if self.waiting else 0,
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Stretch:
    """Every live environment in order, as it stands from ``since`` up to ``until``: no bound lies between.

    ``drawn`` is for whoever draws them: what follows from all of the rows may be kept there.
    """

    since: datetime
    until: datetime
    rows: Sequence[Row]
    drawn: dict[Any, Any] = field(default_factory=dict)

    def spans(self, since: datetime, until: datetime) -> bool:
        """Return whether two instants, in order, are both in it."""
        return self.since <= since and until < self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Everything that is kept, as of the event ``seen``, whose hash is ``seal``. It is never changed, only replaced.

    ``drawn`` is for what rests on no event, and is handed on to what replaces it.
    """

    seen: int
    seal: str
    read_at: datetime
    asked: Asked
    services: Mapping[int, Held]
    people: Mapping[int, Person]
    drawn: dict[Any, Any] = field(default_factory=dict)
    _stretches: list[Stretch] = field(default_factory=list, init=False, repr=False)

    def rows(self, at: datetime) -> Sequence[Row]:
        """Return every live environment as it stands at an instant, in order."""
        return self.stretch(at).rows

    def stretch(self, at: datetime) -> Stretch:
        """Return the same with how long it stands; put together again only where a bound was passed."""
        known = next((one for one in self._stretches if one.spans(at, at)), None)
        if known is None:
            found = [row for held in self.services.values() for row in held.rows(self.asked, at)]
            around = [_around(self.asked.bounds, at), *(held.around(at) for held in self.services.values())]
            known = Stretch(
                since=max(since for since, _ in around),
                until=min(until for _, until in around),
                rows=sorted(found, key=lambda row: row.order),
            )
            self._stretches[:] = [known]
        return known

    def moved(self, since: datetime, until: datetime) -> bool:
        """Return whether time alone may have changed anything after an instant and up to another one."""
        if timezone.localdate(since) != timezone.localdate(until):
            return True
        if any(one.spans(since, until) for one in self._stretches):
            return False
        return any(held.moves(since, until) for held in self.services.values())


def _around(bounds: Sequence[datetime], at: datetime) -> tuple[datetime, datetime]:
    place = bisect_right(bounds, at)
    return bounds[place - 1] if place else EVER, bounds[place] if place < len(bounds) else NEVER


def _order(one: Environment) -> tuple[Any, ...]:
    """Return what comes first: what launches first, then by name; kinds as people name them."""
    day = one.launch_on.toordinal() if one.launch_on else 10**9
    return day, one.service.slug, _KINDS[one.kind], one.name


def _bounds(facts: ItemFacts) -> Iterator[datetime]:
    if facts is NOTHING:
        return
    for name in FACTS:
        bound = getattr(facts, name)
        if bound is not None:
            yield bound
