"""Where the stand-in listens, what it remembers, and its command."""

import logging
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from checks.standin.app import standin_app
from checks.standin.server import StandInServer
from checks.standin.settings import Asked, Fault, StandInSettings
from checks.standin.state import StandInState

KEY = "qbt_canary_accepted_0001"
OTHER_KEY = "qbt_canary_accepted_0002"
NOW = datetime(2025, 3, 1, 12, 0, tzinfo=UTC)
ROOT = Path(__file__).resolve().parent.parent
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


# --- where it listens -------------------------------------------------------------------------------------------------
def test_it_serves_on_a_unix_socket_that_is_gone_afterwards(tmp_path):
    path = tmp_path / "standin.sock"
    with StandInServer(StandInSettings(accepted_keys=frozenset({KEY})), uds=path) as server:
        assert path.stat().st_mode & 0o777 == 0o600
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            answer = client.get(f"{server.url}/models", headers={"Authorization": f"Bearer {KEY}"})
    assert (answer.status_code, server.url, path.exists()) == (200, "http://localhost/v1", False)


def test_answers_and_tokens_do_not_wait_for_the_readers_acknowledgement(client):
    took = []
    for _ in range(21):
        began = time.perf_counter()
        client.get("/models")
        took.append(time.perf_counter() - began)
    assert sorted(took)[10] < 0.03


def test_a_port_in_use_is_an_error_and_nothing_is_left_running(standin):
    before = threading.active_count()
    _host, port = _address(standin.url)
    with pytest.raises(OSError, match="in use"), StandInServer(port=port):
        pass
    assert threading.active_count() == before


def test_it_answers_below_the_prefix_where_it_is_mounted():
    inner = standin_app(StandInSettings(accepted_keys=frozenset({KEY})))
    server = StandInServer()

    async def mounted(scope, receive, send):
        await inner(dict(scope) | {"root_path": "/somewhere/else"}, receive, send)

    server.app = mounted
    with server:
        headers = {"Authorization": f"Bearer {KEY}"}
        base = server.url.removesuffix("/v1")
        seen = [
            httpx.get(f"{base}{path}", headers=headers, trust_env=False).status_code
            for path in ("/somewhere/else/v1/models", "/somewhere/elsev1/models", "/other/v1/models")
        ]
    assert (seen, [line.path for line in inner.state.journal()]) == (
        [200, 404, 404],
        ["/v1/models", "/somewhere/elsev1/models", "/other/v1/models"],
    )


# --- the journal, and keys that must not be found ---------------------------------------------------------------------
def test_the_journal_has_a_line_for_each_answer_and_a_hash_for_each_key(standin, client):
    client.get("/models", params={"page": "2"})
    client.post("/chat/completions", json=CHAT | {"stream": True}, headers={"Authorization": f"Bearer {OTHER_KEY}"})
    httpx.get(f"{standin.url}/models", trust_env=False)
    lines = standin.state.journal()
    assert [(line.at, line.method, line.path, line.status, line.key_mark) for line in lines] == [
        (NOW, "GET", "/v1/models", 200, standin.state.mark_of(KEY)),
        (NOW, "POST", "/v1/chat/completions", 200, standin.state.mark_of(OTHER_KEY)),
        (NOW, "GET", "/v1/models", 401, ""),
    ]
    assert StandInState().mark_of(KEY) != standin.state.mark_of(KEY)
    standin.state.clear_journal()
    assert standin.state.journal() == ()


def test_a_request_that_is_never_complete_is_not_in_the_journal(standin, client):
    with socket.create_connection(_address(standin.url), timeout=60) as half:
        half.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    client.get("/models")
    assert [line.path for line in standin.state.journal()] == ["/v1/models"]


def test_no_key_is_logged_shown_or_echoed(standin, client, caplog):
    caplog.set_level(logging.DEBUG)
    answers = [client.get("/models"), client.post("/chat/completions", json=CHAT | {"model": KEY})]
    standin.state.revoke(KEY)
    answers.append(client.get("/models", params={"key": KEY}))
    standin.state.fail(Fault(status=503, key=KEY))
    answers.append(client.get("/models"))
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith(("httpx", "httpcore"))]
    shown = [
        repr(standin.state.settings),
        repr(Fault(status=503, key=KEY)),
        repr(Asked(method="GET", path="/", key=KEY)),
        repr(standin.state.journal()),
        *ours,
        *(f"{answer.headers}{answer.text}" for answer in answers),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 401, 503]
    assert [text for text in shown if "qbt_" in text] == []


# --- the command ------------------------------------------------------------------------------------------------------
@contextmanager
def _command(*arguments, keys=""):
    process = subprocess.Popen(
        [sys.executable, "manage.py", "standin", "--port", "0", *arguments],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "STANDIN_KEYS": keys},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process, process.stdout.readline().split()[-1]
    finally:
        process.kill()
        process.communicate()


def _status(url: str, key: str) -> int:
    return httpx.get(f"{url}/models", headers={"Authorization": f"Bearer {key}"}, trust_env=False).status_code


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_the_command_takes_keys_from_both_places_and_prints_none(signum):
    with _command("--key", KEY, "--key", "qbt_canary_third", keys=f" {OTHER_KEY} ,") as (process, url):
        seen = [_status(url, key) for key in (KEY, "qbt_canary_third", OTHER_KEY, "qbt_not_this")]
        process.send_signal(signum)
        out, err = process.communicate(timeout=120)
    assert (seen, process.returncode) == ([200, 200, 200, 401], 0)
    assert "qbt_" not in out + err


def test_the_command_makes_a_key_and_prints_it_once():
    with _command() as (process, url):
        key = process.stdout.readline().split()[-1]
        assert re.fullmatch(r"qbt_[A-Za-z0-9_-]{32}", key)
        assert _status(url, key) == 200
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=120)
    assert key not in out + err


def test_the_command_says_in_words_that_a_port_is_taken(standin):
    _host, port = _address(standin.url)
    done = subprocess.run(
        [sys.executable, "manage.py", "standin", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"CommandError: Cannot listen on 127.0.0.1 port {port}: ")


def _address(url: str) -> tuple[str, int]:
    parts = httpx.URL(url)
    return parts.host, parts.port
