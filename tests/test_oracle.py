"""The second opinion itself, held to hand-written cases: one for each sentence of section 4 of the design."""

from dataclasses import replace
from random import Random

import pytest

from readiness.enums.standing import Status, Verdict
from tests.replay.histories import MOST, history, questions, sheet
from tests.replay.rules import asks, fails, is_met, named, status, unmet, was_met
from tests.replay.sheets import Condition, Decision, blockers, discharged, forecast, foreseen, verdict
from tests.replay.world import (
    Archived,
    BroughtBack,
    Built,
    Changed,
    Clause,
    Environment,
    Happening,
    LeftOut,
    Said,
    Waived,
    WaiverEnded,
    World,
)

NOT_APPLICABLE, VERIFIED, ATTESTED = Status.NOT_APPLICABLE, Status.VERIFIED, Status.ATTESTED
WAIVED, FAILING, STALE, OPEN = Status.WAIVED, Status.FAILING, Status.STALE, Status.OPEN
PLACES = (Environment("prod", "prod"), Environment("staging"), Environment("dev", "dev"))


def said(
    seen: int,
    what: str,
    clause: str = "a",
    *,
    where: str = "prod",
    lasts: int = 100,
    build: str = "",
    told: int | None = None,
    meaning: int = 0,
    true_until: int | None = None,
) -> Said:
    """One statement, recorded when it was seen where nothing else is said; ``world`` numbers it."""
    ends = seen + lasts if what in ("pass", "drill-pass", "tick", "bare-tick") else 0
    told = seen if told is None else told
    return Said(told, where, 0, clause, what, seen, ends, build, meaning, true_until)


def world(*happened: Happening, clauses: str = "a", bound: bool = False, here: str = "prod") -> World:
    """A world of clauses that all count from the beginning; happenings in the order of recording."""
    numbered = tuple(
        replace(one, id=place) if isinstance(one, Said) else one for place, one in enumerate(happened, start=1)
    )
    return World(tuple(Clause(name, bound) for name in clauses), PLACES, numbered, here)


def lent(*happened: Happening) -> World:
    """A build-bound clause; production and staging both run build one from the beginning."""
    return world(Built(0, "prod", "one"), Built(0, "staging", "one"), *happened, bound=True)


class TestClauses:
    def test_a_probes_pass_verifies_until_its_end_and_not_at_it(self) -> None:
        told = world(said(10, "pass", lasts=100))
        assert [status(told, at) for at in (9, 10, 109, 110)] == [OPEN, VERIFIED, VERIFIED, STALE]

    def test_a_tick_attests_until_its_end_and_not_at_it(self) -> None:
        told = world(said(10, "tick", lasts=100))
        assert [status(told, at) for at in (9, 10, 109, 110)] == [OPEN, ATTESTED, ATTESTED, STALE]

    def test_a_clause_is_met_until_the_later_of_the_ends_of_its_pass_and_its_tick(self) -> None:
        told = world(said(0, "pass", lasts=50), said(10, "tick", lasts=90))
        assert [status(told, at) for at in (49, 50, 99, 100)] == [VERIFIED, ATTESTED, ATTESTED, STALE]

    def test_a_tick_that_ends_first_takes_nothing_from_the_pass(self) -> None:
        told = world(said(0, "pass", lasts=100), said(10, "tick", lasts=20))
        assert [status(told, at) for at in (10, 30, 99)] == [VERIFIED] * 3

    def test_of_two_passes_the_newer_stands_though_the_older_would_last_longer(self) -> None:
        told = world(said(0, "pass", lasts=500), said(10, "pass", lasts=20))
        assert [status(told, at) for at in (29, 30)] == [VERIFIED, STALE]

    def test_of_two_statements_the_one_observed_later_stands_though_it_was_recorded_first(self) -> None:
        told = world(said(20, "pass", lasts=500), said(10, "pass", lasts=20, told=25))
        assert status(told, 40) is VERIFIED

    def test_a_pass_after_a_tick_leaves_the_tick_standing(self) -> None:
        told = world(said(0, "tick", lasts=90), said(10, "pass", lasts=40))
        assert [status(told, at) for at in (49, 50, 90)] == [VERIFIED, ATTESTED, STALE]

    def test_a_tick_without_the_link_its_entry_wants_counts_for_nothing(self) -> None:
        assert status(world(said(0, "bare-tick")), 1) is OPEN
        assert status(world(said(0, "tick"), said(1, "bare-tick", lasts=1)), 50) is ATTESTED

    def test_a_tick_taken_back_no_longer_stands_and_wakes_no_older_one(self) -> None:
        told = world(said(0, "tick", lasts=500), said(5, "tick"), said(10, "back"))
        assert [status(told, at) for at in (9, 10)] == [ATTESTED, STALE]

    def test_a_tick_taken_back_takes_nothing_from_the_pass(self) -> None:
        assert status(world(said(0, "pass"), said(1, "tick"), said(2, "back")), 3) is VERIFIED

    def test_an_inconclusive_run_is_never_green(self) -> None:
        assert status(world(said(0, "unclear")), 1) is OPEN

    def test_silence_is_open(self) -> None:
        assert status(world(), 5) is OPEN

    def test_a_drills_pass_is_a_pass(self) -> None:
        assert status(world(said(0, "drill-pass")), 1) is VERIFIED

    def test_every_clause_needs_its_own(self) -> None:
        told = world(said(0, "pass"), said(5, "pass", "b", lasts=20), clauses="ab")
        assert [status(told, at) for at in (4, 5, 24, 25)] == [OPEN, VERIFIED, VERIFIED, STALE]

    def test_one_clause_met_by_a_person_makes_the_item_attested(self) -> None:
        assert status(world(said(0, "pass"), said(5, "tick", "b"), clauses="ab"), 6) is ATTESTED


