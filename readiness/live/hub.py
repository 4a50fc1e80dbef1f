"""The hub: it follows the ledger once for all streams of a web process, and only while there are any.

A stream is no queue but a place in the ledger: what it has not had yet is taken from the ring, else from the database,
so a reader who is slow costs no memory. Everything here belongs to one event loop; the database is asked in other
threads, each of which gives its connection back at once.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from itertools import takewhile
from typing import TypeVar
from weakref import WeakKeyDictionary, WeakSet

import structlog
from django.db import Error, connections
from django.utils import timezone

from readiness.rules.following import BEAT, Moved, opening, reload
from readiness.selectors.following import moved_after, newest_event
from readiness.sessions import still_good

from . import waking

log = structlog.get_logger(__name__)

T = TypeVar("T")

RING = 1000
"""So many events are kept for those who come back."""

TOO_FAR = 1000
"""Whoever missed more than this is told to ask for everything."""

LOOK_EVERY_S = 0.25
"""Where nothing tells that something was written."""

LOOK_ANYWAY_EVERY_S = 5.0
"""Where something does: it may have been lost on its way."""

BEAT_EVERY_S = 15.0
SESSIONS_EVERY_S = 30.0
LINGERS_S = 10.0
"""How long it goes on without a stream: whoever reads alone leaves and comes back with every page."""


@dataclass(eq=False, slots=True, weakref_slot=True)
class Seat:
    """One stream that is open or about to be, whose it is, and the session that it was asked for with."""

    session: str
    person: int
    good: bool = True


class Hub:
    """Follows the ledger for the streams of one event loop."""

    def __init__(self) -> None:
        self._seats: WeakSet[Seat] = WeakSet()
        self._ring: deque[tuple[int, str]] = deque()
        self._floor = self._newest = 0
        self._moved, self._poked = asyncio.Event(), asyncio.Event()
        self._beginning = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._listens = False

    @property
    def open(self) -> int:
        """How many streams are open or about to be."""
        return len(self._seats)

    def open_of(self, person: int) -> int:
        """How many of them are a person's."""
        return sum(1 for seat in self._seats if seat.person == person)

    def seat(self, session: str, person: int) -> Seat:
        """Take a seat. It is free again when its stream ends, and where nobody holds it any more: none ever began."""
        taken = Seat(session, person)
        self._seats.add(taken)
        return taken

    async def follow(self, seat: Seat, last: int | None) -> AsyncIterator[str]:
        """Yield the stream of a seat: everything after ``last`` (from now on where it is None), each once and in order.

        It ends where the session does. Whoever knows events that are not there (the ledger was restored from a backup)
        and whoever is too far behind gets one message that stands for everything.
        """
        try:
            await self._begin()
            if last is not None and last > self._newest:
                await self._catch_up()
            if last is not None and last > self._newest:
                yield reload(self._newest)
            last = self._newest if last is None else min(last, self._newest)
            yield opening(last)
            while seat.good:
                moved = self._moved  # Taken before looking: what comes meanwhile is not slept through.
                if last < self._newest:
                    text, last = await self._after(last)
                    yield text
                    continue
                try:
                    await asyncio.wait_for(moved.wait(), BEAT_EVERY_S)
                except TimeoutError:
                    yield BEAT
                    await self._begin()  # Should it ever have ended, it goes on from where this stream is.
        finally:
            self._seats.discard(seat)

    async def _after(self, last: int) -> tuple[str, int]:
        """Return the messages after an event, and the event of the last of them."""
        if last >= self._floor:
            newer = takewhile(lambda kept: kept[0] > last, reversed(self._ring))  # What is new is at the end.
            found = list(newer)[::-1]
        else:
            found = [_kept(moved) for moved in await _ask(lambda: moved_after(last, TOO_FAR + 1))]
        if not found or len(found) > TOO_FAR:
            return reload(self._newest), self._newest
        return "".join(text for _, text in found), found[-1][0]

    async def _begin(self) -> None:
        """Start to follow, if nobody has: at the newest event, which is known before anything else happens."""
        async with self._beginning:
            if self._task is None:
                self._ring.clear()
                self._floor = self._newest = await _ask(newest_event)
                self._task = asyncio.create_task(self._run(), name="live hub")

    async def _run(self) -> None:
        """Follow until nobody has looked for a while."""
        listener = asyncio.create_task(waking.listen(self._poked.set, self._listening)) if waking.can_listen() else None
        clock = asyncio.get_running_loop().time
        looked_at, seen_at = clock(), clock()
        try:
            while self._seats or clock() < seen_at + LINGERS_S:
                seen_at = clock() if self._seats else seen_at
                with suppress(TimeoutError):
                    wait = LOOK_ANYWAY_EVERY_S if self._listens else LOOK_EVERY_S
                    await asyncio.wait_for(self._poked.wait(), wait)
                self._poked.clear()
                try:
                    await self._catch_up()
                    if clock() >= looked_at + SESSIONS_EVERY_S:
                        looked_at = clock()
                        await self._end_sessions()
                except Error as error:
                    log.warning("live.database", error=type(error).__name__)
                    await asyncio.sleep(1)
        finally:
            self._task = None  # Whoever comes from here on begins anew.
            if listener is not None:
                listener.cancel()
                await asyncio.wait([listener])

    def _listening(self, hears: bool) -> None:
        self._listens = hears
        self._poked.set()

    async def _catch_up(self) -> None:
        """Read what was written since, and wake every stream."""
        while found := await _ask(lambda: moved_after(self._newest, RING)):
            # Two may look at the same time, so some may be known already. A message is written once for all streams.
            self._ring.extend(_kept(moved) for moved in found if moved.id > self._newest)
            while len(self._ring) > RING:
                self._floor = self._ring.popleft()[0]
            self._newest = max(self._newest, found[-1].id)
            self._wake()
            if len(found) < RING:
                break

    async def _end_sessions(self) -> None:
        """End the streams whose sessions ended: signed out, expired, password changed, person made inactive."""
        asked = {seat.session for seat in self._seats}
        good = await _ask(lambda: still_good(asked, timezone.now())) if asked else set()
        for seat in self._seats:
            seat.good = seat.good and (seat.session in good or seat.session not in asked)
        if not all(seat.good for seat in self._seats):
            self._wake()

    def _wake(self) -> None:
        before, self._moved = self._moved, asyncio.Event()
        before.set()


def _kept(moved: Moved) -> tuple[int, str]:
    return moved.id, moved.message


async def _ask(question: Callable[[], T]) -> T:
    """Ask the database in a thread that gives its connection back."""

    def asked() -> T:
        try:
            return question()
        finally:
            connections.close_all()

    return await asyncio.to_thread(asked)


hubs: WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = WeakKeyDictionary()


def hub() -> Hub:
    """Return the hub of the running event loop: one a web process."""
    loop = asyncio.get_running_loop()
    if loop not in hubs:
        hubs[loop] = Hub()
    return hubs[loop]
