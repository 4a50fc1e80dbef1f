"""The overview: every live environment with its verdict and strip, and what is left."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from readiness.enums.standing import Status, Verdict
from readiness.enums.words import Kind, RunState
from readiness.models import Condition, Entry, Environment, Item, NotApplicable, Run, Team, Waiver
from readiness.rules.status import ItemFacts
from readiness.rules.verdicts import Stand, Tally, Under, tally

from .decisions import standing_decisions
from .status_sql import status_expression
from .strips import Strip, answered_by, counting, entries_in_order, strip


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address asks for. Empty means: all."""

    kinds: frozenset[str] = frozenset()
    team: str = ""
    verdict: str = ""
    waiting: bool = False
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One environment on the overview."""

    environment: Environment
    tally: Tally
    strip: Strip
    last_run_at: datetime | None
    waiting: int
    under: Under | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows under one heading: "Launching this week"."""

    heading: str
    rows: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the page shows. ``figures`` count verdicts over everything that the other filters leave."""

    groups: list[Group]
    figures: Mapping[Verdict, int]
    shown: int
    services: int
    environments: int
    entries: int
    waiting: int
    settled: int
    observed: int
    items: int
    section_names: list[str]
    teams: list[Team] = field(default_factory=list)

    @property
    def settled_percent(self) -> int:
        """Share of items settled, in percent, rounded down."""
        return self.settled * 100 // self.items if self.items else 0

    @property
    def observed_percent(self) -> int:
        """Share of items verified by probes, in percent, rounded down."""
        return self.observed * 100 // self.items if self.items else 0


def overview(filters: Filters, at: datetime) -> Overview:
    """Return the overview at an instant. Ten queries, whatever the number of environments."""
    entries = counting(entries_in_order(), at)
    asked = _by_team_and_kind(entries)
    decided = standing_decisions(None, at)
    environments = list(_environments(filters))
    by_environment, by_service = _statuses(at)
    waiting_environments, waiting_services = _waiting()
    rows = []
    for environment in environments:
        found = {**by_service.get(environment.service_id, {}), **by_environment.get(environment.pk, {})}
        answered, applicable = asked(environment.service.team_id, environment.kind)
        kept = {entry: stand for entry, stand in found.items() if entry in applicable}
        rows.append(
            Row(
                environment=environment,
                tally=tally(kept.values(), under=decided.get(environment.pk), at=at),
                strip=strip(answered, {entry: stand.status for entry, stand in kept.items()}),
                last_run_at=getattr(environment, "last_run_at", None),
                waiting=waiting_environments[environment.pk] + waiting_services[environment.service_id],
                under=decided.get(environment.pk),
            )
        )
    figures = Counter(row.tally.verdict for row in rows)
    waiting = sum(1 for row in rows if row.waiting)
    shown = [
        row
        for row in rows
        if (not filters.verdict or row.tally.verdict == filters.verdict) and (not filters.waiting or row.waiting)
    ]
    counts: Counter[Status] = sum((row.tally.counts for row in shown), Counter())
    return Overview(
        groups=_groups(shown, at),
        figures={verdict: figures[verdict] for verdict in Verdict},
        shown=len(shown),
        services=len({row.environment.service_id for row in rows}),
        environments=len(rows),
        entries=len(entries),
        waiting=waiting,
        settled=sum(row.tally.settled for row in shown),
        observed=counts[Status.VERIFIED],
        items=sum(row.tally.total for row in shown),
        section_names=list(dict.fromkeys(entry.section.short for entry in entries)),
        teams=list(Team.objects.all()),
    )


def moved_by_time(since: datetime, now: datetime) -> bool:
    """Return whether anything on the overview may have changed after one instant and up to another without an event.

    That is where evidence or a waiver ended, a fail or an entry began to count, a condition ended, or a day
    began. At most three queries.
    """
    reached = Q()
    for name in ItemFacts.names():
        reached |= Q(**{f"{name}__gt": since, f"{name}__lte": now})
    if timezone.localdate(since) != timezone.localdate(now) or Item.objects.filter(reached).exists():
        return True
    return any(
        kind.objects.filter(**{f"{name}__gt": since, f"{name}__lte": now}).exists()
        for kind, name in ((Entry, "counts_from"), (Condition, "until"))
    )


def _environments(filters: Filters) -> QuerySet[Environment]:
    """Return the environments that the filters leave, each with when a run of it ended last: one step on an index."""
    done = Run.objects.filter(environment=OuterRef("pk"), state=RunState.DONE).order_by("-finished_at")
    found = Environment.objects.filter(archived_at=None, service__archived_at=None).select_related("service__team")
    found = found.annotate(last_run_at=Subquery(done.values("finished_at")[:1]))
    if filters.kinds:
        found = found.filter(kind__in=filters.kinds)
    if filters.team:
        found = found.filter(service__team__slug=filters.team)
    if filters.text:
        found = found.filter(
            Q(service__slug__icontains=filters.text)
            | Q(service__description__icontains=filters.text)
            | Q(service__team__name__icontains=filters.text)
        )
    as_named = Case(*(When(kind=kind, then=Value(place)) for place, kind in enumerate(Kind.values)))
    return found.order_by(F("launch_on").asc(nulls_last=True), "service__slug", as_named, "name")


def _by_team_and_kind(entries: list[Entry]) -> Callable[[int, str], tuple[list[Entry], frozenset[int]]]:
    """Return what gives, for a team and a kind of environment, the entries of its strip and those that apply."""

    @cache
    def asked(team_id: int, kind: str) -> tuple[list[Entry], frozenset[int]]:
        answered = answered_by(entries, team_id)
        return answered, frozenset(entry.pk for entry in answered if kind in entry.kinds)

    return asked


_States = dict[int, dict[int, Stand]]


def _statuses(at: datetime) -> tuple[_States, _States]:
    """Return where items stand, by environment and by service, each by entry. One query."""
    by_environment: _States = {}
    by_service: _States = {}
    rows = (
        Item.objects.filter(entry__retired_at=None, service__archived_at=None)
        .annotate(status=status_expression(at))
        .values_list("environment_id", "service_id", "entry_id", "pk", "status", "first_met_at")
    )
    for environment_id, service_id, entry_id, item, status, first_met_at in rows:
        place = by_service if environment_id is None else by_environment
        was_met = first_met_at is not None and first_met_at <= at
        stand = Stand(item=item, status=Status(status), was_met=was_met)
        place.setdefault(environment_id or service_id, {})[entry_id] = stand
    return by_environment, by_service


def _waiting() -> tuple[Counter[int], Counter[int]]:
    """Return how many requests wait for a reviewer, by environment and (for items of a service) by service."""
    by_environment: Counter[int] = Counter()
    by_service: Counter[int] = Counter()
    for model in (Waiver, NotApplicable):
        waiting = model.objects.filter(decided_at=None, ended_at=None, item__entry__retired_at=None)
        of_services = waiting.filter(item__environment=None)
        by_service.update(of_services.values_list("item__service_id", flat=True))
        by_environment.update(waiting.exclude(item__environment=None).values_list("item__environment_id", flat=True))
    return by_environment, by_service


def _groups(rows: list[Row], at: datetime) -> list[Group]:
    today = timezone.localdate(at)
    groups: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: _place(row.environment.launch_on, today)):
        groups.setdefault(launch_heading(row.environment.launch_on, today), []).append(row)
    return [Group(heading=heading, rows=found) for heading, found in groups.items()]


def _place(launch_on: date | None, today: date) -> int:
    """Return what comes first: launches ahead, then what has launched, then what has no date."""
    if launch_on is None:
        return 2
    return 0 if launch_on >= today else 1


def launch_heading(launch_on: date | None, today: date) -> str:
    """Return the heading that an environment stands under: by when it launches, seen from today."""
    if launch_on is None:
        return "No launch date"
    days = (launch_on - today).days
    if days < 0:
        return "Launched"
    if days < 7:
        return "Launching within a week"
    if (launch_on.year, launch_on.month) == (today.year, today.month):
        return "Launching this month"
    return f"Launching in {launch_on:%B %Y}" if launch_on.year != today.year else f"Launching in {launch_on:%B}"