class TestFails:
    def test_a_fail_counts_at_once_on_a_clause_that_is_not_met(self) -> None:
        assert status(world(said(5, "fail")), 5) is FAILING

    def test_a_fail_at_the_instant_of_the_end_finds_the_clause_not_met(self) -> None:
        assert status(world(said(0, "pass", lasts=10), said(9, "fail")), 9) is VERIFIED
        assert status(world(said(0, "pass", lasts=10), said(10, "fail")), 10) is FAILING

    @pytest.mark.parametrize(("after", "expected"), [(29, VERIFIED), (30, FAILING), (31, FAILING)])
    def test_a_fail_on_a_met_clause_counts_from_the_next_at_least_30_seconds_later(
        self, after: int, expected: Status
    ) -> None:
        told = world(said(0, "pass"), said(10, "fail"), said(10 + after, "fail"))
        assert [status(told, 10 + after - 1), status(told, 10 + after)] == [VERIFIED, expected]

    def test_a_clause_met_by_a_tick_alone_is_met_and_its_fail_waits_as_well(self) -> None:
        told = world(said(0, "tick"), said(10, "fail"), said(40, "fail"))
        assert [status(told, at) for at in (39, 40)] == [ATTESTED, FAILING]

    def test_the_third_fail_confirms_where_the_second_came_too_soon(self) -> None:
        told = world(said(0, "pass"), said(10, "fail"), said(20, "fail"), said(40, "fail"))
        assert [status(told, at) for at in (39, 40)] == [VERIFIED, FAILING]

    def test_a_waiting_fail_counts_when_the_clauses_end_comes_first(self) -> None:
        told = world(said(0, "pass", lasts=50), said(10, "fail"))
        assert [status(told, at) for at in (49, 50)] == [VERIFIED, FAILING]

    def test_a_waiting_fail_waits_on_where_a_tick_moved_the_end(self) -> None:
        told = world(said(0, "pass", lasts=50), said(10, "fail"), said(20, "tick", lasts=60))
        assert [status(told, at) for at in (50, 79, 80)] == [ATTESTED, ATTESTED, FAILING]

    def test_a_waiting_fail_counts_when_the_tick_that_met_the_clause_is_taken_back(self) -> None:
        assert status(world(said(0, "tick"), said(10, "fail"), said(15, "back")), 15) is FAILING

    def test_a_waiting_fail_counts_when_the_end_comes_at_the_instant_of_the_next_tick(self) -> None:
        assert status(world(said(0, "tick", lasts=50), said(10, "fail"), said(50, "tick")), 50) is FAILING

    def test_an_inconclusive_run_neither_counts_nor_breaks_the_row(self) -> None:
        told = world(said(0, "pass"), said(10, "fail"), said(20, "unclear"), said(40, "fail"))
        assert [status(told, at) for at in (20, 40)] == [VERIFIED, FAILING]

    def test_a_pass_breaks_the_row(self) -> None:
        told = world(said(0, "pass"), said(10, "fail"), said(20, "pass"), said(40, "fail"))
        assert status(told, 45) is VERIFIED

    def test_a_drills_fail_counts_at_once_on_a_met_clause(self) -> None:
        assert status(world(said(0, "drill-pass"), said(5, "drill-fail")), 5) is FAILING

    def test_a_fail_does_not_age(self) -> None:
        assert status(world(said(5, "fail")), 10**8) is FAILING

    def test_a_tick_does_not_lift_a_fail(self) -> None:
        told = world(said(5, "fail"), said(10, "tick"))
        assert status(told, 11) is FAILING
        assert unmet(told, 11) == {"a"}

    def test_a_pass_lifts_a_fail(self) -> None:
        assert status(world(said(5, "fail"), said(6, "pass")), 6) is VERIFIED

    def test_no_new_build_lifts_a_fail(self) -> None:
        told = world(Built(0, "prod", "one"), said(5, "fail", build="one"), Built(9, "prod", "two"), bound=True)
        assert status(told, 10) is FAILING

    def test_a_fail_that_counted_stays_though_a_rollback_revives_the_older_pass(self) -> None:
        told = world(
            Built(0, "prod", "one"),
            said(1, "pass", build="one", lasts=900),
            Built(5, "prod", "two"),
            said(6, "fail", build="two"),
            Built(9, "prod", "one"),
            bound=True,
        )
        assert status(told, 10) is FAILING

    def test_a_waiting_fail_counts_when_a_new_build_ends_the_pass(self) -> None:
        told = world(
            Built(0, "prod", "one"),
            said(1, "pass", build="one"),
            said(2, "fail", build="one"),
            Built(9, "prod", "two"),
            bound=True,
        )
        assert [status(told, at) for at in (8, 9)] == [VERIFIED, FAILING]

    def test_pass_and_fail_at_one_instant_the_later_id_stands(self) -> None:
        assert status(world(said(5, "fail"), said(5, "pass")), 5) is VERIFIED
        waits = world(said(5, "pass"), said(5, "fail"))
        assert [status(waits, at) for at in (5, 104, 105)] == [VERIFIED, VERIFIED, FAILING]

    def test_a_retired_fail_no_longer_counts_and_nothing_becomes_met_by_it(self) -> None:
        told = world(said(0, "pass", lasts=900), said(10, "fail"), said(40, "fail"), said(50, "retired"))
        assert [status(told, at) for at in (49, 50)] == [FAILING, STALE]
        assert status(world(said(5, "fail"), said(9, "retired")), 9) is OPEN

    def test_a_fail_after_the_retirement_counts_anew_and_is_not_confirmed_by_one_before_it(self) -> None:
        assert status(world(said(5, "fail"), said(9, "retired"), said(10, "fail")), 10) is FAILING
        met = world(said(0, "pass"), said(5, "fail"), said(9, "retired"), said(40, "fail"))
        assert status(met, 40) is VERIFIED

    def test_a_tick_that_a_fail_contradicted_stands_once_the_fail_is_retired(self) -> None:
        told = world(said(5, "fail"), said(10, "tick"), said(20, "retired"))
        assert [status(told, at) for at in (19, 20)] == [FAILING, ATTESTED]

    def test_a_clause_that_ages_while_a_person_ticked_it_keeps_no_pass_that_a_counting_fail_stood_over(self) -> None:
        told = world(said(0, "pass", lasts=900), said(1, "drill-fail"), said(2, "pass", lasts=20), said(3, "tick"))
        assert [status(told, at) for at in (21, 22, 103)] == [VERIFIED, ATTESTED, STALE]

    def test_a_fail_on_one_clause_fails_the_item_though_the_others_are_met(self) -> None:
        assert status(world(said(0, "pass"), said(1, "fail", "b"), clauses="ab"), 1) is FAILING


