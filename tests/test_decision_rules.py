"""What may be decided, and which facts get worse: each rule by table, with no database."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.rules.decisions import (
    Fact,
    ItemNow,
    Terms,
    Unsettled,
    Wait,
    Worsening,
    appeared,
    conditions_refusals,
    covers,
    dissent_refusals,
    go_refusals,
    go_with_conditions_refusals,
    worse,
)
from readiness.rules.snapshots import FrozenItem
from readiness.rules.status import ItemFacts, status_at
from tests.deeds import REASON, after
from tests.factories import NOW

TODAY = date(2026, 3, 2)
AT = after(days=2)
MS = timedelta(milliseconds=1)
SOON, LATER = after(days=1), after(days=30)
OPEN = Unsettled(item=1, title="Spend cap", status=Status.OPEN)
FAILS = Unsettled(item=2, title="Alerts", status=Status.FAILING)


def terms(item: int, **given: object) -> Terms:
    words = {"reason": REASON, "owner": "Mia Roy", "owner_active": True, "until": TODAY, **given}
    return Terms(item=item, **words)  # type: ignore[arg-type]


def frozen(status: Status, item: int = 1) -> FrozenItem:
    return FrozenItem(
        item=item, entry="spend-cap", section="Cost", title="Spend cap", text="A cap is set.", status=status, owner=""
    )


def now(facts: ItemFacts, item: int = 1, **given: object) -> dict[int, ItemNow]:
    return {item: ItemNow(item=item, entry="spend-cap", title="Spend cap", facts=facts, **given)}  # type: ignore[arg-type]


def got_worse(before: Status, facts: ItemFacts, *waits: Wait, **given: object) -> list[Fact]:
    return worse([frozen(before)], now(facts, **given), waits, decided_at=NOW, at=AT)


VERIFIED = ItemFacts(observed_until=LATER, settled_until=LATER, first_met_at=NOW)
ATTESTED = ItemFacts(settled_until=LATER, first_met_at=NOW)
WAIVED = ItemFacts(waived_from=NOW, waived_until=LATER)
LEFT_OUT = ItemFacts(not_applicable_from=NOW)
STALE = ItemFacts(settled_until=SOON, first_met_at=NOW)
FAILING = replace(VERIFIED, failing_since=SOON)


def test_a_go_is_refused_while_anything_is_unsettled_and_names_it() -> None:
    assert go_refusals([], counted=26) == []
    assert go_refusals([OPEN], counted=26) == [
        "1 item is not settled: “Spend cap” (open). Settle them, or decide a go with conditions."
    ]
    many = [replace(OPEN, item=number) for number in range(5)]
    assert "5 items are not settled" in go_refusals(many, counted=26)[0]
    assert "and 2 more" in go_refusals(many, counted=26)[0]


def test_a_sheet_without_an_item_gets_no_go_of_either_kind() -> None:
    assert go_refusals([], counted=0) == go_with_conditions_refusals([], counted=0) != []


def test_there_is_nothing_to_set_a_condition_on_where_everything_is_settled() -> None:
    assert "Decide a go" in go_with_conditions_refusals([], counted=26)[0]
    assert go_with_conditions_refusals([OPEN], counted=26) == []


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ([terms(1), terms(2)], None),
        ([terms(1)], "“Alerts” is not settled and has no condition"),
        ([], "“Spend cap” is not settled and has no condition"),
        ([terms(1), terms(2), terms(3)], "about an item that is settled by now or not on this sheet"),
        ([terms(1), terms(1), terms(2)], "two conditions"),
        ([terms(1, reason="later"), terms(2)], "“Spend cap”: Say why in a sentence"),
        ([terms(1, owner_active=False), terms(2)], "Mia Roy has left"),
        ([terms(1), terms(2, until=TODAY - timedelta(days=1))], "“Alerts”: This day has passed"),
        ([terms(1), terms(2, until=TODAY + timedelta(days=89))], None),
        ([terms(1), terms(2, until=TODAY + timedelta(days=90))], "at most 90 days"),
    ],
)
def test_a_go_with_conditions_has_exactly_one_for_each_unsettled_item(given: list[Terms], says: str | None) -> None:
    refusals = conditions_refusals([OPEN, FAILS], given, today=TODAY)
    assert (not refusals) if says is None else any(says in one for one in refusals)


def test_a_dissent_says_why_once_a_person() -> None:
    assert dissent_refusals([(1, REASON, True), (2, REASON, True)]) == []
    assert "Say why" in dissent_refusals([(1, "no", True)])[0]
    assert "twice" in dissent_refusals([(1, REASON, True), (1, REASON, True)])[0]
    assert "has left" in dissent_refusals([(1, REASON, False)])[0]


@pytest.mark.parametrize(
    ("before", "facts", "what", "after_status", "since"),
    [
        (Status.VERIFIED, STALE, Worsening.UNSETTLED, Status.STALE, SOON),
        (Status.ATTESTED, STALE, Worsening.UNSETTLED, Status.STALE, SOON),
        (Status.VERIFIED, FAILING, Worsening.UNSETTLED, Status.FAILING, SOON),
        (Status.NOT_APPLICABLE, replace(LEFT_OUT, failing_since=SOON), Worsening.UNSETTLED, Status.FAILING, SOON),
        (Status.NOT_APPLICABLE, replace(LEFT_OUT, not_applicable_until=SOON), Worsening.UNSETTLED, Status.OPEN, SOON),
        (Status.WAIVED, replace(WAIVED, waived_until=SOON), Worsening.UNSETTLED, Status.OPEN, SOON),
        (
            Status.VERIFIED,
            replace(STALE, waived_from=after(hours=1), waived_until=LATER),
            Worsening.ONLY_WAIVED,
            Status.WAIVED,
            SOON,
        ),
        (
            Status.NOT_APPLICABLE,
            ItemFacts(
                not_applicable_from=NOW, not_applicable_until=SOON, waived_from=after(hours=1), waived_until=LATER
            ),
            Worsening.ONLY_WAIVED,
            Status.WAIVED,
            SOON,
        ),
        (Status.OPEN, ItemFacts(failing_since=SOON), Worsening.BEGAN_TO_FAIL, Status.FAILING, SOON),
        (Status.STALE, replace(STALE, failing_since=after(hours=30)), Worsening.BEGAN_TO_FAIL, Status.FAILING, None),
    ],
)
def test_a_fact_that_got_worse_is_named_from_what_to_what_and_since_when(
    before: Status, facts: ItemFacts, what: Worsening, after_status: Status, since: object
) -> None:
    (fact,) = got_worse(before, facts)
    assert (fact.what, fact.before, fact.after) == (what, before, after_status)
    assert fact.since == (since or facts.failing_since)


@pytest.mark.parametrize(
    ("before", "facts"),
    [
        (Status.VERIFIED, VERIFIED),
        (Status.VERIFIED, ATTESTED),
        (Status.ATTESTED, VERIFIED),
        (Status.ATTESTED, replace(VERIFIED, settled_until=after(days=60))),
        (Status.VERIFIED, LEFT_OUT),
        (Status.NOT_APPLICABLE, ATTESTED),
        (Status.WAIVED, replace(WAIVED, waived_from=SOON, waived_until=after(days=60))),
        (Status.WAIVED, ATTESTED),
        (Status.WAIVED, replace(WAIVED, failing_since=SOON)),
        (Status.OPEN, ItemFacts()),
        (Status.OPEN, STALE),
        (Status.STALE, ItemFacts()),
        (Status.OPEN, ATTESTED),
        (Status.FAILING, ItemFacts(failing_since=SOON)),
        (Status.FAILING, ItemFacts()),
        (Status.VERIFIED, replace(VERIFIED, failing_since=AT + MS)),
    ],
)
def test_what_is_as_good_as_it_was_takes_nothing_away(before: Status, facts: ItemFacts) -> None:
    assert got_worse(before, facts) == []


def test_an_item_that_is_not_on_the_sheet_any_more_got_no_worse() -> None:
    assert worse([frozen(Status.VERIFIED)], {}, [Wait(item=1, until=NOW)], decided_at=NOW, at=AT) == []


@pytest.mark.parametrize(("at", "count"), [(SOON - MS, 0), (SOON, 1), (SOON + MS, 1)])
def test_evidence_ends_under_a_go_to_the_millisecond(at: object, count: int) -> None:
    facts = worse([frozen(Status.ATTESTED)], now(STALE), [], decided_at=NOW, at=at)  # type: ignore[arg-type]
    assert len(facts) == count
    assert covers(DecisionKind.GO, facts) is (count == 0)


@pytest.mark.parametrize(("at", "count"), [(SOON - MS, 0), (SOON, 1), (SOON + MS, 1)])
def test_a_condition_is_overdue_to_the_millisecond(at: object, count: int) -> None:
    wait = Wait(item=1, until=SOON)
    facts = worse([frozen(Status.OPEN)], now(ItemFacts()), [wait], decided_at=NOW, at=at)  # type: ignore[arg-type]
    assert [fact.what for fact in facts] == [Worsening.OVERDUE] * count
    assert all(fact.since == SOON for fact in facts)


def test_a_condition_that_was_discharged_is_never_overdue_and_late_ones_are_overdue_until_then() -> None:
    discharged = Wait(item=1, until=SOON, discharged_at=after(hours=30))
    assert discharged.overdue_at(after(hours=29))
    assert not discharged.overdue_at(after(hours=30))
    assert got_worse(Status.OPEN, ATTESTED, discharged) == []


def test_an_item_that_was_settled_as_asked_and_is_open_again_is_told_since_when() -> None:
    wait = Wait(item=1, until=LATER, discharged_at=after(hours=1))
    (fact,) = got_worse(Status.OPEN, STALE, wait)
    assert (fact.what, fact.since) == (Worsening.UNSETTLED_AGAIN, SOON)


def test_a_grant_that_was_ended_early_is_told_since_its_end() -> None:
    """The row keeps no trace of it; the grant does, folded as if it still stood up to there."""
    stood = ItemFacts(waived_from=NOW, waived_until=SOON)
    (fact,) = got_worse(Status.WAIVED, ItemFacts(), ended=(stood,))
    assert fact.since == SOON


def test_a_pass_that_another_build_took_away_is_told_since_that_build() -> None:
    lost = ItemFacts(first_met_at=after(hours=-1))
    (fact,) = got_worse(Status.VERIFIED, lost, exchanged=(after(hours=-5), SOON, AT + MS))
    assert (fact.after, fact.since) == (Status.STALE, SOON)


def test_a_fail_that_was_recorded_late_is_told_since_it_was_seen() -> None:
    seen = after(minutes=-5)
    (fact,) = got_worse(Status.VERIFIED, ItemFacts(failing_since=seen, first_met_at=after(hours=-1)))
    assert fact.since == seen


def test_what_nobody_can_tell_the_time_of_is_told_without_one() -> None:
    (fact,) = got_worse(Status.VERIFIED, ItemFacts(first_met_at=after(hours=-1)))
    assert fact.since is None


def test_an_entry_that_was_not_on_the_sheet_is_listed_apart_while_it_is_unsettled() -> None:
    sheet = {**now(VERIFIED, 1), **now(ItemFacts(), 2), **now(ATTESTED, 3)}
    assert [item.item for item in appeared([frozen(Status.VERIFIED)], sheet, at=AT)] == [2]


def test_a_no_go_covers_nothing() -> None:
    assert not covers(DecisionKind.NO_GO, [])
    assert covers(DecisionKind.GO_WITH_CONDITIONS, [])


def test_the_tables_above_hold_what_they_say() -> None:
    pairs = {"VERIFIED": VERIFIED, "ATTESTED": ATTESTED, "WAIVED": WAIVED, "STALE": STALE, "FAILING": FAILING}
    assert {name: status_at(facts, AT) for name, facts in pairs.items()} == {name: Status[name] for name in pairs}
