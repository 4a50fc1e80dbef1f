"""How the stand-in fails on demand, and what its streams do over time."""

import http.client
import json
import threading
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx
import pytest

from checks.standin.app import StandIn
from checks.standin.errors import FAILURES
from checks.standin.server import StandInServer
from checks.standin.settings import Asked, Fault, RetryAfterForm, StandInSettings
from checks.standin.state import StandInState

KEY = "qbt_canary_accepted_0001"
OTHER_KEY = "qbt_canary_accepted_0002"
NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
CHAT = {"model": "gpt-oss-120b", "messages": [{"role": "user", "content": "Reply with exactly: ok"}]}


@pytest.fixture(scope="module")
def server():
    with StandInServer(state=StandInState(now=lambda: NOW)) as server:
        yield server


@pytest.fixture(autouse=True)
def standin(server):
    server.state.reset(StandInSettings(accepted_keys=frozenset({KEY, OTHER_KEY}), reply="All is well."))
    return server


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {KEY}"}, trust_env=False) as client:
        yield client


# --- faults -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("status", sorted(FAILURES))
def test_every_fault_answers_its_status_in_the_envelope(standin, client, status):
    standin.state.fail(Fault(status=status))
    answer = client.get("/models")
    assert (answer.status_code, answer.json()) == (status, FAILURES[status].envelope())


def test_the_envelopes_of_faults_are_these():
    assert {status: (failure.type, failure.code) for status, failure in FAILURES.items()} == {
        400: ("invalid_request_error", "invalid_request"),
        401: ("invalid_request_error", "invalid_api_key"),
        402: ("insufficient_quota", "insufficient_funds"),
        404: ("invalid_request_error", ""),
        413: ("invalid_request_error", ""),
        429: ("rate_limit_error", "rate_limit_exceeded"),
        500: ("api_error", ""),
        502: ("api_error", "upstream_error"),
        503: ("api_error", "service_unavailable"),
        504: ("api_error", ""),
    }


def test_faults_are_used_up_in_order_and_then_it_works_again(standin, client):
    standin.state.fail(Fault(status=503, requests=2))
    standin.state.fail(Fault(status=429, requests=1))
    assert [client.get("/models").status_code for _ in range(4)] == [503, 503, 429, 200]


def test_a_fault_for_one_key_and_one_path_leaves_the_rest_alone(standin, client):
    standin.state.fail(Fault(status=500, key=OTHER_KEY, path="/v1/models"))
    other = {"Authorization": f"Bearer {OTHER_KEY}"}
    seen = [
        client.get("/models", headers=other).status_code,
        client.get("/models").status_code,
        client.post("/chat/completions", headers=other, json=CHAT).status_code,
    ]
    standin.state.recover()
    seen.append(client.get("/models", headers=other).status_code)
    assert seen == [500, 200, 200, 200]


def test_a_plan_decides_before_the_script_and_sees_the_request(standin, client):
    asked: list[Asked] = []

    def plan(one: Asked) -> Fault | None:
        asked.append(one)
        return Fault(status=504) if one.method == "POST" else None

    standin.state.fail_by(plan)
    standin.state.fail(Fault(status=502))
    seen = [client.get("/models").status_code, client.post("/chat/completions", json=CHAT).status_code]
    assert (seen, asked) == (
        [502, 504],
        [
            Asked(method="GET", path="/v1/models", key=KEY),
            Asked(method="POST", path="/v1/chat/completions", key=KEY),
        ],
    )


@pytest.mark.parametrize(
    ("form", "value"),
    [
        (RetryAfterForm.SECONDS, "7"),
        (RetryAfterForm.ABSENT, None),
        (RetryAfterForm.HTTP_DATE, "Sat, 01 Mar 2025 12:00:07 GMT"),
        (RetryAfterForm.ZERO, "0"),
    ],
)
def test_retry_after_comes_in_every_form_and_only_on_429(standin, client, form, value):
    standin.state.change(retry_after_s=7, retry_after_form=form)
    standin.state.fail(Fault(status=429, requests=1))
    standin.state.fail(Fault(status=503, requests=1))
    assert [client.get("/models").headers.get("retry-after") for _ in range(3)] == [value, None, None]
    if form is RetryAfterForm.HTTP_DATE:
        assert parsedate_to_datetime(value) == NOW + timedelta(seconds=7)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Fault(status=418),
        lambda: Fault(status=503, requests=0),
        lambda: StandInSettings(unknown_model_status=422),
        lambda: StandInSettings(retry_after_s=-1),
        lambda: StandInSettings(token_delay=timedelta(seconds=-1)),
        lambda: StandInSettings(max_body_bytes=0),
        lambda: StandInServer(StandInSettings(), state=StandInState()),
    ],
)
def test_what_makes_no_sense_is_refused_at_once(wrong):
    with pytest.raises(ValueError, match=r"\w"):
        wrong()


def test_faults_are_counted_exactly_under_many_threads():
    state = StandInState()
    state.fail(Fault(status=503, requests=500))
    asked = Asked(method="GET", path="/v1/models", key="")
    taken: list[Fault | None] = []
    threads = [
        threading.Thread(target=lambda: taken.extend(state.take_fault(asked) for _ in range(100))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), sum(fault is not None for fault in taken)) == (800, 500)


# --- streams over time ------------------------------------------------------------------------------------------------
def test_tokens_come_one_by_one_and_the_delay_can_be_lifted_while_they_do(standin, client):
    standin.state.change(token_delay=timedelta(milliseconds=150))
    began = datetime.now(tz=UTC)
    with client.stream("POST", "/chat/completions", json=CHAT | {"stream": True}) as answer:
        pieces = answer.iter_raw()
        next(pieces)
        next(pieces)
        second = datetime.now(tz=UTC) - began
        standin.state.change(token_delay=timedelta())
        rest = b"".join(pieces)
    assert second >= timedelta(milliseconds=150)
    assert rest.endswith(b"data: [DONE]\n\n")


def test_a_stream_ends_when_its_reader_hangs_up():
    ended = threading.Event()

    class Watched(StandIn):
        async def __call__(self, scope, receive, send):
            try:
                await super().__call__(scope, receive, send)
            finally:
                ended.set()

    settings = StandInSettings(accepted_keys=frozenset({KEY}), token_delay=timedelta(hours=1))
    server = StandInServer(settings)
    server.app = Watched(server.state)
    with server:
        with closing(http.client.HTTPConnection(*_address(server.url), timeout=60)) as connection:
            body = json.dumps(CHAT | {"stream": True})
            connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {KEY}"})
            answer = connection.getresponse()
            assert answer.readline().startswith(b"data: ")
            assert not ended.is_set()
            answer.close()
        assert ended.wait(timeout=60)


def test_the_server_stops_in_time_although_a_stream_is_still_open():
    settings = StandInSettings(accepted_keys=frozenset({KEY}), token_delay=timedelta(hours=1))
    began = datetime.now(tz=UTC)
    with StandInServer(settings) as server:
        connection = http.client.HTTPConnection(*_address(server.url), timeout=60)
        body = json.dumps(CHAT | {"stream": True})
        connection.request("POST", "/v1/chat/completions", body, {"Authorization": f"Bearer {KEY}"})
        assert connection.getresponse().readline().startswith(b"data: ")
    connection.close()
    assert datetime.now(tz=UTC) - began < timedelta(minutes=1), "Not after the stream, which lasts for hours."


def _address(url: str) -> tuple[str, int]:
    parts = httpx.URL(url)
    return parts.host, parts.port