class TestBuilds:
    def test_a_bound_pass_counts_while_the_build_is_that_one_and_a_rollback_revives_it(self) -> None:
        told = world(
            Built(0, "prod", "one"),
            said(1, "pass", build="one"),
            Built(10, "prod", "two"),
            Built(20, "prod", "one"),
            bound=True,
        )
        assert [status(told, at) for at in (9, 10, 19, 20, 101)] == [VERIFIED, STALE, STALE, VERIFIED, STALE]

    def test_a_rollback_revives_no_pass_that_a_counting_fail_of_its_own_build_stood_over(self) -> None:
        told = world(
            Built(0, "prod", "one"),
            said(1, "pass", build="one"),
            said(2, "drill-fail", build="one"),
            Built(10, "prod", "two"),
            said(11, "pass", build="two"),
            Built(20, "prod", "one"),
            bound=True,
        )
        assert [status(told, at) for at in (11, 20)] == [VERIFIED, STALE]

    def test_a_rollback_revives_a_pass_that_only_a_fail_of_another_build_came_after_once_that_is_lifted(self) -> None:
        told = world(
            Built(0, "prod", "one"),
            said(1, "pass", build="one"),
            Built(10, "prod", "two"),
            said(11, "fail", build="two"),
            said(12, "pass", build="two"),
            Built(20, "prod", "one"),
            bound=True,
        )
        assert [status(told, at) for at in (11, 12, 20)] == [FAILING, VERIFIED, VERIFIED]

    def test_a_counting_fail_of_an_unknown_build_stands_over_every_earlier_pass(self) -> None:
        told = world(
            Built(0, "prod", "one"),
            said(1, "pass", build="one"),
            Built(5, "prod", ""),
            said(6, "drill-fail"),
            said(7, "retired"),
            bound=True,
        )
        assert [status(told, at) for at in (5, 6, 7)] == [VERIFIED, FAILING, STALE]

    def test_a_new_build_makes_exactly_the_bound_clauses_stale(self) -> None:
        told = world(Built(0, "prod", "one"), said(1, "pass", build="one"), Built(10, "prod", "two"))
        assert status(told, 10) is VERIFIED

    def test_a_tick_is_a_persons_word_and_not_bound_to_the_build(self) -> None:
        told = world(Built(0, "prod", "one"), said(1, "tick", build="one"), Built(9, "prod", "two"), bound=True)
        assert status(told, 9) is ATTESTED

    def test_where_no_build_is_known_its_own_passes_count_until_they_age(self) -> None:
        told = world(Built(0, "prod", "one"), said(1, "pass", build="one"), Built(9, "prod", ""), bound=True)
        assert [status(told, at) for at in (9, 100, 101)] == [VERIFIED, VERIFIED, STALE]

    def test_a_pass_made_while_nobody_knew_the_build_does_not_count_on_a_known_one(self) -> None:
        assert status(world(said(1, "pass"), Built(9, "prod", "one"), bound=True), 9) is STALE


