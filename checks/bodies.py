"""Taking the compression off a response body without ever holding more than the cap."""

import zlib
from collections.abc import Iterable
from typing import Protocol

from checks.failures import say
from checks.wire import RequestFailed


class _Inflater(Protocol):
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    @property
    def unconsumed_tail(self) -> bytes: ...
    def decompress(self, data: bytes, max_length: int = 0, /) -> bytes: ...


def decoded(chunks: Iterable[bytes], encoding: str, *, max_bytes: int) -> bytes:
    """Return a body with its ``Content-Encoding`` undone: identity, gzip or deflate.

    Counts what comes out, so a small body that unfolds past ``max_bytes`` is cut there. Raises ``RequestFailed``:
    ``too-large``; ``undecodable`` for other or stacked encodings and for a body that is damaged or ends early.
    """
    encoding = encoding.strip().lower()
    if encoding in ("", "identity"):
        return _joined(chunks, max_bytes)
    if encoding not in ("gzip", "x-gzip", "deflate"):
        raise RequestFailed("undecodable", say("request.other-encoding", encoding=repr(encoding[:40])))
    try:
        return _inflated(chunks, is_gzip=encoding != "deflate", max_bytes=max_bytes)
    except zlib.error:
        damaged = RequestFailed("undecodable", say("request.wrong-encoding", encoding=encoding))
    raise damaged


def _joined(chunks: Iterable[bytes], max_bytes: int) -> bytes:
    body = bytearray()
    for chunk in chunks:
        body += chunk
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _inflated(chunks: Iterable[bytes], *, is_gzip: bool, max_bytes: int) -> bytes:
    body = bytearray()
    inflater: _Inflater | None = None
    for chunk in chunks:
        data = chunk
        while data:
            if inflater is None or inflater.eof:  # A gzip body may be several members, one after the other.
                inflater = zlib.decompressobj(_window(data, is_gzip=is_gzip))
            body += inflater.decompress(data, max_bytes + 1 - len(body))
            if len(body) > max_bytes:
                raise _too_large(max_bytes)
            data = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
    if inflater is not None and not inflater.eof:
        raise RequestFailed("undecodable", say("request.ended-early"))
    return bytes(body)


def _window(start: bytes, *, is_gzip: bool) -> int:
    """Return zlib's ``wbits``: gzip, or for deflate the zlib wrapper (RFC 9110, 8.4.1.2), which some servers omit."""
    if is_gzip:
        return 16 + zlib.MAX_WBITS
    return zlib.MAX_WBITS if start[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS


def _too_large(max_bytes: int) -> RequestFailed:
    return RequestFailed("too-large", say("request.body-too-large", limit=max_bytes))
