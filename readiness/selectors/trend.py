"""How much was settled over the last weeks, from what was counted once a day."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Max, Min, QuerySet, Subquery, Sum
from django.utils import timezone

from readiness.models import DayCount

_KEY = "trend"
WEEKS = 8
YOUNG = timedelta(days=14)
"""Where the oldest count is younger than this, every day is a point; otherwise every week is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """What was counted on one day over everything that is asked about."""

    day: date
    items: int
    settled: int
    verified: int

    @property
    def settled_percent(self) -> int:
        """Share of items settled, rounded down; 0 where there was none."""
        return self.settled * 100 // self.items if self.items else 0

    @property
    def observed_percent(self) -> int:
        """Share of items verified by probes, rounded down; 0 where there was none."""
        return self.verified * 100 // self.items if self.items else 0


def trend(
    at: datetime,
    *,
    kinds: Collection[str] = (),
    teams: Collection[str] = (),
    drawn: dict[Any, Any] | None = None,
) -> list[Point]:
    """Return the points of the last eight weeks, the oldest first: a day that was not counted has none.

    They are a week apart, back from the newest day that was counted; a day apart while the counts are young. One query
    where today was counted and the counts are not young, else up to three.

    Those of everything rest on what was counted alone: they are kept in ``drawn`` until another day is counted.
    """
    if drawn is None or kinds or teams:
        return _points(at, kinds, teams)
    today = timezone.localdate(at)
    known: tuple[date, date | None, list[Point]] | None = drawn.get(_KEY)
    if known is None or known[0] != today or known[1] != _newest(today):
        points = _points(at, kinds, teams)
        drawn[_KEY] = known = today, points[-1].day if points else None, points
    return known[2]


def _newest(today: date) -> date | None:
    """Return the newest day that was counted. One query, one step on an index."""
    return DayCount.objects.filter(day__lte=today).order_by("-day").values_list("day", flat=True).first()


def _points(at: datetime, kinds: Collection[str], teams: Collection[str]) -> list[Point]:
    today = timezone.localdate(at)
    counted = DayCount.objects.filter(day__gte=today - timedelta(weeks=WEEKS), day__lte=today).order_by()
    guessed = {today - timedelta(weeks=number) for number in range(WEEKS + 1)}
    found = _sums(counted, guessed, kinds, teams)
    ends = found[0][1:3] if found else tuple(counted.aggregate(oldest=Min("day"), newest=Max("day")).values())
    oldest, newest = ends
    if oldest is None or newest is None:
        return []
    step = timedelta(days=1) if newest - oldest < YOUNG else timedelta(weeks=1)
    days = {newest - step * number for number in range((newest - oldest) // step + 1)}
    if not days <= guessed:
        found = _sums(counted, days, kinds, teams)
    return [
        Point(day=day, items=of, settled=done, verified=seen)
        for day, _oldest, _newest, of, done, seen in found
        if day in days
    ]


def _sums(
    counted: QuerySet[DayCount], days: Collection[date], kinds: Collection[str], teams: Collection[str]
) -> list[tuple[Any, ...]]:
    """Return the sums of some days, each with the oldest and the newest day that was counted at all. One query."""
    rows = counted.filter(day__in=days)
    if kinds:
        rows = rows.filter(environment__kind__in=kinds)
    if teams:
        rows = rows.filter(environment__service__team__slug__in=teams)
    ends = {
        "oldest": Subquery(counted.order_by("day").values("day")[:1]),
        "newest": Subquery(counted.order_by("-day").values("day")[:1]),
    }
    sums = rows.values("day").annotate(**ends, of=Sum("items"), done=Sum("settled"), seen=Sum("verified"))
    return list(sums.order_by("day").values_list("day", *ends, "of", "done", "seen"))