class TestWhatProductionTakesOver:
    def test_a_pass_of_staging_on_the_equal_build_verifies_production(self) -> None:
        assert status(lent(said(5, "pass", where="staging", build="one")), 5) is VERIFIED

    def test_it_is_the_build_of_the_statement_that_counts_and_not_what_the_lender_runs_now(self) -> None:
        told = lent(said(5, "pass", where="staging", build="one"), Built(9, "staging", "two"))
        assert status(told, 9) is VERIFIED
        assert status(lent(Built(1, "staging", "two"), said(5, "pass", where="staging", build="two")), 5) is OPEN

    def test_a_new_build_of_production_ends_the_loan_and_a_rollback_revives_it(self) -> None:
        told = lent(said(5, "pass", where="staging", build="one"), Built(9, "prod", "two"), Built(20, "prod", "one"))
        assert [status(told, at) for at in (8, 9, 20)] == [VERIFIED, STALE, VERIFIED]

    def test_production_takes_it_over_from_the_instant_at_which_it_runs_that_build(self) -> None:
        told = lent(Built(1, "staging", "two"), said(5, "pass", where="staging", build="two"), Built(9, "prod", "two"))
        assert [status(told, at) for at in (8, 9)] == [OPEN, VERIFIED]

    def test_where_no_build_is_known_nothing_is_inherited(self) -> None:
        told = lent(said(5, "pass", where="staging", build="one"), Built(9, "prod", ""))
        assert status(told, 9) is STALE
        assert status(world(said(5, "pass", where="staging"), bound=True), 5) is OPEN

    def test_an_unbound_clause_takes_nothing_over(self) -> None:
        told = world(Built(0, "prod", "one"), said(5, "pass", where="staging", build="one"))
        assert status(told, 5) is OPEN

    def test_a_persons_tick_is_not_taken_over(self) -> None:
        assert status(lent(said(5, "tick", where="staging", build="one")), 5) is OPEN

    def test_only_production_takes_over(self) -> None:
        told = lent(said(5, "pass", build="one")).of("staging")
        assert status(told, 5) is OPEN

    def test_a_fail_of_staging_counts_at_once_where_production_is_not_met(self) -> None:
        assert status(lent(said(5, "fail", where="staging", build="one")), 5) is FAILING

    def test_a_fail_of_staging_on_a_clause_that_production_has_met_needs_its_confirmation(self) -> None:
        told = lent(
            said(5, "pass", build="one"),
            said(10, "fail", where="staging", build="one"),
            said(40, "fail", where="staging", build="one"),
        )
        assert [status(told, at) for at in (10, 39, 40)] == [VERIFIED, VERIFIED, FAILING]

    def test_a_drills_fail_of_staging_counts_at_once(self) -> None:
        told = lent(said(5, "pass", build="one"), said(10, "drill-fail", where="staging", build="one"))
        assert status(told, 10) is FAILING

    def test_a_fail_of_another_build_is_not_taken(self) -> None:
        told = lent(Built(1, "staging", "two"), said(5, "fail", where="staging", build="two"))
        assert status(told, 5) is OPEN

    def test_a_pass_of_staging_lifts_productions_own_fail_and_the_newest_stands(self) -> None:
        told = lent(said(5, "fail", build="one"), said(6, "pass", where="staging", build="one"))
        assert [status(told, at) for at in (5, 6)] == [FAILING, VERIFIED]
        late = lent(said(6, "fail", build="one"), said(5, "pass", where="staging", build="one", told=7))
        assert [status(late, at) for at in (6, 7)] == [FAILING, VERIFIED]

    def test_a_pass_of_another_build_lifts_nothing(self) -> None:
        told = lent(
            said(5, "fail", build="one"), Built(6, "staging", "two"), said(7, "pass", where="staging", build="two")
        )
        assert status(told, 7) is FAILING

    def test_an_archived_lender_lends_nothing_from_that_instant_on(self) -> None:
        told = lent(said(5, "pass", where="staging", build="one"), Archived(20, "staging"))
        assert [status(told, at) for at in (19, 20)] == [VERIFIED, STALE]

    def test_from_the_archiving_on_it_is_as_if_the_lenders_statements_were_not_there(self) -> None:
        lifted = lent(
            said(5, "fail", build="one"), said(6, "pass", where="staging", build="one"), Archived(20, "staging")
        )
        assert [status(lifted, at) for at in (19, 20)] == [VERIFIED, FAILING]
        failed = lent(
            said(5, "pass", build="one"),
            said(6, "drill-fail", where="staging", build="one"),
            Archived(20, "staging"),
        )
        assert [status(failed, at) for at in (19, 20)] == [FAILING, VERIFIED]

    def test_another_live_environment_of_the_equal_build_still_lends(self) -> None:
        told = lent(
            said(5, "pass", where="dev", build="one"),
            said(6, "pass", where="staging", build="one"),
            Archived(20, "staging"),
        )
        assert status(told, 20) is VERIFIED

    def test_a_fail_retired_in_staging_still_counts_in_production_until_it_is_retired_there(self) -> None:
        told = lent(
            said(5, "fail", where="staging", build="one"),
            said(9, "retired", where="staging"),
            said(20, "retired"),
        )
        assert [status(told, at) for at in (9, 20)] == [FAILING, OPEN]

    def test_a_fail_of_production_made_while_nobody_knew_its_build_found_it_not_met(self) -> None:
        told = world(
            Built(0, "staging", "one"),
            said(5, "pass", where="staging", build="one"),
            said(6, "fail"),
            Built(9, "prod", "one"),
            bound=True,
        )
        assert [status(told, at) for at in (6, 9)] == [FAILING, FAILING]

    def test_a_fail_seen_before_production_ran_its_build_found_production_not_met(self) -> None:
        told = lent(
            Built(1, "staging", "two"),
            said(5, "pass", where="staging", build="two"),
            said(6, "fail", where="staging", build="two"),
            Built(9, "prod", "two"),
        )
        assert status(told.of("staging"), 9) is VERIFIED
        assert status(told, 9) is FAILING


