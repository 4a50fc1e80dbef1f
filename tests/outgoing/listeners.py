"""Real local servers for the outgoing client to call, and short ways to call them."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from checks.http import Answer, ClientPolicy, ProbeClient, RequestFailed
from readiness.rules.networks import parse_allowed

Handler = Callable[[socket.socket, str], None]
Listen = Callable[..., "Listener"]
Trusting = Callable[..., ProbeClient]
CANARY = "qbt_canary_7f3a9c51e0d84b62"


def respond(body: bytes = b"hello", status: str = "200 OK", headers: str = "") -> Handler:
    head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n".encode()
    return lambda sock, request: sock.sendall(head + body)


def raw(answer: bytes) -> Handler:
    return lambda sock, request: sock.sendall(answer)


def redirect(location: str) -> Handler:
    return respond(b"", "302 Found", f"Location: {location}\r\n")


class Listener:
    """A real server that keeps every connection it saw as the text of its request, empty where none came."""

    def __init__(self, sock: socket.socket, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self._sock = sock
        self._tls = tls
        self.handler = handler
        self.requests: list[str] = []
        self.served = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self._sock.getsockname()[1])

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock, self._place()), daemon=True).start()

    def _place(self) -> int:
        self.requests.append("")
        return len(self.requests) - 1

    def _serve(self, sock: socket.socket, place: int) -> None:
        try:
            if self._tls:
                sock = self._tls.wrap_socket(sock, server_side=True)
            with sock:
                data = b""
                while b"\r\n\r\n" not in data and (more := sock.recv(65536)):
                    data += more
                self.requests[place] = data.decode()
                if data:
                    self.handler(sock, self.requests[place])
        except OSError:
            pass
        finally:
            self.served.release()

    def saw_no_connection(self) -> bool:
        """Connections are kept in the order of their coming: when ours is the only one, there was none before."""
        family, address = self._sock.family, self._sock.getsockname()
        with socket.socket(family, socket.SOCK_STREAM) as mark, suppress(ConnectionError):
            mark.settimeout(60)
            mark.connect(address)
            mark.sendall(b"mark\r\n\r\n")
            while mark.recv(65536):
                pass
        return len(self.requests) == 1

    def close(self) -> None:
        with suppress(OSError):
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()


def policy(*allowed: str, **more: Any) -> ClientPolicy:
    return ClientPolicy(allowed_networks=tuple(parse_allowed(entry) for entry in allowed), **more)


def answers(*addresses: str) -> Callable[..., list[tuple[Any, ...]]]:
    """A resolver that gives the same addresses for every name."""

    def resolve(host: str, port: int, *rest: int) -> list[tuple[Any, ...]]:
        return [(0, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    return resolve


def get(listener: Listener, path: str = "/", *, deadline_s: float = 60, **more: Any) -> Answer:
    client = ProbeClient(policy(f"127.0.0.1:{listener.port}"), deadline_s=deadline_s)
    return client.get(f"http://127.0.0.1:{listener.port}{path}", **more)


@contextmanager
def fails(code: str) -> Iterator[list[RequestFailed]]:
    caught: list[RequestFailed] = []
    with pytest.raises(RequestFailed) as raised:
        yield caught
    caught.append(raised.value)
    assert raised.value.code == code
    assert raised.value.__context__ is None
    assert raised.value.__cause__ is None


def drip(start: bytes, drop: bytes) -> Handler:
    """Send a byte or two every 50 ms, for longer than any deadline here: each read succeeds, the whole never ends."""

    def handler(sock: socket.socket, request: str) -> None:
        sock.sendall(start)
        while True:
            sock.sendall(drop)
            threading.Event().wait(0.05)

    return handler


def a_bug(host: str, port: int, *rest: int) -> Sequence[tuple[Any, ...]]:
    raise KeyError(CANARY)
