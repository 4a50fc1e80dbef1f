"""Start and stop one server process on loopback."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN_S = 30.0
STOPS_WITHIN_S = 5.0


def free_ports(count: int) -> list[int]:
    """Return distinct loopback ports that nothing listens on. Another process may take one before it is used."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


@contextmanager
def running(argv: Sequence[str], *, folder: Path, ports: Sequence[int]) -> Iterator[None]:
    """Run a server in a process group of its own until the block ends; it is up once every port accepts.

    Its output goes to ``output.txt`` in ``folder``. Raises RuntimeError with that output when it does not come up.
    """
    output = folder / "output.txt"
    with output.open("wb") as out:
        process = subprocess.Popen(
            argv, cwd=folder, stdout=out, stderr=out, stdin=subprocess.DEVNULL, start_new_session=True
        )
    try:
        for port in ports:
            _wait_for(process, port, output)
        yield
    finally:
        _stop(process)


def _wait_for(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    ends = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < ends and process.poll() is None:
        with socket.socket() as one:
            one.settimeout(1)
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        try:  # Returns at once when the server has given up, and else looks again soon.
            process.wait(0.02)
        except subprocess.TimeoutExpired:
            continue
    raise RuntimeError(
        f"{process.args!r} did not come up on port {port}:\n{output.read_text(errors='replace')[-2000:]}"
    )


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        try:
            process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            continue
