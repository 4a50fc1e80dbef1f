"""Known-good and known-bad streams that the proxy-buffering probe must tell apart before it is trusted."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from checks.contract import Proof, Target
from checks.probes.canary import ASGIApp, Message, Receive, Send, canary_app
from readiness.enums.words import Judgement

if TYPE_CHECKING:
    from checks.probes.proxy_buffering import ProxyBuffering

EVENTS, GAP_MS = 5, 120
"""Short, and slow enough for a loaded machine: measured in docs/decisions/0007-buffering-rule.md."""

_TARGET = Target(stream_url="http://proof.example/stream/canary")


def buffering_proofs(probe: "ProxyBuffering") -> Sequence[Proof]:
    """Return a stream, and three that were each spoilt in one way. Together they take about 6 s."""
    quick = replace(probe, events=EVENTS, gap_ms=GAP_MS)
    canary = canary_app()
    return [
        _proof(quick, "streamed", canary, spoilt=""),
        _proof(quick, "held", _collected(canary), spoilt="stream-not-held"),
        _proof(quick, "compressed", _gzipped(canary), spoilt="stream-not-compressed"),
        _proof(quick, "replayed", _Replaying(canary), spoilt="stream-not-cached"),
    ]


def _proof(probe: "ProxyBuffering", name: str, app: ASGIApp, *, spoilt: str) -> Proof:
    expected = {clause: Judgement.FAIL if clause == spoilt else Judgement.PASS for clause in probe.observes}
    return Proof(name=name, probe=probe, app=app, target=_TARGET, expected=expected)


def _collected(app: ASGIApp) -> ASGIApp:
    """Hold a stream to its end, as a buffering proxy does."""

    async def held(scope: Message, receive: Receive, send: Send) -> None:
        body: list[bytes] = []

        async def collect(message: Message) -> None:
            body.append(message.get("body", b""))
            if message["type"] == "http.response.start":
                await send(message)
            elif not message.get("more_body"):
                await send({"type": "http.response.body", "body": b"".join(body)})

        await app(scope, receive, collect)

    return held


def _gzipped(app: ASGIApp) -> ASGIApp:
    """Compress a stream and flush every event."""

    async def compressed(scope: Message, receive: Receive, send: Send) -> None:
        squeeze = zlib.compressobj(wbits=zlib.MAX_WBITS | 16)

        async def pack(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-encoding", b"gzip")]
            else:
                packed = squeeze.compress(message["body"])
                message["body"] = packed + squeeze.flush(zlib.Z_SYNC_FLUSH if message["body"] else zlib.Z_FINISH)
            await send(message)

        await app(scope, receive, pack)

    return compressed


class _Replaying:
    """Keep each answer by its query and give it again, at once."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._kept: dict[bytes, list[Message]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if scope["query_string"] in self._kept:
            for message in self._kept[scope["query_string"]]:
                await send(dict(message))
            return
        kept: list[Message] = []

        async def keep(message: Message) -> None:
            kept.append(dict(message))
            if message["type"] == "http.response.body" and not message.get("more_body"):
                self._kept[scope["query_string"]] = kept  # Before the reader can ask again.
            await send(message)

        await self._app(scope, receive, keep)
