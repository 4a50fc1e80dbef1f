"""How much was settled, counted once a day and drawn over weeks."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving
from readiness.actions.counting import count_day
from readiness.actions.housekeeping import COUNTS_KEPT, forget_counts
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import DayCount, Environment, Event, Team
from readiness.selectors.everywhere import Counted, sheets_counted
from readiness.selectors.launches import launch_lines
from readiness.selectors.trend import Point, trend
from readiness.templatetags.trends import drawn, in_words
from tests.checklist_deeds import landed
from tests.checklist_texts import checklist, entry
from tests.deeds import REASON, after, ask, configure, decide, observe, settle
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)
from tests.test_team_checklists import hand_over

pytestmark = pytest.mark.django_db
TODAY = timezone.localdate(NOW)


def keep(environment: Environment, day: date, settled: int, verified: int = 0) -> None:
    at = datetime.combine(day, datetime.min.time(), tzinfo=timezone.get_current_timezone())
    DayCount.objects.create(environment=environment, day=day, at=at, items=20, settled=settled, verified=verified)


def as_launches_count(at: datetime) -> dict[int, Counted]:
    environments = list(Environment.objects.select_related("service__team", "billing_source"))
    tallies = {pk: line.tally for pk, line in launch_lines(environments, at).items() if line.tally is not None}
    return {
        pk: Counted(items=tally.total, settled=tally.settled, verified=tally.counts[Status.VERIFIED])
        for pk, tally in tallies.items()
    }


def test_a_day_counts_what_each_live_sheet_shows() -> None:
    first, second = make_team(), make_team()
    mia, ada = make_member(first), make_reviewer()
    service = make_service(first, by=mia)
    prod, dev = (make_environment(service, kind, kind=kind, by=mia) for kind in ("prod", "dev"))
    empty = make_environment(make_service(second), kind="staging")
    gone = make_environment(service, "gone", by=mia)
    archiving.archive_environment(by=mia, environment_id=gone.pk, reason=REASON, now=NOW)
    landed(make_admin(), checklist(entry()), team=first)
    settle(prod, mia, but=("spend-cap", "dashboards", "alerts"))
    decide(ada, ask(mia, item_of(prod, "alerts")))
    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    configure(mia, dev, kind="staging")
    both = Team.objects.filter(pk__in=[first.pk, second.pk])
    handed_over = make_environment(make_service(first, by=mia), "prod", by=mia)
    hand_over(make_admin(), handed_over, both.get(pk=second.pk))

    for at in (NOW, after(days=31), after(days=400)):
        assert sheets_counted(at) == as_launches_count(at)
    assert set(sheets_counted(NOW)) == {prod.pk, dev.pk, empty.pk, handed_over.pk}

    events = Event.objects.count()
    assert count_day(now=NOW) == 4
    assert [count_day(now=NOW), count_day(now=after(hours=1))] == [0, 0], "A day is counted once."
    assert Event.objects.count() == events
    kept = DayCount.objects.get(environment=prod)
    now = sheets_counted(NOW)[prod.pk]
    assert (kept.day, kept.at, kept.items, kept.settled, kept.verified) == (
        TODAY,
        NOW,
        now.items,
        now.settled,
        now.verified,
    )
    assert 0 < kept.verified < kept.settled < kept.items


def test_two_who_count_one_day_at_once_do_no_harm(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second asked whether the day was counted before the first had written."""
    make_environment()
    count_day(now=NOW)
    monkeypatch.setattr("django.db.models.query.QuerySet.exists", lambda _self: False)
    count_day(now=after(minutes=1))
    assert [row.at for row in DayCount.objects.all()] == [NOW]


def test_a_day_begins_where_the_site_is() -> None:
    make_environment()
    with timezone.override(ZoneInfo("America/Toronto")):
        count_day(now=datetime(2026, 3, 3, 4, 59, tzinfo=ZoneInfo("UTC")))
        count_day(now=datetime(2026, 3, 3, 5, 0, tzinfo=ZoneInfo("UTC")))
    assert list(DayCount.objects.values_list("day", flat=True)) == [date(2026, 3, 2), date(2026, 3, 3)]


def test_counts_are_kept_for_four_hundred_days() -> None:
    environment = make_environment()
    last = TODAY - COUNTS_KEPT
    for day in (last - timedelta(days=1), last, TODAY):
        keep(environment, day, 1)
    assert [forget_counts(now=NOW), forget_counts(now=NOW)] == [1, 0]
    assert list(DayCount.objects.values_list("day", flat=True)) == [last, TODAY]


