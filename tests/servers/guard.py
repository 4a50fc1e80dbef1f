"""Run one process and end it when the tests end, also when these are killed.

This file is a module for the tests and, run as a script, the guard: it starts the process, prints its id, and waits
for its own standard input to close. The kernel closes that when the tests are gone, whatever ended them.
"""

import contextlib
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

STOPS_WITHIN_S = 30.0
REMOVED_WITHIN_S = 60.0


class Guarded:
    """A process behind a guard. ``pid`` is the process's own; it leads a session, so that its children go with it.

    ``owner`` is (uid, gid) where it must not run as the one who runs the tests. Output goes to ``log``, appended.
    """

    def __init__(
        self,
        argv: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str],
        folder: Path,
        owner: tuple[int, int] | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        uid, gid = owner or (-1, -1)
        command = [
            *(sys.executable, "-I", "-S", str(Path(__file__).resolve())),
            *("run", str(log), str(uid), str(gid), str(int(stop_signal))),
            *argv,
        ]
        self.log = log
        self._guard = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd=folder,
            env=dict(environ),
            start_new_session=True,
            text=True,
        )
        assert self._guard.stdout is not None
        said = self._guard.stdout.readline().strip()
        if not said.isdigit():
            self.stop()
            raise RuntimeError(f"{argv[0]} did not start: {said or 'no word from its guard'}")
        self.pid = int(said)

    @property
    def running(self) -> bool:
        """Whether the process still runs."""
        return self._guard.poll() is None

    def output(self) -> str:
        """Return what the process wrote so far."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def kill(self) -> None:
        """Kill the process with its children as ``kill -9`` does, and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._guard.wait(STOPS_WITHIN_S)
        self._close()

    def stop(self) -> None:
        """Ask the process to stop, kill it where it does not, and wait until it is gone."""
        self._close()
        self._guard.wait(STOPS_WITHIN_S + 5)

    def _close(self) -> None:
        for pipe in (self._guard.stdin, self._guard.stdout):
            if pipe is not None:
                pipe.close()


class Server:
    """A server of the tests: its ``start`` sets ``_process``, again after it was stopped or killed."""

    _process: Guarded | None = None

    def stop(self) -> None:
        """Stop it at once; connections are cut."""
        if self._process:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """End it as ``kill -9`` does; ``start`` brings it back where it was."""
        if self._process:
            self._process.kill()
            self._process = None


class GuardedFolder:
    """A new folder that is removed when the tests end, also when these are killed."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", str(Path(__file__).resolve()), "remove", str(self.path)],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )

    def remove(self) -> None:
        """Remove it now."""
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait(REMOVED_WITHIN_S + 5)


def _remove(folder: str) -> None:
    sys.stdin.read()
    ends = time.monotonic() + REMOVED_WITHIN_S
    while os.path.exists(folder) and time.monotonic() < ends:  # noqa: PTH110
        shutil.rmtree(folder, ignore_errors=True)
        time.sleep(0.05)  # What still stops may have written meanwhile.


def _run(log: str, uid: str, gid: str, stop_signal: str, *argv: str) -> None:
    os.umask(0o077)
    ids = {"user": int(uid), "group": int(gid), "extra_groups": []} if int(uid) >= 0 else {}
    try:
        with open(log, "ab") as out:  # noqa: PTH123 - few imports, so that the guard is up at once
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True, **ids
            )
    except OSError as error:
        print(error, flush=True)  # noqa: T201 - the word that the tests wait for
        return
    print(process.pid, flush=True)  # noqa: T201
    tests, ended = os.pipe()
    threading.Thread(target=lambda: (process.wait(), os.close(ended)), daemon=True).start()
    # Readable at its end: standard input when the tests are gone, the pipe when the process is.
    select.select([0, tests], [], [])
    for sign in (int(stop_signal), signal.SIGKILL):
        if process.poll() is None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOPS_WITHIN_S)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    {"run": _run, "remove": _remove}[sys.argv[1]](*sys.argv[2:])
