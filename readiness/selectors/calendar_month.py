"""A month of launches and reviews, and lists of what does not fit into it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from readiness.enums.standing import Verdict
from readiness.models import AgendaLine, Decision, Environment, Review, Team, User
from readiness.rules.calendar_months import Month, Remark, is_overdue, remarks
from readiness.rules.verdicts import Tally

from . import fleet as fleets
from .covering import uncovered
from .decisions import newest_decisions
from .forecasted import looked
from .kept import Fleet, Row
from .standing import launch_instant

MOST_A_DAY = 4
"""So many launches and so many reviews are drawn in a day; a page of its own lists the rest."""
MOST_OVERDUE = 5
MOST_REVIEWS = 500
"""So many reviews of a month are looked at: the earliest."""
A_PAGE = 50
READY = frozenset({Verdict.READY, Verdict.READY_WITH_WAIVERS})


@dataclass(frozen=True, slots=True, kw_only=True)
class Whose:
    """Whose launches are asked for: a team's, those of ``mine`` (a person), or everybody's."""

    team: Team | None = None
    mine: User | None = None

    @property
    def teams(self) -> frozenset[int] | None:
        """The teams whose launches are shown; None for all."""
        if self.team is not None:
            return frozenset({self.team.pk})
        return self.mine.actor.teams if self.mine is not None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """One environment on its launch date. ``at_launch`` is its verdict then, as known now; None where it has passed.

    ``review`` is the soonest open one that it is on the agenda of.
    """

    row: Row
    at_launch: Tally | None
    decision: Decision | None
    review: Review | None
    remarks: Sequence[Remark]

    @property
    def environment(self) -> Environment:
        """What launches."""
        return self.row.environment

    @property
    def uncovered(self) -> bool:
        """Whether it stands under a go that no longer covers it."""
        return uncovered(self.row)


@dataclass(frozen=True, slots=True, kw_only=True)
class Day:
    """One day: the first of its launches and reviews, and how many more there are. ``inside``: it is of this month."""

    day: date
    inside: bool
    launches: Sequence[Launch] = ()
    more: int = 0
    reviews: Sequence[Review] = ()
    more_reviews: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is on it."""
        return not self.launches and not self.reviews

    @property
    def more_in_all(self) -> int:
        """How many launches and reviews are not drawn."""
        return self.more + self.more_reviews


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarMonth:
    """What the page shows. ``launches`` and ``reviews`` count those of the month, drawn or not."""

    month: Month
    weeks: list[list[Day]]
    launches: int
    reviews: int
    overdue: list[Launch]
    overdue_count: int


def calendar_month(month: Month, whose: Whose, at: datetime, *, first_weekday: int) -> CalendarMonth:
    """Return a month as it stands at an instant. Five queries, whatever there is; ``fleets`` says what more.

    Where forecasts are not known yet they are two more, and one where it is not whether goes still cover. Reviews stand
    on the day that they start.
    """
    kept = fleets.fleet(at)
    rows = _rows(kept, whose, at)
    today = timezone.localdate(at)
    days: dict[date, list[Row]] = {}
    for row in rows:
        if row.launch_on is not None and month.first <= row.launch_on < month.after:
            days.setdefault(row.launch_on, []).append(row)
    late = _overdue(rows, today)
    drawn = [row for mine in days.values() for row in mine[:MOST_A_DAY]] + late[:MOST_OVERDUE]
    launches = _launches(drawn, kept, at)
    reviews = _by_day(list(_reviews(whose, month.first, month.after)[:MOST_REVIEWS]))
    weeks = [
        [_day(day, month, days.get(day, ()), reviews.get(day, ()), launches) for day in week]
        for week in month.weeks(first_weekday)
    ]
    return CalendarMonth(
        month=month,
        weeks=weeks,
        launches=sum(map(len, days.values())),
        reviews=sum(map(len, reviews.values())),
        overdue=[launches[row.pk] for row in late[:MOST_OVERDUE]],
        overdue_count=len(late),
    )