def test_a_point_a_week_back_from_the_newest_count_and_none_where_none_was_counted(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    team = make_team()
    prod = make_environment(make_service(team))
    staging = make_environment(kind="staging")
    newest = TODAY - timedelta(days=1)
    for weeks in (0, 1, 3, 8):
        keep(prod, newest - timedelta(weeks=weeks), 20 - 2 * weeks, 10 - weeks)
        keep(staging, newest - timedelta(weeks=weeks), 10)
    keep(prod, newest - timedelta(days=2), 0)
    with django_assert_num_queries(3):
        assert [(one.day, one.settled_percent, one.observed_percent) for one in trend(NOW)] == [
            (newest - timedelta(weeks=3), 60, 17),
            (newest - timedelta(weeks=1), 70, 22),
            (newest, 75, 25),
        ]
    assert [one.settled for one in trend(NOW, kinds={"prod"}, teams={team.slug})] == [14, 18, 20]
    assert trend(NOW, kinds={"staging"}, teams={team.slug}) == []
    assert trend(after(days=90)) == []


def test_points_of_everything_are_kept_until_another_day_is_counted(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    prod, kept = make_environment(), {}
    with django_assert_num_queries(2):
        assert trend(NOW, drawn=kept) == []
    with django_assert_num_queries(1):
        assert trend(NOW, drawn=kept) == []
    for weeks in (0, 1, 2):
        keep(prod, TODAY - timedelta(weeks=weeks), 20 - 2 * weeks)
    assert [one.settled for one in trend(NOW, drawn=kept)] == [16, 18, 20]
    with django_assert_num_queries(1):
        assert [one.settled for one in trend(NOW, drawn=kept)] == [16, 18, 20]
    assert trend(NOW, kinds={"dev"}, drawn=kept) == []
    keep(prod, TODAY + timedelta(days=1), 19)
    assert [one.settled for one in trend(NOW, drawn=kept)] == [16, 18, 20]
    assert [one.settled for one in trend(after(days=1), drawn=kept)] == [19]


def test_young_counts_have_a_point_a_day() -> None:
    environment = make_environment()
    for days in range(14):
        keep(environment, TODAY - timedelta(days=days), days)
    assert [one.settled for one in trend(NOW)] == list(range(14))[::-1]
    keep(environment, TODAY - timedelta(days=14), 14)
    assert [one.settled for one in trend(NOW)] == [14, 7, 0]


def point(days: int, settled: int, verified: int = 0) -> Point:
    return Point(day=TODAY + timedelta(days=days), items=100, settled=settled, verified=verified)


def test_what_the_picture_shows_is_said_in_words() -> None:
    picture = drawn([point(0, 0), point(7, 50, 25), point(28, 100, 100)])
    assert picture is not None
    assert picture.settled_line == "M0.0 58.0 L75.0 32.0 L300.0 6.0"
    assert picture.observed_area == "M0.0 58.0 L75.0 45.0 L300.0 6.0 L300 60 L0 60Z"
    assert picture.said == (
        "Share of items settled, from 0 to 100 percent: 2 Mar 0%, 0% by probe; 9 Mar 50%, 25% by probe; "
        "30 Mar 100%, 100% by probe."
    )


def test_where_there_is_nothing_to_see_words_stand_in_its_place() -> None:
    flat = [point(0, 60, 10), point(7, 60, 10)]
    for points, said in (
        ([], "Counted once a day, from the next day on."),
        (flat[:1], "Counted from 2 Mar on; a picture needs a second day."),
        (flat, "Unchanged since 2 Mar: 60% settled, 10% by probe."),
    ):
        assert drawn(points) is None
        assert in_words(points, "2 Mar") == said


@pytest.mark.only_on("sqlite")
def test_the_overview_draws_what_its_kinds_and_its_team_counted(client: Client) -> None:
    team = make_team("Search")
    member = make_member(team)
    prod = make_environment(make_service(team, by=member), by=member, now=timezone.now())
    keep(prod, timezone.localdate() - timedelta(days=7), 5)
    make_environment(kind="dev", now=timezone.now())
    client.force_login(member, backend="django.contrib.auth.backends.ModelBackend")

    def said(query: str) -> bool:
        page = client.get(reverse("overview") + query).content.decode()
        return "Share of items settled, from 25 to 0 percent" in page

    assert said("")
    assert said("?team=search&kind=prod")
    assert not said("?kind=dev")
    assert not said("?verdict=ready"), "What other filters leave was not counted apart."
