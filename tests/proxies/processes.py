"""Start and stop one server process on loopback."""

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN_S = 120.0
STOPS_WITHIN_S = 10.0


def free_ports(count: int) -> list[int]:
    """Return distinct loopback ports that nothing uses.

    They lie below those that systems give to whoever asks for any: a connection that some other test opens meanwhile
    takes none of them, and two who ask here at the same time hardly ever get the same.
    """
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(10_000, 32_000)
        with socket.socket() as one:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                one.bind(("127.0.0.1", port))
            except OSError:
                continue
        if port not in found:
            found.append(port)
    return found


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
