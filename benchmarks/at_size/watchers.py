"""Many readers of the live stream in one process of their own: ``python -m benchmarks.at_size.watchers``.

Standard input is JSON: where the site is, and for each reader its cookie and the sheet that it looks at. It prints one
line once all of them read, and at the end of its input what each was told and when, by the clock that all processes of
a machine share (CLOCK_MONOTONIC).
"""

import asyncio
import json
import sys
import time
from dataclasses import dataclass, field
from typing import Any

AT_ONCE = 20
"""So many open their streams at the same time."""
OPENED_WITHIN_S = 120.0


@dataclass(kw_only=True)
class Watcher:
    """One reader. ``told`` maps an event to when its message came; ``drawn`` to when what it moved had been fetched."""

    host: str
    port: int
    cookie: str
    service: str
    environment: str
    told: dict[int, float] = field(default_factory=dict)
    drawn: dict[int, float] = field(default_factory=dict)
    last: int = 0
    fetching: set[asyncio.Task[None]] = field(default_factory=set)

    async def follow(self, opened: asyncio.Future[None]) -> None:
        """Read the stream to its end. ``opened`` is told once it is open, or why it is not."""
        try:
            await self._follow(opened)
        except (OSError, RuntimeError) as error:
            if opened.done():
                raise
            opened.set_exception(error)

    async def _follow(self, opened: asyncio.Future[None]) -> None:
        reader, writer = await self._ask("/live/", "text/event-stream")
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"The stream was answered {status!r}.")
        number = 0
        while line := await reader.readline():
            if line.startswith(b"id: "):
                number = int(line[4:])
                if not opened.done():
                    self.last = number
                    opened.set_result(None)
            elif line.startswith(b"data: "):
                self._tell(number, json.loads(line[6:]))
        writer.close()

    def _tell(self, number: int, said: dict[str, Any]) -> None:
        self.told[number] = time.monotonic()
        if said["service"] == self.service:
            task = asyncio.create_task(self._draw(number, self.last))
            self.fetching.add(task)
            task.add_done_callback(self.fetching.discard)
        self.last = number

    async def _draw(self, number: int, since: int) -> None:
        address = f"/services/{self.service}/{self.environment}/live/?since={since}"
        reader, writer = await self._ask(address, "text/html", closing=True)
        answer = await reader.read()
        if answer.startswith(b"HTTP/1.1 200 "):
            self.drawn[number] = time.monotonic()
        writer.close()

    async def _ask(
        self, address: str, accept: str, *, closing: bool = False
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(self.host, self.port)
        lines = [f"GET {address} HTTP/1.1", f"Host: {self.host}:{self.port}", f"Cookie: {self.cookie}"]
        lines += [f"Accept: {accept}", "HX-Request: true"] + (["Connection: close"] if closing else [])
        writer.write("\r\n".join([*lines, "", ""]).encode())
        await writer.drain()
        return reader, writer


async def watch(asked: dict[str, Any]) -> list[Watcher]:
    """Open every stream, say so, and read until standard input ends."""
    loop = asyncio.get_running_loop()
    watchers = [Watcher(host=asked["host"], port=asked["port"], **one) for one in asked["watchers"]]
    following = []
    for start in range(0, len(watchers), AT_ONCE):
        opened = []
        for one in watchers[start : start + AT_ONCE]:
            opened.append(loop.create_future())
            following.append(asyncio.create_task(one.follow(opened[-1])))
        await asyncio.wait_for(asyncio.gather(*opened), OPENED_WITHIN_S)
    sys.stdout.write("reading\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    fetching = [task for one in watchers for task in one.fetching]
    for task in following:
        task.cancel()
    await asyncio.gather(*following, *fetching, return_exceptions=True)
    return watchers


def main() -> None:
    """Read, and print what was told and drawn."""
    watchers = asyncio.run(watch(json.loads(sys.stdin.readline())))
    json.dump([{"told": one.told, "drawn": one.drawn} for one in watchers], sys.stdout)


if __name__ == "__main__":
    main()
