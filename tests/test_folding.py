"""Statements fold into where a clause stands: each rule about fails, ticks and builds as a case of its own."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from readiness.enums.standing import Status
from readiness.enums.words import Outcome
from readiness.rules.folding import ClauseFacts, ClauseRule, Grant, LeftOut, Ran, Statement, fold_clause, fold_item
from readiness.rules.status import ItemFacts, status_at

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


def at(seconds: float) -> datetime:
    """An instant, in seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def seconds(instant: datetime | None) -> float | None:
    """An instant as seconds after noon."""
    return None if instant is None else (instant - NOON).total_seconds()


def passed(when: float, ends: float, build: str = "", identity: int = 0, **more: Any) -> Statement:
    return Statement(
        id=identity or int(when) + 1,
        outcome=Outcome.PASS,
        observed_at=at(when),
        valid_until=at(ends),
        build=build,
        **more,
    )


def failed(when: float, build: str = "", identity: int = 0, **more: Any) -> Statement:
    return Statement(id=identity or int(when) + 1, outcome=Outcome.FAIL, observed_at=at(when), build=build, **more)


def retired(when: float, identity: int = 0) -> Statement:
    return Statement(id=identity or int(when) + 1, outcome=Outcome.RETIRED, observed_at=at(when), by_person=True)


def ticked(when: float, ends: float, *, supported: bool = True, identity: int = 0, meaning: int = 1) -> Statement:
    return Statement(
        id=identity or int(when) + 1,
        outcome=Outcome.PASS,
        observed_at=at(when),
        valid_until=at(ends),
        by_person=True,
        supported=supported,
        meaning=meaning,
    )


def taken_back(when: float, identity: int = 0) -> Statement:
    return Statement(id=identity or int(when) + 1, outcome=Outcome.WITHDRAWN, observed_at=at(when), by_person=True)


Built = tuple[tuple[float, str], ...]
"""What ran, from which second on."""


def fold(
    *statements: Statement, ran: Built | None = None, meanings: dict[int, float] | None = None
) -> tuple[float | None, float | None, float | None]:
    """Fold one clause, which builds bind where they are given: ends of its passes and ticks, when its fail counts."""
    rule = ClauseRule(
        slug="a",
        build_bound=ran is not None,
        meanings={number: at(since) for number, since in (meanings or {}).items()},
    )
    facts = fold_clause(rule, statements, ran=[Ran(since=at(since), build=build) for since, build in ran or ()])
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
        pytest.param([passed(0, 50), failed(30), ticked(49, 80)], 80, id="a tick that takes over without a gap"),
        pytest.param([passed(0, 50), failed(30), ticked(50, 80)], 50, id="at the very end a tick is too late"),
        pytest.param([ticked(0, 50), failed(30), ticked(40, 80)], 80, id="a tick that renews another leaves no gap"),
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
    facts = fold_clause(ClauseRule(slug="a"), statements)

    assert seconds(facts.met_until) == ends
    if ends is not None:
        assert (facts.met_at(at(ends - 0.001)), facts.met_at(at(ends))) == (True, False)


NEW: Built = ((-1000, "old"), (20, "new"))
BACK: Built = (*NEW, (40, "old"))
UNKNOWN: Built = ((-1000, "old"), (20, ""))


