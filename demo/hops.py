"""Real HTTP hops that stand between a reader and a service, and treat its stream badly, or well."""

import asyncio
import gzip
import io
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Message, Receive, Send], Awaitable[None]]

_PASSED_ON = ("content-type", "cache-control")


def holding_hop(upstream: str, *, holds: Callable[[str], bool]) -> ASGIApp:
    """Return a hop that passes GET requests on, and holds each body to its end where ``holds(path)`` says so."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        async with _asked(upstream, scope, receive) as (answer, gone):
            await _start(send, answer)
            held = io.BytesIO()
            async for piece in _until(answer, gone):
                if holds(scope["path"]):
                    held.write(piece)
                else:
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
            await send({"type": "http.response.body", "body": held.getvalue()})

    return app


def compressing_hop(upstream: str) -> ASGIApp:
    """Return a hop that passes GET requests on and compresses for whoever accepts gzip, flushing each piece."""

    async def app(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        accepts = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
        async with _asked(upstream, scope, receive) as (answer, gone):
            await _start(send, answer, extra=[(b"content-encoding", b"gzip")] if accepts else [])
            out = io.BytesIO()
            packer = gzip.GzipFile(fileobj=out, mode="wb")
            async for piece in _until(answer, gone):
                body = _packed(packer, out, piece) if accepts else piece
                await send({"type": "http.response.body", "body": body, "more_body": True})
            packer.close()
            await send({"type": "http.response.body", "body": out.getvalue() if accepts else b""})

    return app


def _packed(packer: gzip.GzipFile, out: io.BytesIO, piece: bytes) -> bytes:
    packer.write(piece)
    packer.flush()
    packed = out.getvalue()
    out.seek(0)
    out.truncate()
    return packed


class _asked:  # noqa: N801 - used like a function
    """One request passed on, with a task that ends when the reader hangs up."""

    def __init__(self, upstream: str, scope: Message, receive: Receive) -> None:
        query = scope["query_string"].decode("latin-1")
        self._url = f"{upstream}{scope['path']}" + (f"?{query}" if query else "")
        self._receive = receive

    async def __aenter__(self) -> tuple[httpx.Response, "asyncio.Task[None]"]:
        self._client = httpx.AsyncClient(trust_env=False, timeout=30)
        request = self._client.build_request("GET", self._url, headers={"Accept-Encoding": "identity"})
        self._answer = await self._client.send(request, stream=True)
        self._gone = asyncio.create_task(_hung_up(self._receive))
        return self._answer, self._gone

    async def __aexit__(self, *_raised: object) -> None:
        self._gone.cancel()
        await self._answer.aclose()
        await self._client.aclose()


async def _hung_up(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _until(answer: httpx.Response, gone: "asyncio.Task[None]") -> Any:
    async for piece in answer.aiter_raw():
        if gone.done():
            return
        yield piece


async def _start(send: Send, answer: httpx.Response, extra: list[tuple[bytes, bytes]] | None = None) -> None:
    kept = [(name.encode(), answer.headers[name].encode()) for name in _PASSED_ON if name in answer.headers]
    await send({"type": "http.response.start", "status": answer.status_code, "headers": [*kept, *(extra or [])]})
