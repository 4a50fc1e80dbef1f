"""What the buffering probe writes down of canary streams, by how long each event waited on its way."""

from typing import Any

GAP, EVENTS = 500, 8
SENT = [n * GAP for n in range(EVENTS)]

STREAMED = [2.0] * EVENTS
HELD = [3502.0 - sent for sent in SENT]


def answer(
    waits: list[float] = STREAMED,
    *,
    accept: str = "identity",
    nonce: str = "n1",
    events: int = EVENTS,
    jitter: float = 0.0,
    **changed: Any,
) -> dict[str, Any]:
    """One reading of eight events, of which each waited so many milliseconds."""
    sent = [at + jitter for at in SENT[:events]]
    fetch = {
        "accept_encoding": accept,
        "status": 200,
        "content_type": "text/event-stream; charset=utf-8",
        "headers": {"cache-control": "no-cache"},
        "header_ms": 1.0,
        "nonce": nonce,
        "canary_came_back": True,
        "of": EVENTS,
        "events": [
            {"n": n, "sent_ms": at, "arrived_ms": at + wait}
            for n, (at, wait) in enumerate(zip(sent, waits, strict=False))
        ],
        "foreign_events": 0,
        "readable_bytes": 120 * events,
        "read_ms": 3502.0,
        "failure": None,
    }
    return fetch | changed


def three(
    first: list[float] = STREAMED, second: list[float] = STREAMED, third: list[float] = STREAMED, **changed: Any
) -> list[dict[str, Any]]:
    """The three readings of a run: one without compression and two with it."""
    return [
        answer(first, nonce="n1", jitter=0.1, **changed),
        answer(second, accept="gzip", nonce="n2", jitter=0.2, **changed),
        answer(third, accept="gzip", nonce="n3", jitter=0.3, **changed),
    ]
