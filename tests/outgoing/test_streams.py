"""Answers that are read as they come."""

import gzip
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest

from checks.http import Piece, ProbeClient
from tests.outgoing.listeners import (
    Handler,
    Listen,
    Listener,
    drip,
    fails,
    policy,
    raw,
    redirect,
    respond,
)


@contextmanager
def streaming(listener: Listener, *, deadline_s: float = 120, **more: Any) -> Iterator[Any]:
    client = ProbeClient(policy("127.0.0.1"), deadline_s=deadline_s)
    with client.stream(f"http://127.0.0.1:{listener.port}/", **more) as answer:
        yield answer


def test_pieces_come_as_they_are_sent_with_their_times(listen: Listen) -> None:
    go = threading.Semaphore(0)

    def handler(sock: socket.socket, request: str) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Type: text/event-stream\r\n\r\n")
        for number in range(3):
            go.acquire()
            sock.sendall(b"9\r\ndata: %d\n\n\r\n" % number)
        sock.sendall(b"0\r\n\r\n")

    with streaming(listen(handler)) as answer:
        assert (answer.status, answer.headers["content-type"]) == (200, "text/event-stream")
        pieces: list[Piece] = []
        stream = answer.pieces()
        for _ in range(3):
            threading.Event().wait(0.1)
            go.release()  # The next piece is sent only now: had any been held back, this would hang.
            pieces.append(next(stream))
        assert list(stream) == []

    assert [piece.data for piece in pieces] == [b"data: 0\n\n", b"data: 1\n\n", b"data: 2\n\n"]
    times = [answer.header_ms, *(piece.at_ms for piece in pieces)]
    assert all(80 < later - earlier < 60_000 for earlier, later in pairwise(times))
    assert 0 < answer.header_ms < 60_000


def test_a_stream_gives_the_bytes_as_they_were_compressed(listen: Listen) -> None:
    body = gzip.compress(b"hello")
    with streaming(listen(respond(body, headers="Content-Encoding: gzip\r\n"))) as answer:
        assert b"".join(piece.data for piece in answer.pieces()) == body


def test_a_stream_asks_for_what_the_caller_wants(listen: Listen) -> None:
    server = listen(redirect("/next"))
    with streaming(server, headers={"Accept-Encoding": "gzip", "Accept": "text/event-stream"}) as answer:
        assert (answer.status, answer.headers["location"]) == (302, "/next")
    assert "accept: text/event-stream\r\naccept-encoding: gzip\r\n" in server.requests[0]
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("handler", "code"),
    [
        (drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"), "timeout"),
        (raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 2000), "too-large"),
        (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n"), "protocol"),
    ],
)
def test_a_stream_ends_in_an_error_when_it_is_cut_or_breaks(handler: Handler, code: str, listen: Listen) -> None:
    with streaming(listen(handler), deadline_s=0.5, max_bytes=1000) as answer, fails(code):
        list(answer.pieces())


def test_leaving_a_stream_early_hangs_up(listen: Listen) -> None:
    server = listen(drip(b"HTTP/1.1 200 OK\r\n\r\n", b"x"))
    with streaming(server) as answer:
        next(answer.pieces())
    assert server.served.acquire(timeout=60)  # Its next sends failed.
