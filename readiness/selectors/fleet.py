"""Where every live environment stands: kept in each process and led by the ledger (docs/decisions/0012).

What is kept are facts with their bounds in time, and results for as long as no bound is passed. The ledger says which
services to read again: every change records an event in its transaction, and numbers are given in order of commits.
"""

from bisect import bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

from django.db.models import F, FilteredRelation, Q, Subquery
from django.utils import timezone

from readiness.enums.standing import Status
from readiness.enums.words import Kind
from readiness.models import Clause, Entry, Environment, Event, Item, User
from readiness.rules.status import ItemFacts
from readiness.rules.verdicts import Stand, Tally, Under, stand_at, tally

from .decisions import standing_decisions
from .strips import Strip, answered_by, counting, strip

MOST_NEWS = 5000
"""Whoever missed more events than this reads everything again."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""A page whose clock is behind what was read last by no more than this is drawn from it."""
EVER, NEVER = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
_OF_NO_SERVICE = ("token.", "review.", "calendar.")
_OF_PEOPLE = "user."
_NOTHING = ItemFacts()
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


class _Kept:
    lock = Lock()
    fleet: Fleet | None = None


def fleet(at: datetime) -> Fleet:
    """Return everything as the ledger's newest event left it. One query where nothing happened since.

    Of services that something happened to, at most four more; five in all where everything is read.
    """
    with _Kept.lock:
        _Kept.fleet = found = _followed(_Kept.fleet, at)
    return found


def fleet_if_kept(at: datetime) -> Fleet | None:
    """Return the same where this process has read it before: it is not worth a first reading for everything."""
    return fleet(at) if _Kept.fleet is not None else None


def forget() -> None:
    """Read everything again the next time."""
    with _Kept.lock:
        _Kept.fleet = None


def read(at: datetime) -> Fleet:
    """Return everything read anew, and keep nothing of it."""
    # The number comes first: what is read after it is that event's state or a newer one, never an older one.
    (seen, seal, told_at), asked = _newest_and_asked(at)
    services = _read(None, asked, at)
    if told_at > at:
        for held in services.values():
            held.again_at = told_at
    return _with_people(Fleet(seen=seen, seal=seal, read_at=at, asked=asked, services=services, people={}), anew=True)


def _followed(known: Fleet | None, at: datetime) -> Fleet:
    if known is None or at < known.read_at - CLOCKS_DIFFER:
        return read(at)
    news = _news(known)
    if news is None:
        return read(at)
    changed = _changed(news)
    if changed is None:
        return read(at)
    touched = changed.keys() | {
        key for key, held in known.services.items() if held.again_at is not None and held.again_at <= at
    }
    if not news and not touched:
        return known
    services = known.services
    if touched:
        fresh = _read(touched, known.asked, at)
        for key, held in fresh.items():
            # Whoever wrote it may have a clock ahead of this one: what it says may only count from then on.
            before = services[key].again_at if key in services else None
            held.again_at = max(
                (one for one in (before, changed.get(key)) if one is not None and one > at), default=None
            )
            if before is not None and before <= at:
                insort(held.bounds, before)  # A page drawn before it is told, though no event came.
        services = {key: held for key, held in services.items() if key not in touched} | fresh
    last = news[-1] if news else None
    found = replace(
        known,
        seen=last.id if last else known.seen,
        seal=last.hash if last else known.seal,
        read_at=max(at, known.read_at),
        services=services,
    )
    return _with_people(found, anew=any(one.kind.startswith(_OF_PEOPLE) for one in news))


def _newest_and_asked(at: datetime) -> tuple[tuple[int, str, datetime], Asked]:
    """Return the newest event, or what stands for none, and what is asked. One query; two where nothing is asked."""
    newest = Event.objects.order_by("-id")
    columns = {f"newest_{name}": Subquery(newest.values(name)[:1]) for name in ("id", "hash", "at")}
    asked = FilteredRelation("clauses", condition=Q(clauses__retired_at=None))
    rows = Entry.objects.filter(retired_at=None).annotate(asked=asked, **columns)
    entries: dict[int, Entry] = {}
    clauses: dict[int, list[Clause]] = {}
    event: tuple[Any, ...] | None = None
    for one in rows.select_related("section__checklist", "asked"):  # type: ignore[misc]  # A filtered relation.
        entries.setdefault(one.pk, one)
        event = tuple(getattr(one, name) for name in columns)
        clause = getattr(one, "asked", None)
        if clause is not None:
            clauses.setdefault(one.pk, []).append(clause)
    for mine in clauses.values():
        mine.sort(key=lambda clause: clause.position)
    if event is None:
        event = newest.values_list("id", "hash", "at").first()
    seen, seal, told_at = event or (None, None, None)
    return (seen or 0, seal or "", told_at or at), Asked(list(entries.values()), clauses)


