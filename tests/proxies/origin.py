"""The server behind the proxies: a process that serves the routes with chunked and with close-delimited bodies.

Run as a module it listens on two loopback ports, prints them, and ends when its standard input does.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from checks.probes.canary import ASGIApp, Message
from tests.proxies.routes import answering, routes

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Origin:
    """Where the routes are: ``chunked`` answers HTTP/1.1 in chunks, ``closing`` ends each body with its connection."""

    chunked: int
    closing: int


@contextmanager
def origin() -> Iterator[Origin]:
    """Run the origin in a process of its own, so that it does not share an interpreter lock with its readers."""
    argv = [sys.executable, "-m", "tests.proxies.origin"]
    with subprocess.Popen(argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            chunked, closing = process.stdout.readline().split()
            yield Origin(int(chunked), int(closing))
        finally:
            process.stdin.close()
            process.wait(5)


async def _serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, apps: dict[str, ASGIApp], chunked: bool
) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        method, target, version = head.partition("\r\n")[0].split(" ")
        path, _, query = target.partition("?")
        scope = {"type": "http", "method": method, "path": path, "query_string": query.encode(), "headers": []}
        chunked = chunked and version == "HTTP/1.1"

        async def receive() -> Message:
            while await reader.read(1024):
                pass
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            writer.write(
                _head(message, chunked) if message["type"] == "http.response.start" else _body(message, chunked)
            )
            await writer.drain()

        await apps.get(path.split("/")[1], answering(404))(scope, receive, send)
    writer.close()


def _head(message: Message, chunked: bool) -> bytes:
    lines = [b"HTTP/1.1 %d Said" % message["status"], *(b": ".join(pair) for pair in message["headers"])]
    framing = [b"transfer-encoding: chunked"] if chunked else []
    return b"\r\n".join([*lines, *framing, b"connection: close", b"", b""])


def _body(message: Message, chunked: bool) -> bytes:
    data: bytes = message.get("body", b"")
    if not chunked:
        return data
    last = b"" if message.get("more_body") else b"0\r\n\r\n"
    return (b"%x\r\n%s\r\n" % (len(data), data) if data else b"") + last


async def _main() -> None:
    apps = routes()
    ports = []
    for chunked in (True, False):

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, chunked: bool = chunked) -> None:
            await _serve(reader, writer, apps, chunked)

        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1024)
        ports.append(server.sockets[0].getsockname()[1])
    sys.stdout.write(f"{ports[0]} {ports[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    os._exit(0)  # Streams that are still being sent end with the process.


if __name__ == "__main__":
    asyncio.run(_main())
