"""What calendars hold: launches, reviews and what comes due, as programs read them (RFC 5545)."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving, reviews, services
from readiness.actions.decisions import NewCondition
from readiness.actions.items import assign
from readiness.enums.words import DecisionKind
from readiness.models import Environment, Event, Item, Team, User
from readiness.rules.calendar_feeds import BACK, CANCELLED_FOR, REVIEW_LASTS, ends_at
from readiness.rules.calendar_file import Happening, calendar_file
from readiness.selectors import fleet
from readiness.selectors.calendar_held import last_day
from tests.calendars import Subscriber, components, events_in, subscriber
from tests.deeds import REASON, after, ask, configure, decide, decide_on, end, plan_review, settle, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


QUERIES = 18
"""How many queries a calendar of launches costs at most, where everything is read anew."""


class Clock:
    """The product's clock, which stands still until it is set."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(timezone, "now", found)
    return found


@pytest.fixture
def search() -> Team:
    return make_team("Search")


@pytest.fixture
def mia(search: Team) -> User:
    return make_member(search, "mia")


@pytest.fixture
def prod(search: Team, mia: User) -> Environment:
    service = make_service(search, "assistant", by=mia)
    return make_environment(service, "prod", by=mia, launch_on=date(2026, 3, 12))


@pytest.fixture
def calendar(prod: Environment, mia: User) -> Subscriber:
    return subscriber(mia)


# --- launches ---------------------------------------------------------------------------------------------------------
def test_a_launch_is_a_whole_day_with_its_verdict_forecast_and_page(
    calendar: Subscriber, search: Team, prod: Environment, mia: User
) -> None:
    (event,) = calendar.events().values()
    installation = Event.objects.get(id=1).hash[:16]
    assert event["UID"] == f"launch-{prod.pk}.{installation}@readiness"
    assert (event.start, event.end) == (date(2026, 3, 12), date(2026, 3, 13))
    assert b"DTSTART;VALUE=DATE:20260312\r\n" in calendar.fetch().content
    assert (event["SUMMARY"], event["STATUS"]) == ("Launch: assistant in prod", "CONFIRMED")
    assert event["TRANSP"] == "TRANSPARENT", "It takes nobody's time."
    assert event["URL"] == f"http://testserver{prod.get_absolute_url()}"
    assert event["DESCRIPTION"].split("\n") == [
        "Verdict now: Not ready",
        "On the day, as far as it is known: Not ready",
        "26 items to settle",
        "Nothing has been decided yet.",
        "Team: Search",
    ]
    assert (event["SEQUENCE"], event.LAST_MODIFIED, event.DTSTAMP) == (0, NOW, NOW)
    settle(prod, mia)
    decide_on(prod, make_reviewer(), DecisionKind.GO)
    (ready,) = calendar.events().values()
    assert ready["DESCRIPTION"].split("\n") == [
        "Verdict now: Ready",
        "On the day, as far as it is known: Ready",
        "Decision: Go",
        "Team: Search",
    ]
    assert ready["UID"] == event["UID"]
    whole = dict(components(calendar.fetch().content))["VCALENDAR"]
    assert whole["X-WR-CALNAME"] == whole["NAME"] == "Launches: mia"
    assert (whole["REFRESH-INTERVAL"], whole["METHOD"], whole["CALSCALE"]) == ("PT1H", "PUBLISH", "GREGORIAN")
    team = dict(components(subscriber(mia, search).fetch().content))["VCALENDAR"]
    assert (team["NAME"], team["URL"]) == ("Launches of Search", "http://testserver/launches/calendar/?team=search")


def test_a_date_that_moves_keeps_its_name_and_counts_up(
    calendar: Subscriber, prod: Environment, mia: User, clock: Clock
) -> None:
    (before,) = calendar.events().values()
    clock.now = after(days=1)
    configure(mia, prod, launch_on=date(2026, 3, 20), now=clock.now)
    (moved,) = calendar.events().values()
    assert (moved["UID"], moved.start) == (before["UID"], date(2026, 3, 20))
    assert moved["SEQUENCE"] > before["SEQUENCE"]
    assert moved.LAST_MODIFIED == moved.DTSTAMP == clock.now
    clock.now = after(days=2)
    configure(mia, prod, launch_on=None, now=clock.now)
    (gone,) = calendar.events().values()
    assert (gone["UID"], gone.start, gone["STATUS"]) == (before["UID"], date(2026, 3, 20), "CANCELLED")
    assert gone["SUMMARY"] == "Called off: launch of assistant in prod"
    assert (gone["SEQUENCE"] > moved["SEQUENCE"], gone.LAST_MODIFIED) == (True, clock.now)
    clock.now = after(days=3)
    configure(mia, prod, launch_on=date(2026, 3, 25), now=clock.now)
    (back,) = calendar.events().values()
    assert (back["STATUS"], back["SEQUENCE"] > gone["SEQUENCE"]) == ("CONFIRMED", True)


