"""The launch calendar: which days a month has, what stands on them, and what is pointed out."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving, reviews
from readiness.enums.words import DecisionKind
from readiness.models import Environment, Review, Team, User
from readiness.rules.calendar_months import NEAR, Month, Remark, day_in, month_in, month_of, remarks
from readiness.selectors import fleet
from readiness.selectors.calendar_month import MOST_A_DAY, MOST_OVERDUE, Whose, calendar_list, calendar_month
from readiness.views.calendar_month import first_weekday
from tests.deeds import REASON, after, configure, decide_on, plan_review, settle
from tests.factories import NOW, make_environment, make_member, make_reviewer, make_service, make_team

QUERIES = 11
"""How many queries the page costs, those of the session, the person and the frame included."""
MARCH = Month(2026, 3)
TODAY = NOW.date()


# --- months -----------------------------------------------------------------------------------------------------------
def test_a_month_is_whole_weeks_that_begin_on_the_day_asked_for() -> None:
    sundays, mondays = MARCH.weeks(0), MARCH.weeks(1)
    assert sundays[0][0] == date(2026, 3, 1)
    assert sundays[-1][-1] == date(2026, 4, 4)
    assert (mondays[0][0], mondays[0][-1]) == (date(2026, 2, 23), date(2026, 3, 1))
    for weeks in (sundays, mondays):
        assert {len(week) for week in weeks} == {7}
        days = [day for week in weeks for day in week]
        assert days == sorted(set(days))
        assert sum(month_of(day) == MARCH for day in days) == 31


def test_months_follow_one_another_up_to_the_first_and_the_last() -> None:
    assert (MARCH.previous, MARCH.next, str(MARCH)) == (Month(2026, 2), Month(2026, 4), "2026-03")
    assert (Month(2026, 1).previous, Month(2026, 12).next) == (Month(2025, 12), Month(2027, 1))
    assert (Month(2000, 1).previous, Month(2199, 12).next) == (None, None)
    assert Month(2199, 12).after == date(2200, 1, 1)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-3", "2026-13", "2026-00", "1999-12", "2200-01", "٢٠٢٦-٠٣", "2026-03-01"]
)
def test_what_is_no_month_names_none(text: str) -> None:
    assert month_in(text) is None


@pytest.mark.parametrize("text", ["", "2026-03", "2026-02-30", "2026-03-00", "2026-03-1", "2026-03-011", "x" * 5000])
def test_what_is_no_day_names_none(text: str) -> None:
    assert day_in(text) is None
    assert day_in("2024-02-29") == date(2024, 2, 29)


# --- what is said of a launch -----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("days", "ready", "decided", "is_go", "review", "said"),
    [
        (-1, False, False, False, None, [Remark.NOT_READY, Remark.UNDECIDED]),
        (-1, True, False, False, None, [Remark.UNDECIDED]),
        (-1, False, True, False, None, [Remark.NOT_READY, Remark.NO_GO]),
        (-1, True, True, False, None, [Remark.NO_GO]),
        (-1, False, True, True, None, []),
        (-1, True, True, True, None, []),
        (0, False, False, False, None, [Remark.NO_REVIEW]),
        (NEAR.days, True, False, False, None, [Remark.NO_REVIEW]),
        (NEAR.days + 1, False, False, False, None, []),
        (5, False, True, False, None, [Remark.NO_REVIEW]),
        (5, False, True, True, None, []),
        (5, False, False, False, 5, []),
        (5, False, False, False, 6, [Remark.LATE_REVIEW]),
    ],
)
def test_a_launch_is_overdue_from_the_day_after_and_wants_a_review_before(
    days: int, ready: bool, decided: bool, is_go: bool, review: int | None, said: list[Remark]
) -> None:
    found = remarks(
        launch_on=TODAY + timedelta(days=days),
        today=TODAY,
        ready=ready,
        decided=decided,
        is_go=is_go,
        review_on=None if review is None else TODAY + timedelta(days=review),
    )
    assert found == said


# --- a month of launches ----------------------------------------------------------------------------------------------
@pytest.fixture
def search(db: None) -> Team:
    return make_team("Search")


@pytest.fixture
def mia(search: Team) -> User:
    return make_member(search, "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "assistant", by=mia), "prod", launch_on=date(2026, 3, 12))


def named(days: list[list[object]]) -> dict[str, list[str]]:
    return {
        f"{one.day:%d}": [str(launch.environment) for launch in one.launches] + [str(review) for review in one.reviews]
        for week in days
        for one in week
        if not one.empty
    }


@pytest.mark.only_on("postgresql")
def test_launches_and_reviews_stand_on_their_days_and_an_archived_one_on_none(mia: User, prod: Environment) -> None:
    ada = make_reviewer("ada")
    first = make_environment(prod.service, "first", launch_on=date(2026, 3, 1))
    last = make_environment(prod.service, "last", launch_on=date(2026, 3, 31))
    make_environment(prod.service, "april", launch_on=date(2026, 4, 1))
    make_environment(prod.service, "february", launch_on=date(2026, 2, 28))
    gone = make_environment(prod.service, "gone", launch_on=date(2026, 3, 12))
    archiving.archive_environment(by=mia, environment_id=gone.pk, reason=REASON, now=NOW)
    review = plan_review(prod, by=ada, title="Before", starts_at=after(days=8))
    plan_review(prod, by=ada, title="Later", starts_at=after(days=9))

    found = calendar_month(MARCH, Whose(), NOW, first_weekday=0)

    assert named(found.weeks) == {
        "01": [str(first)], "10": ["Before"], "11": ["Later"], "12": [str(prod)], "31": [str(last)]
    }  # fmt: skip
    assert (found.launches, found.reviews) == (3, 2)
    (launch,) = next(one.launches for week in found.weeks for one in week if one.day == prod.launch_on)
    assert (launch.review, launch.decision, launch.remarks) == (review, None, [])
    assert launch.at_launch is not None
    assert [str(one.environment) for one in found.overdue] == ["assistant/first", "assistant/february"]

    configure(mia, prod, launch_on=date(2026, 3, 20), now=after(hours=1))
    reviews.close(by=ada, review_id=review.pk, now=after(hours=2))
    moved = calendar_month(MARCH, Whose(), after(hours=3), first_weekday=0)
    assert named(moved.weeks)["20"] == [str(prod)]
    assert "12" not in named(moved.weeks)
    (launch,) = next(one.launches for week in moved.weeks for one in week if one.day == date(2026, 3, 20))
    assert str(launch.review) == "Later", "One that is closed decides nothing any more."


@pytest.mark.only_on("sqlite")
def test_a_launch_that_was_let_go_wants_no_review_and_is_not_overdue_later(mia: User, prod: Environment) -> None:
    make_environment(prod.service, "other", launch_on=date(2026, 3, 13))
    settle(prod, mia)
    decide_on(prod, make_reviewer(), DecisionKind.GO, review=None, now=after(hours=1))
    Review.objects.update(closed_at=after(hours=2), closed_by=mia)
    found = calendar_month(MARCH, Whose(), after(hours=2), first_weekday=0)
    said = {str(launch.environment): launch.remarks for week in found.weeks for one in week for launch in one.launches}
    assert said == {str(prod): [], "assistant/other": [Remark.NO_REVIEW]}
    (other,) = calendar_month(MARCH, Whose(), after(days=12), first_weekday=0).overdue
    assert (str(other.environment), other.remarks) == ("assistant/other", [Remark.NOT_READY, Remark.UNDECIDED])


@pytest.mark.only_on("sqlite")
def test_a_review_stands_on_the_day_that_it_starts_on_here_where_clocks_change(prod: Environment) -> None:
    """In Toronto 8 March 2026 has 23 hours, and the last hour of the month is April in UTC."""
    ada = make_reviewer()
    with timezone.override(ZoneInfo("America/Toronto")):
        for title, starts_at in {
            "February": datetime(2026, 3, 1, 4, 59, tzinfo=UTC),
            "first": datetime(2026, 3, 1, 5, 0, tzinfo=UTC),
            "eighth": datetime(2026, 3, 9, 3, 59, tzinfo=UTC),
            "ninth": datetime(2026, 3, 9, 4, 0, tzinfo=UTC),
            "last": datetime(2026, 4, 1, 3, 59, tzinfo=UTC),
            "April": datetime(2026, 4, 1, 4, 0, tzinfo=UTC),
        }.items():
            plan_review(prod, by=ada, title=title, starts_at=starts_at)
        found = named(calendar_month(MARCH, Whose(), NOW, first_weekday=0).weeks)
        day = calendar_list(date(2026, 3, 8), Whose(), NOW)
    assert found == {"01": ["first"], "08": ["eighth"], "09": ["ninth"], "12": [str(prod)], "31": ["last"]}
    assert [review.title for review in day.reviews] == ["eighth"]


@pytest.mark.only_on("sqlite")
def test_a_team_sees_its_own_and_a_person_what_concerns_them(search: Team, mia: User, prod: Environment) -> None:
    other = make_environment(make_service(make_team("Batch"), "batch"), "prod", launch_on=date(2026, 3, 12))
    ada, noor = make_reviewer("ada"), make_member(make_team(), "noor")
    plan_review(prod, by=ada, title="Of search", starts_at=after(days=1))
    plan_review(other, by=ada, title="Of batch", starts_at=after(days=1))
    plan_review(other, by=ada, title="With noor", starts_at=after(days=1), attendees=[noor])

    def seen(whose: Whose) -> list[str]:
        days = named(calendar_month(MARCH, whose, NOW, first_weekday=1).weeks).values()
        return sorted(one for day in days for one in day)

    assert seen(Whose()) == ["Of batch", "Of search", "With noor", "assistant/prod", "batch/prod"]
    assert seen(Whose(team=search)) == ["Of search", "assistant/prod"]
    assert seen(Whose(mine=mia)) == ["Of search", "assistant/prod"]
    assert seen(Whose(mine=noor)) == ["With noor"]
    assert seen(Whose(mine=ada)) == ["Of batch", "Of search", "With noor"]


# --- the page ---------------------------------------------------------------------------------------------------------
@pytest.fixture
def page(client: Client, mia: User) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.mark.only_on("postgresql")
def test_a_day_with_sixty_launches_folds_and_the_page_costs_the_same(
    page: Client, mia: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    today = timezone.localdate()
    team, address = mia.teams.get(), reverse("calendar")
    service = make_service(team, "many", by=mia)
    first = make_environment(service, "first", launch_on=today, now=timezone.now())
    page.get(address)
    with django_assert_num_queries(QUERIES):
        page.get(address)
    alike = {"service": service, "kind": "prod", "launch_on": today, "settings_changed_at": first.settings_changed_at}
    Environment.objects.bulk_create(Environment(name=f"prod-{number:02}", **alike) for number in range(59))
    fleet.forget()
    page.get(address)
    with django_assert_num_queries(QUERIES):
        drawn = page.get(address, {"team": team.slug}).content.decode()
    assert drawn.count('class="on-day') == MOST_A_DAY
    assert re.search(rf'\?day={today}&amp;team={team.slug}">\s*{60 - MOST_A_DAY} more', drawn)
    listed = page.get(address, {"day": today.isoformat(), "team": team.slug}).content.decode()
    assert "60 launches" in listed
    assert listed.count('class="c-launch"') == 50
    assert page.get(address, {"day": today.isoformat(), "page": "2"}).content.decode().count('class="c-launch"') == 10


@pytest.mark.only_on("sqlite")
def test_the_page_names_today_and_what_is_overdue_and_takes_any_address(page: Client, mia: User) -> None:
    today, address = timezone.localdate(), reverse("calendar")
    service = make_service(mia.teams.get(), "assistant", by=mia)
    for number in range(MOST_OVERDUE + 1):
        make_environment(service, f"late-{number}", launch_on=today - timedelta(days=400 + number), now=timezone.now())
    make_environment(service, "soon", launch_on=today, now=timezone.now())
    text = page.get(address).content.decode()
    assert re.search(r'<td class="[^"]*today[^"]*"\s+aria-current="date">', text)
    assert '<span class="today-word">Today</span>' in text
    assert "No review before this launch" in text
    assert f"All {MOST_OVERDUE + 1}" in text
    assert text.count("Date passed, not ready, no decision") == MOST_OVERDUE
    overdue = page.get(address, {"show": "overdue"}).content.decode()
    assert overdue.count("Date passed, not ready, no decision") == MOST_OVERDUE + 1
    for query in ({"month": "2026-99"}, {"month": "x\0"}, {"team": "none"}, {"day": "2026-02-31"}, {"page": "x"}):
        assert month_of(today).first.strftime("%B %Y") in page.get(address, query).content.decode()
    far = page.get(address, {"month": "2000-01"}).content.decode()
    assert 'rel="prev"' not in far
    assert "month=2000-02" in far
    assert "Nothing launches in this month" in far
    assert "Nothing launches on this day" in page.get(address, {"day": "2000-01-01"}).content.decode()


@pytest.mark.only_on("sqlite")
def test_a_week_begins_as_the_language_has_it_and_days_are_in_its_words(
    page: Client, settings: pytest.FixtureRequest
) -> None:
    settings.LANGUAGES = [("en-ca", "English"), ("fr-ca", "Français")]
    said = {}
    for language in ("en-ca", "fr-ca"):
        text = page.get(
            reverse("calendar"), {"month": "2026-03"}, headers={"Accept-Language": language}
        ).content.decode()
        said[language] = (
            re.findall(r'<abbr title="([^"]+)"', text)[0],
            re.findall(r"<h1>(.+)</h1>", text)[0],
            re.findall(r'class="day-words">([^<]+)<', text)[0],
        )
    assert said == {
        "en-ca": ("Sunday", "March 2026", "Sunday 1 March"),
        "fr-ca": ("Dimanche", "Mars 2026", "Dimanche 1er mars"),
    }
    with translation.override("en-gb"):
        assert first_weekday() == 1
