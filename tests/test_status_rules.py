"""Where an item stands at an instant, row by row of the table in the design, and what a sheet adds up to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from readiness.enums.standing import Status, Verdict
from readiness.enums.words import DecisionKind
from readiness.rules.status import ItemFacts, status_at
from readiness.rules.verdicts import Tally, Under, stand_at, tally

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)
PAST, AHEAD = NOW - DAY, NOW + DAY

NOTHING = ItemFacts()
OBSERVED = ItemFacts(observed_until=AHEAD, settled_until=AHEAD, first_met_at=PAST)
ATTESTED = ItemFacts(settled_until=AHEAD, first_met_at=PAST)
FAILING = ItemFacts(failing_since=PAST)
WAIVED = ItemFacts(waived_from=PAST, waived_until=AHEAD)
LEFT_OUT = ItemFacts(not_applicable_from=PAST)


def both(*parts: ItemFacts) -> ItemFacts:
    """Lay facts over each other; the later ones win where they say something."""
    laid = NOTHING
    for part in parts:
        said = {name: value for name in ItemFacts.names() if (value := getattr(part, name)) is not None}
        laid = replace(laid, **said)
    return laid


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        pytest.param(NOTHING, Status.OPEN, id="nothing is known: open, never verified"),
        pytest.param(LEFT_OUT, Status.NOT_APPLICABLE, id="not applicable"),
        pytest.param(OBSERVED, Status.VERIFIED, id="every clause has a fresh pass"),
        pytest.param(ATTESTED, Status.ATTESTED, id="every clause is met, not all by a probe"),
        pytest.param(WAIVED, Status.WAIVED, id="waived"),
        pytest.param(FAILING, Status.FAILING, id="a fail counts"),
        pytest.param(ItemFacts(first_met_at=PAST), Status.STALE, id="was met once"),
        pytest.param(both(LEFT_OUT, OBSERVED), Status.NOT_APPLICABLE, id="not applicable before verified"),
        pytest.param(both(LEFT_OUT, WAIVED), Status.NOT_APPLICABLE, id="not applicable before waived"),
        pytest.param(both(LEFT_OUT, FAILING), Status.FAILING, id="a counting fail undoes not applicable"),
        pytest.param(both(LEFT_OUT, FAILING, WAIVED), Status.WAIVED, id="and leaves the waiver"),
        pytest.param(both(OBSERVED, WAIVED), Status.VERIFIED, id="a met item is not waived"),
        pytest.param(both(ATTESTED, WAIVED), Status.ATTESTED, id="nor an attested one"),
        pytest.param(both(OBSERVED, FAILING), Status.FAILING, id="a counting fail undoes verified"),
        pytest.param(both(ATTESTED, FAILING), Status.FAILING, id="a counting fail contradicts a tick"),
        pytest.param(both(FAILING, WAIVED), Status.WAIVED, id="a waiver that names the failing clause"),
        pytest.param(both(OBSERVED, FAILING, WAIVED), Status.WAIVED, id="a waiver over what was observed and fails"),
        pytest.param(both(WAIVED, ItemFacts(first_met_at=PAST)), Status.WAIVED, id="waived before stale"),
        pytest.param(both(FAILING, ItemFacts(first_met_at=PAST)), Status.FAILING, id="failing before stale"),
    ],
)
def test_the_first_row_that_matches_wins(facts: ItemFacts, status: Status) -> None:
    assert status_at(facts, NOW) is status


@pytest.mark.parametrize(
    ("facts", "before", "at_it"),
    [
        pytest.param(both(OBSERVED, ItemFacts(settled_until=NOW, observed_until=NOW)), Status.VERIFIED, Status.STALE),
        pytest.param(both(OBSERVED, ItemFacts(observed_until=NOW)), Status.VERIFIED, Status.ATTESTED),
        pytest.param(both(ATTESTED, ItemFacts(settled_until=NOW)), Status.ATTESTED, Status.STALE),
        pytest.param(both(WAIVED, ItemFacts(waived_until=NOW)), Status.WAIVED, Status.OPEN),
        pytest.param(both(WAIVED, ItemFacts(waived_from=NOW)), Status.OPEN, Status.WAIVED),
        pytest.param(both(WAIVED, FAILING, ItemFacts(waived_until=NOW)), Status.WAIVED, Status.FAILING),
        pytest.param(both(OBSERVED, ItemFacts(failing_since=NOW)), Status.VERIFIED, Status.FAILING),
        pytest.param(both(LEFT_OUT, ItemFacts(failing_since=NOW)), Status.NOT_APPLICABLE, Status.FAILING),
        pytest.param(ItemFacts(not_applicable_from=NOW), Status.OPEN, Status.NOT_APPLICABLE),
        pytest.param(both(LEFT_OUT, ItemFacts(not_applicable_until=NOW)), Status.NOT_APPLICABLE, Status.OPEN),
        pytest.param(ItemFacts(first_met_at=NOW), Status.OPEN, Status.STALE),
    ],
)
def test_every_bound_is_half_open_to_the_millisecond(facts: ItemFacts, before: Status, at_it: Status) -> None:
    assert [status_at(facts, NOW - MS), status_at(facts, NOW), status_at(facts, NOW + MS)] == [before, at_it, at_it]


def test_a_waiver_that_ends_now_no_longer_counts_though_nothing_was_written() -> None:
    waived = ItemFacts(waived_from=NOW - 90 * DAY, waived_until=NOW)

    assert status_at(waived, NOW - timedelta(microseconds=1)) is Status.WAIVED
    assert status_at(waived, NOW) is Status.OPEN


def test_the_zone_that_an_instant_is_written_in_does_not_matter() -> None:
    at = NOW.astimezone(timezone(timedelta(hours=-5)))

    assert status_at(both(OBSERVED, ItemFacts(observed_until=NOW, settled_until=NOW)), at) is Status.STALE


@pytest.mark.parametrize(
    ("status", "met", "settled"),
    [
        (Status.NOT_APPLICABLE, False, True),
        (Status.VERIFIED, True, True),
        (Status.ATTESTED, True, True),
        (Status.WAIVED, False, True),
        (Status.FAILING, False, False),
        (Status.STALE, False, False),
        (Status.OPEN, False, False),
    ],
)
def test_met_and_settled_are_what_the_design_calls_so(status: Status, met: bool, settled: bool) -> None:
    assert (status.met, status.settled) == (met, settled)


def test_the_table_above_names_every_status() -> None:
    assert len(Status) == 7


def add_up(items: list[ItemFacts], at: datetime = NOW, under: Under | None = None) -> Tally:
    """The verdict of a sheet; its items are numbered from 0."""
    return tally([stand_at(number, facts, at) for number, facts in enumerate(items)], under=under, at=at)


@pytest.mark.parametrize(
    ("items", "verdict"),
    [
        pytest.param([], Verdict.NOT_READY, id="a sheet without a counted item is not ready"),
        pytest.param([OBSERVED], Verdict.READY, id="all verified"),
        pytest.param([OBSERVED, ATTESTED, LEFT_OUT], Verdict.READY, id="all settled, none waived"),
        pytest.param([OBSERVED, WAIVED], Verdict.READY_WITH_WAIVERS, id="one waived"),
        pytest.param([WAIVED], Verdict.READY_WITH_WAIVERS, id="a waiver never counts as met"),
        pytest.param([OBSERVED, NOTHING], Verdict.NOT_READY, id="one open"),
        pytest.param([WAIVED, NOTHING], Verdict.NOT_READY, id="waived beside open"),
        pytest.param([OBSERVED, ItemFacts(first_met_at=PAST)], Verdict.NOT_READY, id="one stale"),
        pytest.param([OBSERVED, FAILING], Verdict.NOT_READY, id="failing and never met: not ready"),
        pytest.param([OBSERVED, both(OBSERVED, FAILING)], Verdict.REGRESSED, id="failing and met before: regressed"),
        pytest.param([both(OBSERVED, FAILING, WAIVED)], Verdict.READY_WITH_WAIVERS, id="its fail is waived"),
        pytest.param([both(OBSERVED, FAILING, WAIVED), NOTHING], Verdict.NOT_READY, id="and does not read regressed"),
    ],
)
def test_a_sheet_adds_up_to_its_verdict(items: list[ItemFacts], verdict: Verdict) -> None:
    assert add_up(items).verdict is verdict


GO = Under(kind=DecisionKind.GO)
NO_GO = Under(kind=DecisionKind.NO_GO)


def waiting(*items: int, until: datetime = AHEAD) -> Under:
    """A go under the conditions that these items, by number, are settled by an instant."""
    return Under(kind=DecisionKind.GO_WITH_CONDITIONS, conditions=dict.fromkeys(items, until))


@pytest.mark.parametrize(
    ("items", "under", "verdict"),
    [
        pytest.param([OBSERVED], GO, Verdict.READY, id="ready under a go"),
        pytest.param([WAIVED], GO, Verdict.READY_WITH_WAIVERS, id="ready with waivers under a go"),
        pytest.param([OBSERVED, NOTHING], GO, Verdict.REGRESSED, id="not ready while a go stands: regressed"),
        pytest.param([], GO, Verdict.REGRESSED, id="so is a sheet without a counted item"),
        pytest.param([OBSERVED, NOTHING], NO_GO, Verdict.NOT_READY, id="a no-go lets nothing regress"),
        pytest.param([both(OBSERVED, FAILING)], NO_GO, Verdict.REGRESSED, id="but for what had been met and fails"),
        pytest.param([OBSERVED, NOTHING], waiting(1), Verdict.NOT_READY, id="an item inside the conditions may wait"),
        pytest.param([NOTHING, NOTHING], waiting(1), Verdict.REGRESSED, id="an item outside them may not"),
        pytest.param([OBSERVED, NOTHING], waiting(1, until=NOW), Verdict.REGRESSED, id="nor one that is overdue"),
        pytest.param([OBSERVED, NOTHING], waiting(1, until=NOW + MS), Verdict.NOT_READY, id="which it is not before"),
        pytest.param([OBSERVED, FAILING], waiting(1), Verdict.NOT_READY, id="a fail inside them, never met before"),
        pytest.param([both(OBSERVED, FAILING)], waiting(0), Verdict.REGRESSED, id="a fail of what had been met"),
        pytest.param([OBSERVED, WAIVED], waiting(1, until=PAST), Verdict.READY_WITH_WAIVERS, id="settled in time"),
    ],
)
def test_a_decision_that_stands_says_what_may_wait(items: list[ItemFacts], under: Under, verdict: Verdict) -> None:
    assert add_up(items, under=under).verdict is verdict


def test_waivers_are_counted_apart_and_percent_is_rounded_down() -> None:
    counted = add_up([OBSERVED] * 25 + [WAIVED] * 4 + [NOTHING])

    assert (counted.total, counted.settled, counted.waived, counted.left, counted.percent) == (30, 29, 4, 1, 96)
    assert add_up([]).percent == 0
    assert add_up([OBSERVED] * 999 + [NOTHING]).percent == 99


def test_a_verdict_moves_with_the_clock_alone() -> None:
    items = [OBSERVED, both(WAIVED, ItemFacts(waived_until=NOW))]

    assert add_up(items, NOW - MS).verdict is Verdict.READY_WITH_WAIVERS
    assert add_up(items, NOW).verdict is Verdict.NOT_READY