class TestWaivers:
    def test_a_waiver_holds_from_its_grant_up_to_its_end_and_not_at_it(self) -> None:
        told = world(Waived(10, "prod", 50))
        assert [status(told, at) for at in (9, 10, 49, 50)] == [OPEN, WAIVED, WAIVED, OPEN]

    def test_a_waiver_ended_early_ends_at_that_instant(self) -> None:
        told = world(Waived(10, "prod", 50), WaiverEnded(20, "prod"))
        assert [status(told, at) for at in (19, 20)] == [WAIVED, OPEN]

    def test_a_renewed_waiver_ends_when_the_new_one_does(self) -> None:
        told = world(Waived(10, "prod", 50), Waived(20, "prod", 30))
        assert [status(told, at) for at in (29, 30)] == [WAIVED, OPEN]

    def test_a_waiver_covers_the_fail_that_it_was_granted_for(self) -> None:
        assert status(world(said(5, "fail"), Waived(10, "prod", 50)), 20) is WAIVED

    def test_a_fail_on_a_clause_that_was_not_named_at_the_grant_reads_failing(self) -> None:
        told = world(said(0, "pass"), Waived(10, "prod", 90), said(20, "drill-fail"), clauses="ab")
        assert [status(told, at) for at in (19, 20)] == [WAIVED, FAILING]

    def test_a_clause_that_was_not_named_and_is_no_longer_met_is_not_waived(self) -> None:
        told = world(said(0, "pass", lasts=40), Waived(10, "prod", 90), clauses="ab")
        assert named(told, 1) == {"b"}
        assert [status(told, at) for at in (39, 40)] == [WAIVED, OPEN]

    def test_a_waiver_names_what_was_known_at_its_grant_and_not_what_was_recorded_later(self) -> None:
        told = world(said(0, "pass"), Waived(10, "prod", 90), said(5, "drill-fail", told=11), clauses="ab")
        assert [status(told, at) for at in (10, 11)] == [WAIVED, FAILING]

    def test_within_one_second_a_waiver_does_not_name_what_was_recorded_after_its_grant(self) -> None:
        told = world(said(0, "pass"), Waived(10, "prod", 90), said(10, "drill-fail"), clauses="ab")
        assert status(told, 10) is FAILING

    def test_a_waiver_granted_after_another_was_ended_holds(self) -> None:
        assert status(world(Waived(1, "prod", 50), WaiverEnded(5, "prod"), Waived(9, "prod", 50)), 9) is WAIVED

    def test_a_met_item_is_met_and_not_waived(self) -> None:
        assert status(world(Waived(1, "prod", 50), said(10, "pass")), 11) is VERIFIED

    def test_a_waiver_is_of_one_environment(self) -> None:
        assert status(world(Waived(1, "staging", 50)), 2) is OPEN


class TestNotApplicable:
    def test_it_holds_without_an_end_until_people_withdraw_it(self) -> None:
        told = world(LeftOut(5, "prod"), BroughtBack(1000, "prod"))
        assert [status(told, at) for at in (4, 5, 999, 1000)] == [OPEN, NOT_APPLICABLE, NOT_APPLICABLE, OPEN]

    def test_it_comes_before_verified(self) -> None:
        assert status(world(said(0, "pass"), LeftOut(5, "prod")), 5) is NOT_APPLICABLE

    def test_it_falls_at_a_counting_fail_for_good(self) -> None:
        told = world(LeftOut(5, "prod"), said(9, "fail"), said(20, "pass"), said(30, "back"))
        assert [status(told, at) for at in (8, 9, 20, 120)] == [NOT_APPLICABLE, FAILING, VERIFIED, STALE]

    def test_it_does_not_fall_at_a_fail_that_waits_and_falls_when_it_counts(self) -> None:
        told = world(said(0, "pass", lasts=50), LeftOut(5, "prod"), said(9, "fail"))
        assert [status(told, at) for at in (9, 49, 50)] == [NOT_APPLICABLE, NOT_APPLICABLE, FAILING]

    def test_it_falls_when_the_fail_becomes_known(self) -> None:
        told = world(LeftOut(5, "prod"), said(9, "fail", told=15), said(16, "pass"))
        assert [status(told, at) for at in (14, 15, 16)] == [NOT_APPLICABLE, FAILING, VERIFIED]

    def test_it_falls_at_a_fail_that_a_lender_made_though_the_lender_is_archived_later(self) -> None:
        told = lent(LeftOut(1, "prod"), said(5, "fail", where="staging", build="one"), Archived(9, "staging"))
        assert [status(told, at) for at in (4, 5, 9)] == [NOT_APPLICABLE, FAILING, OPEN]

    def test_it_may_be_granted_again_after_it_fell(self) -> None:
        told = world(LeftOut(5, "prod"), said(9, "fail"), said(20, "pass"), LeftOut(25, "prod"))
        assert [status(told, at) for at in (20, 25)] == [VERIFIED, NOT_APPLICABLE]

    def test_it_may_be_granted_again_after_it_was_withdrawn(self) -> None:
        assert status(world(LeftOut(1, "prod"), BroughtBack(5, "prod"), LeftOut(9, "prod")), 9) is NOT_APPLICABLE

    def test_granted_at_the_instant_of_the_new_meaning_it_is_granted_to_the_new_one(self) -> None:
        assert status(world(Changed(5, 60, frozenset("a")), LeftOut(60, "prod")), 60) is NOT_APPLICABLE
        assert status(world(Changed(5, 60, frozenset("a")), LeftOut(59, "prod")), 60) is OPEN

    def test_it_falls_from_the_instant_at_which_the_meaning_is_another_one(self) -> None:
        told = world(LeftOut(5, "prod"), Changed(10, 60, frozenset()), LeftOut(80, "prod"))
        assert [status(told, at) for at in (59, 60, 80)] == [NOT_APPLICABLE, OPEN, NOT_APPLICABLE]


