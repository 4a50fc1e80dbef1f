"""The part of the stand-in that changes while it runs: settings, faults and the journal."""

import hashlib
import hmac
import secrets
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from checks.standin.settings import Asked, Fault, FaultPlan, JournalLine, StandInSettings

JOURNAL_LINES = 10_000
"""How many lines the journal keeps; older ones are dropped."""


def utc_now() -> datetime:
    """Return this instant, aware, in UTC."""
    return datetime.now(tz=UTC)


class StandInState:
    """What a process that embeds the stand-in holds on to: every method may be called from any thread, at any time.

    Keys are held as they are, because they are compared; the journal has only a hash of them, keyed with a secret that
    is made anew for each state.
    """

    def __init__(self, settings: StandInSettings | None = None, *, now: Callable[[], datetime] = utc_now) -> None:
        """Start with ``settings``, no fault and an empty journal; ``now`` returns an aware instant."""
        self._lock = threading.Lock()
        self._settings = settings or StandInSettings()
        self._script: list[Fault] = []
        self._plan: FaultPlan | None = None
        self._journal: deque[JournalLine] = deque(maxlen=JOURNAL_LINES)
        self._pepper = secrets.token_bytes(32)
        self.now = now

    @property
    def settings(self) -> StandInSettings:
        """Return the settings of this instant; they never change under the reader."""
        with self._lock:
            return self._settings

    def change(self, **changes: Any) -> None:
        """Replace fields of the settings; raises ``TypeError`` for a field that is none, ``ValueError`` for a value."""
        with self._lock:
            self._settings = replace(self._settings, **changes)

    def reset(self, settings: StandInSettings) -> None:
        """Begin anew with ``settings``, no fault and an empty journal."""
        with self._lock:
            self._settings = settings
            self._script.clear()
            self._plan = None
            self._journal.clear()

    def accept(self, key: str) -> None:
        """Let a key in, with balance, also when it was revoked before."""
        with self._lock:
            self._settings = replace(
                self._settings,
                accepted_keys=self._settings.accepted_keys | {key},
                revoked_keys=self._settings.revoked_keys - {key},
                keys_without_balance=self._settings.keys_without_balance - {key},
            )

    def revoke(self, key: str) -> None:
        """Answer 401 to a key from the next request on."""
        with self._lock:
            self._settings = replace(self._settings, revoked_keys=self._settings.revoked_keys | {key})

    def empty_balance(self, key: str) -> None:
        """Answer 402 to a key from the next request on; ``accept`` tops it up."""
        with self._lock:
            keys = self._settings.keys_without_balance | {key}
            self._settings = replace(self._settings, keys_without_balance=keys)

    def fail(self, fault: Fault) -> None:
        """Add a fault to the script; of those that match a request the oldest that is not used up is answered."""
        with self._lock:
            self._script.append(fault)

    def fail_by(self, plan: FaultPlan) -> None:
        """Ask ``plan`` about each request, before the script; where it returns ``None`` the script decides."""
        with self._lock:
            self._plan = plan

    def recover(self) -> None:
        """Forget every fault and the plan."""
        with self._lock:
            self._script.clear()
            self._plan = None

    def take_fault(self, asked: Asked) -> Fault | None:
        """Return the fault for a request and count it as used, or ``None``."""
        with self._lock:
            plan = self._plan
        if plan is not None and (planned := plan(asked)) is not None:
            return planned
        with self._lock:
            for place, fault in enumerate(self._script):
                if fault.matches(asked):
                    self._use(place, fault)
                    return fault
        return None

    def _use(self, place: int, fault: Fault) -> None:
        if fault.requests is None:
            return
        if fault.requests == 1:
            del self._script[place]
        else:
            self._script[place] = replace(fault, requests=fault.requests - 1)

    def mark_of(self, key: str) -> str:
        """Return the hash under which a key stands in this state's journal (HMAC-SHA-256, hex); empty for no key."""
        return hmac.new(self._pepper, key.encode(), hashlib.sha256).hexdigest() if key else ""

    def note(self, asked: Asked, status: int) -> None:
        """Write a request into the journal, at the moment its status is known and before it is sent."""
        line = JournalLine(
            at=self.now(), method=asked.method, path=asked.path, status=status, key_mark=self.mark_of(asked.key)
        )
        with self._lock:
            self._journal.append(line)

    def journal(self) -> tuple[JournalLine, ...]:
        """Return the journal, oldest line first."""
        with self._lock:
            return tuple(self._journal)

    def clear_journal(self) -> None:
        """Forget every line of the journal."""
        with self._lock:
            self._journal.clear()
