"""Launch reviews as pages show them: those to come and past, one with its agenda, one decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, QuerySet, When
from django.utils import timezone

from readiness.models import AgendaLine, Condition, Decision, Dissent, Environment, Event, Review, User
from readiness.rules.calendar_months import is_overdue
from readiness.rules.chain import faults_of_one
from readiness.rules.snapshots import Snapshot, hash_of, read

from .chain import row_of
from .coverage import Coverage, coverages
from .decisions import newest_decisions
from .launches import LaunchLine, launch_lines
from .moved import Moved, moved_since_decision
from .standing import Standing

MOST_PAST = 50
LAUNCHES_A_PAGE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchesPage:
    """What the launches page shows: open reviews by date, environments by launch date, and reviews that are closed.

    ``ahead``, ``overdue`` and ``launched`` are those of one ``page`` of environments.
    """

    reviews: list[Review]
    ahead: list[LaunchLine]
    overdue: list[LaunchLine]
    launched: list[LaunchLine]
    page: "Page[Environment]"
    past: list[Review]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaItem:
    """One environment of an agenda. ``decided_here`` is the newest decision that was made on it in this review.

    ``moved`` is None where it was not decided on before.
    """

    line: LaunchLine
    decided_here: Decision | None
    moved: Moved | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage:
    """One review: its agenda in order, who is there, and how many decisions were made in it."""

    review: Review
    agenda: list[AgendaItem]
    attendees: list[User]

    @property
    def decided(self) -> int:
        """How many environments were decided on in this review."""
        return sum(1 for one in self.agenda if one.decided_here is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """One decision.

    ``later`` is the one that took its place; ``coverage`` is None there, and on an archived environment. ``computed``
    is the hash of the snapshot as it is kept now, ``sealed`` the one that the ledger's event of this decision holds,
    None where no such event holds. Where the decision's own is not both, ``snapshot`` is None.
    """

    decision: Decision
    computed: str
    sealed: str | None
    snapshot: Snapshot | None
    line: LaunchLine
    coverage: Coverage | None
    dissents: list[Dissent]
    conditions: list[Condition]
    later: Decision | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """What the sheet of an environment says of its launch: the decision that stands, and the review to come."""

    coverage: Coverage | None
    review: Review | None


def launches_page(at: datetime, number: str = "") -> LaunchesPage:
    """Return reviews, and one page of launches. A fixed number of queries, whatever their number.

    What is no number of a page gives the first one or the last.
    """
    counted = Review.objects.annotate(
        places=Count("agenda", distinct=True), decided=Count("decisions__environment", distinct=True)
    )
    counted = counted.select_related("chair")
    dated = environments_to_show().filter(archived_at=None, service__archived_at=None, launch_on__isnull=False)
    today = timezone.localdate(at)
    to_come = Case(When(launch_on__gte=today, then=F("launch_on")))
    in_order = dated.order_by(to_come.asc(nulls_last=True), "-launch_on", "service__slug", "name")
    page = Paginator(in_order, LAUNCHES_A_PAGE).get_page(number)
    lines = launch_lines(list(page), at)
    ahead = [one for one in lines.values() if one.environment.launch_on and one.environment.launch_on >= today]
    past = [one for one in lines.values() if one.environment.launch_on and one.environment.launch_on < today]
    return LaunchesPage(
        reviews=list(counted.filter(closed_at=None).order_by("starts_at", "pk")),
        ahead=ahead,
        overdue=[one for one in past if is_overdue(one.environment.launch_on, today=today, is_go=one.is_go)],
        launched=[one for one in past if one.is_go],
        page=page,
        past=list(counted.filter(closed_at__isnull=False)[:MOST_PAST]),
    )


def environments_to_show() -> QuerySet[Environment]:
    """Return environments with what a line about them needs."""
    return Environment.objects.select_related("service__team", "billing_source")


def review_page(review: Review, at: datetime) -> ReviewPage:
    """Return one review. A fixed number of queries, whatever the length of its agenda."""
    agenda = list(AgendaLine.objects.filter(review=review).select_related("environment__service__team"))
    lines = launch_lines([line.environment for line in agenda], at)
    made = Decision.objects.filter(review=review).defer("snapshot").select_related("by").order_by("at", "pk")
    here = {decision.environment_id: decision for decision in made}
    return ReviewPage(
        review=review,
        agenda=[
            AgendaItem(
                line=lines[line.environment_id],
                decided_here=here.get(line.environment_id),
                moved=moved_since_decision(lines[line.environment_id]),
            )
            for line in agenda
        ],
        attendees=list(review.attendees.order_by("first_name", "username")),
    )


def decision_page(decision: Decision, at: datetime) -> DecisionPage:
    """Return one decision with what became of it."""
    environment = environments_to_show().get(pk=decision.environment_id)
    line = launch_lines([environment], at)[environment.pk]
    stands, computed, sealed = line.decision, hash_of(decision.snapshot), sealed_hash(decision)
    return DecisionPage(
        decision=decision,
        computed=computed,
        sealed=sealed,
        snapshot=read(decision.snapshot) if computed == decision.hash == sealed else None,
        line=line,
        coverage=line.coverage if stands is not None and stands.pk == decision.pk else None,
        dissents=list(decision.dissents.select_related("by")),
        conditions=list(decision.conditions.select_related("owner", "item__entry")),
        later=stands if stands is not None and stands.pk != decision.pk else None,
    )


def sealed_hash(decision: Decision) -> str | None:
    """Return the hash of a decision's snapshot that the ledger sealed; None where no event of it holds. One query.

    Whoever can change the snapshot can change the hash beside it too; the event cannot be changed without a trace.
    """
    event = sealed_event(decision)
    return str(event.data["snapshot"]) if event is not None else None


def sealed_event(decision: Decision) -> Event | None:
    """Return the ledger's event of a decision; None where there is none that holds. One query."""
    made = Event.objects.filter(kind="decision.made", environment=decision.environment_id)
    for event in made.filter(text__contains=f'"decision":{decision.pk},'):
        if not faults_of_one(row_of(event)) and event.data["decision"] == decision.pk:
            return event
    return None


def launch_of(standing: Standing) -> Launch:
    """Return what a sheet says of its launch. Two queries, and five more where a decision stands."""
    environment, at = standing.environment, standing.at
    decided = newest_decisions([environment.pk], at)
    pairs = [(one.entry, one.item) for one in standing.items]
    covered = coverages(decided.values(), {environment.pk: pairs}, at)
    return Launch(coverage=covered.get(environment.pk), review=next_review(environment))


def next_review(environment: Environment) -> Review | None:
    """Return the open review that has an environment on its agenda, the soonest of several. One query."""
    found = Review.objects.filter(agenda__environment=environment, closed_at=None)
    return found.order_by("starts_at", "pk").first()


def agenda_choices(kept: Sequence[int] = ()) -> QuerySet[Environment]:
    """Return the environments that may be put on an agenda: the live ones, and those that are on it already."""
    found = Environment.objects.select_related("service__team")
    live = found.filter(archived_at=None, service__archived_at=None)
    chosen = live | found.filter(pk__in=list(kept))
    return chosen.order_by(F("launch_on").asc(nulls_last=True), "service__slug", "name")
