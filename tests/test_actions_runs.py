"""The life of a run: claimed by one worker, recorded by whoever still owns it, confirmed where a fail asks for it."""

from datetime import datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from django.db import connection, transaction

from checks.schedule import ARCHIVED, give_up
from readiness.actions import builds, runs
from readiness.actions.runs import MOST_ATTEMPTS
from readiness.enums.standing import Status
from readiness.enums.words import Judgement, RunReason, RunState
from readiness.models import Clause, Environment, Event, Evidence, Item, Run, User
from readiness.signals import run_requested
from tests.deeds import LEASE, after, claimed, everything, finding, finish, forbidden_by, observe, refused, status, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_reviewer, make_team

PASS, FAIL, UNCLEAR = Judgement.PASS, Judgement.FAIL, Judgement.INCONCLUSIVE
STREAM = {"stream_not_held": PASS, "stream_not_compressed": PASS, "stream_not_cached": PASS}

pytestmark = pytest.mark.django_db


@pytest.fixture
def prod() -> Environment:
    return make_environment(name="prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


@pytest.fixture
def cap(prod: Environment) -> Item:
    return item_of(prod, "spend-cap")


def queued(environment: Environment, probe: str = "spend-cap", due: datetime = NOW) -> Run:
    run = runs.plan(environment_id=environment.pk, probe=probe, reason=RunReason.SCHEDULED, due_at=due, now=NOW)
    assert run is not None
    return run


def waiting(environment: Environment) -> list[tuple[str, str, datetime]]:
    found = Run.objects.filter(environment=environment, state=RunState.QUEUED)
    return list(found.values_list("probe", "reason", "due_at"))


def test_a_member_asks_for_runs_and_the_workers_are_nudged_once_it_is_committed(
    prod: Environment, mia: User, django_capture_on_commit_callbacks: Any
) -> None:
    nudged: list[int] = []
    run_requested.connect(lambda run_ids, **_: nudged.extend(run_ids), weak=False, dispatch_uid="test")
    try:
        with django_capture_on_commit_callbacks(execute=True) as callbacks:
            made = runs.ask(by=mia, environment=prod, probes=["spend-cap", "key-validity"], now=NOW)
            assert nudged == []
    finally:
        run_requested.disconnect(dispatch_uid="test")
    assert len(callbacks) == 1
    assert nudged == [run.pk for run in made]
    assert {(run.reason, run.state, run.asked_by, run.due_at) for run in made} == {("asked", "queued", mia, NOW)}
    assert Event.objects.get(kind="run.asked").data == {
        "probes": ["spend-cap", "key-validity"],
        "runs": [run.pk for run in made],
    }


def test_asking_again_brings_a_waiting_run_forward_and_leaves_a_running_one_alone(prod: Environment, mia: User) -> None:
    run = queued(prod, due=after(hours=1))
    assert [one.pk for one in runs.ask(by=mia, environment=prod, probes=["spend-cap"], now=after(minutes=1))] == [
        run.pk
    ]
    run.refresh_from_db()
    assert (run.due_at, run.reason, run.asked_by) == (after(minutes=1), "asked", mia)

    taken = claimed(prod, "spend-cap", now=after(minutes=1))
    assert [one.pk for one in runs.ask(by=mia, environment=prod, probes=["spend-cap"], now=after(minutes=2))] == [
        run.pk
    ]
    run.refresh_from_db()
    assert (run.state, run.claim, run.due_at) == ("running", taken.claim, after(minutes=1))


def test_strangers_reviewers_and_other_teams_do_not_ask_for_runs(prod: Environment) -> None:
    for person in (make_person(), make_reviewer(), make_member(make_team())):
        with refused("Only members of"):
            runs.ask(by=person, environment=prod, probes=["spend-cap"], now=NOW)


def test_nothing_is_asked_of_or_claimed_on_what_is_archived(prod: Environment, mia: User) -> None:
    run = queued(prod)
    Environment.objects.filter(pk=prod.pk).update(archived_at=NOW)
    prod.refresh_from_db()
    with refused("This is archived"):
        runs.ask(by=mia, environment=prod, probes=["key-validity"], now=NOW)
    assert runs.claim(run_id=run.pk, lease=LEASE, now=NOW) is None


def test_one_run_of_a_probe_is_open_on_a_target(prod: Environment) -> None:
    run = queued(prod)
    again = {"environment_id": prod.pk, "probe": "spend-cap", "reason": RunReason.SCHEDULED, "due_at": NOW, "now": NOW}
    assert runs.plan(**again) is None
    claimed(prod, "spend-cap")
    assert runs.plan(**again) is None
    assert queued(prod, "key-validity").pk != run.pk
    assert queued(make_environment()).pk != run.pk


def test_of_two_claims_one_wins(prod: Environment) -> None:
    run = queued(prod)
    first = runs.claim(run_id=run.pk, lease=LEASE, now=NOW)
    assert first is not None
    assert (first.state, first.attempts, first.lease_until) == ("running", 1, NOW + LEASE)
    assert runs.claim(run_id=run.pk, lease=LEASE, now=NOW) is None


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_of_two_workers_that_claim_at_once_one_gets_the_run() -> None:
    """The second waits for the first one's row, and has to look at it again when it gets it."""
    run = queued(make_environment())
    claims: list[Run | None] = []
    ready = Barrier(2)

    def second() -> None:
        try:
            ready.wait(10)
            claims.append(runs.claim(run_id=run.pk, lease=LEASE, now=NOW))
        finally:
            connection.close()

    other = Thread(target=second)
    with transaction.atomic():
        claims.append(runs.claim(run_id=run.pk, lease=LEASE, now=NOW))
        other.start()
        ready.wait(10)
        with connection.cursor() as cursor:
            waits = (
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
            )
            found = 0
            while not found and other.is_alive():
                cursor.execute("SELECT pg_stat_clear_snapshot()")
                cursor.execute(waits)
                found = cursor.fetchone()[0]
    other.join(10)
    assert len(claims) == 2
    assert [claim is None for claim in claims] == [False, True]


def test_a_run_that_is_not_due_yet_is_not_taken(prod: Environment) -> None:
    run = queued(prod, due=after(seconds=30))
    assert runs.claim(run_id=run.pk, lease=LEASE, now=after(seconds=29.999)) is None
    assert runs.claim(run_id=run.pk, lease=LEASE, now=after(seconds=30)) is not None


def test_a_run_is_taken_over_when_its_lease_is_over_and_the_first_worker_records_nothing(
    prod: Environment, cap: Item
) -> None:
    first = claimed(prod, "spend-cap")
    assert runs.claim(run_id=first.pk, lease=LEASE, now=NOW + LEASE - timedelta(microseconds=1)) is None
    second = runs.claim(run_id=first.pk, lease=LEASE, now=NOW + LEASE)
    assert second is not None
    assert second.attempts == 2
    before = everything()

    assert finish(first, now=NOW + LEASE, cap_matches=FAIL) is False
    assert runs.fail(run=first, error="It broke.", now=NOW + LEASE) is False

    assert everything() == before
    assert status(cap, NOW + LEASE) is Status.OPEN
    assert finish(second, now=NOW + LEASE, cap_matches=PASS) is True
    assert status(cap, NOW + LEASE) is Status.VERIFIED
    assert finish(second, now=NOW + LEASE, cap_matches=FAIL) is False, "A run is finished once."


def test_a_run_whose_worker_died_three_times_is_given_up(prod: Environment) -> None:
    run = queued(prod)
    at = NOW
    for _ in range(MOST_ATTEMPTS):
        assert runs.claim(run_id=run.pk, lease=LEASE, now=at) is not None
        assert runs.abandon(run_id=run.pk, error="Died.", now=at) is False, "Its worker may still live."
        at += LEASE
    assert runs.claim(run_id=run.pk, lease=LEASE, now=at) is None
    assert runs.abandon(run_id=run.pk, error="The workers died.", now=at) is True
    run.refresh_from_db()
    assert (run.state, run.error, run.finished_at, run.is_open) == ("errored", "The workers died.", at, False)


def test_a_run_that_nobody_may_take_again_is_given_up(prod: Environment) -> None:
    """Its worker died, and the environment was archived before another could take it over."""
    run = claimed(prod, "spend-cap")
    Environment.objects.filter(pk=prod.pk).update(archived_at=NOW)
    assert give_up(NOW + LEASE - timedelta(microseconds=1)) == 0
    assert give_up(NOW + LEASE) == 1
    run.refresh_from_db()
    assert (run.state, run.error) == ("errored", ARCHIVED)


def test_a_pass_verifies_with_the_probes_own_words(prod: Environment, cap: Item) -> None:
    run = observe(prod, "spend-cap", now=after(minutes=5), cap_matches=PASS)

    said = cap.evidence.get()
    assert (said.run, said.by, said.outcome, said.code) == (run, None, "pass", "probe.said")
    assert said.summary == "cap-matches: pass."
    assert said.valid_until == after(minutes=5) + cap.entry.clauses.get().fresh_pass
    assert (run.state, run.facts, run.probe_version, run.lease_until) == ("done", {"saw": 1}, 1, None)
    assert status(cap, after(minutes=5)) is Status.VERIFIED
    assert Item.objects.get(pk=cap.pk).version == cap.version, "A version counts what people write."
    event = Event.objects.get(kind="item.observed")
    assert (event.actor, event.item, event.data["from"], event.data["to"]) == (None, cap, "open", "verified")


def test_evidence_is_dated_by_the_observation_and_not_by_its_recording(prod: Environment, cap: Item) -> None:
    run = claimed(prod, "spend-cap")
    runs.finish(
        run=run,
        facts={},
        findings=[finding("cap-matches", PASS)],
        probe_version=1,
        build="",
        observed_at=NOW,
        now=after(seconds=40),
    )
    said = cap.evidence.get()
    assert (said.observed_at, said.recorded_at) == (NOW, after(seconds=40))
    assert said.valid_until == NOW + cap.entry.clauses.get().fresh_pass


def test_inconclusive_and_errored_runs_change_nothing(prod: Environment, cap: Item, mia: User) -> None:
    tick(mia, cap)
    facts = Item.objects.get(pk=cap.pk).facts
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=UNCLEAR)
    broken = claimed(prod, "spend-cap", now=after(minutes=2))
    assert runs.fail(run=broken, error="The probe itself broke.", now=after(minutes=2)) is True

    assert Item.objects.get(pk=cap.pk).facts == facts
    assert Evidence.objects.filter(run__isnull=False).count() == 0
    assert waiting(prod) == []
    broken.refresh_from_db()
    assert (broken.state, broken.error, broken.findings) == ("errored", "The probe itself broke.", [])