class TestTheTable:
    def test_waived_comes_before_failing_and_failing_before_stale(self) -> None:
        told = world(said(0, "pass", lasts=10), said(20, "fail"), Waived(30, "prod", 40))
        assert [status(told, at) for at in (15, 20, 30, 40)] == [STALE, FAILING, WAIVED, FAILING]

    def test_stale_is_what_was_verified_or_attested_once(self) -> None:
        told = world(said(5, "tick", lasts=10))
        assert [was_met(told, at) for at in (4, 5, 99)] == [False, True, True]

    def test_what_was_met_only_by_a_pass_recorded_after_its_end_was_never_met(self) -> None:
        assert status(world(said(5, "pass", lasts=10, told=20)), 21) is OPEN

    def test_what_was_met_while_it_was_not_applicable_was_met_once(self) -> None:
        told = world(LeftOut(1, "prod"), said(5, "tick", lasts=10), BroughtBack(20, "prod"))
        assert status(told, 20) is STALE

    def test_a_fail_never_makes_an_item_met_once(self) -> None:
        assert not was_met(world(said(5, "fail"), said(6, "tick")), 7)


class TestMeaning:
    def test_before_the_instant_from_which_a_clause_counts_it_asks_nothing(self) -> None:
        told = World((Clause("a"), Clause("b", counts_from=50)), happened=world(said(0, "pass")).happened)
        assert [status(told, at) for at in (49, 50)] == [VERIFIED, STALE]

    def test_a_fail_of_it_does_not_count_before_and_counts_from_then(self) -> None:
        happened = world(said(0, "pass"), said(5, "fail", "b"), said(6, "tick", "b")).happened
        told = World((Clause("a"), Clause("b", counts_from=50)), happened=happened)
        assert [status(told, at) for at in (49, 50)] == [VERIFIED, FAILING]

    def test_a_waiver_does_not_name_a_clause_that_asks_nothing_yet(self) -> None:
        told = World((Clause("a"), Clause("b", counts_from=50)), happened=(Waived(5, "prod", 90),))
        assert [status(told, at) for at in (49, 50)] == [WAIVED, OPEN]

    def test_an_entry_none_of_whose_clauses_counts_yet_is_not_green(self) -> None:
        told = World((Clause("a", counts_from=50),))
        assert (status(told, 49), asks(told, 49), asks(told, 50)) == (OPEN, False, True)

    def test_a_pass_and_a_tick_given_to_the_old_meaning_end_at_the_instant_of_the_change(self) -> None:
        told = world(said(0, "pass"), said(0, "tick"), Changed(10, 60, frozenset("a")))
        assert [status(told, at) for at in (59, 60)] == [VERIFIED, STALE]

    def test_what_was_given_to_the_announced_meaning_counts_on(self) -> None:
        told = world(Changed(10, 60, frozenset("a")), said(20, "tick", meaning=1))
        assert [status(told, at) for at in (20, 60, 119)] == [ATTESTED] * 3

    def test_another_clause_keeps_what_it_has(self) -> None:
        assert status(world(said(0, "pass"), Changed(10, 60, frozenset("b"))), 60) is VERIFIED

    def test_a_fail_keeps_counting_until_a_pass(self) -> None:
        told = world(said(0, "fail"), Changed(10, 60, frozenset("a")), said(70, "pass", meaning=1))
        assert [status(told, at) for at in (60, 69, 70)] == [FAILING, FAILING, VERIFIED]

    def test_a_waiting_fail_counts_when_the_change_ends_the_pass(self) -> None:
        told = world(said(0, "pass"), said(5, "fail"), Changed(10, 60, frozenset("a")))
        assert [status(told, at) for at in (59, 60)] == [VERIFIED, FAILING]


class TestReplay:
    def test_an_instant_past_knows_only_what_was_recorded_by_then(self) -> None:
        told = world(said(5, "pass"), said(6, "drill-fail", told=20))
        assert [status(told, at) for at in (10, 19, 20)] == [VERIFIED, VERIFIED, FAILING]

    def test_with_less_known_it_is_what_would_be_if_nothing_more_happened(self) -> None:
        told = world(said(5, "pass"), said(6, "drill-fail"))
        assert status(told, 50, known=1) is VERIFIED

    def test_a_waiver_ended_later_still_held_then(self) -> None:
        assert status(world(Waived(5, "prod", 90), WaiverEnded(50, "prod")), 49) is WAIVED


