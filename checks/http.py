"""The one door out: every request that a probe makes goes through ``ProbeClient``."""

import json
import re
import ssl
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from socket import getaddrinfo
from typing import Any, Self, TypeVar

import httpcore
import httpx

from checks.bodies import decoded
from checks.failures import say
from checks.keys import Secret
from checks.locations import checked_url, is_key_host, peer_of, port_of, redirected
from checks.wire import Deadline, Meter, RequestFailed, Resolve, VettedBackend
from readiness.rules.networks import AllowedNetwork

__all__ = ["Answer", "ClientPolicy", "Piece", "ProbeClient", "RequestFailed", "StreamAnswer"]

MAX_BODY_BYTES = 512 * 1024
MAX_REDIRECTS = 3

T = TypeVar("T")
Headers = list[tuple[bytes, bytes]]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110, 5.6.2
_VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?)?")
_OURS = frozenset({"host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade"})
_KEPT_AT_HOME = frozenset({b"authorization", b"proxy-authorization", b"cookie"})


@dataclass(frozen=True, slots=True)
class ClientPolicy:
    """What the operator allows: networks beyond the public ones, hosts that may be sent a key, and more trust.

    ``key_hosts`` are ``host`` (port 443) or ``host:port``. ``ca_file`` is trusted beside the public certificate
    authorities.
    """

    allowed_networks: tuple[AllowedNetwork, ...] = ()
    key_hosts: tuple[str, ...] = ()
    user_agent: str = "Readiness-probe/1"
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response: ``body`` is decompressed, ``url`` is where the last redirect led, ``elapsed_ms`` covers all."""

    status: int
    headers: httpx.Headers = field(repr=False)
    body: bytes = field(repr=False)
    elapsed_ms: float
    url: str

    def json(self) -> Any:
        """Return the body read as JSON; ``RequestFailed`` (undecodable) where it is not JSON."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            not_json = RequestFailed("undecodable", say("request.not-json"))
        raise not_json


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes of a body as they came, still compressed, and when: milliseconds since the request was sent."""

    at_ms: float
    data: bytes


@dataclass(frozen=True, slots=True)
class _Failure:
    """What went wrong, out of reach of the frames in which it did: those may hold a secret."""

    code: str
    sentence: str

    def error(self) -> Exception:
        return RequestFailed(self.code, self.sentence) if self.code else RuntimeError(self.sentence)


class _Exchange:
    """One request on one connection of its own, from its headers to its close."""

    def __init__(self, connection: httpcore.HTTPConnection, response: httpcore.Response, meter: Meter) -> None:
        self._connection = connection
        self._response = response
        self.meter = meter
        self.status = response.status
        self.headers = httpx.Headers(response.headers)

    def chunks(self, max_bytes: int) -> Iterator[bytes]:
        """Give the body as it comes, without its chunked framing; ``too-large`` once it is past ``max_bytes``."""
        self.meter.start_body(max_bytes)
        received = 0
        for chunk in self._response.iter_stream():
            received += len(chunk)
            if received > max_bytes:
                raise self.meter.too_large()
            yield chunk

    def close(self) -> None:
        self._connection.close()


class StreamAnswer:
    """A response whose headers are here and whose body is still coming; use it inside its ``with`` block only."""

    def __init__(self, exchange: _Exchange, max_bytes: int) -> None:
        self._exchange = exchange
        self._chunks = exchange.chunks(max_bytes)
        self.status = exchange.status
        self.headers = exchange.headers
        self.header_ms = self._now_ms()

    def pieces(self) -> Iterator[Piece]:
        """Give each piece with the time at which the socket gave it up; pieces of one read share one time.

        Read on at once: what waits for a slow reader is stamped late. Raises ``RequestFailed`` after the last good
        piece when the stream breaks off, stalls, outlives the deadline or passes its cap.
        """
        while True:
            chunk = _attempt(lambda: next(self._chunks, None), hide_bugs=False)
            if isinstance(chunk, _Failure):
                raise chunk.error()
            if chunk is None:
                return
            yield Piece(self._now_ms(), chunk)

    def _now_ms(self) -> float:
        return (self._exchange.meter.received_at - self._exchange.meter.sent_at) * 1000


class ProbeClient:
    """Makes GET requests to addresses that were vetted, within one deadline that starts when the client is made.

    Each request resolves its host once and has a connection of its own: no cookies, no proxies or other settings from
    the environment, no retries, HTTP/1.1 only. With ``unix_socket`` every connection goes to that path instead of the
    network and nothing is resolved.
    """

    def __init__(
        self, policy: ClientPolicy, *, deadline_s: float, resolve: Resolve = getaddrinfo, unix_socket: str = ""
    ) -> None:
        self._policy = policy
        self._deadline = Deadline(deadline_s)
        self._resolve = resolve
        self._unix_socket = unix_socket

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        """Nothing is kept open between requests."""

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] = {},
        secret_headers: Mapping[str, Secret] = {},
        max_bytes: int = MAX_BODY_BYTES,
        follow_redirects: int = MAX_REDIRECTS,
    ) -> Answer:
        """Return the whole answer, whatever its status; every failure is a ``RequestFailed``.

        Follows at most three redirects, never from https to http. With ``secret_headers`` none is followed, the host
        must be one of the policy's ``key_hosts``, and plain http needs an allowed network: a 3xx is then the answer,
        as it is with ``follow_redirects=0``. ``max_bytes`` bounds the body before and after decompression.
        """

        def run() -> Answer:
            return self._get(url, headers, secret_headers, max_bytes, min(follow_redirects, MAX_REDIRECTS))

        outcome = _attempt(run, hide_bugs=bool(secret_headers))
        if isinstance(outcome, _Failure):
            raise outcome.error()
        return outcome

    @contextmanager
    def stream(
        self, url: str, *, headers: Mapping[str, str] = {}, max_bytes: int = MAX_BODY_BYTES
    ) -> Iterator[StreamAnswer]:
        """Give an answer whose body is read as it comes; redirects are not followed, and no secret can be sent."""
        outcome = _attempt(lambda: self._open(checked_url(url), self._headers(headers, {})), hide_bugs=False)
        if isinstance(outcome, _Failure):
            raise outcome.error()
        try:
            yield StreamAnswer(outcome, max_bytes)
        finally:
            outcome.close()

    def insist_on_key_host(self, url: str) -> None:
        """Raise ``RequestFailed`` (not-a-key-host, bad-url) where the operator lets no key be sent to this address."""
        at = checked_url(url)
        if not is_key_host(at, self._policy.key_hosts):
            raise RequestFailed("not-a-key-host", say("request.not-a-key-host", peer=peer_of(at)))

    def _get(
        self,
        url: str,
        headers: Mapping[str, str],
        secret_headers: Mapping[str, Secret],
        max_bytes: int,
        redirects_left: int,
    ) -> Answer:
        started = time.monotonic()
        at = checked_url(url)
        if secret_headers:
            self.insist_on_key_host(url)
            redirects_left = 0
        to_send = self._headers(headers, secret_headers)
        follows = redirects_left > 0
        while True:
            exchange = self._open(at, to_send, in_the_clear=bool(secret_headers) and at.scheme == "http")
            try:
                location = exchange.headers.get("location", "") if exchange.status in _REDIRECTS else ""
                if not (follows and location):
                    encoding = exchange.headers.get("content-encoding", "")
                    body = decoded(exchange.chunks(max_bytes), encoding, max_bytes=max_bytes)
                    elapsed_ms = (time.monotonic() - started) * 1000
                    return Answer(exchange.status, exchange.headers, body, elapsed_ms, str(at))
            finally:
                exchange.close()
            if redirects_left == 0:
                raise RequestFailed("redirect", say("request.too-many-redirects", peer=peer_of(at)))
            redirects_left -= 1
            target = redirected(at, location)
            if (target.scheme, peer_of(target)) != (at.scheme, peer_of(at)):
                to_send = [(name, value) for name, value in to_send if name.lower() not in _KEPT_AT_HOME]
            at = target

    def _open(self, url: httpx.URL, headers: Headers, *, in_the_clear: bool = False) -> _Exchange:
        meter = Meter()
        backend = VettedBackend(
            allowed=self._policy.allowed_networks,
            resolve=self._resolve,
            deadline=self._deadline,
            meter=meter,
            in_the_clear=in_the_clear,
            unix_socket=self._unix_socket,
        )
        scheme, host, port = url.scheme.encode(), url.raw_host, port_of(url)
        connection = httpcore.HTTPConnection(
            httpcore.Origin(scheme, host, port),
            ssl_context=self._trust if url.scheme == "https" else None,
            http2=False,
            retries=0,
            network_backend=backend,
        )
        target = httpcore.URL(scheme=scheme, host=host, port=port, target=url.raw_path)
        try:
            response = connection.handle_request(
                httpcore.Request("GET", target, headers=[(b"host", url.netloc), *headers])
            )
        except BaseException:
            connection.close()
            raise
        return _Exchange(connection, response, meter)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        context = httpx.create_ssl_context(trust_env=False)
        if self._policy.ca_file:
            context.load_verify_locations(self._policy.ca_file)
        return context

    def _headers(self, headers: Mapping[str, str], secret_headers: Mapping[str, Secret]) -> Headers:
        defaults = {"user-agent": self._policy.user_agent, "accept": "*/*", "accept-encoding": "identity"}
        given = {name.lower(): value for name, value in headers.items()}
        return _encoded(defaults | given | {name.lower(): key.reveal() for name, key in secret_headers.items()})


def _attempt(step: Callable[[], T], *, hide_bugs: bool) -> T | _Failure:
    """Run one step and turn what it raises into words, so that the caller raises from a frame without a secret.

    An error of ours passes through; with ``hide_bugs`` it is reduced to its type and place, since its frames may hold
    a secret.
    """
    try:
        return step()
    except RequestFailed as failed:
        return _Failure(failed.code, failed.sentence)
    except (httpcore.ProtocolError, httpcore.NetworkError):
        return _Failure("protocol", say("request.not-http"))
    except Exception as bug:
        if not hide_bugs:
            raise
        place = traceback.extract_tb(bug.__traceback__)[-1]
        return _Failure("", f"{type(bug).__name__} in {place.filename}, line {place.lineno}")


def _encoded(headers: Mapping[str, str]) -> Headers:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name in _OURS:
            raise RequestFailed("bad-header", say("request.bad-header", name=repr(name[:40])))
        if not _VALUE.fullmatch(value):
            raise RequestFailed("bad-header", say("request.bad-header-value", name=name))
    return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
