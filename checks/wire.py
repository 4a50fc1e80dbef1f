"""The sockets under the outgoing client: names resolved once, every address vetted, every wait bounded."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import httpcore

from checks.failures import say, system_reason
from readiness.rules.networks import AllowedNetwork, is_allowed, refusal

_OTHER_NAME = (62, 64)
"""X509_V_ERR_HOSTNAME_MISMATCH and X509_V_ERR_IP_ADDRESS_MISMATCH of OpenSSL."""

CONNECT_S = 5.0
"""Longest wait for a connection, over all addresses of a name, and again for the TLS handshake."""
IDLE_S = 15.0
"""Longest silence of a name server or a server."""
MAX_HEAD_BYTES = 64 * 1024
"""A response's headers, interim responses included, end within this many bytes."""

Resolve = Callable[[str, int, int, int], Sequence[tuple[Any, ...]]]
"""``socket.getaddrinfo`` or a stand-in, called with host, port, 0 (any family) and ``SOCK_STREAM``."""


class RequestFailed(Exception):
    """A request that gave no usable answer: a code and one sentence for people. It holds no request and no secret.

    Codes: ``bad-url``, ``bad-header``, ``name-not-found``, ``refused-address``, ``connect``, ``tls``, ``timeout``,
    ``too-large``, ``protocol``, ``redirect``, ``not-a-key-host``, ``plain-http``, ``undecodable``.
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(code, sentence)
        self.code = code
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class Deadline:
    """An instant on the monotonic clock that no wait outlives."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends_at = time.monotonic() + seconds

    def wait(self, longest_s: float) -> float:
        """Return how long the next wait may be, above zero; ``RequestFailed`` (timeout) when no time is left."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise self.passed()
        return min(left, longest_s)

    def passed(self) -> RequestFailed:
        """Return the failure of a request that ran out of time."""
        return RequestFailed("timeout", say("request.deadline", seconds=f"{self.seconds:g}"))

    def after_wait(self, otherwise: RequestFailed) -> RequestFailed:
        """Return the failure for a wait that ended without result: the deadline's if it passed, else the given one."""
        return self.passed() if time.monotonic() >= self._ends_at else otherwise


@dataclass(slots=True)
class Meter:
    """What one connection has taken, and when: bytes it may still read, first byte sent, last bytes received."""

    budget: int = MAX_HEAD_BYTES
    reading: str = "headers"
    limit: int = MAX_HEAD_BYTES
    sent_at: float = 0.0
    received_at: float = 0.0

    def start_body(self, max_bytes: int) -> None:
        """Bound what comes after the headers: eight bytes for each body byte, so that one-byte chunks still fit."""
        self.budget, self.reading, self.limit = 8 * max_bytes + MAX_HEAD_BYTES, "body", max_bytes

    def too_large(self) -> RequestFailed:
        """Return the failure of a response that is larger than its limit."""
        return RequestFailed("too-large", say(f"request.{self.reading}-too-large", limit=self.limit))


