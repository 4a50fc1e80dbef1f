"""Serve an ASGI app from a thread, on loopback or on a unix socket, while a block runs."""

import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

GRACE_S = 1
"""How long ``stop`` lets running streams go on before it cuts them."""


class _SilentProtocol(HttpToolsProtocol):
    """Logs no request, without touching the logger that another server in this process may use."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.access_log = False


class Served:
    """A running app, as a context manager: inside, ``origin`` is its address without a slash at the end.

    It listens on ``host`` and ``port`` (0 takes a free one), or on the unix socket ``uds``, which must not exist yet
    and is removed at the end; its ``origin`` then names ``localhost`` and is of use only to clients that dial the
    socket. ``app`` may be replaced before it is entered. Connections are accepted as soon as ``__enter__`` returns; it
    raises ``OSError`` where the address cannot be had.
    """

    def __init__(self, app: Any, *, host: str = "127.0.0.1", port: int = 0, uds: str | Path = "") -> None:
        """Prepare; nothing listens yet."""
        self.app = app
        self._host, self._port, self._uds = host, port, uds
        self.origin = ""

    def __enter__(self) -> Self:
        """Listen and serve."""
        listener = self._listen()
        config = uvicorn.Config(
            self.app,
            http=_SilentProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_S,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="served", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop, wait for the end, and remove the unix socket."""
        self.stop()
        self.wait()
        if self._uds:
            Path(self._uds).unlink(missing_ok=True)

    def stop(self) -> None:
        """Ask the server to end; safe in a signal handler. ``wait`` returns when it has."""
        self._server.should_exit = True

    def wait(self) -> None:
        """Wait until the server has ended."""
        self._thread.join()

    def _listen(self) -> socket.socket:
        if self._uds:
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                listener.bind(str(self._uds))
                Path(self._uds).chmod(0o600)
                listener.listen(128)
            except OSError:
                listener.close()
                raise
            self.origin = "http://localhost"
            return listener
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=128)
        # Connections inherit it. asyncio sets it only where a socket names its protocol, and this one does not;
        # without it each answer, and each token of a stream, waits some 40 ms for the reader's delayed acknowledgement.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        host = f"[{self._host}]" if family == socket.AF_INET6 else self._host
        self.origin = f"http://{host}:{listener.getsockname()[1]}"
        return listener
