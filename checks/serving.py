"""Serve an ASGI app from a thread on a unix socket, while a block runs."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn


@contextmanager
def serve(app: Any, *, uds: str) -> Iterator[None]:
    """Serve ``app`` on the unix socket ``uds`` until the block ends; connections are accepted from its start."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(uds)
    listener.listen(64)
    config = uvicorn.Config(
        app, loop="asyncio", ws="none", lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="proof", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listener.close()
