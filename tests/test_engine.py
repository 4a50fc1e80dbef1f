"""The engine: a run is claimed, proven, observed, judged and recorded, and whatever breaks ticks nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest
from django.db import OperationalError

from checks import engine
from checks.contract import Facts, Target, Tools
from checks.models import KeyUse, ProbeProof
from checks.probes.key_validity import KeyValidity
from checks.standin.server import StandInServer
from checks.standin.settings import StandInSettings
from checks.toolbox import Secrets, may_ask_with
from readiness.actions import runs
from readiness.enums.standing import Status
from readiness.enums.words import RunReason, RunState
from readiness.models import Environment, Evidence, Run
from readiness.rules.references import ReferencePolicy, TeamGrant
from readiness.rules.status import status_at
from tests.factories import item_of, make_environment, make_service, make_team

pytestmark = pytest.mark.django_db

KEY = "qbt_engine_0123456789abcdef"
NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


@pytest.fixture
def standin() -> Iterator[StandInServer]:
    with StandInServer(StandInSettings(accepted_keys=frozenset({KEY}))) as server:
        yield server


@pytest.fixture
def environment(standin: StandInServer, settings: Any, tmp_path: Path) -> Environment:
    """An environment whose key a worker may resolve and send to a stand-in."""
    (tmp_path / "key").write_text(KEY)
    port = urlsplit(standin.url).port
    settings.ALLOWED_NETWORKS = (f"127.0.0.1/32:{port}",)
    settings.KEY_HOSTS = (f"127.0.0.1:{port}",)
    grants = {"conv": TeamGrant(folders=(str(tmp_path),))}
    settings.KEY_REFERENCES = ReferencePolicy(teams=grants, managers=(f"file:{tmp_path}",))
    service = make_service(make_team("Conv"), "assistant")
    return make_environment(service, "prod", bastion_url=standin.url, key_reference=f"file:{tmp_path}/key")


def queued(environment: Environment, probe: str = "key-validity", reason: RunReason = RunReason.ASKED) -> Run:
    run = runs.plan(environment_id=environment.pk, probe=probe, reason=reason, due_at=NOW, now=NOW)
    assert run is not None
    return run


def carried_out(run: Run, now: datetime = NOW) -> Run:
    assert engine.execute(run.pk, clock=lambda: now)
    run.refresh_from_db()
    return run


def test_a_run_becomes_evidence_and_no_key_is_left_behind(environment: Environment) -> None:
    run = carried_out(queued(environment))
    assert (run.state, [finding["judgement"] for finding in run.findings]) == (RunState.DONE, ["pass", "pass"])
    written = Evidence.objects.filter(run=run).order_by("id").values_list("clause", "outcome", "valid_until")
    day = NOW + timedelta(hours=24)
    assert list(written) == [("key-from-manager", "pass", day), ("key-accepted", "pass", day)]
    assert KEY not in repr(Run.objects.filter(pk=run.pk).values().get())


def test_a_fail_on_an_unmet_clause_counts_at_once_and_a_pass_lifts_it(
    environment: Environment, standin: StandInServer
) -> None:
    standin.state.revoke(KEY)
    carried_out(queued(environment))
    assert status_at(item_of(environment, "key-in-secrets-manager").facts, NOW) is Status.FAILING
    standin.state.accept(KEY)
    later = NOW + timedelta(minutes=1)
    carried_out(queued(environment), later)
    assert status_at(item_of(environment, "key-in-secrets-manager").facts, later) is Status.OPEN


def test_a_fail_on_a_met_clause_is_confirmed_by_a_run_of_its_own(
    environment: Environment, standin: StandInServer
) -> None:
    carried_out(queued(environment))
    standin.state.revoke(KEY)
    second = NOW + timedelta(minutes=5)
    carried_out(queued(environment), second)
    confirming = Run.objects.get(state=RunState.QUEUED)
    assert (confirming.reason, confirming.due_at) == (RunReason.CONFIRMING, second + timedelta(seconds=30))
    assert not engine.execute(confirming.pk, clock=lambda: second + timedelta(seconds=29))
    item = item_of(environment, "key-in-secrets-manager")
    assert item.failing_since == NOW + timedelta(hours=24)
    carried_out(confirming, second + timedelta(seconds=30))
    item.refresh_from_db()
    assert item.failing_since == second + timedelta(seconds=30)
    assert not Run.objects.filter(state=RunState.QUEUED).exists()


def test_what_is_not_configured_is_said_and_nothing_is_asked(environment: Environment, standin: StandInServer) -> None:
    Environment.objects.filter(pk=environment.pk).update(key_reference="")
    run = carried_out(queued(environment))
    assert {finding["code"] for finding in run.findings} == {"engine.not-configured"}
    assert run.findings[0]["sentence"] == "The environment has no key reference."
    assert not Evidence.objects.filter(run=run).exists()
    assert standin.state.journal() == ()


def test_a_run_whose_target_was_changed_while_it_looked_concludes_nothing(environment: Environment) -> None:
    run = queued(environment)
    Environment.objects.filter(pk=environment.pk).update(settings_changed_at=NOW + timedelta(seconds=1))
    run = carried_out(run)
    assert {(one["judgement"], one["code"]) for one in run.findings} == {("inconclusive", "engine.settings-changed")}
    assert not Evidence.objects.exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken(KeyValidity):
    """A probe that breaks, with a secret in hand."""

    error: type[Exception] = ValueError

    def observe(self, target: Target, tools: Tools) -> Facts:
        raise self.error("no " + tools.resolve(target.key_reference).reveal())

    def proofs(self) -> tuple[()]:
        return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Echoing(KeyValidity):
    """A probe whose target sends the key back."""

    version: ClassVar[int] = 99

    def observe(self, target: Target, tools: Tools) -> Facts:
        tools.resolve(target.key_reference)
        return {**KeyValidity.observe(self, target, tools), "redirects_to": f"https://x/?k={KEY}", KEY: [f"a {KEY}"]}

    def proofs(self) -> tuple[()]:
        return ()


def test_a_probe_that_breaks_ticks_nothing_and_tells_no_value(
    environment: Environment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine, "probes", lambda: {"key-validity": Broken()})
    run = carried_out(queued(environment))
    assert run.state == RunState.ERRORED
    assert run.error == "The probe itself broke (ValueError); nothing follows from it."
    assert KEY not in caplog.text
    assert "run.broke" in caplog.text


def test_what_a_target_echoes_is_scrubbed(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "probes", lambda: {"key-validity": Echoing()})
    run = carried_out(queued(environment))
    assert run.facts["redirects_to"] == "https://x/?k=***"
    assert KEY not in repr(run.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fooled(KeyValidity):
    """A probe whose target answers with what no database takes as text."""

    version: ClassVar[int] = 99

    def observe(self, target: Target, tools: Tools) -> Facts:
        return {**KeyValidity.observe(self, target, tools), "status": 401, "code": "a\0b\ud800", "x\0": ["\udfff"]}

    def proofs(self) -> tuple[()]:
        return ()


def test_what_no_database_takes_is_replaced_and_the_run_is_recorded(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "probes", lambda: {"key-validity": Fooled()})
    run = carried_out(queued(environment))
    assert (run.state, run.facts["code"], run.facts["x\ufffd"]) == (RunState.DONE, "a\ufffdb?", ["?"])
    assert Evidence.objects.get(run=run, clause="key-accepted").summary.endswith("with 401 (a\ufffdb?).")


def test_an_unproven_probe_concludes_nothing(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "is_proven", lambda probe, now: False)
    run = carried_out(queued(environment))
    assert {finding["judgement"] for finding in run.findings} == {"inconclusive"}
    assert not Evidence.objects.filter(run=run).exists()


def test_a_database_that_goes_away_is_not_the_probe_breaking(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "probes", lambda: {"key-validity": Broken(error=OperationalError)})
    run = queued(environment)
    with pytest.raises(OperationalError):
        engine.execute(run.pk, clock=lambda: NOW)
    run.refresh_from_db()
    assert run.state == RunState.RUNNING


def test_a_run_of_a_probe_that_is_gone_is_told_so(environment: Environment) -> None:
    run = queued(environment, "no-such-probe")
    assert engine.execute(run.pk, clock=lambda: NOW)
    run.refresh_from_db()
    assert (run.state, run.error) == (RunState.ERRORED, "No probe of this name is installed.")


def test_a_key_is_asked_for_at_most_hourly_whoever_refers_to_it(settings: Any) -> None:
    hour = timedelta(seconds=settings.KEY_ASKED_AT_MOST_EVERY_SECONDS)
    assert may_ask_with("mark", now=NOW, unlimited=False)
    assert not may_ask_with("mark", now=NOW + hour - timedelta(milliseconds=1), unlimited=False)
    assert may_ask_with("other", now=NOW, unlimited=False)
    assert may_ask_with("mark", now=NOW + hour, unlimited=False)
    assert may_ask_with("mark", now=NOW + hour, unlimited=True)
    assert KeyUse.objects.get(pk="mark").asked_at == NOW + hour


@pytest.mark.parametrize(("reason", "asked"), [(RunReason.SCHEDULED, 1), (RunReason.ASKED, 2), (RunReason.CHANGED, 2)])
def test_only_the_schedule_is_bound_by_the_hour(
    environment: Environment, standin: StandInServer, reason: RunReason, asked: int
) -> None:
    carried_out(queued(environment))
    carried_out(queued(environment, reason=reason), NOW + timedelta(minutes=1))
    assert len(standin.state.journal()) == asked


def test_every_probe_proves_itself_and_is_believed_for_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = KeyValidity()
    assert engine.is_proven(probe, now=NOW)
    monkeypatch.setattr(KeyValidity, "proofs", lambda self: pytest.fail("It was proven already."))
    assert engine.is_proven(probe, now=NOW + timedelta(hours=23))
    assert ProbeProof.objects.get(probe=probe.slug).proven


def test_secrets_are_scrubbed_from_whatever_holds_them() -> None:
    secrets = Secrets()
    resolve = secrets.watching(lambda _reference: __import__("checks.keys", fromlist=["Secret"]).Secret(KEY))
    resolve("file:/x")
    assert secrets.scrub({"a": [f"x{KEY}y", 1, None], KEY: (KEY,)}) == {"a": ["x***y", 1, None], "***": ["***"]}