def test_a_fail_on_an_unmet_clause_counts_at_once_and_needs_no_second_look(prod: Environment, cap: Item) -> None:
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)

    assert status(cap, NOW) is Status.FAILING
    assert waiting(prod) == []


def test_a_fail_on_a_met_clause_queues_the_run_that_confirms_it_30_seconds_later(prod: Environment, cap: Item) -> None:
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=FAIL)

    assert status(cap, after(minutes=1)) is Status.VERIFIED
    assert waiting(prod) == [("spend-cap", "confirming", after(seconds=90))]
    observe(prod, "spend-cap", now=after(seconds=90), cap_matches=FAIL)
    assert status(cap, after(seconds=90)) is Status.FAILING
    assert waiting(prod) == []


def test_a_confirming_run_that_passes_clears_the_fail(prod: Environment, cap: Item) -> None:
    for seconds, said in ((0, PASS), (60, FAIL), (90, PASS)):
        observe(prod, "spend-cap", now=after(seconds=seconds), cap_matches=said)

    fresh = cap.entry.clauses.get().fresh_pass
    assert status(cap, after(seconds=90) + fresh - timedelta(seconds=1)) is Status.VERIFIED
    assert status(cap, after(seconds=90) + fresh) is Status.STALE


def test_a_confirming_run_that_cannot_tell_neither_counts_nor_breaks_the_row(prod: Environment, cap: Item) -> None:
    for seconds, said in ((0, PASS), (60, FAIL), (90, UNCLEAR)):
        observe(prod, "spend-cap", now=after(seconds=seconds), cap_matches=said)
    assert status(cap, after(seconds=90)) is Status.VERIFIED
    assert waiting(prod) == [("spend-cap", "confirming", after(seconds=90 + 300))]
    observe(prod, "spend-cap", now=after(seconds=390), cap_matches=FAIL)
    assert status(cap, after(seconds=390)) is Status.FAILING
    assert waiting(prod) == []


