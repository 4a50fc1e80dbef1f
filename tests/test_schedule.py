"""The schedule: what is due is queued once, what was forgotten comes back, and nothing is asked twice at once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from checks.models import Heartbeat
from checks.probes.key_validity import KeyValidity
from checks.schedule import HEARTBEAT, JITTER, NUDGED_AGAIN_AFTER, due, spread, sweep
from readiness.actions import runs
from readiness.actions.runs import MOST_ATTEMPTS
from readiness.enums.words import Judgement, RunReason, RunState
from readiness.models import Environment, Run
from readiness.rules.findings import Finding
from tests.factories import make_environment

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PROBE = KeyValidity()
MARGIN = timedelta(milliseconds=1)


@pytest.fixture
def environment(settings: Any) -> Environment:
    made = make_environment()
    columns = {"bastion_url": "https://api.example.ca/v1", "key_reference": "env:KEY"}
    Environment.objects.filter(pk=made.pk).update(**columns)
    made.refresh_from_db()
    return made


class Nudges:
    """Remembers what was sent, or finds the broker away."""

    def __init__(self, *, reachable: bool = True) -> None:
        self.sent: list[int] = []
        self.reachable = reachable

    def __call__(self, run_ids: list[int]) -> bool:
        if self.reachable:
            self.sent += run_ids
        return self.reachable


def finished(environment: Environment, at: datetime, judgement: Judgement, state: str = RunState.DONE) -> Run:
    found = [{"clause": "key-accepted", "judgement": str(judgement), "code": "", "params": {}, "sentence": ""}]
    return Run.objects.create(
        environment=environment,
        probe=PROBE.slug,
        state=state,
        reason=RunReason.SCHEDULED,
        queued_at=at,
        due_at=at,
        finished_at=at,
        findings=found,
        error="x" if state == RunState.ERRORED else "",
    )


def is_due(environment: Environment, at: datetime) -> bool:
    return [one.pk for one, _ in due(PROBE, at)] == [environment.pk]


def test_what_was_never_looked_at_is_due_and_queued_once(environment: Environment) -> None:
    nudge = Nudges()
    assert sweep(now=NOW, nudge=nudge) == 1
    assert sweep(now=NOW + timedelta(seconds=2), nudge=nudge) == 0
    run = Run.objects.get()
    assert (run.probe, run.state, run.reason, run.due_at) == (PROBE.slug, "queued", "scheduled", NOW)
    assert nudge.sent == [run.pk]


def test_what_is_not_configured_is_not_scheduled() -> None:
    make_environment(spend_cap=Decimal(10), spend_cap_currency="CAD")
    assert sweep(now=NOW, nudge=Nudges()) == 0
    assert not Run.objects.exists()


def test_what_is_archived_is_not_looked_at_and_its_queue_is_emptied(environment: Environment) -> None:
    sweep(now=NOW, nudge=Nudges())
    Environment.objects.update(archived_at=NOW)
    sweep(now=NOW + timedelta(days=1), nudge=Nudges())
    run = Run.objects.get()
    assert (run.state, run.error) == ("errored", "The environment was archived before the probe could look.")


def test_a_pass_is_looked_at_again_after_the_interval_to_the_millisecond(environment: Environment) -> None:
    finished(environment, NOW, Judgement.PASS)
    next_at = NOW + PROBE.every * spread(environment.pk, PROBE.slug)
    assert not is_due(environment, next_at - MARGIN)
    assert is_due(environment, next_at)


@pytest.mark.parametrize("judgement", [Judgement.FAIL, Judgement.INCONCLUSIVE])
def test_what_did_not_pass_is_looked_at_again_within_the_hour(environment: Environment, judgement: Judgement) -> None:
    finished(environment, NOW, judgement)
    next_at = NOW + timedelta(hours=1) * spread(environment.pk, PROBE.slug)
    assert not is_due(environment, next_at - MARGIN)
    assert is_due(environment, next_at)


def test_an_errored_run_is_tried_again_within_the_hour(environment: Environment) -> None:
    finished(environment, NOW, Judgement.PASS, RunState.ERRORED)
    Run.objects.update(findings=[])
    assert is_due(environment, NOW + timedelta(hours=1.1))


def test_a_change_of_settings_makes_it_due_at_once_and_says_so(environment: Environment) -> None:
    finished(environment, NOW, Judgement.PASS)
    Environment.objects.update(settings_changed_at=NOW + timedelta(minutes=1))
    sweep(now=NOW + timedelta(minutes=1), nudge=Nudges())
    assert Run.objects.get(state=RunState.QUEUED).reason == RunReason.CHANGED


def test_the_operator_sets_the_interval(environment: Environment, settings: Any) -> None:
    settings.PROBE_EVERY_SECONDS = {PROBE.slug: 60}
    finished(environment, NOW, Judgement.PASS)
    assert is_due(environment, NOW + timedelta(seconds=60) * (1 + JITTER))


def test_environments_are_spread_and_each_keeps_its_place() -> None:
    places = [spread(number, PROBE.slug) for number in range(500)]
    assert all(1 - JITTER <= place <= 1 + JITTER for place in places)
    assert len(set(places)) == 500
    assert places == [spread(number, PROBE.slug) for number in range(500)]


def test_a_lost_message_is_sent_again(environment: Environment) -> None:
    nudge = Nudges()
    sweep(now=NOW, nudge=nudge)
    sweep(now=NOW + NUDGED_AGAIN_AFTER - MARGIN, nudge=nudge)
    assert len(nudge.sent) == 1
    sweep(now=NOW + NUDGED_AGAIN_AFTER, nudge=nudge)
    assert len(nudge.sent) == 2


def test_while_the_broker_is_away_every_sweep_tries(environment: Environment) -> None:
    assert sweep(now=NOW, nudge=Nudges(reachable=False)) == 0
    back = Nudges()
    assert sweep(now=NOW + timedelta(seconds=2), nudge=back) == 1
    assert back.sent == [Run.objects.get().pk]


def test_a_run_whose_lease_is_over_is_nudged_and_taken_by_another(environment: Environment) -> None:
    sweep(now=NOW, nudge=Nudges())
    run = Run.objects.get()
    dead = runs.claim(run_id=run.pk, lease=timedelta(seconds=50), now=NOW)
    assert dead is not None
    nudge = Nudges()
    sweep(now=NOW + timedelta(seconds=50) - MARGIN, nudge=nudge)
    assert nudge.sent == []
    sweep(now=NOW + timedelta(seconds=50), nudge=nudge)
    assert nudge.sent == [run.pk]
    taken = runs.claim(run_id=run.pk, lease=timedelta(seconds=50), now=NOW + timedelta(seconds=51))
    assert taken is not None
    finding = Finding(clause="key-accepted", judgement=Judgement.PASS, code="x", sentence="x")
    late = {"facts": {}, "findings": [finding], "probe_version": 1, "build": "", "observed_at": NOW, "now": NOW}
    assert not runs.finish(run=dead, **late)
    assert runs.finish(run=taken, **late)


def test_a_run_that_kills_its_workers_is_given_up_with_words(environment: Environment) -> None:
    sweep(now=NOW, nudge=Nudges())
    run = Run.objects.get()
    at = NOW
    for _ in range(MOST_ATTEMPTS):
        assert runs.claim(run_id=run.pk, lease=timedelta(seconds=10), now=at) is not None
        at += timedelta(seconds=10)
    assert runs.claim(run_id=run.pk, lease=timedelta(seconds=10), now=at) is None
    sweep(now=at, nudge=Nudges())
    run.refresh_from_db()
    assert run.state == RunState.ERRORED
    assert run.error.startswith("The workers that tried this run died")


def test_a_sweep_leaves_a_heartbeat() -> None:
    sweep(now=NOW, nudge=Nudges())
    assert Heartbeat.objects.get(name=HEARTBEAT).at == NOW