class BoundedStream(httpcore.NetworkStream):
    """One socket on which each wait ends with the deadline, however slowly bytes drip."""

    def __init__(self, sock: socket.socket, peer: str, deadline: Deadline, meter: Meter) -> None:
        self._sock = sock
        self._peer = peer
        self._deadline = deadline
        self._meter = meter

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - httpcore's signature
        """Return what has arrived, empty at the end; ``timeout`` is ignored, the deadline and ``IDLE_S`` hold."""
        if self._meter.budget <= 0:
            raise self._meter.too_large()
        self._sock.settimeout(self._deadline.wait(IDLE_S))
        try:
            data = self._sock.recv(min(max_bytes, self._meter.budget))
        except TimeoutError:
            silent = RequestFailed("timeout", say("request.silent", peer=self._peer, seconds=f"{IDLE_S:g}"))
            failure = self._deadline.after_wait(silent)
        except OSError:
            failure = RequestFailed("protocol", say("request.broken-off", peer=self._peer))
        else:
            self._meter.received_at = time.monotonic()
            self._meter.budget -= len(data)
            return data
        raise failure

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002 - httpcore's signature
        """Send everything; ``timeout`` is ignored, the deadline and ``IDLE_S`` hold."""
        self._meter.sent_at = self._meter.sent_at or time.monotonic()
        rest = memoryview(buffer)
        while rest:
            self._sock.settimeout(self._deadline.wait(IDLE_S))
            try:
                rest = rest[self._sock.send(rest) :]
            except TimeoutError:
                stuck = RequestFailed("timeout", say("request.stuck", peer=self._peer, seconds=f"{IDLE_S:g}"))
                failure: Exception = self._deadline.after_wait(stuck)
            except OSError:
                failure = httpcore.WriteError()  # httpcore goes on to read: a server may answer before it hangs up.
            else:
                continue
            raise failure

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
    ) -> httpcore.NetworkStream:
        """Shake hands with the name that was asked for; the certificate is verified against it."""
        try:
            self._sock.settimeout(self._deadline.wait(CONNECT_S))
            sock = ssl_context.wrap_socket(self._sock, server_hostname=server_hostname)
        except RequestFailed as passed:
            failure = RequestFailed(passed.code, passed.sentence)
        except TimeoutError:
            slow = RequestFailed("timeout", say("request.slow-tls", peer=self._peer, seconds=f"{CONNECT_S:g}"))
            failure = self._deadline.after_wait(slow)
        except ssl.SSLCertVerificationError as error:
            other = error.verify_code in _OTHER_NAME and server_hostname is not None
            why = say("request.other-name", name=server_hostname) if other else system_reason(error.verify_message)
            failure = RequestFailed("tls", say("request.certificate", peer=self._peer, reason=why))
        except ssl.SSLError as error:
            why = system_reason(error.reason or "EOF")
            failure = RequestFailed("tls", say("request.bad-tls", peer=self._peer, reason=why))
        except OSError:
            failure = RequestFailed("tls", say("request.broken-tls", peer=self._peer))
        else:
            return BoundedStream(sock, self._peer, self._deadline, self._meter)
        self._sock.close()
        raise failure

    def get_extra_info(self, info: str) -> Any:
        """Return what httpcore asks for: the TLS object, to learn the protocol agreed on."""
        return self._sock if info == "ssl_object" and isinstance(self._sock, ssl.SSLSocket) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class VettedBackend(httpcore.NetworkBackend):
    """Connects by name to vetted addresses only; one refused address refuses the name.

    ``in_the_clear`` says that a secret goes over this connection without TLS: then every address must lie in an
    allowed network. ``unix_socket`` takes the place of the network, and nothing is resolved.
    """

    allowed: Sequence[AllowedNetwork]
    resolve: Resolve
    deadline: Deadline
    meter: Meter
    in_the_clear: bool = False
    unix_socket: str = ""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - httpcore's signature
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Resolve once, vet every address, then connect to the first that answers; the other arguments are ignored."""
        targets: list[tuple[int, Any]]
        if self.unix_socket:
            targets = [(socket.AF_UNIX, self.unix_socket)]
        else:
            targets = [
                (socket.AF_INET6 if ":" in address else socket.AF_INET, (address, port))
                for address in self._vetted(host, port)
            ]
        peer = f"{host}:{port}"
        return BoundedStream(self._connected(targets, peer), peer, self.deadline, self.meter)

    def _vetted(self, host: str, port: int) -> list[str]:
        addresses = list(dict.fromkeys(str(answer[4][0]) for answer in self._looked_up(host, port)))
        if not addresses:
            raise RequestFailed("name-not-found", say("request.no-address", host=host))
        for address in addresses:
            reason = refusal(address, port, self.allowed)
            if reason is not None:
                raise RequestFailed("refused-address", say("request.refused-address", host=host, reason=reason))
        if self.in_the_clear and not all(is_allowed(address, port, self.allowed) for address in addresses):
            raise RequestFailed("plain-http", say("request.plain-http", host=host))
        return addresses

    def _looked_up(self, host: str, port: int) -> Sequence[tuple[Any, ...]]:
        """Look a name up in a thread of its own, since a lookup cannot be given a time limit."""
        results: queue.SimpleQueue[Sequence[tuple[Any, ...]] | Exception] = queue.SimpleQueue()

        def look() -> None:
            try:
                results.put(self.resolve(host, port, 0, socket.SOCK_STREAM))
            except Exception as error:  # noqa: BLE001 - handed to the thread that waits
                results.put(error)

        wait = self.deadline.wait(IDLE_S)
        threading.Thread(target=look, name="name-lookup", daemon=True).start()
        try:
            result = results.get(timeout=wait)
        except queue.Empty:
            slow = RequestFailed("timeout", say("request.slow-name", host=host, seconds=f"{wait:g}"))
            result = self.deadline.after_wait(slow)
        if isinstance(result, OSError | UnicodeError):
            raise RequestFailed("name-not-found", say("request.no-such-name", host=host))
        if isinstance(result, Exception):
            raise result
        return result

    def _connected(self, targets: list[tuple[int, Any]], peer: str) -> socket.socket:
        ends_at = time.monotonic() + CONNECT_S
        reason: str = say("request.in-time", seconds=f"{CONNECT_S:g}")
        for family, target in targets:
            wait = self.deadline.wait(CONNECT_S)
            left = ends_at - time.monotonic()
            if left <= 0:
                break
            sock = socket.socket(family, socket.SOCK_STREAM)
            try:
                sock.settimeout(min(wait, left))
                sock.connect(target)
                if family != socket.AF_UNIX:
                    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except TimeoutError:
                sock.close()
                reason = say("request.in-time", seconds=f"{CONNECT_S:g}")
            except OSError as error:
                sock.close()
                reason = system_reason(error.strerror or type(error).__name__)
            else:
                return sock
        raise self.deadline.after_wait(RequestFailed("connect", say("request.no-connection", peer=peer, reason=reason)))
