"""Do proxies between a service and its readers hold, compress or cache event streams?

Reads the canary route of docs/probes/proxy-buffering.md; the rule is in docs/decisions/0007-buffering-rule.md.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from urllib.parse import urlencode, urlsplit, urlunsplit

from django.utils.translation import gettext_noop

from checks.contract import Facts, Probe, Proof, Target, Tools
from checks.failures import as_fact
from checks.http import RequestFailed, StreamAnswer
from checks.probes.buffering_fixes import buffering_fix
from checks.probes.buffering_proofs import buffering_proofs
from checks.probes.event_stream import Decoder, EventReader, UnreadableError
from checks.probes.stream_clauses import Fetch, cached, compressed, held, is_event_stream
from readiness.observers import Fix
from readiness.rules.findings import Finding

SEEN_HEADERS = (
    "content-encoding",
    "content-length",
    "transfer-encoding",
    "cache-control",
    "x-accel-buffering",
    "age",
    "x-cache",
    "x-cache-status",
    "cf-cache-status",
    "via",
)
MAX_HEADER = 200
MAX_WIRE_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyBuffering(Probe):
    """Do stream events reach a reader as they are sent?

    ``events`` events, ``gap_ms`` apart, are asked for three times, one after the other: without compression, then twice
    at one URL with gzip accepted, as browsers do. Every threshold is a share of ``gap_ms``.
    """

    slug: ClassVar[str] = "proxy-buffering"
    version: ClassVar[int] = 1
    question: ClassVar[str] = gettext_noop("Do stream events reach a reader as they are sent?")
    observes: ClassVar[tuple[str, ...]] = ("stream-not-held", "stream-not-compressed", "stream-not-cached")
    remedy: ClassVar[str] = gettext_noop("Turn proxy buffering, compression and caching off on the stream route.")
    looks_at: ClassVar[str] = "stream_url"
    every: ClassVar[timedelta] = timedelta(hours=6)
    deadline: ClassVar[timedelta] = timedelta(seconds=60)
    messages: ClassVar[Mapping[str, str]] = {
        "streamed": gettext_noop(
            "{events} events, sent {gap_ms} ms apart, arrived as they were sent in each of {fetches} readings; "
            "none took longer than {longest_ms} ms."
        ),
        "streamed-late": gettext_noop(
            "{events} events, sent {gap_ms} ms apart, arrived one by one in each of {fetches} readings, "
            "each {late_ms} ms after it was sent."
        ),
        "late": gettext_noop(
            "{events} events, sent {gap_ms} ms apart, arrived one by one, but each {late_ms} ms after it was sent: "
            "too late to be called a stream, too even to be called held."
        ),
        "held-to-the-end": gettext_noop(
            "{events} events were sent {gap_ms} ms apart and all arrived within {within_ms} ms of each "
            "other, {after_ms} ms after the first was sent (Accept-Encoding: {accept})."
        ),
        "held-in-pages": gettext_noop(
            "{events} events were sent {gap_ms} ms apart and arrived in {bursts} bursts; one waited "
            "{spread_ms} ms longer than another (Accept-Encoding: {accept})."
        ),
        "held-by-one": gettext_noop(
            "Each of {events} events, sent {gap_ms} ms apart, arrived only when the next one was sent, "
            "{late_ms} ms late (Accept-Encoding: {accept})."
        ),
        "uneven": gettext_noop(
            "Of {fetches} readings {streamed} arrived as they were sent and {held} were held; the widest spread "
            "was {spread_ms} ms at a gap of {gap_ms} ms. That is neither a stream nor a buffer."
        ),
        "cut-early": gettext_noop("The stream ended after {seen} of {events} events: something on the way cuts it."),
        "other-pace": gettext_noop(
            "Asked for {events} events {gap_ms} ms apart, the route sent {of} events {sent_gap_ms} ms apart: "
            "it must keep to what it is asked."
        ),
        "untrue-times": gettext_noop(
            "Events arrived before the time at which the route says it sent them: sent_ms must be taken "
            "when each event is sent."
        ),
        "padded": gettext_noop(
            "Events arrived as they were sent, but with {event_bytes} bytes for each: padding fills a buffer and "
            "so hides it. Canary events must be small."
        ),
        "replayed-only": gettext_noop(
            "Answers were replayed from a cache, so nothing was seen of how events reach a browser."
        ),
        "uncompressed": gettext_noop("The stream came without Content-Encoding, although gzip was accepted."),
        "compressed": gettext_noop("The stream is sent with Content-Encoding: {coding} (Accept-Encoding: {accept})."),
        "fresh": gettext_noop(
            "Each of {fetches} requests got an answer of its own, the second one at the same URL too."
        ),
        "replayed": gettext_noop("Two requests got the same answer: a cache replayed the stream."),
        "cache-hinted": gettext_noop("Every answer was new, but {header}: {value} says that a cache answered."),
        "nonce-repeats": gettext_noop(
            "Two answers carry the same nonce but other times: the route must make a new nonce for each."
        ),
        "foreign-canary": gettext_noop(
            "An answer does not carry the canary of its request: either a cache that ignores the query "
            "replayed it, or the route does not send its canary back."
        ),
        "unreachable": gettext_noop("The stream route could not be read: {reason}"),
        "redirected": gettext_noop(
            "The stream route answered with a redirect ({status}). Give the address that it leads to."
        ),
        "wrong-status": gettext_noop("The stream route answered {status}, not 200."),
        "wrong-type": gettext_noop("The stream route answered with {content_type}, not with text/event-stream."),
        "no-events": gettext_noop(
            "The stream route answered as an event stream, but no event arrived in {waited_ms} ms."
        ),
        "not-a-canary": gettext_noop("The stream route sends events, but not those of the canary protocol."),
        "unreadable": gettext_noop(
            "The stream came in a Content-Encoding that was not asked for or is broken ({coding})."
        ),
    }

    lacking: ClassVar[Mapping[str, str]] = {
        "no-stream-route": gettext_noop("The environment has no stream route."),
    }

    events: int = 8
    gap_ms: int = 500

    def missing(self, target: Target) -> list[str]:
        return [] if target.stream_url else [self.lacks("no-stream-route")]

    def observe(self, target: Target, tools: Tools) -> Facts:
        route = urlsplit(target.stream_url)
        fetches: list[Fetch] = []
        twice = secrets.token_hex(8)
        for accept, canary in (("identity", secrets.token_hex(8)), ("gzip", twice), ("gzip", twice)):
            query = urlencode({"canary": canary, "events": self.events, "gap_ms": self.gap_ms})
            url = urlunsplit(route._replace(query="&".join(filter(None, (route.query, query))), fragment=""))
            fetch = self._fetch(tools, url, accept=accept, canary=canary)
            fetches.append(fetch)
            if not fetch["events"]:
                break  # Nothing to be learned by asking again, and the target is left in peace.
        shown = urlunsplit((route.scheme, route.netloc.rpartition("@")[2], route.path, "", ""))
        return {"route": shown, "events": self.events, "gap_ms": self.gap_ms, "fetches": fetches}

    def judge(self, facts: Facts, *, now: datetime) -> list[Finding]:  # noqa: ARG002 - nothing here ages
        verdicts = {
            "stream-not-held": held(facts),
            "stream-not-compressed": compressed(facts),
            "stream-not-cached": cached(facts),
        }
        return [
            self.finding(clause, verdict.judgement, verdict.message, **verdict.params)
            for clause, verdict in verdicts.items()
        ]

    def fix(self, message: str, facts: Facts) -> Fix | None:
        return buffering_fix(message, facts)

    def proofs(self) -> Sequence[Proof]:
        return buffering_proofs(self)

    def _fetch(self, tools: Tools, url: str, *, accept: str, canary: str) -> Fetch:
        """Read one answer. The longest it may take is three times its proper length and five seconds."""
        fetch: Fetch = {
            "accept_encoding": accept,
            "status": None,
            "content_type": "",
            "headers": {},
            "header_ms": None,
            "nonce": "",
            "canary_came_back": None,
            "of": None,
            "events": [],
            "foreign_events": 0,
            "readable_bytes": 0,
            "read_ms": 0.0,
            "failure": None,
        }
        headers = {"Accept": "text/event-stream", "Accept-Encoding": accept}
        try:
            with tools.client.stream(url, headers=headers, max_bytes=MAX_WIRE_BYTES) as answer:
                fetch["status"] = answer.status
                fetch["header_ms"] = round(answer.header_ms, 1)
                fetch["content_type"] = answer.headers.get("content-type", "")[:MAX_HEADER]
                fetch["headers"] = {
                    name: answer.headers[name][:MAX_HEADER] for name in SEEN_HEADERS if name in answer.headers
                }
                if is_event_stream(fetch):
                    self._read(answer, fetch, canary)
        except RequestFailed as failure:
            fetch["failure"] = as_fact(failure.code, failure.sentence)
        except UnreadableError as failure:
            fetch["failure"] = {"code": failure.code, "sentence": ""}
        return fetch

    def _read(self, answer: StreamAnswer, fetch: Fetch, canary: str) -> None:
        decoder, reader = Decoder(fetch["headers"].get("content-encoding", "")), EventReader()
        longest_ms = 3 * self.events * self.gap_ms + 5000
        events: list[dict[str, float]] = fetch["events"]
        for piece in answer.pieces():
            fetch["read_ms"] = round(piece.at_ms, 1)
            for event in reader.feed(decoder.feed(piece.data)):
                if not events:
                    fetch.update(nonce=event.nonce, of=event.of, canary_came_back=event.canary == canary)
                if (event.nonce, event.n, event.of) == (fetch["nonce"], len(events), fetch["of"]):
                    at = {"n": event.n, "sent_ms": event.sent_ms, "arrived_ms": round(piece.at_ms, 1)}
                    events.append(at)
                else:
                    reader.foreign += 1
            fetch.update(foreign_events=reader.foreign, readable_bytes=reader.readable_bytes)
            over = (
                bool(events) and len(events) == fetch["of"] and piece.at_ms > events[-1]["arrived_ms"] + 2 * self.gap_ms
            )
            if over or len(events) > self.events + 1:
                return
            if piece.at_ms > longest_ms:
                raise UnreadableError("endless")
