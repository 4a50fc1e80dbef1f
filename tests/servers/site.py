"""The product's ASGI application behind uvicorn, in a thread of the tests, over the test database."""

import asyncio
import socket
import threading

import uvicorn
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.db import connections

from readiness.live.hub import Hub, hubs
from tests.servers.waiting import eventually

STARTS_WITHIN_S = 120.0


class LiveSite:
    """One site on a free loopback port. Its requests run in threads, so its tests need ``transactional_db``."""

    def __init__(self) -> None:
        from config.asgi import application

        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(
            ASGIStaticFilesHandler(application),  # type: ignore[arg-type]
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def start(self) -> None:
        """Return once it accepts requests."""
        self._thread.start()
        eventually(lambda: self._server.started or not self._thread.is_alive(), STARTS_WITHIN_S, what="the site is up")

    def streams(self) -> int:
        """Return how many streams pages follow."""
        return sum(hub.open for _loop, hub in _hubs_here())

    def cut_streams(self) -> None:
        """End every stream, as a proxy that is restarted does."""
        for loop, hub in _hubs_here():
            for seat in list(hub._seats):
                seat.good = False
            loop.call_soon_threadsafe(hub._wake)

    def stop(self) -> None:
        """Let open requests end, then close."""
        self._server.should_exit = True
        self._thread.join(STARTS_WITHIN_S)
        self._socket.close()
        connections.close_all()


def _hubs_here() -> list[tuple[asyncio.AbstractEventLoop, Hub]]:
    return [(loop, hub) for loop, hub in list(hubs.items()) if not loop.is_closed()]