class TestForecast:
    def test_a_probe_that_passes_now_on_a_schedule_is_taken_to_keep_passing(self) -> None:
        told = world(said(0, "pass", lasts=50))
        assert forecast(told, 10, 10**6, {"a"}) is VERIFIED
        assert forecast(told, 10, 50) is STALE

    def test_what_needs_a_person_or_a_drill_ends_when_it_ends(self) -> None:
        assert forecast(world(said(0, "tick", lasts=50)), 10, 50, {"a"}) is STALE
        assert forecast(world(said(0, "drill-pass", lasts=50)), 10, 50, {"a"}) is STALE

    def test_a_pass_that_is_no_longer_fresh_now_is_not_taken_to_return(self) -> None:
        assert forecast(world(said(0, "pass", lasts=50)), 50, 60, {"a"}) is STALE

    def test_a_pass_ends_at_the_instant_from_which_it_is_known_not_to_be_true(self) -> None:
        told = world(said(0, "pass", lasts=50, true_until=200))
        assert [forecast(told, 10, at, {"a"}) for at in (199, 200)] == [VERIFIED, STALE]

    def test_a_fail_that_counts_keeps_counting(self) -> None:
        assert forecast(world(said(0, "fail")), 1, 10**6, {"a"}) is FAILING

    def test_a_fail_that_waits_counts_when_the_clauses_end_comes(self) -> None:
        told = world(said(0, "pass", lasts=50), said(5, "fail"))
        assert [forecast(told, 10, at, {"a"}) for at in (49, 50)] == [VERIFIED, FAILING]

    def test_a_probe_whose_newest_run_could_not_tell_does_not_pass_now(self) -> None:
        assert forecast(world(said(0, "pass", lasts=50), said(5, "unclear")), 10, 50, {"a"}) is STALE

    def test_the_newest_run_is_the_one_observed_last_though_another_was_recorded_after_it(self) -> None:
        told = world(said(6, "pass", lasts=50), said(5, "unclear", told=8))
        assert forecast(told, 10, 500, {"a"}) is VERIFIED

    def test_an_inherited_pass_on_a_schedule_keeps_passing_and_one_of_another_build_does_not(self) -> None:
        told = lent(said(0, "pass", where="staging", build="one", lasts=50))
        assert forecast(told, 10, 500, {"a"}) is VERIFIED
        moved = lent(said(0, "pass", where="staging", build="one", lasts=50), Built(5, "prod", "two"))
        assert forecast(moved, 10, 20, {"a"}) is STALE

    def test_an_announced_change_of_meaning_and_the_end_of_a_waiver_are_foreseen(self) -> None:
        told = world(said(0, "pass"), Changed(5, 60, frozenset("a")))
        assert [forecast(told, 10, at, {"a"}) for at in (59, 60)] == [VERIFIED, STALE]
        assert forecast(world(Waived(5, "prod", 60)), 10, 60) is OPEN

    def test_what_is_recorded_after_now_is_not_foreseen(self) -> None:
        assert forecast(world(said(0, "pass"), said(20, "drill-fail")), 10, 30, {"a"}) is VERIFIED

    def test_an_item_not_applicable_falls_at_a_fail_that_will_count(self) -> None:
        told = world(said(0, "pass", lasts=50), LeftOut(5, "prod"), said(9, "fail"))
        assert [forecast(told, 10, at) for at in (49, 50)] == [NOT_APPLICABLE, FAILING]


