"""The canary route that the proxy-buffering probe reads, as a plain ASGI app: the reference for teams to copy.

The protocol is written down in docs/probes/proxy-buffering.md.
"""

import asyncio
import json
import re
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qs

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = tuple[tuple[bytes, bytes], ...]

MAX_EVENTS = 64
MAX_DURATION_MS = 60_000
CANARY = re.compile(r"[A-Za-z0-9_-]{1,64}")


def canary_app(*, extra_headers: Headers = ((b"cache-control", b"no-cache"),)) -> ASGIApp:
    """Return an app that answers every GET path with ``?canary=…&events=…&gap_ms=…`` as a canary stream.

    ``extra_headers`` are lower-case pairs, sent beside the content type: they should be those of the real stream
    routes. Anything but a GET is answered 405; a query out of bounds (64 events, 60 s, a canary of 64 safe characters)
    400.
    """

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        asked = _asked(scope["query_string"])
        if scope["method"] != "GET" or asked is None:
            await _refuse(send, 400 if scope["method"] == "GET" else 405)
            return
        headers = [(b"content-type", b"text/event-stream"), *extra_headers]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        gone = asyncio.ensure_future(_hung_up(receive))
        try:
            await _play(send, gone, *asked)
        finally:
            gone.cancel()

    return app


def _asked(query: bytes) -> tuple[str, int, int] | None:
    """Return (canary, events, gap in ms), or nothing where the query is not one that the protocol allows."""
    values = parse_qs(query.decode("latin-1"))
    canary = values.get("canary", [""])[-1]
    try:
        events = int(values.get("events", ["8"])[-1])
        gap_ms = int(values.get("gap_ms", ["500"])[-1])
    except ValueError:
        return None
    within = 1 <= events <= MAX_EVENTS and gap_ms > 0 and (events - 1) * gap_ms <= MAX_DURATION_MS
    return (canary, events, gap_ms) if within and CANARY.fullmatch(canary) else None


async def _play(send: Send, gone: asyncio.Future[None], canary: str, events: int, gap_ms: int) -> None:
    began = time.monotonic()
    nonce = secrets.token_urlsafe(12)
    for n in range(events):
        if n and (await asyncio.wait({gone}, timeout=gap_ms / 1000))[0]:
            return
        sent_ms = round((time.monotonic() - began) * 1000, 1)
        event = {"canary": canary, "nonce": nonce, "n": n, "of": events, "sent_ms": sent_ms}
        body = f"data: {json.dumps(event)}\n\n".encode()
        await send({"type": "http.response.body", "body": body, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"text/plain")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
