"""Server-sent events as Bastion documents them: ``data: `` lines, a blank line after each, ``[DONE]`` at the end."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from datetime import timedelta
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

DONE = b"data: [DONE]\n\n"


def compact(value: Any) -> bytes:
    """Return a value as JSON in UTF-8, on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def event(value: Any, *, name: str = "") -> bytes:
    """Return one event with a JSON value, with an ``event:`` line only where it has a name."""
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + compact(value) + b"\n\n"


async def disconnected(receive: Receive) -> None:
    """Wait until the client has gone away."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def send_events(
    events: Iterable[bytes], *, receive: Receive, send: Send, token_delay: Callable[[], timedelta]
) -> None:
    """Answer 200 with events, ``token_delay()`` apart, and stop at once when the client goes away.

    The content type is inferred: Bastion's SDK asks for ``text/event-stream``, and no page shows the answer's header.
    """
    gone = asyncio.ensure_future(disconnected(receive))
    try:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
        for place, piece in enumerate(events):
            if place:
                await asyncio.wait({gone}, timeout=token_delay().total_seconds())
            if gone.done():
                return
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    finally:
        gone.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await gone
