"""Waivers and "not applicable": asked, granted, refused, renewed, ended; and everything that is refused."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone

from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import Environment, Event, Item, User, Waiver
from tests.deeds import (
    REASON,
    after,
    ask,
    ask_to_leave_out,
    decide,
    end,
    observe,
    refused,
    status,
    tick,
    version,
)
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)

PASS, FAIL = Judgement.PASS, Judgement.FAIL
STREAM = {"stream_not_held": PASS, "stream_not_compressed": PASS, "stream_not_cached": PASS}

pytestmark = pytest.mark.django_db


@pytest.fixture
def prod() -> Environment:
    team = make_team("Conversational")
    return make_environment(make_service(team), "prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def cap(prod: Environment) -> Item:
    return item_of(prod, "spend-cap")


@pytest.fixture
def stream(prod: Environment) -> Item:
    return item_of(prod, "sse-not-buffered")


def test_a_waiver_counts_from_its_grant_to_its_end_with_nothing_running(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap, until=date(2026, 3, 31))
    assert status(cap, NOW) is Status.OPEN, "Asking settles nothing."
    decide(ada, waiver, now=after(hours=1))

    ends = datetime(2026, 4, 1, tzinfo=timezone.get_default_timezone())
    assert waiver.until == ends
    assert [
        status(cap, at)
        for at in (after(minutes=59), after(hours=1), ends - timedelta(microseconds=1), ends, ends + timedelta(days=9))
    ] == [Status.OPEN, Status.WAIVED, Status.WAIVED, Status.OPEN, Status.OPEN]


@pytest.mark.parametrize(
    ("zone", "ends"),
    [
        ("UTC", "2026-03-09T00:00:00+00:00"),
        ("America/Toronto", "2026-03-09T04:00:00+00:00"),  # The clocks went forward on the 8th.
        ("Asia/Tokyo", "2026-03-08T15:00:00+00:00"),
    ],
)
def test_a_day_runs_to_its_end_in_the_sites_time_zone(cap: Item, mia: User, zone: str, ends: str) -> None:
    with override_settings(TIME_ZONE=zone), timezone.override(zone):
        assert ask(mia, cap, until=date(2026, 3, 8)).until == datetime.fromisoformat(ends)


@pytest.mark.parametrize(
    ("days", "says"),
    [(-1, "This day has passed"), (-400, "This day has passed"), (90, "at most 90 days"), (730, "at most 90 days")],
)
def test_a_waiver_ends_today_at_the_earliest_and_in_90_days_at_the_latest(
    cap: Item, mia: User, days: int, says: str
) -> None:
    with refused(says):
        ask(mia, cap, days=days)


@pytest.mark.parametrize("days", [0, 89])
def test_today_and_the_ninetieth_day_may_be_asked_for_and_granted(cap: Item, mia: User, ada: User, days: int) -> None:
    decide(ada, ask(mia, cap, days=days))

    assert status(cap, NOW) is Status.WAIVED


@pytest.mark.parametrize("reason", ["", "abc", "too short, ah", "- . - . - . - . - . -", "x" * 4001])
def test_a_reason_that_no_reviewer_could_judge_is_refused(cap: Item, mia: User, reason: str) -> None:
    with refused():
        ask(mia, cap, reason=reason)
    with refused():
        ask_to_leave_out(mia, cap, reason=reason)


def test_one_request_waits_at_a_time(cap: Item, mia: User) -> None:
    waiver = ask(mia, cap)
    with refused("already waits for a reviewer"):
        ask(mia, cap)
    with refused("already waits for a reviewer"):
        ask_to_leave_out(mia, cap)
    end(mia, waiver)
    ask_to_leave_out(mia, cap)
    with refused("already waits for a reviewer"):
        ask(mia, cap)


def test_only_the_team_asks(cap: Item) -> None:
    for person in (make_person(), make_reviewer(), make_member(make_team())):
        with refused("Only members of Conversational"):
            ask(person, cap)
        with refused("Only members of Conversational"):
            ask_to_leave_out(person, cap)
    ask(make_admin(), cap)


def test_a_met_item_cannot_be_waived_neither_asked_nor_granted(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap)
    tick(mia, cap)
    with refused("This item has been met since"):
        decide(ada, waiver)
    decide(ada, waiver, grant=False, note=REASON)
    with refused("This item is met"):
        ask(mia, cap)


def test_a_request_whose_end_has_passed_is_not_granted(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap, days=3)
    with refused("The end that was asked for has passed"):
        decide(ada, waiver, now=waiver.until)
    decide(ada, waiver, now=waiver.until - timedelta(microseconds=1))


def test_who_asked_does_not_grant_and_a_member_or_an_admin_does_not_either(cap: Item, mia: User) -> None:
    both = make_reviewer(teams=(cap.service.team,))
    waiver = ask(both, cap)
    with refused("You asked for this yourself"):
        decide(both, waiver)
    with refused("You asked for this yourself"):
        decide(both, waiver, grant=False, note=REASON)
    for person in (mia, make_admin(), make_person()):
        with refused("Only a reviewer"):
            decide(person, waiver)
    decide(make_reviewer(teams=(cap.service.team,)), waiver)


def test_what_was_answered_is_not_answered_again(cap: Item, mia: User, ada: User) -> None:
    stale = ask(mia, cap)
    decide(ada, Waiver.objects.get(pk=stale.pk))
    for again in (True, False):
        with refused("ada has granted this already"):
            decide(make_reviewer(), stale, grant=again, note=REASON)


def test_a_refusal_says_why_and_changes_nothing_else(cap: Item, mia: User, ada: User) -> None:
    waiver = ask(mia, cap)
    with refused("Say why"):
        decide(ada, waiver, grant=False, note="no")
    decide(ada, waiver, grant=False, note=REASON)

    assert status(cap, NOW) is Status.OPEN
    with refused("ada has refused this already"):
        end(mia, waiver)
    ask(mia, cap)


def test_a_waiver_names_the_clauses_that_are_not_met_when_it_is_granted(
    stream: Item, prod: Environment, mia: User, ada: User
) -> None:
    observe(prod, "proxy-buffering", now=NOW, **{**STREAM, "stream_not_held": FAIL})
    waiver = decide(ada, ask(mia, stream), now=after(minutes=1))

    assert waiver.clauses == ["stream-not-held"]
    assert status(stream, after(minutes=1)) is Status.WAIVED


def test_a_fail_on_a_clause_that_was_not_named_reads_failing(
    stream: Item, prod: Environment, mia: User, ada: User
) -> None:
    observe(prod, "proxy-buffering", now=NOW, **{**STREAM, "stream_not_held": FAIL})
    decide(ada, ask(mia, stream), now=after(minutes=1))
    for seconds in (120, 155):
        failed = {**STREAM, "stream_not_held": FAIL, "stream_not_cached": FAIL}
        observe(prod, "proxy-buffering", now=after(seconds=seconds), **failed)
        unconfirmed = seconds == 120
        assert (status(stream, after(seconds=seconds)) is Status.WAIVED) is unconfirmed

    assert status(stream, after(minutes=3)) is Status.FAILING


def test_a_waiver_settles_no_longer_than_the_clauses_it_does_not_name(
    stream: Item, prod: Environment, mia: User, ada: User
) -> None:
    observe(prod, "proxy-buffering", now=NOW, **{**STREAM, "stream_not_held": FAIL})
    decide(ada, ask(mia, stream, days=80), now=after(minutes=1))
    fresh = stream.entry.clauses.get(slug="stream-not-cached").fresh_pass
    assert fresh is not None

    assert status(stream, NOW + fresh - timedelta(seconds=1)) is Status.WAIVED
    assert status(stream, NOW + fresh) is Status.FAILING


def test_a_pass_makes_a_waived_item_met_and_the_waiver_stays_behind_it(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    decide(ada, ask(mia, cap, days=80))
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=PASS)

    assert status(cap, after(minutes=1)) is Status.VERIFIED
    fresh = cap.entry.clauses.get().fresh_pass
    assert status(cap, after(minutes=1) + fresh) is Status.WAIVED


def test_a_renewal_is_a_new_request_and_its_grant_ends_the_earlier_waiver(cap: Item, mia: User, ada: User) -> None:
    first = decide(ada, ask(mia, cap, days=10))
    renewal = ask(mia, cap, days=50, now=after(days=5))
    assert status(cap, after(days=6)) is Status.WAIVED, "While the renewal waits, the first still holds."
    decide(ada, renewal, now=after(days=6))

    first.refresh_from_db()
    assert (first.ended_at, first.end_reason) == (after(days=6), "Renewed by a new waiver.")
    assert [status(cap, at) for at in (after(days=6), after(days=49), renewal.until)] == [
        Status.WAIVED,
        Status.WAIVED,
        Status.OPEN,
    ]


def test_a_waiver_that_was_renewed_after_its_end_ended_at_its_end(cap: Item, mia: User, ada: User) -> None:
    first = decide(ada, ask(mia, cap, days=2))
    decide(ada, ask(mia, cap, days=20, now=after(days=9)), now=after(days=9))

    first.refresh_from_db()
    assert first.ended_at == first.until


def test_the_team_and_reviewers_end_a_waiver_early_with_a_reason(cap: Item, mia: User, ada: User) -> None:
    for person in (mia, ada):
        waiver = decide(ada, ask(mia, cap))
        with refused("Say why"):
            end(person, waiver, reason="done")
        for stranger in (make_person(), make_member(make_team())):
            with refused("Only members of Conversational"):
                end(stranger, waiver)
        end(person, waiver, now=after(minutes=5))
        assert status(cap, after(minutes=5)) is Status.OPEN
        with refused("This has ended already"):
            end(person, waiver)


def test_a_waiver_names_a_clause_that_a_pass_still_covers_but_that_fails(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    for seconds, said in ((0, PASS), (60, FAIL), (90, FAIL)):
        observe(prod, "spend-cap", now=after(seconds=seconds), cap_matches=said)
    waiver = decide(ada, ask(mia, cap, now=after(minutes=2)), now=after(minutes=2))

    assert (waiver.clauses, status(cap, after(minutes=2))) == (["cap-matches"], Status.WAIVED)


def test_nothing_is_decided_or_ended_about_what_is_archived(cap: Item, prod: Environment, mia: User, ada: User) -> None:
    waiver = ask(mia, cap)
    Environment.objects.filter(pk=prod.pk).update(archived_at=NOW)
    with refused("This is archived"):
        decide(ada, waiver)
    with refused("This is archived"):
        end(mia, waiver)


def test_a_waiver_that_is_over_cannot_be_ended(cap: Item, mia: User, ada: User) -> None:
    waiver = decide(ada, ask(mia, cap, days=2))
    with refused("This has ended already"):
        end(mia, waiver, now=waiver.until)


def test_not_applicable_has_no_end_and_anyone_on_the_team_brings_it_back(cap: Item, mia: User, ada: User) -> None:
    request = decide(ada, ask_to_leave_out(mia, cap), now=after(hours=1))

    assert [status(cap, at) for at in (NOW, after(hours=1), after(days=4000))] == [
        Status.OPEN,
        Status.NOT_APPLICABLE,
        Status.NOT_APPLICABLE,
    ]
    with refused("not applicable already"):
        ask_to_leave_out(mia, cap, now=after(hours=2))
    end(make_member(cap.service.team), request, now=after(hours=3))
    assert status(cap, after(hours=3)) is Status.OPEN


def test_not_applicable_is_refused_while_a_probe_sees_a_fail(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    request = ask_to_leave_out(mia, cap)
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=FAIL)
    with refused("so it does apply"):
        decide(ada, request, now=after(minutes=2))
    decide(ada, request, grant=False, note=REASON, now=after(minutes=2))
    with refused("so it does apply"):
        ask_to_leave_out(mia, cap, now=after(minutes=3))


def test_not_applicable_falls_at_a_counting_fail_and_a_pass_does_not_bring_it_back(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    request = decide(ada, ask_to_leave_out(mia, cap))
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=FAIL)

    assert status(cap, after(minutes=1)) is Status.FAILING
    request.refresh_from_db()
    assert (request.ended_at, request.ended_by) == (after(minutes=1), None)
    assert Event.objects.filter(kind="not-applicable.fell", item=cap, actor=None).count() == 1
    observe(prod, "spend-cap", now=after(minutes=2), cap_matches=PASS)
    assert status(cap, after(minutes=2)) is Status.VERIFIED


def test_not_applicable_falls_at_a_fail_that_began_to_count_by_the_clock_alone(
    cap: Item, prod: Environment, mia: User, ada: User
) -> None:
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    fresh = cap.entry.clauses.get().fresh_pass
    observe(prod, "spend-cap", now=after(seconds=5), cap_matches=FAIL)
    request = decide(ada, ask_to_leave_out(mia, cap, now=after(seconds=6)), now=after(seconds=7))
    assert status(cap, NOW + fresh - timedelta(seconds=1)) is Status.NOT_APPLICABLE
    assert status(cap, NOW + fresh) is Status.FAILING

    observe(prod, "spend-cap", now=NOW + fresh + timedelta(minutes=1), cap_matches=PASS)
    request.refresh_from_db()
    assert request.ended_at == NOW + fresh + timedelta(minutes=1), "Until then nothing was written about it."
    fell = Event.objects.get(kind="not-applicable.fell", item=cap)
    assert fell.data["since"] == (NOW + fresh).isoformat()
    assert status(cap, NOW + fresh + timedelta(minutes=1)) is Status.VERIFIED


@pytest.mark.parametrize("kind", ["waiver", "not-applicable"])
def test_every_step_of_a_request_is_an_event_and_counts_the_version_up(
    cap: Item, mia: User, ada: User, kind: str
) -> None:
    request: Any = ask(mia, cap) if kind == "waiver" else ask_to_leave_out(mia, cap)
    decide(ada, request)
    end(mia, request)

    told = Event.objects.filter(item=cap).order_by("id").values_list("kind", "actor__username")
    assert list(told) == [(f"{kind}.asked", "mia"), (f"{kind}.granted", "ada"), (f"{kind}.ended", "mia")]
    assert version(cap) == cap.version + 3
