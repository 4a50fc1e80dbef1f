"""Routes behind the proxies: the reference canary, the same in other dress, and routes that misbehave."""

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

from checks.probes.canary import ASGIApp, Message, Receive, Send, canary_app

EVENT_STREAM = (b"content-type", b"text/event-stream")
NO_CACHE = (b"cache-control", b"no-cache")


def padded(app: ASGIApp, *, before: int = 0, after: int = 0) -> ASGIApp:
    """Put a comment of so many bytes before or after each event."""

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        async def send_padded(message: Message) -> None:
            if message.get("body"):
                first, last = (b":" + b"x" * length + b"\n" for length in (before, after))
                message = {**message, "body": first + message["body"] + last}
            await send(message)

        await app(scope, receive, send_padded)

    return wrapped


def answering(status: int, *headers: tuple[bytes, bytes], body: bytes = b"") -> ASGIApp:
    """Answer the same to everything."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    return app


Script = Callable[["Stage"], Any]


class Stage:
    """What a misbehaving route plays on: its query, and a way to send."""

    def __init__(self, scope: Message, send: Send) -> None:
        query = parse_qs(scope["query_string"].decode())
        self.canary = query.get("canary", [""])[0]
        self.events = int(query.get("events", ["8"])[0])
        self.gap_s = int(query.get("gap_ms", ["500"])[0]) / 1000
        self._send = send
        self._began = time.monotonic()

    async def say(self, data: bytes) -> None:
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def event(self, n: int, **changed: object) -> None:
        sent_ms = round((time.monotonic() - self._began) * 1000, 1)
        fields: dict[str, object] = {"canary": self.canary, "nonce": f"n-{self._began}", "n": n, "of": self.events}
        await self.say(b"data: " + json.dumps({**fields, "sent_ms": sent_ms, **changed}).encode() + b"\n\n")

    async def end(self) -> None:
        await self._send({"type": "http.response.body", "body": b""})


def playing(script: Script, *headers: tuple[bytes, bytes]) -> ASGIApp:
    """Answer as an event stream and play a script; a script that does not end the answer cuts the connection."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [EVENT_STREAM, NO_CACHE, *headers]})
        await script(Stage(scope, send))

    return app


async def burst(stage: Stage) -> None:
    for n in range(stage.events):
        await stage.event(n)
    await stage.end()


async def lying(stage: Stage) -> None:
    for n in range(stage.events):
        await stage.event(n, sent_ms=n * stage.gap_s * 1000)
    await stage.end()


async def cut(stage: Stage) -> None:
    for n in range(3):
        await stage.event(n)
        await asyncio.sleep(stage.gap_s)


async def short(stage: Stage) -> None:
    await cut(stage)
    await stage.end()


async def one_nonce(stage: Stage) -> None:
    for n in range(stage.events):
        await stage.event(n, nonce="always")
        await asyncio.sleep(stage.gap_s)
    await stage.end()


async def no_echo(stage: Stage) -> None:
    stage.canary = "mine"
    for n in range(stage.events):
        await stage.event(n)
        await asyncio.sleep(stage.gap_s)
    await stage.end()


async def goes_on(stage: Stage) -> None:
    for n in range(stage.events):
        await stage.event(n)
        await asyncio.sleep(stage.gap_s)
    while True:
        await stage.say(b": still here\n\n")
        await asyncio.sleep(stage.gap_s)


async def drips(stage: Stage) -> None:
    while True:
        await stage.say(b"data: tick\n\n")
        await asyncio.sleep(0.1)


async def garbage(stage: Stage) -> None:
    for _ in range(160):
        await stage.say(bytes(range(1, 256)) * 257)
    await stage.end()


async def bomb(stage: Stage) -> None:
    import gzip

    await stage.say(gzip.compress(b"data: " + b"0" * 10_000_000 + b"\n\n"))
    await stage.end()


async def foreign(stage: Stage) -> None:
    for word in (b'{"choices": []}', b"[DONE]", b"[" * 5000, b'{"n": 1e999, "of": ' + b"9" * 5000 + b"}"):
        await stage.say(b"data: " + word + b"\n\n")
    await stage.end()


async def empty(stage: Stage) -> None:
    await stage.end()


async def slow_start(stage: Stage) -> None:
    """Begin counting before a pause, as a route does whose every event passes a slow but even hop."""
    await asyncio.sleep(3 * stage.gap_s)
    for n in range(stage.events):
        await stage.event(n, sent_ms=n * stage.gap_s * 1000)
        await asyncio.sleep(stage.gap_s)
    await stage.end()


def routes() -> dict[str, ASGIApp]:
    """Return every route by the first part of its path."""
    canary = canary_app()
    return {
        "plain": canary,
        "no-accel": canary_app(extra_headers=(NO_CACHE, (b"x-accel-buffering", b"no"))),
        "public": canary_app(extra_headers=((b"cache-control", b"public, max-age=60"),)),
        "aged": canary_app(extra_headers=(NO_CACHE, (b"age", b"12"))),
        "pad2k": padded(canary, after=2000),
        "pad8k": padded(canary, after=8000),
        "pad8k-before": padded(canary, before=8000),
        "html": answering(200, (b"content-type", b"text/html"), body=b"<!doctype html>"),
        "missing": answering(404, (b"content-type", b"text/html"), body=b"no such page"),
        "moved": answering(302, (b"location", b"/plain")),
        "burst": playing(burst),
        "lying": playing(lying),
        "cut": playing(cut),
        "short": playing(short),
        "one-nonce": playing(one_nonce),
        "no-echo": playing(no_echo),
        "goes-on": playing(goes_on),
        "drips": playing(drips),
        "garbage": playing(garbage),
        "bomb": playing(bomb, (b"content-encoding", b"gzip")),
        "not-gzip": playing(burst, (b"content-encoding", b"gzip")),
        "brotli": playing(burst, (b"content-encoding", b"br")),
        "foreign": playing(foreign),
        "empty": playing(empty),
        "slow-start": playing(slow_start),
    }
