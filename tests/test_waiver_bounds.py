"""Waivers at their bounds, a millisecond either side of each: grant, end, ninety days, a day's end, a renewal."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.test import override_settings
from django.utils import timezone

from readiness.enums.standing import Nearing, RequestState, Status
from readiness.enums.words import Judgement
from readiness.models import Environment, Event, Item, User, Waiver
from readiness.rules.waivers import (
    MOST_DAYS,
    RENEWED,
    Course,
    end_of_day,
    end_refusals,
    last_day,
    state_at,
    warning_at,
)
from readiness.selectors.standing import verdict
from tests.deeds import REASON, after, ask, ask_to_leave_out, decide, end, observe, refused, status, tick, version
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer, make_service, make_team

MS = timedelta(milliseconds=1)
PASS, FAIL = Judgement.PASS, Judgement.FAIL
TORONTO = ZoneInfo("America/Toronto")
ENDS = datetime(2026, 3, 20, 12, 0, tzinfo=UTC)


# --- rules ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "nearing"),
    [
        (timedelta(days=7) + MS, None),
        (timedelta(days=7), Nearing.WITHIN_A_WEEK),
        (timedelta(days=7) - MS, Nearing.WITHIN_A_WEEK),
        (timedelta(days=1) + MS, Nearing.WITHIN_A_WEEK),
        (timedelta(days=1), Nearing.WITHIN_A_DAY),
        (timedelta(days=1) - MS, Nearing.WITHIN_A_DAY),
        (MS, Nearing.WITHIN_A_DAY),
        (timedelta(0), None),
        (-MS, None),
    ],
)
def test_a_waiver_is_warned_of_a_week_and_a_day_before_its_end(before: timedelta, nearing: Nearing | None) -> None:
    assert warning_at(ENDS, ENDS - before) is nearing


@pytest.mark.parametrize(
    ("day", "ends"),
    [
        (date(2026, 3, 7), "2026-03-08T05:00:00+00:00"),
        (date(2026, 3, 8), "2026-03-09T04:00:00+00:00"),  # 23 hours: the clocks go forward at 02:00.
        (date(2026, 10, 31), "2026-11-01T04:00:00+00:00"),
        (date(2026, 11, 1), "2026-11-02T05:00:00+00:00"),  # 25 hours: they go back at 02:00.
    ],
)
def test_a_day_ends_where_the_next_one_begins_in_toronto(day: date, ends: str) -> None:
    end_instant = end_of_day(day, TORONTO)
    assert (end_instant, end_instant.tzinfo) == (datetime.fromisoformat(ends), UTC)
    assert [(end_instant + shift).astimezone(TORONTO).date() for shift in (-MS, timedelta(0))] == [
        day,
        day + timedelta(days=1),
    ]


@pytest.mark.parametrize(
    ("now", "last"),
    [
        (datetime(2026, 6, 1, 0, 0, tzinfo=TORONTO), date(2026, 8, 29)),
        (datetime(2026, 6, 1, 0, 0, tzinfo=TORONTO) - MS, date(2026, 8, 28)),
        (datetime(2026, 6, 1, 23, 59, tzinfo=TORONTO), date(2026, 8, 29)),
        # The clocks go back on the way, so ninety days end an hour before the ninetieth midnight.
        (datetime(2026, 10, 1, 0, 0, tzinfo=TORONTO), date(2026, 12, 28)),
        (datetime(2026, 10, 1, 1, 0, tzinfo=TORONTO) - MS, date(2026, 12, 28)),
        (datetime(2026, 10, 1, 1, 0, tzinfo=TORONTO), date(2026, 12, 29)),
        # They go forward on the way: the ninetieth day is an hour nearer.
        (datetime(2026, 3, 1, 0, 0, tzinfo=TORONTO), date(2026, 5, 29)),
    ],
)
def test_the_last_day_that_may_be_asked_for_is_never_more_than_ninety_days_ahead(now: datetime, last: date) -> None:
    now = now.astimezone(UTC)
    assert last_day(now, TORONTO) == last
    assert end_of_day(last, TORONTO) - now <= timedelta(days=MOST_DAYS)
    assert end_refusals(last, now=now, zone=TORONTO) == []
    assert "at most 90 days" in end_refusals(last + timedelta(days=1), now=now, zone=TORONTO)[0]


def test_a_day_may_be_asked_for_until_its_last_millisecond() -> None:
    midnight = datetime(2026, 3, 9, 0, 0, tzinfo=TORONTO).astimezone(UTC)
    assert end_refusals(date(2026, 3, 8), now=midnight - MS, zone=TORONTO) == []
    assert end_refusals(date(2026, 3, 8), now=midnight, zone=TORONTO) == [
        "This day has passed. Choose an end from today to 6 June 2026."
    ]


@pytest.mark.parametrize(
    ("course", "at", "state"),
    [
        (Course(granted=None, until=ENDS), ENDS + MS, RequestState.WAITING),
        (Course(granted=None, until=ENDS, ended_at=NOW, by_person=True), ENDS, RequestState.WITHDRAWN),
        (Course(granted=False, until=ENDS), NOW, RequestState.REFUSED),
        (Course(granted=True, until=ENDS), ENDS - MS, RequestState.HOLDING),
        (Course(granted=True, until=ENDS), ENDS, RequestState.ENDED),
        (Course(granted=True, until=None), ENDS, RequestState.HOLDING),
        (Course(granted=True, until=ENDS, ended_at=NOW, by_person=True), ENDS, RequestState.REVOKED),
        (Course(granted=True, until=ENDS, ended_at=ENDS - MS, renewed=True), ENDS, RequestState.RENEWED),
        (Course(granted=True, until=ENDS, ended_at=ENDS, renewed=True), ENDS + MS, RequestState.ENDED),
        (Course(granted=True, until=None, ended_at=NOW), ENDS, RequestState.ENDED),
    ],
)
def test_where_a_request_stands(course: Course, at: datetime, state: RequestState) -> None:
    assert state_at(course, at) is state


# --- deeds ------------------------------------------------------------------------------------------------------------
@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Conversational")), "prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def cap(prod: Environment) -> Item:
    return item_of(prod, "spend-cap")


@pytest.mark.django_db
def test_a_waiver_holds_from_the_instant_of_its_grant_up_to_its_end(cap: Item, mia: User, ada: User) -> None:
    granted = after(hours=1)
    waiver = decide(ada, ask(mia, cap, days=3), now=granted)
    at = (granted - MS, granted, granted + MS, waiver.until - MS, waiver.until, waiver.until + MS)

    assert [status(cap, instant) for instant in at] == [
        Status.OPEN,
        Status.WAIVED,
        Status.WAIVED,
        Status.WAIVED,
        Status.OPEN,
        Status.OPEN,
    ]


@pytest.mark.django_db
@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25)])
def test_a_waiver_to_a_day_on_which_the_clocks_change_holds_all_of_it(
    cap: Item, mia: User, ada: User, day: date, hours: int
) -> None:
    with override_settings(TIME_ZONE="America/Toronto"), timezone.override(TORONTO):
        begins = datetime(day.year, day.month, day.day, tzinfo=TORONTO).astimezone(UTC)
        waiver = decide(ada, ask(mia, cap, until=day, now=begins), now=begins)

        assert waiver.until - begins == timedelta(hours=hours)
        at = (begins - MS, begins, waiver.until - MS, waiver.until)
        assert [status(cap, instant) is Status.WAIVED for instant in at] == [False, True, True, False]


@pytest.mark.django_db
def test_what_may_be_asked_for_may_be_granted_at_that_very_instant(cap: Item, mia: User, ada: User) -> None:
    """Within the first hour of a day, with the clocks going back on the way, ninety days are an hour short."""
    with override_settings(TIME_ZONE="America/Toronto"), timezone.override(TORONTO):
        now = datetime(2026, 10, 1, 0, 30, tzinfo=TORONTO).astimezone(UTC)
        with refused("Choose 28 December 2026 or earlier"):
            ask(mia, cap, until=date(2026, 12, 29), now=now)
        decide(ada, ask(mia, cap, until=date(2026, 12, 28), now=now), now=now)


@pytest.mark.django_db
def test_a_request_is_granted_up_to_the_last_millisecond_before_its_end(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap, days=1)
    for late in (timedelta(0), MS):
        with refused("The end that was asked for has passed"):
            decide(ada, waiver, now=waiver.until + late)
    decide(ada, waiver, now=waiver.until - MS)
    assert [status(cap, at) for at in (waiver.until - MS, waiver.until)] == [Status.WAIVED, Status.OPEN]


@pytest.mark.django_db
def test_a_renewal_takes_over_at_its_grant_without_a_gap_and_without_both(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    first = decide(ada, ask(mia, cap, days=10))
    handed = after(days=6)
    second = decide(ada, ask(mia, cap, days=60, now=after(days=5)), now=handed)
    first.refresh_from_db()

    assert (first.ended_at, first.end_reason, first.ended_by) == (handed, RENEWED, None)
    assert (second.decided_at, second.until > first.until) == (handed, True)
    at = [handed - MS, handed, handed + MS, first.until - MS, first.until, second.until - MS]
    stands = [verdict(prod, at=instant, now=after(days=89)) for instant in at]
    shown = [next(one for one in stand.items if one.item.pk == cap.pk) for stand in stands if stand]
    assert [one.status for one in shown] == [Status.WAIVED] * len(at), "No instant is without one."
    holding = [[one.pk for one in Waiver.objects.all() if _holds(one, instant)] for instant in at]
    assert holding == [[first.pk], *[[second.pk]] * 5], "No instant has two."
    assert [one.data["renews"] for one in Event.objects.filter(kind="waiver.granted")] == [first.pk, None]


def _holds(waiver: Waiver, at: datetime) -> bool:
    ends = min(waiver.until, waiver.ended_at or waiver.until)
    return waiver.decided_at is not None and waiver.decided_at <= at < ends


@pytest.mark.django_db
def test_a_renewal_that_was_asked_in_time_and_granted_late_leaves_the_gap_as_it_was(
    cap: Item, mia: User, ada: User
) -> None:
    first = decide(ada, ask(mia, cap, days=2))
    renewal = ask(mia, cap, days=20, now=after(days=1))
    late = first.until + timedelta(hours=5)
    assert [status(cap, at) for at in (first.until - MS, first.until, late - MS)] == [
        Status.WAIVED,
        Status.OPEN,
        Status.OPEN,
    ]
    decide(ada, renewal, now=late)
    first.refresh_from_db()

    assert (first.ended_at, status(cap, late)) == (first.until, Status.WAIVED)


@pytest.mark.django_db
def test_a_renewal_may_be_granted_after_the_waiver_it_renews_was_revoked(cap: Item, mia: User, ada: User) -> None:
    first = decide(ada, ask(mia, cap, days=20))
    renewal = ask(mia, cap, days=40, now=after(days=1))
    end(mia, first, now=after(days=2))
    assert status(cap, after(days=2)) is Status.OPEN
    decide(ada, renewal, now=after(days=3))
    first.refresh_from_db()

    assert (first.ended_at, first.ended_by, first.end_reason) == (after(days=2), mia, REASON)
    assert status(cap, after(days=3)) is Status.WAIVED


@pytest.mark.django_db
def test_withdrawing_a_renewal_leaves_what_holds(cap: Item, mia: User, ada: User) -> None:
    decide(ada, ask(mia, cap, days=20))
    renewal = ask(mia, cap, days=40, now=after(days=1))
    end(mia, renewal, now=after(days=2))
    assert status(cap, after(days=2)) is Status.WAIVED


@pytest.mark.django_db
def test_a_refused_renewal_leaves_what_holds(cap: Item, mia: User, ada: User) -> None:
    first = decide(ada, ask(mia, cap, days=20))
    decide(ada, ask(mia, cap, days=40, now=after(days=1)), grant=False, note=REASON, now=after(days=2))
    assert [status(cap, at) for at in (first.until - MS, first.until)] == [Status.WAIVED, Status.OPEN]


@pytest.mark.django_db
def test_a_waiver_is_asked_on_open_on_stale_on_failing_and_on_waived(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    end(mia, ask(mia, cap))
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    fresh = cap.entry.clauses.get().fresh_pass
    assert fresh is not None
    stale = NOW + fresh
    with refused("This item is met"):
        ask(mia, cap, now=stale - MS)
    assert status(cap, stale) is Status.STALE
    end(mia, ask(mia, cap, now=stale), now=stale)
    observe(prod, "spend-cap", now=stale + MS, cap_matches=FAIL)
    assert status(cap, stale + MS) is Status.FAILING
    waiver = decide(ada, ask(mia, cap, now=stale + MS), now=stale + 2 * MS)

    assert (waiver.clauses, status(cap, stale + 2 * MS)) == (["cap-matches"], Status.WAIVED)
    ask(mia, cap, now=stale + 3 * MS)


@pytest.mark.django_db
def test_a_renewal_names_what_has_begun_to_fail_since(prod: Environment, mia: User, ada: User) -> None:
    stream = item_of(prod, "sse-not-buffered")
    held = {"stream_not_held": FAIL, "stream_not_compressed": PASS, "stream_not_cached": PASS}
    observe(prod, "proxy-buffering", now=NOW, **held)
    decide(ada, ask(mia, stream, days=20), now=after(minutes=1))
    for seconds in (120, 150):
        observe(prod, "proxy-buffering", now=after(seconds=seconds), **{**held, "stream_not_cached": FAIL})
    failing = after(seconds=150)
    assert [status(stream, at) for at in (failing - MS, failing)] == [Status.WAIVED, Status.FAILING]
    renewed = decide(ada, ask(mia, stream, days=20, now=after(minutes=3)), now=after(minutes=4))

    assert renewed.clauses == ["stream-not-held", "stream-not-cached"]
    assert status(stream, after(minutes=4)) is Status.WAIVED


@pytest.mark.django_db
def test_a_tick_that_came_between_asking_and_granting_lets_nothing_be_granted(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap)
    tick(mia, cap, now=after(minutes=1))
    with refused("This item has been met since"):
        decide(ada, waiver, now=after(minutes=1))


@pytest.mark.django_db
def test_a_grant_says_in_the_ledger_what_it_names_and_until_when(cap: Item, mia: User, ada: User) -> None:
    waiver = decide(ada, ask(mia, cap), note="Agreed, with the date.")
    told = Event.objects.get(kind="waiver.granted").data
    assert told == {
        "request": waiver.pk,
        "note": "Agreed, with the date.",
        "clauses": ["cap-matches"],
        "until": waiver.until.isoformat(),
        "renews": None,
    }


@pytest.mark.django_db
def test_a_note_that_holds_a_key_is_refused(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap)
    with refused("looks like a key"):
        decide(ada, waiver, note="it is qbt_live_4fK2mXw9Zr7TqLp0")


@pytest.mark.django_db
def test_what_an_entry_no_longer_means_is_not_granted(cap: Item, mia: User, ada: User) -> None:
    request = ask_to_leave_out(mia, cap)
    cap.entry.meanings = {"2": after(days=1).isoformat()}
    cap.entry.save(update_fields=["meanings"])
    with refused("The entry asks for something else by now"):
        decide(ada, request, now=after(days=1))
    before = version(cap)
    decide(ada, request, now=after(days=1) - MS)

    assert version(cap) == before + 1
    assert [status(cap, at) for at in (after(days=1) - MS, after(days=1))] == [Status.NOT_APPLICABLE, Status.OPEN]


def test_the_warnings_come_in_the_order_of_time() -> None:
    instants = [ENDS - timedelta(hours=hours) for hours in range(200, -1, -1)]
    order = [None, Nearing.WITHIN_A_WEEK, Nearing.WITHIN_A_DAY]
    places = [order.index(warning_at(ENDS, at)) for at in instants[:-1]]
    assert all(before <= later for before, later in pairwise(places))