def _day(
    day: date, month: Month, rows: Sequence[Row], reviews: Sequence[Review], launches: Mapping[int, Launch]
) -> Day:
    inside = month.first <= day < month.after
    if not inside:
        return Day(day=day, inside=False)
    return Day(
        day=day,
        inside=True,
        launches=[launches[row.pk] for row in rows[:MOST_A_DAY]],
        more=max(0, len(rows) - MOST_A_DAY),
        reviews=reviews[:MOST_A_DAY],
        more_reviews=max(0, len(reviews) - MOST_A_DAY),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarList:
    """Launches one below the other: those of one ``day``, with its reviews; where it is None, all that are overdue."""

    day: date | None
    page: "Page[Row]"
    launches: list[Launch]
    reviews: list[Review]


def calendar_list(day: date | None, whose: Whose, at: datetime, number: str = "") -> CalendarList:
    """Return one page of the launches of a day, or of what is overdue. As many queries as a month."""
    kept = fleets.fleet(at)
    rows = _rows(kept, whose, at)
    found = _overdue(rows, timezone.localdate(at)) if day is None else [row for row in rows if row.launch_on == day]
    page = Paginator(found, A_PAGE).get_page(number)
    launches = _launches(list(page), kept, at)
    reviews = [] if day is None else list(_reviews(whose, day, day + timedelta(days=1))[:MOST_REVIEWS])
    return CalendarList(day=day, page=page, launches=[launches[row.pk] for row in page], reviews=reviews)


def _rows(kept: Fleet, whose: Whose, at: datetime) -> list[Row]:
    teams = whose.teams
    return [row for row in kept.rows(at) if row.launch_on is not None and (teams is None or row.team in teams)]


def _overdue(rows: Iterable[Row], today: date) -> list[Row]:
    """Return the launches whose date has passed without a go, the newest date first."""
    found = [row for row in rows if is_overdue(row.launch_on, today=today, is_go=row.is_go)]
    return sorted(found, key=lambda row: row.launch_on or today, reverse=True)


def _remarks(row: Row, review: Review | None, today: date) -> list[Remark]:
    if row.launch_on is None:
        return []
    return remarks(
        launch_on=row.launch_on,
        today=today,
        ready=row.tally.verdict in READY,
        decided=row.under is not None,
        is_go=row.is_go,
        review_on=timezone.localdate(review.starts_at) if review is not None else None,
    )


def _launches(rows: Sequence[Row], kept: Fleet, at: datetime) -> dict[int, Launch]:
    """Return launches by their keys. Three queries, and those of forecasts and goes that are not known."""
    today, keys = timezone.localdate(at), {row.pk for row in rows}
    at_launch = looked(rows, kept, at).at_launch
    decided = newest_decisions(keys, at) if keys else {}
    agenda = AgendaLine.objects.filter(environment__in=keys, review__closed_at=None).select_related("review")
    reviews: dict[int, Review] = {}
    for line in agenda.order_by("review__starts_at", "review"):
        reviews.setdefault(line.environment_id, line.review)
    return {
        row.pk: Launch(
            row=row,
            at_launch=at_launch.get(row.pk),
            decision=decided.get(row.pk),
            review=reviews.get(row.pk),
            remarks=_remarks(row, reviews.get(row.pk), today),
        )
        for row in rows
    }


def reviews_of(whose: Whose) -> QuerySet[Review]:
    """Return the reviews with a team's environments on their agenda; for a person also those that they go to."""
    found = Review.objects.all()
    teams = whose.teams
    if teams is None:
        return found
    theirs = Q(pk__in=AgendaLine.objects.filter(environment__service__team__in=teams).values("review"))
    if whose.mine is not None:
        theirs |= Q(chair=whose.mine) | Q(pk__in=whose.mine.reviews_attended.values("pk"))
    return found.filter(theirs)


def _reviews(whose: Whose, first: date, after: date) -> QuerySet[Review]:
    """Return the reviews that start on days from one up to another, in order."""
    counted = Review.objects.annotate(
        places=Count("agenda", distinct=True), decided=Count("decisions__environment", distinct=True)
    )
    held = counted.filter(starts_at__gte=launch_instant(first), starts_at__lt=launch_instant(after))
    if whose.teams is not None:
        held = held.filter(pk__in=reviews_of(whose).values("pk"))
    return held.select_related("chair").order_by("starts_at", "pk")


def _by_day(reviews: Iterable[Review]) -> dict[date, list[Review]]:
    found: dict[date, list[Review]] = {}
    for review in reviews:
        found.setdefault(timezone.localdate(review.starts_at), []).append(review)
    return found
