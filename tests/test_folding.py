"""Statements fold into where a clause stands: each rule about fails, ticks and builds as a case of its own."""

from datetime import UTC, datetime, timedelta

import pytest

from readiness.enums.standing import Status
from readiness.enums.words import Outcome
from readiness.rules.folding import ClauseFacts, Grant, Statement, fold_clause, fold_item
from readiness.rules.status import ItemFacts, status_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant, in seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def seconds(instant: datetime | None) -> float | None:
    """An instant as seconds after noon."""
    return None if instant is None else (instant - NOON).total_seconds()


def passed(when: float, ends: float, build: str = "", identity: int = 0) -> Statement:
    return Statement(
        id=identity or int(when) + 1, outcome=Outcome.PASS, observed_at=at(when), valid_until=at(ends), build=build
    )


def failed(when: float, build: str = "", identity: int = 0) -> Statement:
    return Statement(id=identity or int(when) + 1, outcome=Outcome.FAIL, observed_at=at(when), build=build)


def ticked(when: float, ends: float, *, supported: bool = True, identity: int = 0) -> Statement:
    return Statement(
        id=identity or int(when) + 1,
        outcome=Outcome.PASS,
        observed_at=at(when),
        valid_until=at(ends),
        by_person=True,
        supported=supported,
    )


def taken_back(when: float, identity: int = 0) -> Statement:
    return Statement(id=identity or int(when) + 1, outcome=Outcome.WITHDRAWN, observed_at=at(when), by_person=True)


def fold(
    *statements: Statement, bound: bool = False, build: str = "", since: float | None = None
) -> tuple[float | None, float | None, float | None]:
    """Fold one clause: end of its passes, end of its ticks, since when a fail counts."""
    facts = fold_clause(
        "a", statements, build_bound=bound, build=build, build_since=None if since is None else at(since)
    )
    return seconds(facts.pass_until), seconds(facts.tick_until), seconds(facts.failing_since)


@pytest.mark.parametrize(
    ("statements", "counts_from"),
    [
        pytest.param([failed(10)], 10, id="on a clause that is not met it counts at once"),
        pytest.param([passed(0, 100), failed(10)], 100, id="on a met clause it waits for the clause's end"),
        pytest.param([passed(0, 100), failed(10), failed(39)], 100, id="29 s later confirms nothing"),
        pytest.param([passed(0, 100), failed(10), failed(40)], 40, id="30 s later it is confirmed"),
        pytest.param([passed(0, 100), failed(10), failed(20), failed(40)], 40, id="30 s after the first of the row"),
        pytest.param([passed(0, 100), failed(10), failed(41), failed(50)], 41, id="from the first that confirms"),
        pytest.param([passed(0, 20), failed(10), failed(41)], 20, id="or from the clause's end, if that is first"),
        pytest.param([passed(0, 40), failed(10), failed(40)], 40, id="both at once"),
        pytest.param([passed(0, 10), failed(10)], 10, id="a fail at the very end of a pass finds the clause unmet"),
        pytest.param([passed(0, 100), failed(10), passed(20, 200)], None, id="a pass lifts it"),
        pytest.param([failed(10), passed(20, 25)], None, id="and a pass that has aged since does too"),
        pytest.param([failed(10), passed(20, 25), failed(30)], 30, id="the next fail starts a new row"),
        pytest.param([passed(0, 100), failed(10), passed(20, 200), failed(45)], 200, id="no fail is counted twice"),
        pytest.param([ticked(0, 100), failed(10)], 100, id="a tick holds a clause met as a pass does"),
        pytest.param([ticked(0, 100), failed(10), failed(40)], 40, id="and a confirmed fail contradicts it"),
        pytest.param([failed(10), ticked(20, 100)], 10, id="a tick does not lift a fail"),
        pytest.param([passed(0, 50), ticked(20, 80), failed(30)], 80, id="the clause ends with the later of its ends"),
        pytest.param([passed(0, 50), failed(30), ticked(50, 80)], 80, id="a tick that takes over without a gap"),
        pytest.param([passed(0, 50), failed(30), ticked(51, 80)], 50, id="a tick that comes after the end"),
        pytest.param([ticked(0, 100), failed(10), taken_back(60)], 60, id="a tick taken back ends the clause"),
        pytest.param([ticked(0, 100), failed(10), taken_back(60), ticked(70, 200)], 60, id="a new tick is too late"),
        pytest.param([ticked(0, 100, supported=False), failed(10)], 10, id="an unsupported tick holds nothing met"),
        pytest.param([ticked(0, 100), ticked(20, 40), failed(30)], 40, id="a later, shorter word replaces a tick"),
    ],
)
def test_when_a_fail_counts(statements: list[Statement], counts_from: float | None) -> None:
    assert fold(*statements)[2] == counts_from
    assert fold(*reversed(statements))[2] == counts_from, "The order in which rows are read is not the order in time."