def test_a_probe_does_not_confirm_what_it_did_not_see_fail_now(prod: Environment, mia: User) -> None:
    """A clause that waits for its second fail and is not judged now must not have its probe run every 30 s."""
    observe(prod, "proxy-buffering", now=NOW, **STREAM)
    observe(prod, "proxy-buffering", now=after(minutes=1), **{**STREAM, "stream_not_held": FAIL})
    assert len(waiting(prod)) == 1
    observe(prod, "proxy-buffering", now=after(seconds=90), **{**STREAM, "stream_not_held": UNCLEAR})

    assert waiting(prod) == [("proxy-buffering", "confirming", after(seconds=90 + 300))]


def test_a_late_recording_queues_its_confirmation_without_breaking_the_tables_rules(
    prod: Environment, cap: Item
) -> None:
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    run = claimed(prod, "spend-cap", now=after(minutes=1))
    told = {"facts": {}, "findings": [finding("cap-matches", FAIL)], "probe_version": 1, "build": ""}
    assert runs.finish(run=run, observed_at=after(minutes=1), now=after(minutes=3), **told)

    assert waiting(prod) == [("spend-cap", "confirming", after(seconds=90))]


def test_a_finding_on_a_clause_that_nobody_has_is_kept_with_the_run_alone(prod: Environment) -> None:
    run = observe(prod, "spend-cap", now=NOW, of_another_world=PASS)

    assert Evidence.objects.count() == 0
    assert [one["clause"] for one in run.findings] == ["of-another-world"]