@pytest.mark.parametrize("whole", [False, True])
def test_an_archived_environment_is_called_off_for_a_month(
    calendar: Subscriber, prod: Environment, mia: User, clock: Clock, whole: bool
) -> None:
    (before,) = calendar.events().values()
    clock.now = after(days=1)
    if whole:
        archiving.archive_service(by=mia, service_id=prod.service_id, reason=REASON, now=clock.now)
    else:
        archiving.archive_environment(by=mia, environment_id=prod.pk, reason=REASON, now=clock.now)
    (gone,) = calendar.events().values()
    assert (gone["UID"], gone["STATUS"], gone.start) == (before["UID"], "CANCELLED", before.start)
    assert (gone["SEQUENCE"] > before["SEQUENCE"], gone.LAST_MODIFIED) == (True, clock.now)
    clock.now = after(days=1) + CANCELLED_FOR
    assert calendar.events() == {}


def test_a_service_that_was_handed_on_is_called_off_here_and_begins_there(
    calendar: Subscriber, prod: Environment, mia: User, clock: Clock
) -> None:
    other = make_team("Batch")
    theirs = subscriber(make_member(other), other)
    clock.now = after(days=1)
    services.transfer_service(
        by=mia, service=prod.service, team=other, reason=REASON, seen_version=prod.service.version, now=clock.now
    )
    (gone,), (begun,) = calendar.events().values(), theirs.events().values()
    assert (gone["UID"], gone["STATUS"], begun["STATUS"]) == (begun["UID"], "CANCELLED", "CONFIRMED")
    assert gone["SEQUENCE"] == begun["SEQUENCE"] == 1
    clock.now = after(days=1) + CANCELLED_FOR
    assert (calendar.events(), len(theirs.events())) == ({}, 1)


def test_what_has_launched_stays_for_two_months_without_a_forecast(
    calendar: Subscriber, prod: Environment, clock: Clock
) -> None:
    clock.now = datetime(2026, 3, 12, tzinfo=UTC)
    (event,) = calendar.events().values()
    assert "On the day" not in event["DESCRIPTION"]
    clock.now = datetime(2026, 3, 12, 23, tzinfo=UTC) + BACK
    assert len(calendar.events()) == 1
    clock.now += timedelta(hours=1)
    assert calendar.events() == {}


# --- reviews ----------------------------------------------------------------------------------------------------------
def test_a_review_is_in_the_calendars_of_who_goes_there_and_moves_with_its_time(
    prod: Environment, search: Team, mia: User, clock: Clock
) -> None:
    """In Toronto the clocks go forward on 8 March 2026 at 2:00: 10:00 of that day is 14:00 in UTC, and not 15:00."""
    ada, noa = make_reviewer("ada"), make_member(make_team(), "noa")
    zone = ZoneInfo("America/Toronto")
    start = datetime(2026, 3, 8, 10, 0, tzinfo=zone)
    review = plan_review(prod, by=ada, title="Launches; week 10, \\o/", starts_at=start, attendees=[noa])
    name = f"review-{review.pk}"
    calendars = [subscriber(ada), subscriber(noa), subscriber(mia, search)]
    assert name not in subscriber(mia).events(), "Who is not asked to come has it in the team's calendar."
    with timezone.override(zone):
        for one in calendars:
            event = one.events()[name]
            assert (event.start, event.end) == (datetime(2026, 3, 8, 14, tzinfo=UTC), start + REVIEW_LASTS)
            assert event["SUMMARY"] == "Launch review: Launches; week 10, \\o/"
            assert event["DESCRIPTION"] == "ada leads it.\nOn the agenda:\nassistant/prod"
    assert b"DTSTART:20260308T140000Z\r\n" in calendars[0].fetch().content
    moved_to, clock.now = datetime(2026, 3, 9, 10, 0, tzinfo=zone), after(hours=1)
    reviews.change(
        by=ada,
        review_id=review.pk,
        title=review.title,
        starts_at=moved_to,
        chair=ada,
        environments=[prod],
        attendees=[],
        seen_version=1,
        now=clock.now,
    )
    moved = calendars[0].events()[name]
    assert (moved["UID"], moved.start, moved["SEQUENCE"]) == (event["UID"], moved_to, 1)
    assert clock.now == moved.LAST_MODIFIED
    assert name not in calendars[1].events(), "Who does not go any more is not told."
    clock.now = moved_to + timedelta(minutes=40)
    reviews.close(by=ada, review_id=review.pk, now=clock.now)
    held = calendars[0].events()[name]
    assert (held.end, held["STATUS"], held["SEQUENCE"], held.LAST_MODIFIED) == (clock.now, "CONFIRMED", 2, clock.now)


def test_a_review_that_is_closed_before_it_begins_is_called_off(prod: Environment) -> None:
    ada = make_reviewer()
    review = plan_review(prod, by=ada, starts_at=after(days=3))
    reviews.close(by=ada, review_id=review.pk, now=after(days=1))
    event = subscriber(ada).events()[f"review-{review.pk}"]
    assert (event["STATUS"], event.start, event.end) == ("CANCELLED", after(days=3), after(days=3) + REVIEW_LASTS)