def test_inconclusive_runs_leave_no_statement_and_so_do_not_break_the_row() -> None:
    """Fail, inconclusive, fail: the run between writes no evidence, and the second fail confirms the first."""
    assert fold(passed(0, 1000), failed(10), failed(70)) == (1000, None, 70)


@pytest.mark.parametrize(
    ("statements", "stands"),
    [
        pytest.param([failed(10, identity=1), passed(10, 50, identity=2)], (50, None, None), id="the pass came second"),
        pytest.param([passed(10, 50, identity=1), failed(10, identity=2)], (50, None, 50), id="the fail came second"),
        pytest.param([failed(10, identity=1), ticked(10, 50, identity=2)], (None, 50, 10), id="fail, then tick"),
        pytest.param([ticked(10, 50, identity=1), failed(10, identity=2)], (None, 50, 50), id="tick, then fail"),
        pytest.param([ticked(10, 50, identity=1), taken_back(10, identity=2)], (None, None, None), id="taken back"),
        pytest.param([taken_back(10, identity=1), ticked(10, 50, identity=2)], (None, 50, None), id="ticked again"),
        pytest.param([passed(10, 50, identity=9), passed(10, 30, identity=10)], (30, None, None), id="two passes"),
    ],
)
def test_of_two_statements_at_one_instant_the_one_with_the_higher_id_stands(
    statements: list[Statement], stands: tuple[float | None, ...]
) -> None:
    assert fold(*statements) == stands
    assert fold(*reversed(statements)) == stands


@pytest.mark.parametrize(
    ("statements", "ends"),
    [
        pytest.param([], None, id="nothing was ever said"),
        pytest.param([passed(0, 50)], 50, id="a pass"),
        pytest.param([ticked(0, 70)], 70, id="a tick"),
        pytest.param([passed(0, 50), ticked(10, 70)], 70, id="a person ticked what also ages by itself"),
        pytest.param([passed(0, 90), ticked(10, 70)], 90, id="and the pass may be the later end"),
        pytest.param([passed(0, 90), passed(10, 60)], 60, id="the newest pass stands, not the longest"),
        pytest.param([ticked(0, 90), ticked(10, 60)], 60, id="the newest tick stands, not the longest"),
        pytest.param([ticked(0, 90), ticked(10, 600, supported=False)], 90, id="an unsupported tick replaces nothing"),
        pytest.param([passed(0, 50), ticked(10, 70), taken_back(20)], 50, id="taking back leaves what probes saw"),
        pytest.param([ticked(0, 70), taken_back(20)], 20, id="a tick taken back ended then"),
    ],
)
def test_a_clause_is_met_until_the_later_of_its_two_ends(statements: list[Statement], ends: float | None) -> None:
    facts = fold_clause("a", statements, build_bound=False, build="")

    assert seconds(facts.met_until) == ends
    if ends is not None:
        assert (facts.met_at(at(ends - 0.001)), facts.met_at(at(ends))) == (True, False)


@pytest.mark.parametrize(
    ("statements", "build", "since", "stands"),
    [
        pytest.param([passed(0, 90, "old")], "new", 20, (None, None, None), id="a new build has seen no pass"),
        pytest.param([passed(0, 90, "old")], "old", 40, (90, None, None), id="a rollback revives the pass"),
        pytest.param([passed(0, 90, "old"), passed(30, 70, "new")], "old", 40, (90, None, None), id="over a newer one"),
        pytest.param([passed(0, 90, "old")], "", None, (90, None, None), id="no build known: its own passes count"),
        pytest.param([passed(0, 90, "")], "new", 20, (None, None, None), id="made on no known build"),
        pytest.param([failed(5, "old")], "new", 20, (None, None, 5), id="a new build lifts no fail"),
        pytest.param([failed(5, "old"), passed(30, 80, "new")], "new", 20, (80, None, None), id="a pass on it does"),
        pytest.param([passed(0, 90, "old"), failed(30, "new")], "new", 20, (None, None, 30), id="fails at once"),
        pytest.param([passed(0, 90, "old"), failed(30, "new")], "old", 40, (90, None, 30), id="a rollback lifts none"),
        pytest.param([passed(0, 90, "old"), failed(5, "old")], "old", 40, (90, None, 5), id="nor one that waited"),
        pytest.param([passed(0, 90, "old"), failed(50, "old")], "old", 40, (90, None, 90), id="a fail after it waits"),
        pytest.param([ticked(0, 90), failed(30, "new")], "new", 20, (None, 90, 90), id="ticks are of every build"),
    ],
)
def test_observations_of_a_build_bound_clause_are_true_of_their_build(
    statements: list[Statement], build: str, since: float | None, stands: tuple[float | None, ...]
) -> None:
    assert fold(*statements, bound=True, build=build, since=since) == stands