def test_a_probe_speaks_only_of_its_own_clauses(prod: Environment, cap: Item) -> None:
    observe(prod, "key-validity", now=NOW, cap_matches=PASS)

    assert (Evidence.objects.count(), status(cap, NOW)) == (0, Status.OPEN)


def test_a_pass_in_one_environment_ticks_nothing_in_another(prod: Environment) -> None:
    staging = make_environment(prod.service, "staging", kind="staging")
    observe(staging, "spend-cap", now=NOW, cap_matches=PASS)

    assert status(item_of(staging, "spend-cap"), NOW) is Status.VERIFIED
    assert status(item_of(prod, "spend-cap"), NOW) is Status.OPEN


def test_the_database_keeps_runs_in_order(prod: Environment) -> None:
    whole: dict[str, Any] = {
        "environment": prod,
        "probe": "spend-cap",
        "reason": "scheduled",
        "queued_at": NOW,
        "due_at": NOW,
    }
    leased = {"state": "running", "started_at": NOW, "lease_until": NOW, "claim": "a"}
    bad = {
        "run_": [{"state": "lost"}],  # Several constraints say no.
        "run_running_under_a_lease": [{**leased, "claim": ""}, {**leased, "lease_until": None}],
        "run_finished_when_over": [{"state": "done"}, {"state": "queued", "finished_at": NOW}],
        "run_errored_says_why": [{"state": "errored", "finished_at": NOW}],
        "run_due_once_queued": [{"due_at": NOW - timedelta(seconds=1)}],
    }
    for constraint, rows in bad.items():
        for columns in rows:
            with forbidden_by(constraint):
                Run.objects.create(**{**whole, **columns})
    Run.objects.create(**whole)
    for columns in ({}, leased):
        with forbidden_by("run_one_open_of_a_probe_on_a_target"):
            Run.objects.create(**{**whole, **columns})