def test_a_review_that_nobody_closed_in_time_takes_an_hour() -> None:
    assert ends_at(NOW, None) == ends_at(NOW, NOW) == ends_at(NOW, after(days=9)) == NOW + REVIEW_LASTS
    assert ends_at(NOW, after(hours=3)) == after(hours=3)


# --- what comes due ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("zone", ["UTC", "America/Toronto", "America/Havana"])
def test_items_conditions_and_waivers_stand_on_their_last_day(
    prod: Environment, search: Team, mia: User, clock: Clock, zone: str
) -> None:
    """In Toronto 8 March 2026 has 23 hours; in Havana its midnight is at 1:00, where the day before ends."""
    ada, day = make_reviewer("ada"), date(2026, 3, 7)
    with timezone.override(ZoneInfo(zone)):
        item, waived = item_of(prod, "spend-cap"), item_of(prod, "audit-log")
        assign(by=mia, item_id=item.pk, owner=mia, due_on=day, seen_version=item.version, now=NOW)
        waiver = ask(mia, waived, until=day)
        decide(ada, waiver)
        settle(prod, mia, but=["spend-cap", "audit-log"])
        conditions = [NewCondition(item_id=item.pk, reason=REASON, owner=mia, until=day)]
        decision = decide_on(prod, ada, DecisionKind.GO_WITH_CONDITIONS, conditions=conditions)
        (condition,) = decision.conditions.all()
        assert last_day(condition.until) == last_day(waiver.until) == day
        names = [f"item-{item.pk}", f"condition-{condition.pk}", f"waiver-{waiver.pk}"]
        own, team = subscriber(mia), subscriber(mia, search)
        events = own.events()
        assert [events[name].start for name in names] == [day] * 3
        assert [events[name]["STATUS"] for name in names] == ["CONFIRMED"] * 3
        title = item.entry.title
        assert events[names[0]]["SUMMARY"] == f"Due: {title}, assistant in prod"
        assert events[names[0]]["URL"].endswith("/services/assistant/prod/#item-spend-cap")
        assert sorted(team.events()) == sorted([f"launch-{prod.pk}", f"review-{decision.review_id}", *names[1:]])
        stranger = subscriber(make_member(make_team()))
        assert stranger.events() == {}

        clock.now = after(hours=2)
        tick(mia, Item.objects.get(pk=item.pk), now=clock.now)
        end(ada, waiver, now=clock.now)
        events = own.events()
        assert names[0] not in events, "It is settled."
        assert [events[name]["STATUS"] for name in names[1:]] == ["CANCELLED"] * 2
        assert [events[name].LAST_MODIFIED for name in names[1:]] == [clock.now] * 2
        clock.now = after(hours=2) + CANCELLED_FOR
        assert not {*names} & own.events().keys()


# --- the file ---------------------------------------------------------------------------------------------------------
def test_whatever_people_write_is_escaped_and_folded_and_nothing_breaks_out() -> None:
    nasty = "a,b;c\\n\\\r\nEND:VEVENT\r\n\x00\x07 é" + "œ✓" * 60 + "\u2028\u0085 https://x.example/?a=b;c"
    one = Happening(
        uid="launch-1.0@readiness",
        title=nasty,
        text=nasty,
        url="https://readiness.example.ca/services/x/prod/#item-a",
        category="Launch, it; is",
        day=date(2026, 12, 31),
        changed_at=NOW,
    )
    written = calendar_file([one], name=nasty, about=nasty, url=one.url, language="fr-ca")
    (event,) = events_in(written).values()
    plain = nasty.replace("\r\n", "\n").replace("\u2028", "\n")
    assert event["SUMMARY"] == plain.replace("\x00", "").replace("\x07", "").replace("\u0085", "")
    # Programs that end a line wherever Unicode does read the same ones.
    assert written.decode().splitlines() == written.decode().removesuffix("\r\n").split("\r\n")
    assert event.end == date(2027, 1, 1)
    assert written == calendar_file([one], name=nasty, about=nasty, url=one.url, language="fr-ca")


def test_a_calendar_is_bounded_keeps_what_is_nearest_and_costs_the_same(
    calendar: Subscriber, prod: Environment, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(QUERIES):
        calendar.fetch()
    alike = {"service": prod.service, "kind": "prod", "settings_changed_at": NOW}
    Environment.objects.bulk_create(
        Environment(name=f"prod-{number}", launch_on=date(2026, 3, 3) + timedelta(days=number), **alike)
        for number in range(600)
    )
    fleet.forget()
    with django_assert_max_num_queries(QUERIES):
        events = calendar.events()
    assert len(events) == 400
    assert max(event.start for event in events.values()) == date(2026, 3, 3) + timedelta(days=398)


def test_a_calendar_speaks_the_language_in_which_its_address_was_made(prod: Environment, mia: User) -> None:
    french = subscriber(mia, language="fr-ca")
    answer = french.fetch(accept_language="en-ca")
    (event,) = events_in(answer.content).values()
    assert answer.headers["Content-Language"] == "fr-ca"
    assert event["SUMMARY"].startswith("Lancement\N{NO-BREAK SPACE}: ")
    assert "Pas prêt" in event["DESCRIPTION"]
    assert b"X-WR-CALNAME:Lancements" in answer.content