@pytest.mark.parametrize(
    ("statements", "ran", "stands"),
    [
        pytest.param([passed(0, 90, "old")], NEW, (None, None, None), id="a new build has seen no pass"),
        pytest.param([passed(0, 90, "old")], BACK, (90, None, None), id="a rollback revives the pass"),
        pytest.param([passed(0, 90, "old"), passed(30, 70, "new")], BACK, (90, None, None), id="over a newer one"),
        pytest.param([passed(0, 90, "old")], UNKNOWN, (90, None, None), id="no build known: its own passes count"),
        pytest.param([passed(0, 90, "")], NEW, (None, None, None), id="made on no known build"),
        pytest.param([failed(5, "old")], NEW, (None, None, 5), id="a new build lifts no fail"),
        pytest.param([failed(5, "old"), passed(30, 80, "new")], NEW, (80, None, None), id="a pass on it does"),
        pytest.param([passed(0, 90, "old"), failed(30, "new")], NEW, (None, None, 30), id="fails at once"),
        pytest.param([passed(0, 90, "old"), failed(30, "new")], BACK, (90, None, 30), id="a rollback lifts none"),
        pytest.param([passed(0, 90, "old"), failed(5, "old")], NEW, (None, None, 20), id="a new build unmeets it"),
        pytest.param([passed(0, 90, "old"), failed(5, "old")], BACK, (90, None, 20), id="and a rollback is too late"),
        pytest.param([passed(0, 90, "old"), failed(50, "old")], BACK, (90, None, 90), id="a fail after it waits"),
        pytest.param([passed(0, 90, "old"), failed(30, "old")], BACK, (90, None, 30), id="one between does not"),
        pytest.param([ticked(0, 90), failed(30, "new")], NEW, (None, 90, 90), id="ticks are of every build"),
        pytest.param(
            [passed(0, 90, "old"), passed(1, 80, "new"), failed(5, "old")],
            NEW,
            (80, None, 80),
            id="a build that was looked at before it ran goes on holding the clause",
        ),
        pytest.param(
            [passed(0, 90, "new", lent_by=7)], NEW, (90, None, None), id="what was observed elsewhere on its build"
        ),
        pytest.param(
            [passed(0, 90, "new", lent_by=7)], BACK, (None, None, None), id="but not what was observed on another"
        ),
        pytest.param(
            [passed(0, 90, "", lent_by=7)], UNKNOWN, (None, None, None), id="where no build is known nothing is lent"
        ),
        pytest.param(
            [passed(0, 90, "new"), failed(30, "new", lent_by=7, drill=True)],
            NEW,
            (90, None, 30),
            id="a fail that is newer stands, wherever it was seen",
        ),
    ],
)
def test_observations_of_a_build_bound_clause_are_true_of_their_build(
    statements: list[Statement], ran: Built, stands: tuple[float | None, ...]
) -> None:
    assert fold(*statements, ran=ran) == stands
    assert fold(*reversed(statements), ran=ran) == stands


def test_a_clause_that_is_not_build_bound_does_not_ask_for_the_build() -> None:
    assert fold(passed(0, 90, "old"), failed(30)) == (90, None, 90)


@pytest.mark.parametrize(
    ("statements", "stands"),
    [
        pytest.param([passed(0, 90), failed(10, drill=True)], (90, None, 10), id="what a drill saw counts at once"),
        pytest.param([passed(0, 90), failed(10), failed(12, drill=True)], (90, None, 12), id="also as the second"),
        pytest.param([failed(10), retired(20)], (None, None, None), id="a retired fail counts no longer"),
        pytest.param([failed(10), retired(20), failed(30)], (None, None, 30), id="the next one counts anew"),
        pytest.param(
            [passed(0, 90), failed(10), retired(20)], (90, None, None), id="one that never counted undid none"
        ),
        pytest.param([passed(0, 90), failed(10), retired(20), failed(45)], (90, None, 90), id="and confirms none"),
        pytest.param(
            [passed(0, 90), failed(10), failed(45), retired(60)], (None, None, None), id="one that counted did"
        ),
        pytest.param([passed(0, 90), failed(10), retired(90)], (None, None, None), id="also where it did at that end"),
        pytest.param([passed(0, 90), failed(10), failed(45), retired(60), failed(70)], (None, None, 70), id="for good"),
        pytest.param([retired(20)], (None, None, None), id="nothing is met by it"),
        pytest.param([ticked(0, 90), failed(10, drill=True), retired(20)], (None, 90, None), id="a tick stays"),
        pytest.param([failed(10, identity=2), retired(10, identity=1)], (None, None, 10), id="retired too early"),
    ],
)
def test_drills_count_at_once_and_a_reviewer_retires_a_fail(
    statements: list[Statement], stands: tuple[float | None, ...]
) -> None:
    assert fold(*statements) == stands


