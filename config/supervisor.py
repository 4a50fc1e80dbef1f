"""Run several processes as one: start them, restart what dies, stop them all together."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

STOP_WITHIN_S = 8.0
RESTART_AFTER_S = 0.5
RESTART_AT_MOST_AFTER_S = 10.0
LIVED_LONG_S = 30.0
LOG_KEPT_BYTES = 5 * 1024 * 1024

_PR_SET_PDEATHSIG = 1


@dataclass(slots=True)
class Child:
    """One process to keep running. ``command`` is its argument list; its output is appended to ``log``."""

    name: str
    command: Sequence[str]
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    died_in_a_row: int = 0
    again_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """Keeps children running until it is told to stop. ``say`` is called with a line when one had to be restarted."""

    environ: Mapping[str, str]
    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)

    def add(self, child: Child) -> None:
        """Start a child and keep it running."""
        self.children.append(child)
        self._start(child)

    def watch(self) -> None:
        """Restart what dies, until ``stopping`` is set; then stop everything."""
        try:
            while not self.stopping.wait(0.2):
                for child in self.children:
                    self._look_after(child)
        finally:
            self.stop()

    def stop(self) -> None:
        """Ask every child to end, wait, and kill what does not."""
        running = [child.process for child in self.children if child.process and child.process.poll() is None]
        for process in running:
            process.terminate()
        ends_at = time.monotonic() + STOP_WITHIN_S
        for process in running:
            try:
                process.wait(timeout=max(0.1, ends_at - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _look_after(self, child: Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.again_at:
                self._start(child)
            return
        code = child.process.poll()
        if code is None:
            return
        lived_long = now - child.started_at > LIVED_LONG_S
        child.died_in_a_row = 1 if lived_long else child.died_in_a_row + 1
        wait = min(RESTART_AT_MOST_AFTER_S, RESTART_AFTER_S * 2 ** (child.died_in_a_row - 1))
        child.process, child.again_at = None, now + wait
        self.say(f"The {child.name} ended ({_why(code)}); it starts again in {wait:.1f} s. See {child.log}.")

    def _start(self, child: Child) -> None:
        if child.log.exists() and child.log.stat().st_size > LOG_KEPT_BYTES:
            child.log.replace(child.log.with_suffix(".old.log"))
        with child.log.open("ab") as log:
            child.process = subprocess.Popen(  # noqa: S603 - our own commands
                child.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environ),
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )
        child.started_at = time.monotonic()


def _end_with_parent() -> None:
    """Ask the kernel to end this process when its parent is killed, so that nothing is left behind."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        os.kill(os.getpid(), signal.SIGTERM)


def _why(code: int) -> str:
    return f"by signal {-code}" if code < 0 else f"with exit code {code}"
