"""What a calendar holds at an instant: launches, reviews, and what comes due for a person."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from readiness.enums.words import DecisionKind
from readiness.models import AgendaLine, CalendarFeed, Condition, Environment, Event, Item, Review, Team, User, Waiver
from readiness.rules.calendar_feeds import BACK, CANCELLED_FOR, MOST, nearness
from readiness.rules.chain import FIRST_HASH
from readiness.rules.verdicts import Tally

from . import fleet as fleets
from .calendar_month import Whose, reviews_of
from .decisions import newest_decisions
from .forecasted import looked
from .kept import Row
from .standing import launch_instant
from .waiting import my_conditions, my_items

MOST_EVENTS = 5000
"""So many of the newest events that move a launch or a review are looked at."""
_MOVES_LAUNCH = (
    "environment.added",
    "environment.changed",
    "environment.archived",
    "environment.restored",
    "service.archived",
    "service.restored",
    "service.transferred",
)
_MOVES_REVIEW = ("review.planned", "review.changed", "review.chair-taken", "review.closed")


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchDay:
    """An environment on its launch date. ``row`` is None where the launch was called off, on the date it had.

    ``at_launch`` is its verdict then, as known now; None where the date has passed.
    """

    environment: Environment
    day: date
    row: Row | None
    at_launch: Tally | None
    decision: DecisionKind | None
    changed_at: datetime

    @property
    def moves(self) -> int:
        """How often it may have moved: whatever moves it makes a new version."""
        return self.environment.version + self.environment.service.version - 2


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewDay:
    """A review with what is on its agenda."""

    review: Review
    places: Sequence[str]
    changed_at: datetime

    @property
    def called_off(self) -> bool:
        """Whether it was closed before it began."""
        return self.review.closed_at is not None and self.review.closed_at < self.review.starts_at


@dataclass(frozen=True, slots=True, kw_only=True)
class DueItem:
    """An item that is not settled, on the day that it is due, with the sheet that shows it."""

    item: Item
    sheet: Environment
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """All that a calendar holds. ``installation`` tells this ledger from every other, in the names of things."""

    launches: list[LaunchDay]
    reviews: list[ReviewDay]
    items: list[DueItem]
    conditions: list[Condition]
    waivers: list[Waiver]
    installation: str


def held(feed: CalendarFeed, at: datetime) -> Held:
    """Return what the calendar of an address holds at an instant. Twenty-five queries at most, whatever there is."""
    user, team = feed.made_by, feed.team
    teams = [team] if team is not None else list(Team.objects.filter(pk__in=user.actor.teams))
    first = timezone.localdate(at) - BACK
    launches, rows = _launches(teams, first, at)
    return Held(
        launches=launches,
        reviews=_reviews(_of_team(team) if team is not None else _attended(user), first, at),
        items=[] if team is not None else _items(user, feed.made_at, first, at),
        conditions=_conditions(user if team is None else None, rows, first, at),
        waivers=_waivers(Q(item__service__team=team) if team else Q(asked_by=user) | Q(item__owner=user), first, at),
        installation=_installation(),
    )


def _installation() -> str:
    """Return what tells this installation from every other: the beginning of the hash of its first event. One query."""
    first = Event.objects.order_by("id").values_list("hash", flat=True).first()
    return (first or FIRST_HASH)[:16]


def _launches(teams: Sequence[Team], first: date, at: datetime) -> tuple[list[LaunchDay], list[Row]]:
    """Return launches from a day on, and those that were called off, with every row of the teams."""
    kept = fleets.fleet(at)
    mine, today = {team.pk for team in teams}, timezone.localdate(at)
    rows = [row for row in kept.rows(at) if row.team in mine]
    dated = [row for row in rows if row.launch_on is not None and row.launch_on >= first]
    dated = sorted(dated, key=lambda row: nearness(row.launch_on or today, today))[:MOST]
    at_launch = looked(dated, kept, at).at_launch
    moved = _moved(teams, at)
    found = [
        LaunchDay(
            environment=row.environment,
            day=row.launch_on or today,
            row=row,
            at_launch=at_launch.get(row.pk),
            decision=row.under.kind if row.under is not None else None,
            changed_at=moved.changed_at(row.environment),
        )
        for row in dated
    ]
    return found + _called_off(moved, mine, first, at), rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moved:
    """When launches were changed last, which dates were taken away or moved from, and which services were handed on."""

    newest: Mapping[tuple[int | None, int | None], datetime]
    dates: Mapping[int, date]
    handed_on: frozenset[int]

    def changed_at(self, environment: Environment) -> datetime:
        """Return when the launch of an environment was changed last."""
        keys = (environment.pk, None), (None, environment.service_id)
        return max([environment.settings_changed_at, *(self.newest[key] for key in keys if key in self.newest)])


def _moved(teams: Sequence[Team], at: datetime) -> _Moved:
    """Return what moved launches of teams, and of services that were theirs until lately. One query."""
    slugs, since = {team.slug for team in teams}, at - CANCELLED_FOR
    lately = Q(kind="service.transferred", at__gt=since)
    events = Event.objects.filter(Q(service__team__in=teams) | lately, kind__in=_MOVES_LAUNCH).order_by("-id")
    newest: dict[tuple[int | None, int | None], datetime] = {}
    dates: dict[int, date] = {}
    handed_on: set[int] = set()
    columns = ("kind", "environment_id", "service_id", "at", "text")
    for kind, environment, service, told_at, text in events.values_list(*columns)[:MOST_EVENTS]:
        newest.setdefault((environment, None) if environment is not None else (None, service), told_at)
        if told_at <= since or kind not in ("environment.changed", "service.transferred"):
            continue
        before = json.loads(text)["data"].get("from", {})
        if before.get("launch_on") and environment is not None:
            dates.setdefault(environment, date.fromisoformat(before["launch_on"]))
        if before.get("team") in slugs and service is not None:
            handed_on.add(service)
    return _Moved(newest=newest, dates=dates, handed_on=frozenset(handed_on))


def _called_off(moved: _Moved, teams: Iterable[int], first: date, at: datetime) -> list[LaunchDay]:
    """Return launches that were called off lately: archived, handed to another team, or left without a date."""
    since = at - CANCELLED_FOR
    archived = Q(archived_at__gt=since) | Q(service__archived_at__gt=since)
    undated = Q(pk__in=moved.dates, launch_on=None)
    gone = Environment.objects.filter(
        Q(service__team__in=teams) & (archived | undated) | Q(service__in=moved.handed_on) & ~Q(service__team__in=teams)
    )
    found = []
    for one in gone.select_related("service__team").order_by("pk")[:MOST]:
        day = one.launch_on or moved.dates.get(one.pk)
        if day is not None and day >= first:
            ended = one.archived_since
            changed_at = moved.changed_at(one)
            found.append(
                LaunchDay(
                    environment=one,
                    day=day,
                    row=None,
                    at_launch=None,
                    decision=None,
                    changed_at=max(changed_at, ended) if ended is not None else changed_at,
                )
            )
    return found


def _of_team(team: Team) -> QuerySet[Review]:
    return reviews_of(Whose(team=team))


def _attended(user: User) -> QuerySet[Review]:
    return Review.objects.filter(Q(chair=user) | Q(pk__in=user.reviews_attended.values("pk")))


def _reviews(reviews: QuerySet[Review], first: date, at: datetime) -> list[ReviewDay]:
    """Return reviews from a day on with their agendas. Three queries; one where there is none."""
    recent = reviews.filter(starts_at__gte=launch_instant(first)).select_related("chair").order_by("starts_at", "pk")
    today = timezone.localdate(at)
    chosen = sorted(recent[: 2 * MOST], key=lambda one: nearness(timezone.localdate(one.starts_at), today))[:MOST]
    if not chosen:
        return []
    agenda: dict[int, list[str]] = {}
    for line in AgendaLine.objects.filter(review__in=chosen).select_related("environment__service"):
        agenda.setdefault(line.review_id, []).append(str(line.environment))
    newest: dict[int, datetime] = {}
    planned = min(one.planned_at for one in chosen)
    events = Event.objects.filter(kind__in=_MOVES_REVIEW, at__gte=planned).order_by("-id")
    for told_at, text in events.values_list("at", "text")[:MOST_EVENTS]:
        newest.setdefault(json.loads(text)["data"]["review"], told_at)
    return [
        ReviewDay(review=one, places=agenda.get(one.pk, ()), changed_at=newest.get(one.pk, one.planned_at))
        for one in chosen
    ]


def _items(user: User, made_at: datetime, first: date, at: datetime) -> list[DueItem]:
    """Return the unsettled items of a person that are due from a day on. Two queries."""
    given = Event.objects.filter(item=OuterRef("pk"), kind="item.assigned").order_by("-id")
    due = my_items(user, at).filter(due_on__gte=first).annotate(given_at=Subquery(given.values("at")[:1]))
    rows: list[Any] = list(due.order_by("due_on", "pk")[:MOST])
    sheets = Environment.objects.select_related("service").in_bulk({row.sheet for row in rows}) if rows else {}
    return [DueItem(item=row, sheet=sheets[row.sheet], changed_at=row.given_at or made_at) for row in rows]


def _conditions(user: User | None, rows: Sequence[Row], first: date, at: datetime) -> list[Condition]:
    """Return the conditions of a person, or else those on rows: open ones, and those that were discharged lately."""
    start, since = launch_instant(first), at - CANCELLED_FOR
    lately = Q(discharged_at__gt=since, until__gte=start)
    if user is not None:
        open_ones = my_conditions(user).filter(until__gte=start)
        done = Condition.objects.filter(lately, owner=user)
    else:
        under = [row.pk for row in rows if row.under is not None and row.under.kind == DecisionKind.GO_WITH_CONDITIONS]
        decisions = [one.pk for one in newest_decisions(under, at).values()] if under else []
        open_ones = Condition.objects.filter(decision__in=decisions, discharged_at=None, until__gte=start)
        done = Condition.objects.filter(lately, decision__in=decisions)
    joined = ("item__entry", "decision__environment__service", "owner")
    found = [
        *open_ones.select_related(*joined).defer("decision__snapshot").order_by("until", "pk")[:MOST],
        *done.select_related(*joined).defer("decision__snapshot").order_by("until", "pk")[:MOST],
    ]
    return list({one.pk: one for one in found}.values())


def _waivers(whose: Q, first: date, at: datetime) -> list[Waiver]:
    """Return granted waivers that end from a day on, and those that somebody ended early lately. One query."""
    holding, lately = Q(ended_at=None), Q(ended_at__gt=at - CANCELLED_FOR)
    rows = Waiver.objects.filter(whose, holding | lately, granted=True, until__gt=launch_instant(first))
    rows = rows.filter(item__entry__retired_at=None, item__service__archived_at=None)
    rows = rows.filter(Q(item__environment=None) | Q(item__environment__archived_at=None))
    return list(rows.select_related("item__entry", "item__service", "item__environment").order_by("until", "pk")[:MOST])


def last_day(until: datetime) -> date:
    """Return the last day on which something holds that ends at an instant: a day runs to its end."""
    return timezone.localdate(until.astimezone(UTC) - timedelta(microseconds=1))
