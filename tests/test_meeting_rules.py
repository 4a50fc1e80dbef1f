"""A review while it is held: its order, what comes next, who is in the room, and how its minutes read, as tables."""

from datetime import date, timedelta

import pytest

from readiness.rules import meetings as rules
from readiness.rules.meetings import Group, InRoom, OnAgenda
from readiness.rules.minutes import MinuteKind, words
from readiness.rules.permissions import Actor
from tests.factories import NOW

DAY = date(2026, 3, 2)


def line(environment: int, **given: object) -> OnAgenda:
    facts = {"position": environment, "launch_on": DAY, "left": 3, "unchanged": False, "decided": None, **given}
    return OnAgenda(environment=environment, **facts)  # type: ignore[arg-type]


def test_what_takes_a_key_comes_first_then_the_soonest_launch_then_what_is_decided() -> None:
    lines = [
        line(1, decided=41),
        line(2, launch_on=None),
        line(3, left=None),
        line(4, launch_on=DAY + timedelta(days=1), left=1),
        line(5, left=9),
        line(6, left=2),
        line(7, unchanged=True, launch_on=DAY + timedelta(days=9)),
        line(8, left=0, launch_on=DAY + timedelta(days=5)),
        line(9, decided=40, left=0),
    ]
    assert [one.environment for one in rules.in_order(lines)] == [8, 7, 6, 5, 4, 2, 9, 1, 3]
    groups = {one.environment: one.group for one in lines}
    assert groups[7] is groups[8] is Group.QUICK
    assert (groups[2], groups[9], groups[3]) == (Group.TO_TALK, Group.DECIDED, Group.ARCHIVED)


@pytest.mark.parametrize(
    ("decided", "after", "follows"),
    [
        ([], 1, 2),
        ([1], 1, 2),
        ([1, 2], 1, 3),
        ([3], 3, 1),
        ([1, 2, 3], 2, None),
        ([], 0, 1),
        ([1], 99, 2),
        ([1, 3], 3, 2),
    ],
)
def test_the_next_undecided_line_opens_and_the_first_one_after_the_last(
    decided: list[int], after: int, follows: int | None
) -> None:
    assert rules.next_line([1, 2, 3], decided, after) == follows


def test_somebody_is_there_for_three_minutes_after_the_last_sign_of_life_or_until_they_leave() -> None:
    heard, named = InRoom(seen_at=NOW, named=False, gone_at=None), InRoom(seen_at=NOW, named=True, gone_at=None)
    last = NOW + timedelta(minutes=3)
    assert heard.here_at(last - timedelta(microseconds=1))
    assert not heard.here_at(last)
    assert named.here_at(NOW + timedelta(days=1))
    assert not InRoom(seen_at=NOW, named=False, gone_at=NOW).here_at(NOW)


@pytest.mark.parametrize(("quorum", "here", "said"), [(None, 0, []), (2, 2, []), (1, 5, [])])
def test_a_quorum_that_is_met_or_not_set_refuses_nothing(quorum: int | None, here: int, said: list[str]) -> None:
    assert rules.quorum_refusals(quorum, here) == said


def test_a_quorum_says_how_many_are_needed_and_how_many_are_there() -> None:
    (reason,) = rules.quorum_refusals(3, 1)
    assert reason.startswith("This review needs 3 people in the room to decide, and 1 is there. Whoever is there opens")
    assert "needs 1 person in the room to decide, and 0 are there" in rules.quorum_refusals(1, 0)[0]


def actor(number: int, *, reviewer: bool) -> Actor:
    return Actor(id=number, is_admin=False, is_reviewer=reviewer, is_auditor=False, teams=frozenset())


def test_the_chair_leads_and_any_other_reviewer_may_take_the_chair() -> None:
    ada, sam, noor = actor(1, reviewer=True), actor(2, reviewer=True), actor(3, reviewer=False)
    assert rules.lead_refusals(ada, chair_id=1, chair="Ada") == []
    assert rules.lead_refusals(sam, chair_id=1, chair="Ada") == [
        "Ada has the chair and does this. Take the chair if they are away."
    ]
    assert rules.take_chair_refusals(sam, chair_id=1) == []
    assert rules.take_chair_refusals(ada, chair_id=1) == ["You have the chair already."]
    reviewers = ["Only a reviewer plans launch reviews and decides in them. Everybody reads along."]
    assert rules.take_chair_refusals(noor, chair_id=1) == rules.lead_refusals(noor, chair_id=3, chair="x") == reviewers
    assert rules.come_refusals(noor) == rules.note_refusals(noor) == []
    assert rules.held_refusals(opened_at=NOW) == []
    assert rules.held_refusals(opened_at=None) == ["The meeting is not open yet. A reviewer opens it."]


@pytest.mark.parametrize(
    ("launch_on", "offered"),
    [
        (None, DAY + timedelta(days=14)),
        (DAY - timedelta(days=30), DAY + timedelta(days=14)),
        (DAY + timedelta(days=10), DAY + timedelta(days=24)),
        (DAY + timedelta(days=200), DAY + timedelta(days=89)),
    ],
)
def test_a_condition_is_offered_two_weeks_after_the_launch_and_never_too_late(
    launch_on: date | None, offered: date
) -> None:
    assert rules.condition_day(launch_on, today=DAY, last=DAY + timedelta(days=89)) == offered


@pytest.mark.parametrize(
    ("kind", "title", "params", "said"),
    [
        (MinuteKind.OPENED, "", {}, "Ada opened the meeting."),
        (MinuteKind.CAME, "", {}, "Ada came."),
        (MinuteKind.NAMED, "", {"person": "Noor"}, "Noor is in the room, as Ada says."),
        (MinuteKind.LEFT, "", {"person": "Ada"}, "Ada left."),
        (MinuteKind.LEFT, "", {"person": "Noor"}, "Ada took Noor out."),
        (MinuteKind.CHAIR, "", {"before": "Sam"}, "Ada took the chair from Sam."),
        (MinuteKind.CHAIR_GIVEN, "", {"before": "Sam", "person": "Kim"}, "Ada gave the chair to Kim, after Sam."),
        (MinuteKind.NOTED, "", {"text": "The proxy {buffers}."}, "The proxy {buffers}."),
        (MinuteKind.TICKED, "Alerts", {"reason": "All fired."}, "Ada ticked “Alerts”. All fired."),
        (MinuteKind.GRANTED, "Alerts", {"reason": ""}, "Ada granted the waiver of “Alerts”."),
        (MinuteKind.GRANTED, "Alerts", {"left_out": True}, "Ada agreed to leave out “Alerts”."),
        (MinuteKind.REFUSED, "Alerts", {"reason": "Too long."}, "Ada refused to waive “Alerts”. Too long."),
        (MinuteKind.DECIDED, "", {"kind": "go", "waived": 1}, "Go, 1 waiver. Decided by Ada."),
        (
            MinuteKind.DECIDED,
            "",
            {"kind": "go-with-conditions", "conditions": 2, "waived": 0, "note": "The date is public."},
            "Go with conditions, 2 conditions. Decided by Ada. The date is public.",
        ),
        (MinuteKind.DISSENTED, "", {"reason": "Nobody knows why."}, "Ada does not agree: Nobody knows why."),
        (MinuteKind.CLOSED, "", {}, "Ada closed the review."),
    ],
)
def test_every_kind_of_line_of_the_minutes_is_a_sentence(
    kind: MinuteKind, title: str, params: dict[str, object], said: str
) -> None:
    assert words(kind, "Ada", title, params) == said
