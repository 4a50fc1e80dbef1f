"""What the outgoing client sends, which URLs it takes, and what it makes of an answer."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from checks.http import ClientPolicy, ProbeClient
from checks.keys import Secret
from tests.outgoing.listeners import (
    CANARY,
    Listen,
    Listener,
    a_bug,
    answers,
    fails,
    get,
    policy,
    raw,
    redirect,
    respond,
)


def test_an_answer_has_status_headers_body_time_and_where_it_came_from(listen: Listen) -> None:
    server = listen(respond(b'{"a": 1}', "418 Teapot", "X-Seen: yes\r\nSet-Cookie: a=b\r\n"))

    answer = get(server, "/v1/models?x=1#part")

    assert (answer.status, answer.body, answer.json()) == (418, b'{"a": 1}', {"a": 1})
    assert answer.headers["x-seen"] == "yes"
    assert answer.url == f"http://127.0.0.1:{server.port}/v1/models?x=1#part"
    assert 0 < answer.elapsed_ms < 10_000


def test_a_request_says_who_asks_and_sends_nothing_else(listen: Listen) -> None:
    server = listen()

    get(server, "/a%20b?c=d", headers={"X-Mine": "1", "accept": "text/html"})

    assert server.requests == [
        (
            f"GET /a%20b?c=d HTTP/1.1\r\nhost: 127.0.0.1:{server.port}\r\nuser-agent: Readiness-probe/1\r\n"
            "accept: text/html\r\naccept-encoding: identity\r\nx-mine: 1\r\n\r\n"
        )
    ]


def test_cookies_and_proxies_of_the_environment_are_not_used(listen: Listen, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = listen()
    server = listen(respond(b"", headers="Set-Cookie: session=1\r\n"))
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
    monkeypatch.setenv("ALL_PROXY", f"http://127.0.0.1:{proxy.port}")

    with ProbeClient(policy(f"127.0.0.1:{server.port}"), deadline_s=60) as client:
        for _ in range(2):
            client.get(f"http://127.0.0.1:{server.port}/")

    assert len(server.requests) == 2
    assert "cookie" not in server.requests[1].lower()
    assert proxy.saw_no_connection()


def test_what_is_not_json_is_undecodable(listen: Listen) -> None:
    answer = get(listen(respond(b"<html>")))
    with fails("undecodable"):
        answer.json()


def test_nesting_too_deep_for_json_is_undecodable(listen: Listen) -> None:
    answer = get(listen(respond(b"[" * 200_000)))
    with fails("undecodable"):
        answer.json()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "http://",
        "http:///path",
        "http://:80/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "ftp://127.0.0.1/",
        "unix:///tmp/socket",
        "http://user@127.0.0.1/",
        "http://user:word@127.0.0.1/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:65536/",
        "http://127.0.0.1:http/",
        "http://[::1/",
        "http://[fe80::1%25lo]/",
        "http://[fe80::1%lo]/",
        "http://256.0.0.1/",
        "http://127.0.0.1%2f/",
        "http://a b/",
        "http://a\\b/",
        "http://.example.com/",
        "http://a..b/",
        "http://127.0.0.1/\r\nX: y",
        f"http://{'a' * 64}.com/",
        f"http://{'a.' * 130}com/",
        "http://\uff11\uff12\uff17.\uff10.\uff10.\uff11/",
    ],
)
def test_what_is_not_a_plain_http_url_is_never_looked_up(url: str) -> None:
    def resolve(host: str, *rest: int) -> Sequence[tuple[Any, ...]]:
        raise AssertionError(f"{host!r} was looked up")

    with fails("bad-url"):
        ProbeClient(policy("0.0.0.0/0", "::/0"), deadline_s=60, resolve=resolve).get(url)


def test_an_international_name_is_looked_up_in_its_ascii_form(listen: Listen) -> None:
    server = listen()
    asked: list[str] = []

    def resolve(host: str, port: int, *rest: int) -> Sequence[tuple[Any, ...]]:
        asked.append(host)
        return answers("127.0.0.1")(host, port)

    client = ProbeClient(policy("127.0.0.1"), deadline_s=60, resolve=resolve)
    assert client.get(f"http://B\u00fccher.example:{server.port}/").status == 200
    assert asked == ["xn--bcher-kva.example"]
    assert f"host: xn--bcher-kva.example:{server.port}" in server.requests[0]


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
    ],
)
def test_what_is_not_http_is_a_protocol_failure(answer: bytes, listen: Listen) -> None:
    with fails("protocol"):
        get(listen(raw(answer)))


def test_with_a_unix_socket_every_name_leads_there_and_none_is_looked_up(tmp_path: Path) -> None:
    path = f"/tmp/readiness-{os.getpid()}-{tmp_path.name[-8:]}.sock"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.bind(path)
    sock.listen()
    listener = Listener(sock, respond(b"inside"))
    try:
        client = ProbeClient(
            ClientPolicy(key_hosts=("api.example:80",)), deadline_s=60, resolve=a_bug, unix_socket=path
        )
        assert client.get("http://169.254.169.254/x").body == b"inside"
        listener.handler = redirect("http://other.example/")
        with fails("redirect"):
            client.get("http://anything.example/")
        listener.handler = respond()
        secret = {"authorization": Secret(CANARY)}
        assert client.get("http://api.example/", secret_headers=secret).status == 200
        with fails("not-a-key-host"):
            client.get("http://other.example/", secret_headers=secret)
        with client.stream("http://anything.example/") as answer:
            assert [piece.data for piece in answer.pieces()] == [b"hello"]
    finally:
        listener.close()
        Path(path).unlink()
    assert CANARY not in "".join(listener.requests[:-2])
    with fails("connect"):
        client.get("http://anything.example/")