class TestVerdict:
    met, gone = world(said(0, "pass", lasts=500)), world(said(0, "tick", lasts=50))
    waived, never = world(Waived(0, "prod", 500)), world()

    def test_all_settled_and_none_waived_is_ready(self) -> None:
        items = {"met": self.met, "out": world(LeftOut(0, "prod")), "gone": self.gone}
        assert [verdict(items, at) for at in (49, 50)] == [Verdict.READY, Verdict.NOT_READY]

    def test_one_waived_is_ready_with_waivers(self) -> None:
        assert verdict({"met": self.met, "waived": self.waived}, 10) is Verdict.READY_WITH_WAIVERS

    def test_a_sheet_without_a_counted_item_is_not_ready(self) -> None:
        later = World((Clause("a", counts_from=50),))
        assert verdict({}, 10) is verdict({"later": later}, 10) is Verdict.NOT_READY

    def test_an_entry_that_counts_from_a_later_date_is_not_counted_before_it(self) -> None:
        later = World((Clause("a", counts_from=50),))
        items = {"met": self.met, "later": later}
        assert [verdict(items, at) for at in (49, 50)] == [Verdict.READY, Verdict.NOT_READY]

    def test_an_archived_environment_has_no_verdict(self) -> None:
        assert verdict({"met": self.met.tell(Archived(10, "prod"))}, 10) is None
        assert verdict({"met": self.met.tell(Archived(10, "prod"))}, 9) is Verdict.READY

    def test_the_blocker_list_has_each_unsettled_item(self) -> None:
        items = {"met": self.met, "gone": self.gone, "waived": self.waived, "never": self.never}
        items["later"] = World((Clause("a", counts_from=61),))
        assert blockers(items, 60) == ["gone", "never"]
        assert blockers(items, 61) == ["gone", "never", "later"]

    def test_not_ready_where_a_go_stands_is_regressed_and_ready_is_not(self) -> None:
        items = {"met": self.met, "gone": self.gone}
        go = [Decision(10, "go")]
        assert [verdict(items, at, go) for at in (49, 50)] == [Verdict.READY, Verdict.REGRESSED]

    def test_the_newest_decision_stands(self) -> None:
        decisions = [Decision(10, "go"), Decision(20, "no-go")]
        assert verdict({"never": self.never}, 19, decisions) is Verdict.REGRESSED
        assert verdict({"never": self.never}, 20, decisions) is Verdict.NOT_READY

    def test_a_no_go_or_no_decision_is_not_regressed(self) -> None:
        assert verdict({"gone": self.gone}, 60) is Verdict.NOT_READY
        assert verdict({"gone": self.gone}, 60, [Decision(10, "no-go")]) is Verdict.NOT_READY

    def test_under_conditions_what_they_name_may_be_unsettled_until_its_end(self) -> None:
        decided = [Decision(10, "go-with-conditions", (Condition("never", 80),))]
        items = {"met": self.met, "never": self.never}
        assert [verdict(items, at, decided) for at in (79, 80)] == [Verdict.NOT_READY, Verdict.REGRESSED]

    def test_under_conditions_an_unsettled_item_outside_them_is_regressed(self) -> None:
        decided = [Decision(10, "go-with-conditions", (Condition("never", 80),))]
        items = {"gone": self.gone, "never": self.never}
        assert [verdict(items, at, decided) for at in (49, 50)] == [Verdict.NOT_READY, Verdict.REGRESSED]

    def test_a_condition_is_discharged_for_good_once_its_item_is_settled(self) -> None:
        settled_for_a_while = world(said(20, "tick", lasts=10))
        decided = [Decision(10, "go-with-conditions", (Condition("it", 80),))]
        items = {"it": settled_for_a_while, "never": self.met}
        assert [verdict(items, at, decided) for at in (19, 20, 30)] == [
            Verdict.NOT_READY,
            Verdict.READY,
            Verdict.REGRESSED,
        ]
        assert not discharged(world(said(0, "tick", lasts=10)), 10, 20)
        assert discharged(world(said(0, "tick", lasts=11)), 10, 20)

    def test_a_condition_whose_end_came_on_a_settled_item_is_not_overdue(self) -> None:
        decided = [Decision(10, "go-with-conditions", (Condition("it", 30), Condition("never", 90)))]
        items = {"it": world(said(20, "pass")), "never": self.never}
        assert verdict(items, 40, decided) is Verdict.NOT_READY

    def test_an_item_that_had_been_met_and_is_failing_is_regressed_whatever_was_decided(self) -> None:
        broken = world(said(0, "pass", lasts=50), said(60, "fail"))
        decided = [Decision(55, "go-with-conditions", (Condition("it", 900),))]
        assert verdict({"it": broken}, 60) is Verdict.REGRESSED
        assert verdict({"it": broken}, 60, decided) is Verdict.REGRESSED
        assert verdict({"it": world(said(60, "fail"))}, 60) is Verdict.NOT_READY

    def test_what_is_recorded_later_changes_no_verdict_of_the_past(self) -> None:
        items = {"it": world(said(0, "pass"), said(5, "drill-fail", told=40))}
        assert [verdict(items, at) for at in (39, 40)] == [Verdict.READY, Verdict.REGRESSED]
        assert verdict(items, 50, known_at=39) is Verdict.READY

    def test_a_launch_date_is_judged_by_what_is_foreseen(self) -> None:
        items = {"scheduled": world(said(0, "pass", lasts=50)), "waived": self.waived}
        coming = {name: foreseen(one, 10, {"a"}) for name, one in items.items()}
        assert [verdict(coming, at, known_at=10) for at in (499, 500)] == [
            Verdict.READY_WITH_WAIVERS,
            Verdict.NOT_READY,
        ]


class TestHistories:
    def test_the_same_seed_tells_the_same_history(self) -> None:
        assert history(7) == history(7)
        assert sheet(7) == sheet(7)

    def test_histories_reach_every_status_often_and_keep_to_their_form(self) -> None:
        reached = dict.fromkeys(Status, 0)
        for seed in range(400):
            told = history(seed)
            assert len(told.happened) <= MOST
            assert not told.archived("prod", 10**9, MOST)
            for known in range(1, len(told.happened) + 1):
                for at in questions(told, known, Random(seed)):
                    reached[status(told, at, known)] += 1
        assert min(reached.values()) * 40 > sum(reached.values()), reached

    def test_sheets_reach_every_verdict(self) -> None:
        reached = set()
        for seed in range(200):
            told = sheet(seed)
            reached |= {verdict(told.items, at, told.decisions) for at in (told.until // 2, told.until)}
        assert reached == set(Verdict)

    def test_asking_of_the_past_and_asking_when_it_was_the_present_agree(self) -> None:
        for seed in range(200):
            told = history(seed)
            for at in told.tolds:
                then = replace(told, happened=told.happened[: told.known(at)])
                assert status(told, at) is status(then, at)
                assert is_met(told, at) is is_met(then, at)
                assert fails(told, at) is fails(then, at)
