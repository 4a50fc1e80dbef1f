"""What the outgoing client cuts off: slow servers and large answers."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from checks.http import ClientPolicy, ProbeClient, RequestFailed
from tests.outgoing.listeners import (
    Handler,
    Listen,
    drip,
    fails,
    get,
    policy,
    raw,
    redirect,
    respond,
)

LATE_S = 30.0
"""A machine that does much else is late by seconds; a client without a deadline waits for ever."""


@pytest.mark.parametrize(
    "handler",
    [
        drip(b"HTTP/1.1 200 OK\r\n", b"a"),
        drip(b"HTTP/1.1 200 OK\r\n", b"a: b\r\n"),
        drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b"x"),
        drip(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", gzip.compress(b"")),
        lambda sock, request: threading.Event().wait(5) and None,
    ],
    ids=["header", "headers", "interim", "body", "chunks", "members", "silence"],
)
def test_a_server_that_drips_is_cut_at_the_deadline(handler: Handler, listen: Listen) -> None:
    server = listen(handler)
    started = time.monotonic()
    with fails("timeout"):
        get(server, deadline_s=0.5)
    assert 0.4 < time.monotonic() - started < LATE_S


def test_the_deadline_covers_every_hop_together(listen: Listen) -> None:
    def handler(sock: socket.socket, request: str) -> None:
        threading.Event().wait(0.3)
        redirect("/next")(sock, request)

    started = time.monotonic()
    with fails("timeout"):
        get(listen(handler), deadline_s=0.5)
    assert time.monotonic() - started < LATE_S


def test_a_name_server_that_does_not_answer_is_cut_at_the_deadline() -> None:
    release = threading.Event()

    def resolve(host: str, port: int, *rest: int) -> Sequence[tuple[Any, ...]]:
        release.wait(10)
        return []

    started = time.monotonic()
    with fails("timeout"):
        ProbeClient(ClientPolicy(), deadline_s=0.3, resolve=resolve).get("https://slow.example/")
    assert time.monotonic() - started < LATE_S
    release.set()


def test_a_tls_handshake_that_stalls_or_drips_is_cut_at_the_deadline() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def serve() -> None:
            sock, _ = server.accept()
            with sock:
                sock.sendall(b"\x16\x03\x03\x40\x00")  # A handshake record of 16 KB, which then comes a byte at a time.
                while True:
                    try:
                        sock.sendall(b"\x02")
                    except OSError:
                        return
                    threading.Event().wait(0.05)

        threading.Thread(target=serve, daemon=True).start()
        started = time.monotonic()
        with pytest.raises(RequestFailed) as raised:
            ProbeClient(policy("127.0.0.1"), deadline_s=0.5).get(f"https://127.0.0.1:{port}/")
        assert raised.value.code in {"timeout", "tls"}
        assert time.monotonic() - started < LATE_S


def test_a_connection_that_is_never_accepted_is_cut_at_the_deadline() -> None:
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):  # Fill the queue, so that further handshakes are not answered.
            sock = waiting.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        started = time.monotonic()
        with fails("timeout"):
            ProbeClient(policy("127.0.0.1"), deadline_s=0.5).get(f"http://127.0.0.1:{full.getsockname()[1]}/")
        assert time.monotonic() - started < LATE_S


def test_a_client_whose_time_is_up_connects_nowhere(listen: Listen) -> None:
    server = listen()
    with fails("timeout"):
        get(server, deadline_s=0)
    assert server.saw_no_connection()


def test_a_body_may_reach_the_cap_and_not_pass_it(listen: Listen) -> None:
    assert len(get(listen(respond(b"x" * 1000)), max_bytes=1000).body) == 1000
    with fails("too-large"):
        get(listen(respond(b"x" * 1001)), max_bytes=1000)


def test_an_endless_body_is_cut(listen: Listen) -> None:
    sent = 0

    def handler(sock: socket.socket, request: str) -> None:
        nonlocal sent
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            sent += sock.send(b"x" * 65536)

    server = listen(handler)
    with fails("too-large"):
        get(server)
    assert server.served.acquire(timeout=60)
    assert sent < 16 * 1024 * 1024  # The cap of 512 KB and what the kernel holds for both ends.


def test_headers_may_fill_64_kilobytes_and_not_more(listen: Listen) -> None:
    def head(size: int) -> bytes:
        start, end = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ", b"\r\n\r\n"
        return start + b"x" * (size - len(start) - len(end)) + end

    assert get(listen(raw(head(64 * 1024)))).status == 200
    with fails("too-large"):
        get(listen(raw(head(64 * 1024 + 1))))
    with fails("too-large"):
        get(listen(raw(b"HTTP/1.1 100 Continue\r\n\r\n" * 4000 + head(100))))


@pytest.mark.parametrize(
    ("start", "flood", "code"),
    [
        (b"", b"1;" + b"e" * 60_000 + b"\r\nx\r\n", "too-large"),
        (b"0\r\n", b"a: b\r\n" * 1000, "protocol"),  # httpcore's own bound on unfinished lines, 100 KB, comes first.
    ],
    ids=["extensions", "trailers"],
)
def test_endless_framing_around_a_small_body_is_cut(start: bytes, flood: bytes, code: str, listen: Listen) -> None:
    sent = 0

    def handler(sock: socket.socket, request: str) -> None:
        nonlocal sent
        sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + start)
        while True:
            sent += sock.send(flood)

    server = listen(handler)
    with fails(code):
        get(server, max_bytes=20_000)  # Small caps let either bound come first, as the bytes happen to arrive.
    assert server.served.acquire(timeout=60)
    assert sent < 16 * 1024 * 1024


def test_a_body_in_one_byte_chunks_fits_up_to_the_cap(listen: Listen) -> None:
    start = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    answer = get(listen(raw(start + b"1\r\nx\r\n" * 20_000 + b"0\r\n\r\n")), max_bytes=20_000)
    assert answer.body == b"x" * 20_000


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("GZIP", gzip.compress(b"hel") + gzip.compress(b"lo")),
        ("x-gzip", gzip.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("identity", b"hello"),
    ],
    ids=["gzip", "members", "x-gzip", "deflate", "raw-deflate", "identity"],
)
def test_a_compressed_body_is_decoded_even_where_it_was_not_asked_for(
    encoding: str, body: bytes, listen: Listen
) -> None:
    assert get(listen(respond(body, headers=f"Content-Encoding: {encoding}\r\n"))).body == b"hello"


def test_a_compressed_body_is_capped_by_what_it_unfolds_to(listen: Listen) -> None:
    bomb = gzip.compress(b"\0" * 300_000_000, compresslevel=1)
    assert len(bomb) < 2 * 1024 * 1024
    header = "Content-Encoding: gzip\r\n"

    server = listen(respond(bomb, headers=header))
    tracemalloc.start()
    try:
        with fails("too-large"):
            get(server)
        assert tracemalloc.get_traced_memory()[1] < 8 * 1024 * 1024  # One read of 64 KB can unfold to 64 MB.
    finally:
        tracemalloc.stop()
    for size, fits in ((1000, True), (1001, False)):
        server = listen(respond(gzip.compress(b"x" * size), headers=header))
        if fits:
            assert len(get(server, max_bytes=1000).body) == size
        else:
            with fails("too-large"):
                get(server, max_bytes=1000)


def test_a_stack_of_small_bombs_is_capped_over_all(listen: Listen) -> None:
    members = gzip.compress(b"\0" * 100_000) * 10
    with fails("too-large"):
        get(listen(respond(members, headers="Content-Encoding: gzip\r\n")))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"hello"),
        ("gzip", gzip.compress(b"hello")[:-5]),
        ("gzip", gzip.compress(b"hello") + b"junk"),
        ("gzip, gzip", gzip.compress(gzip.compress(b"hello"))),
        ("br", b"hello"),
    ],
    ids=["not-gzip", "cut-short", "junk-after", "stacked", "brotli"],
)
def test_a_body_that_cannot_be_decoded_says_so(encoding: str, body: bytes, listen: Listen) -> None:
    with fails("undecodable"):
        get(listen(respond(body, headers=f"Content-Encoding: {encoding}\r\n")))