class _News(NamedTuple):
    id: int
    hash: str
    kind: str
    service: int | None
    at: datetime


def _news(known: Fleet) -> list[_News] | None:
    """Return the events since; None where the last that was seen is not there any more, or they are too many.

    Then this is another ledger, or what was seen was undone. One query.
    """
    rows = Event.objects.filter(id__gte=known.seen).order_by("id")
    columns = rows.values_list("id", "hash", "kind", "service_id", "at")
    found = [_News(*row) for row in columns[: MOST_NEWS + 1]]
    if len(found) > MOST_NEWS:
        return None
    if not known.seen:
        return found
    return found[1:] if found and (found[0].id, found[0].hash) == (known.seen, known.seal) else None


def _changed(news: Iterable[_News]) -> dict[int, datetime] | None:
    """Return which services something happened to, with the newest clock of those who wrote it; None: to all."""
    found: dict[int, datetime] = {}
    for one in news:
        if one.service is not None:
            found[one.service] = max(one.at, found.get(one.service, one.at))
        elif not one.kind.startswith((*_OF_NO_SERVICE, _OF_PEOPLE)):
            return None
    return found


def _with_people(found: Fleet, *, anew: bool) -> Fleet:
    """Return everything with everybody who owns an item. One query, where somebody is not known."""
    owners = {
        item.owner
        for held in found.services.values()
        for mine in held.items.values()
        for item in mine.values()
        if item.owner is not None
    }
    if not anew and owners == found.people.keys():
        return found
    if not anew and owners < found.people.keys():
        return replace(found, people={key: found.people[key] for key in owners})
    people: dict[int, Person] = {}
    teams: dict[int, set[int]] = {}
    for user in User.objects.filter(pk__in=owners).annotate(of_team=F("memberships__team")) if owners else ():
        teams.setdefault(user.pk, set())
        if user.is_active and user.of_team is not None:
            teams[user.pk].add(user.of_team)
        people[user.pk] = Person(username=user.username, name=str(user), teams=frozenset(teams[user.pk]))
    return replace(found, people=people)


def _order(one: Environment) -> tuple[Any, ...]:
    """Return what comes first: what launches first, then by name; kinds as people name them."""
    day = one.launch_on.toordinal() if one.launch_on else 10**9
    return day, one.service.slug, _KINDS[one.kind], one.name


def _bounds(facts: ItemFacts) -> Iterator[datetime]:
    if facts is _NOTHING:
        return
    for name in _FACTS:
        bound = getattr(facts, name)
        if bound is not None:
            yield bound


_FACTS = ItemFacts.names()


def _waiting() -> dict[str, FilteredRelation]:
    """Return, for a query of items, the request about each that waits for a reviewer: one of each kind at most."""
    return {
        f"asks_{kind}": FilteredRelation(kind, condition=Q(**{f"{kind}__decided_at": None, f"{kind}__ended_at": None}))
        for kind in ("waivers", "notapplicables")
    }


def _read(services: Iterable[int] | None, asked: Asked, at: datetime) -> dict[int, Held]:
    """Return services as they are now, None asking for all; those without a live environment are left out."""
    which = {} if services is None else {"service__in": list(services)}
    environments: dict[int, list[Environment]] = {}
    live = Environment.objects.filter(archived_at=None, service__archived_at=None, **which)
    for one in live.select_related("service__team", "billing_source"):
        environments.setdefault(one.service_id, []).append(one)
    ids = None if services is None else [one.pk for mine in environments.values() for one in mine]
    unders = standing_decisions(ids, at) if environments else {}
    waiting: dict[int, dict[int, int]] = {}
    items: dict[int, dict[int | None, dict[int, KeptItem]]] = {}
    rows = Item.objects.filter(entry__retired_at=None, service__archived_at=None, **which).order_by()
    asking = _waiting()
    for service, environment, entry, pk, owner, waiver, left_out, *facts in rows.annotate(**asking).values_list(
        "service_id", "environment_id", "entry_id", "pk", "owner_id", *(f"{name}__pk" for name in asking), *_FACTS
    ):
        if waiver is not None or left_out is not None:
            waiting.setdefault(service, {})[pk] = (waiver is not None) + (left_out is not None)
        kept = KeptItem(pk, owner, _NOTHING if not any(facts) else ItemFacts(**dict(zip(_FACTS, facts, strict=True))))
        items.setdefault(service, {}).setdefault(environment, {})[entry] = kept
    return {
        key: Held(
            mine,
            items.get(key, {}),
            {one.pk: unders[one.pk] for one in mine if one.pk in unders},
            waiting.get(key, {}),
            asked,
        )
        for key, mine in environments.items()
    }