@pytest.mark.parametrize(
    ("statements", "stands"),
    [
        pytest.param([ticked(0, 90)], (None, 50, None), id="a word about what it meant before ends where that ends"),
        pytest.param([passed(0, 90)], (50, None, None), id="and what was observed of it"),
        pytest.param([ticked(0, 40)], (None, 40, None), id="or at its own end"),
        pytest.param([ticked(0, 90, meaning=2)], (None, 90, None), id="an answer to the new meaning stays"),
        pytest.param([passed(0, 90), failed(10)], (50, None, 50), id="a fail that waits counts where it ends"),
        pytest.param([failed(10)], (None, None, 10), id="a fail stays"),
    ],
)
def test_another_meaning_ends_the_answers_to_the_old_one(
    statements: list[Statement], stands: tuple[float | None, ...]
) -> None:
    assert fold(*statements, meanings={2: 50}) == stands


def test_the_first_meaning_after_an_answer_ends_it_not_the_last() -> None:
    assert fold(ticked(0, 90), meanings={2: 50, 3: 70}) == (None, 50, None)
    assert fold(ticked(0, 90, meaning=2), meanings={2: 50, 3: 70}) == (None, 70, None)


def test_a_clause_that_counts_from_an_instant_asks_nothing_before_it() -> None:
    rule = ClauseRule(slug="late", counts_from=at(50))
    unmet, failing = fold_clause(rule, []), fold_clause(rule, [failed(20)])
    early, late = clause("a", passes=500), fold_clause(rule, [passed(20, 90)])

    assert [status_at(item(early, unmet), at(when)) for when in (49.999, 50)] == [Status.VERIFIED, Status.STALE]
    assert [status_at(item(early, failing), at(when)) for when in (49.999, 50)] == [Status.VERIFIED, Status.FAILING]
    assert [status_at(item(early, late), at(when)) for when in (50, 90)] == [Status.VERIFIED, Status.STALE]


def test_where_a_clause_stands_is_kept_to_the_microsecond() -> None:
    facts = fold_clause(
        ClauseRule(slug="a", build_bound=True, counts_from=at(0.000001)),
        [passed(0, 90.123456, "new", lent_by=7, drill=True), ticked(1, 50), failed(20, "new")],
        ran=[Ran(since=at(-5), build="new")],
    )

    assert facts.to_json()["pass_until"] == "2026-03-01T12:01:30.123456+00:00"
    assert ClauseFacts.from_json(json.loads(json.dumps(facts.to_json()))) == facts
    assert ClauseFacts.from_json({"clause": "a"}) == ClauseFacts(clause="a")


def clause(
    name: str, passes: float | None = None, tick: float | None = None, fails: float | None = None
) -> ClauseFacts:
    instants = [None if value is None else at(value) for value in (passes, tick, fails)]
    return ClauseFacts(clause=name, pass_until=instants[0], tick_until=instants[1], failing_since=instants[2])


def item(
    *clauses: ClauseFacts,
    waiver: Grant | None = None,
    left_out: LeftOut | None = None,
    met_before: float | None = None,
    now: float = 10,
) -> ItemFacts:
    return fold_item(
        clauses,
        waiver=waiver,
        left_out=left_out,
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


def test_what_was_left_out_is_asked_again_where_the_entry_means_another_thing() -> None:
    facts = item(clause("a"), left_out=LeftOut(start=at(5), end=at(60)))

    assert [status_at(facts, at(when)) for when in (4, 5, 59.999, 60)] == [
        Status.OPEN,
        Status.NOT_APPLICABLE,
        Status.NOT_APPLICABLE,
        Status.OPEN,
    ]


def test_a_fail_that_the_waiver_does_not_name_reads_failing() -> None:
    waiver = Grant(start=at(5), end=at(100), clauses=frozenset({"named"}))

    facts = item(clause("named"), clause("b", passes=500, fails=40), waiver=waiver)

    assert [status_at(facts, at(when)) for when in (39, 40)] == [Status.WAIVED, Status.FAILING]