def test_the_database_keeps_evidence_that_nobody_gave_out(prod: Environment, cap: Item, mia: User) -> None:
    run = observe(prod, "spend-cap", now=NOW, cap_matches=UNCLEAR)
    whole: dict[str, Any] = {"item": cap, "clause": "cap-matches", "summary": "x", "observed_at": NOW}
    whole = {**whole, "recorded_at": NOW, "outcome": "pass", "valid_until": after(days=1)}
    ended = {"outcome": "fail", "valid_until": None}
    bad: dict[str, list[dict[str, Any]]] = {
        "evidence_by_person_or_run": [{}, {"by": mia, "run": run}],
        "evidence_pass_has_an_end": [{"by": mia, "valid_until": None}, {"run": run, "outcome": "fail"}],
        "evidence_taken_back_by_a_person": [{**ended, "run": run, "outcome": "withdrawn"}],
        "evidence_fail_by_a_run": [{**ended, "by": mia}],
        "evidence_not_from_the_future": [{"by": mia, "observed_at": after(seconds=1)}],
    }
    for constraint, rows in bad.items():
        for columns in rows:
            with forbidden_by(constraint):
                Evidence.objects.create(**{**whole, **columns})


def test_a_fail_that_waits_only_where_production_took_it_over_is_confirmed_as_well(
    prod: Environment, mia: User
) -> None:
    """Where staging was never met the fail counts at once there; production's tick makes it wait for another one."""
    staging = make_environment(prod.service, "staging", kind="staging", by=mia)
    for place in (prod, staging):
        builds.set_build(by=mia, environment_id=place.pk, build="one", now=NOW)
    staging.refresh_from_db()
    clause = Clause.objects.exclude(probe="").filter(entry__build_bound=True).select_related("entry")[0]
    said = {clause.slug.replace("-", "_"): FAIL}
    theirs, item = item_of(staging, clause.entry.slug), item_of(prod, clause.entry.slug)
    tick(mia, item)

    observe(staging, clause.probe, now=after(minutes=1), **said)
    assert (status(theirs, after(minutes=1)), status(item, after(minutes=1))) == (Status.FAILING, Status.ATTESTED)
    assert waiting(staging) == [(clause.probe, "confirming", after(seconds=90))]
    observe(staging, clause.probe, now=after(seconds=90), **dict.fromkeys(said, UNCLEAR))
    assert waiting(staging) == [(clause.probe, "confirming", after(seconds=90 + 300))]
    observe(staging, clause.probe, now=after(seconds=390), **said)
    assert status(item, after(seconds=390)) is Status.FAILING
    assert waiting(staging) == []


def test_a_fail_on_another_build_than_productions_is_not_confirmed_for_it(prod: Environment, mia: User) -> None:
    staging = make_environment(prod.service, "staging", kind="staging", by=mia)
    for place, build in ((prod, "one"), (staging, "two")):
        builds.set_build(by=mia, environment_id=place.pk, build=build, now=NOW)
    staging.refresh_from_db()
    clause = Clause.objects.exclude(probe="").filter(entry__build_bound=True).select_related("entry")[0]
    said = {clause.slug.replace("-", "_"): FAIL}
    tick(mia, item_of(prod, clause.entry.slug))
    observe(prod, clause.probe, now=after(seconds=10), **said)
    prod_waits = waiting(prod)

    observe(staging, clause.probe, now=after(minutes=1), **said)
    assert (waiting(staging), waiting(prod)) == ([], prod_waits)
