"""Read a canary stream piece by piece: decompress, split into events, and note when each became readable."""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

MAX_READABLE_BYTES = 256 * 1024
"""No canary is longer, however it was compressed."""

MAX_LINE_BYTES = 64 * 1024
MAX_WORD = 64
"""Longest nonce or canary; a longer one is not ours."""

MAX_INSTANT_MS = 1e9
MAX_EVENTS = 10_000


class UnreadableError(Exception):
    """The bytes cannot be a canary stream; ``code`` is a word for the facts."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Decoder:
    """Undo one content coding as the bytes come: gzip, deflate or none; raises UnreadableError on another."""

    def __init__(self, coding: str) -> None:
        self._coding = coding.strip().lower()
        if self._coding not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise UnreadableError("unknown-coding")
        self._inflate: Any = None if self._coding in {"", "identity"} else zlib.decompressobj(zlib.MAX_WBITS | 32)
        self._left = MAX_READABLE_BYTES

    def feed(self, data: bytes) -> bytes:
        """Return what became readable; raises UnreadableError where it is broken or longer than MAX_READABLE_BYTES."""
        if self._inflate is not None:
            data = self._inflated(data)
        self._left -= len(data)
        if self._left < 0:
            raise UnreadableError("too-large")
        return data

    def _inflated(self, data: bytes) -> bytes:
        first = self._left == MAX_READABLE_BYTES
        try:
            return bytes(self._inflate.decompress(data, self._left + 1))
        except zlib.error:
            if self._coding != "deflate" or not first:
                raise UnreadableError("broken-coding") from None
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)  # Some servers send deflate without the zlib wrapping.
        try:
            return bytes(self._inflate.decompress(data, self._left + 1))
        except zlib.error:
            raise UnreadableError("broken-coding") from None


@dataclass(frozen=True, slots=True)
class CanaryEvent:
    """One event of the canary protocol, as it was sent."""

    canary: str
    nonce: str
    n: int
    of: int
    sent_ms: float


@dataclass(slots=True)
class EventReader:
    """Split decoded bytes into events. ``foreign`` counts the events with data that are not of the canary protocol."""

    foreign: int = 0
    readable_bytes: int = 0
    _rest: bytes = b""
    _after_cr: bool = False
    _data: list[bytes] = field(default_factory=list)

    def feed(self, data: bytes) -> Iterator[CanaryEvent]:
        """Yield the canary events that ``data`` completes; raises UnreadableError on a line without end."""
        self.readable_bytes += len(data)
        if self._after_cr and data.startswith(b"\n"):
            data = data[1:]  # The second half of a line end that was cut in two.
        if data:
            self._after_cr = data.endswith(b"\r")
        text = self._rest + data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *lines, self._rest = text.split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            raise UnreadableError("too-large")
        for line in lines:
            if line.startswith(b"data:"):
                self._data.append(line[5:])
            elif not line and self._data:
                event = canary_event(b"\n".join(self._data))
                self._data.clear()
                if event is None:
                    self.foreign += 1
                else:
                    yield event


def canary_event(data: bytes) -> CanaryEvent | None:
    """Return the event that ``data`` holds, or nothing where it is not one of the canary protocol."""
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict):
        return None
    canary, nonce, sent_ms = _word(value.get("canary")), _word(value.get("nonce")), _instant(value.get("sent_ms"))
    n, of = value.get("n"), value.get("of")
    if not canary or not nonce or sent_ms is None or type(n) is not int or type(of) is not int:
        return None
    return CanaryEvent(canary=canary, nonce=nonce, n=n, of=of, sent_ms=sent_ms) if 0 <= n < of <= MAX_EVENTS else None


def _word(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= MAX_WORD else ""


def _instant(value: object) -> float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return float(value) if abs(value) < MAX_INSTANT_MS else None
