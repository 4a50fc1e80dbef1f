"""The sheet: an environment with all its items, its own and its service's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import Count, OuterRef, Q, Subquery

from readiness.enums.standing import Status
from readiness.enums.words import Kind, Outcome, RunState
from readiness.models import (
    Clause,
    Comment,
    Decision,
    Disabling,
    Entry,
    Environment,
    Event,
    Evidence,
    Item,
    NotApplicable,
    Run,
    Section,
    Service,
    Waiver,
)
from readiness.observers import Observer, observers
from readiness.rules.verdicts import Tally, stand_at, tally

from .covering import still_covers
from .decisions import standing_decisions
from .disablings import standing_disablings
from .grounds import Ground, ground_of
from .histories import OBSERVED_AGAIN, Line, lines
from .ownership import with_owners
from .standing import Standing, launch_instant, standing_of
from .strips import Strip, counting, entries_in_order


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One line of a sheet. ``item`` is None where the entry does not apply to this kind of environment.

    ``status`` is None there, and where the entry only begins to count at an instant to come.
    """

    entry: Entry
    item: Item | None
    status: Status | None
    newest: Evidence | None = None
    waiver: Waiver | None = None
    not_applicable: NotApplicable | None = None
    probes: tuple[Observer, ...] = ()
    open_run: Run | None = None
    lacking: tuple[str, ...] = ()
    disabled: tuple[Disabling, ...] = ()
    comments: int = 0

    @property
    def waiting(self) -> bool:
        """Whether a request about it waits for a reviewer."""
        return any(request is not None and request.waiting for request in (self.waiver, self.not_applicable))


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetSection:
    """One section of a sheet, with how many of its items are settled."""

    section: Section
    rows: list[ItemRow]

    @property
    def counted(self) -> int:
        """How many items it has."""
        return sum(1 for row in self.rows if row.status is not None)

    @property
    def settled(self) -> int:
        """How many of them are settled."""
        return sum(1 for row in self.rows if row.status is not None and row.status.settled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sibling:
    """Another environment of the service, with how far it is, and whether a go stands that no longer covers it."""

    environment: Environment
    percent: int
    uncovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far the runs are that were asked for since the oldest one that is still open: ``done`` of ``total``."""

    done: int
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the page shows of one environment at an instant."""

    environment: Environment
    sections: list[SheetSection]
    tally: Tally
    strip: Strip
    standing: Standing
    at_launch: Standing | None
    siblings: list[Sibling]
    open_runs: list[Run]
    progress: Progress | None
    happened: list[Line]

    @property
    def rows(self) -> list[ItemRow]:
        """Every line, in the order of the page."""
        return [row for section in self.sections for row in section.rows]

    def row(self, entry_slug: str) -> ItemRow | None:
        """Return one line by its entry."""
        return next((row for row in self.rows if row.entry.slug == entry_slug), None)


def in_order(environments: Iterable[Environment]) -> list[Environment]:
    """Return environments as people name them: dev, staging, prod, and by name within a kind."""
    return sorted(environments, key=lambda one: (Kind.values.index(one.kind), one.name))


def belongs_to(environment: Environment, item: Item) -> bool:
    """Tell whether an item is on an environment's sheet: its own or its service's, and its entry applies there."""
    mine = item.service_id == environment.service_id and item.environment_id in (None, environment.pk)
    return mine and item.entry.retired_at is None and item.entry.applies_to(environment.kind)


def items_of(service: Service) -> list[Item]:
    """Return the items of a service and of its environments. One query."""
    return list(with_owners(Item.objects.filter(service=service, entry__retired_at=None)))


def sheet(environment: Environment, at: datetime) -> Sheet:
    """Return one environment with every item, its status and newest evidence, and how it stands on its launch date.

    A fixed number of queries, whatever the number of items and of statements about them.
    """
    entries = entries_in_order(team_id=environment.service.team_id)
    items = items_of(environment.service)
    mine = items_on(environment, items, entries)
    ground = ground_of(environment, entries, mine.values(), at)
    standing = _standing(ground, counting(entries, at), mine, at=at, now=at)
    statuses = {one.entry.pk: one.status for one in standing.items}
    newest = _telling_evidence(list(mine.values()), statuses)
    waivers = _latest_requests(Waiver, mine)
    not_applicables = _latest_requests(NotApplicable, mine)
    known, off = observers(), standing_disablings(environment)
    clauses = _clauses_by_entry()
    comments = _comments(mine)
    runs = open_runs(environment)
    by_probe = {run.probe: run for run in runs}
    sections: dict[int, SheetSection] = {}
    for entry in entries:
        item = mine.get(entry.pk)
        probes = tuple(known[slug] for slug in dict.fromkeys(clauses.get(entry.pk, ())) if slug in known)
        row = ItemRow(
            entry=entry,
            item=item,
            status=statuses.get(entry.pk),
            newest=newest.get(item.pk) if item else None,
            waiver=waivers.get(item.pk) if item else None,
            not_applicable=not_applicables.get(item.pk) if item else None,
            probes=probes if item else (),
            open_run=next((by_probe[probe.slug] for probe in probes if probe.slug in by_probe), None) if item else None,
            lacking=_lacking(environment, probes) if item and item.pk not in newest else (),
            disabled=tuple(off[slug] for slug in dict.fromkeys(clauses.get(entry.pk, ())) if slug in off)
            if item
            else (),
            comments=comments.get(item.pk, 0) if item else 0,
        )
        section = sections.setdefault(entry.section_id, SheetSection(section=entry.section, rows=[]))
        section.rows.append(row)
    return Sheet(
        environment=environment,
        sections=list(sections.values()),
        tally=standing.tally,
        strip=standing.strip,
        standing=standing,
        at_launch=_at_launch(ground, entries, mine, at),
        siblings=_siblings(environment, items, counting(entries, at), at),
        open_runs=runs,
        progress=_progress(environment, runs),
        happened=lines(
            Event.objects.filter(Q(environment=environment) | Q(environment=None, service=environment.service)).exclude(
                kind=OBSERVED_AGAIN
            )[:6]
        ),
    )


def open_runs(environment: Environment) -> list[Run]:
    """Return the runs that wait or go on here. One query."""
    return list(Run.objects.filter(environment=environment, state__in=[RunState.QUEUED, RunState.RUNNING]))


def _standing(
    ground: Ground, entries: Sequence[Entry], items: Mapping[int, Item], *, at: datetime, now: datetime
) -> Standing:
    pairs = [(entry, items[entry.pk]) for entry in entries if entry.pk in items]
    return standing_of(ground, entries, pairs, at=at, now=now)


def _at_launch(ground: Ground, entries: Sequence[Entry], items: Mapping[int, Item], now: datetime) -> Standing | None:
    """Return how an environment stands on its launch date, as far as it is known; None without one to come."""
    launch_on = ground.environment.launch_on
    at = launch_instant(launch_on) if launch_on else None
    if at is None or at <= now:
        return None
    return _standing(ground, counting(entries, at), items, at=at, now=now)


def _lacking(environment: Environment, probes: Sequence[Observer]) -> tuple[str, ...]:
    """Return what keeps every one of the probes from looking; empty where one of them can."""
    found = [probe.missing(environment) for probe in probes]
    return tuple(dict.fromkeys(reason for reasons in found for reason in reasons)) if found and all(found) else ()


def items_on(environment: Environment, items: Sequence[Item], entries: Sequence[Entry]) -> dict[int, Item]:
    """Return the items that a sheet shows, by entry: the environment's own and its service's, where they apply."""
    applies = {entry.pk for entry in entries if entry.applies_to(environment.kind)}
    return {
        item.entry_id: item
        for item in items
        if item.entry_id in applies and item.environment_id in (None, environment.pk)
    }


def _siblings(environment: Environment, items: Sequence[Item], entries: Sequence[Entry], at: datetime) -> list[Sibling]:
    found = in_order(
        Environment.objects.filter(service=environment.service, archived_at=None).select_related("service")
    )
    decided = standing_decisions([other.pk for other in found], at)
    goes = [one.decision for one in decided.values() if one.is_go and one.decision is not None]
    made = Decision.objects.filter(pk__in=goes).values_list("environment_id", "snapshot", "hash") if goes else ()
    frozen = {place: (snapshot, hashed) for place, snapshot, hashed in made}
    siblings = []
    for other in found:
        mine = items_on(other, items, entries).values()
        stands = [stand_at(item.pk, item.facts, at) for item in mine]
        under = decided.get(other.pk)
        counted = tally(stands, under=under, at=at)
        now = {stand.item: stand.status for stand in stands}
        lost = other.pk in frozen and not still_covers(*frozen[other.pk], under, now, at)
        siblings.append(Sibling(environment=other, percent=counted.percent, uncovered=lost))
    return siblings


def _progress(environment: Environment, open_runs: Sequence[Run]) -> Progress | None:
    """Return how far the runs are; None where none is open. One query where one is."""
    if not open_runs:
        return None
    asked = min(run.queued_at for run in open_runs)
    over = Run.objects.filter(environment=environment, queued_at__gte=asked, finished_at__isnull=False).count()
    return Progress(done=over, total=over + len(open_runs))


def _comments(items: Mapping[int, Item]) -> dict[int, int]:
    """Return how many comments stand on each item. One query."""
    standing = Comment.objects.filter(item__in=items.values(), removed_at=None).order_by()
    return dict(standing.values_list("item").annotate(Count("pk")))


def _clauses_by_entry() -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for entry_id, probe in Clause.objects.filter(retired_at=None).values_list("entry_id", "probe"):
        found.setdefault(entry_id, []).append(probe)
    return found


def _telling_evidence(items: Sequence[Item], statuses: Mapping[int, Status]) -> dict[int, Evidence]:
    """Return, for each item, the newest statement that its status rests on. Two queries, each on an index.

    A failing item is told by its newest fail, an attested one by its newest tick, a verified one by its newest pass,
    which may be another environment's, every other by whatever was said last.
    """
    newest = Evidence.objects.filter(item=OuterRef("pk")).order_by("-observed_at", "-id").values("pk")
    ids = Item.objects.filter(pk__in=[item.pk for item in items]).values_list(
        "pk",
        Subquery(newest[:1]),
        Subquery(newest.filter(outcome=Outcome.FAIL)[:1]),
        Subquery(newest.filter(outcome=Outcome.PASS, by__isnull=False, supported=True)[:1]),
        Subquery(newest.filter(outcome=Outcome.PASS, run__isnull=False)[:1]),
    )
    place = {Status.FAILING: 2, Status.ATTESTED: 3, Status.VERIFIED: 4}
    by_item = {item.pk: statuses.get(item.entry_id, Status.OPEN) for item in items}
    lent = {item.pk: _taken_over(item, by_item[item.pk]) for item in items}
    chosen = {row[0]: row[place.get(by_item[row[0]], 1)] or lent[row[0]] or row[1] for row in ids}
    found = Evidence.objects.filter(pk__in=[one for one in chosen.values() if one])
    known = {one.pk: one for one in found.select_related("by", "run", "item__environment").prefetch_related("links")}
    return {item: known[pk] for item, pk in chosen.items() if pk in known}


def _taken_over(item: Item, status: Status) -> int | None:
    """Return the newest statement of another environment that an item's status rests on, if it rests on any."""
    if status is Status.FAILING:
        return max((one.failed for one in item.clauses if one.failed), default=None)
    return max((one.passed for one in item.clauses if one.passed and one.lent_by), default=None)


RequestKind = TypeVar("RequestKind", Waiver, NotApplicable)


def _latest_requests(model: type[RequestKind], items: dict[int, Item]) -> dict[int, RequestKind]:
    """Return, for each item, the request that waits, or else the grant that stands. One query."""
    found: dict[int, RequestKind] = {}
    rows = model.objects.filter(item__in=items.values(), ended_at=None).exclude(granted=False)
    for request in rows.select_related("asked_by", "decided_by").order_by("-asked_at"):
        current = found.get(request.item_id)
        if current is None or request.waiting:
            found[request.item_id] = request
    return found