def test_a_clause_that_is_not_build_bound_does_not_ask_for_the_build() -> None:
    assert fold(passed(0, 90, "old"), bound=False, build="new", since=20) == (90, None, None)


def clause(
    name: str, passes: float | None = None, tick: float | None = None, fails: float | None = None
) -> ClauseFacts:
    instants = [None if value is None else at(value) for value in (passes, tick, fails)]
    return ClauseFacts(clause=name, pass_until=instants[0], tick_until=instants[1], failing_since=instants[2])


def item(
    *clauses: ClauseFacts, waiver: Grant | None = None, met_before: float | None = None, now: float = 10
) -> ItemFacts:
    return fold_item(
        clauses,
        waiver=waiver,
        not_applicable_from=None,
        first_met_at=None if met_before is None else at(met_before),
        at=at(now),
    )


def test_an_item_is_observed_and_settled_until_its_earliest_clause_ends() -> None:
    facts = item(clause("a", passes=50, tick=90), clause("b", passes=70), clause("c", passes=80))

    assert (seconds(facts.observed_until), seconds(facts.settled_until)) == (50, 70)
    assert [status_at(facts, at(when)) for when in (49, 50, 70)] == [Status.VERIFIED, Status.ATTESTED, Status.STALE]


def test_an_item_with_a_clause_that_nobody_spoke_of_is_neither_observed_nor_settled() -> None:
    facts = item(clause("a", passes=50), clause("b"))

    assert (facts.observed_until, facts.settled_until, status_at(facts, at(10))) == (None, None, Status.OPEN)


def test_an_item_without_clauses_is_met_by_nothing() -> None:
    assert status_at(item(), at(10)) is Status.OPEN


def test_an_item_fails_from_the_earliest_fail_that_counts() -> None:
    assert seconds(item(clause("a", fails=30), clause("b", fails=20), clause("c")).failing_since) == 20


def test_when_an_item_was_first_met_is_kept() -> None:
    assert seconds(item(clause("a", passes=50), now=10).first_met_at) == 10
    assert seconds(item(clause("a", passes=50), now=10, met_before=3).first_met_at) == 3
    assert item(clause("a", passes=50, fails=5), now=10).first_met_at is None
    assert seconds(item(clause("a", passes=50, fails=50), now=10).first_met_at) == 10


@pytest.mark.parametrize(
    ("clauses", "holds"),
    [
        pytest.param([clause("named"), clause("b", passes=500)], (5, 100), id="all that is not met is named"),
        pytest.param([clause("named", fails=1), clause("b", passes=500)], (5, 100), id="a named clause may fail"),
        pytest.param([clause("named"), clause("b")], None, id="a clause is open that it does not name"),
        pytest.param(
            [clause("named"), clause("b", passes=60)], (5, 60), id="it settles no longer than the others hold"
        ),
        pytest.param([clause("named"), clause("b", passes=500, fails=40)], (5, 40), id="until another clause fails"),
        pytest.param([clause("named"), clause("b", passes=500, fails=5)], None, id="another clause fails already"),
        pytest.param([clause("named"), clause("b", passes=3)], None, id="another clause aged before the grant"),
    ],
)
def test_a_waiver_settles_while_it_names_every_clause_that_is_not_met(
    clauses: list[ClauseFacts], holds: tuple[float, float] | None
) -> None:
    waiver = Grant(start=at(5), end=at(100), clauses=frozenset({"named"}))

    facts = item(*clauses, waiver=waiver)

    assert (seconds(facts.waived_from), seconds(facts.waived_until)) == (holds or (None, None))


def test_a_fail_that_the_waiver_does_not_name_reads_failing() -> None:
    waiver = Grant(start=at(5), end=at(100), clauses=frozenset({"named"}))

    facts = item(clause("named"), clause("b", passes=500, fails=40), waiver=waiver)

    assert [status_at(facts, at(when)) for when in (39, 40)] == [Status.WAIVED, Status.FAILING]
