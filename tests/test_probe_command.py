"""``manage.py probe``: the outcome is the exit code; an environment's run is recorded, an address's is not."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.management import call_command, execute_from_command_line
from django.core.management.base import CommandError
from django.utils.connection import BaseConnectionHandler

from checks import engine
from checks.probes.canary import canary_app
from checks.probes.fixed_json import fixed_json_app
from checks.probes.spend_cap import SpendCap
from checks.standin.server import StandInServer
from readiness.enums.words import RunReason, RunState
from readiness.models import BillingSource, Environment, Evidence, Run
from tests.factories import NOW, make_environment, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


@pytest.fixture
def server(settings: Any) -> Iterator[StandInServer]:
    standin = StandInServer()
    standin.app = canary_app()
    with standin:
        settings.ALLOWED_NETWORKS = (f"127.0.0.1/32:{urlsplit(standin.url).port}",)
        yield standin


@pytest.fixture(autouse=True)
def _connections_stay_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command closes its connections when it ends; this process still needs them."""
    monkeypatch.setattr(BaseConnectionHandler, "close_all", lambda _self: None)


def code_of(*argv: str) -> int:
    """Run the command as a shell does, and return its exit code."""
    with pytest.raises(SystemExit) as left:
        execute_from_command_line(["manage.py", "probe", *argv])
    return int(left.value.code or 0)


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(capsys.readouterr().out)


def test_an_address_that_streams_passes_and_leaves_nothing_behind(
    server: StandInServer, capsys: pytest.CaptureFixture[str]
) -> None:
    url = server.url.removesuffix("/v1") + "/stream"
    assert code_of("proxy-buffering", "--url", url, "--json") == 0
    told = said(capsys)
    assert [one["judgement"] for one in told["findings"]] == ["pass", "pass", "pass"]
    assert len(told["facts"]["fetches"]) == 3
    assert not Run.objects.exists()


def test_what_cannot_be_told_is_two(server: StandInServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert code_of("proxy-buffering", "--url", "http://127.0.0.1:1/stream") == 2
    assert "inconclusive  stream-not-held" in capsys.readouterr().out


def environment_with_cap(settings: Any, billing: StandInServer, cap: str) -> Environment:
    settings.ALLOWED_NETWORKS = (f"127.0.0.1/32:{urlsplit(billing.url).port}",)
    source = BillingSource.objects.create(
        name="Caps",
        url=billing.url.removesuffix("/v1") + "/caps",
        environment_expression="[?name=={environment}] | [0]",
        cap_expression="cap",
        currency_expression="currency",
    )
    service = make_service(make_team(), "assistant")
    return make_environment(
        service,
        "prod",
        spend_cap=cap,
        spend_cap_currency="CAD",
        billing_source_id=source.pk,
        billing_name="assistant-prod",
    )


@pytest.mark.parametrize(("cap", "code", "outcome"), [("100.00", 0, "pass"), ("200.00", 1, "fail")])
def test_an_environment_is_looked_at_and_its_run_recorded_like_any_other(
    settings: Any, capsys: pytest.CaptureFixture[str], cap: str, code: int, outcome: str
) -> None:
    billing = StandInServer()
    billing.app = fixed_json_app([{"name": "assistant-prod", "cap": 100, "currency": "CAD"}])
    with billing:
        environment_with_cap(settings, billing, cap)
        assert code_of("spend-cap", "--environment", "assistant/prod", "--json") == code
    run = Run.objects.get()
    assert (run.state, run.reason) == (RunState.DONE, RunReason.ASKED)
    assert said(capsys)["run"] == run.pk
    assert list(Evidence.objects.values_list("clause", "outcome")) == [("cap-matches", outcome)]


def test_a_run_that_waits_is_brought_forward(settings: Any) -> None:
    environment = make_environment(make_service(make_team(), "assistant"), "prod")
    Run.objects.create(
        environment=environment, probe="spend-cap", reason=RunReason.CONFIRMING, queued_at=NOW, due_at=NOW
    )
    assert code_of("spend-cap", "--environment", "assistant/prod") == 2
    assert Run.objects.get().state == RunState.DONE


def test_a_probe_that_breaks_is_three(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = make_environment(make_service(make_team(), "assistant"), "prod")
    monkeypatch.setattr(SpendCap, "missing", lambda self, target: 1 / 0)
    assert code_of("spend-cap", "--environment", f"assistant/{environment.name}") == 3
    assert Run.objects.get().state == RunState.ERRORED
    monkeypatch.setattr(engine, "look", lambda *_args, **_kwargs: 1 / 0)
    assert code_of("proxy-buffering", "--url", "https://a.example.ca/stream") == 3


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("proxy-buffering",),
        ("no-such-probe", "--url", "https://a.example.ca"),
        ("spend-cap", "--url", "https://a.example.ca"),
        ("spend-cap", "--environment", "no/such"),
        ("spend-cap", "--environment", "a/b", "--url", "https://a.example.ca"),
        ("spend-cap", "--wrong"),
    ],
)
def test_wrong_usage_is_sixty_four(argv: tuple[str, ...]) -> None:
    assert code_of(*argv) == 64


def test_wrong_usage_says_what_there_is() -> None:
    with pytest.raises(CommandError, match="There are: key-validity, spend-cap, proxy-buffering"):
        call_command("probe", "no-such-probe", url="https://a.example.ca")
