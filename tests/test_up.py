"""One command runs everything: it says one line where it cannot, restarts what dies, and leaves nothing behind."""

import fcntl
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.proxies.processes import free_ports
from tests.servers.waiting import eventually

pytestmark = [pytest.mark.timeout(900), pytest.mark.only_on("sqlite")]  # What it starts is on SQLite.
SOON_S = 300.0
"""The demo tells its story in some seconds, and on a machine that does much else in some minutes."""

ROOT = Path(__file__).resolve().parent.parent
LINK = re.compile(r"http://127\.0\.0\.1:\d+/sign-in/link/\?sesame=\S+")


def environ(data: Path) -> dict[str, str]:
    """The environment of a newcomer: nothing of this product's is set."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("READINESS_", "DJANGO_"))}
    for name in ("DATABASE_URL", "BROKER_URL"):
        kept.pop(name, None)
    return {**kept, "READINESS_DATA": str(data), "READINESS_SCHEDULER_INTERVAL_SECONDS": "0.5"}


def command(*more: str) -> list[str]:
    return [sys.executable, str(ROOT / "manage.py"), "up", *more]


def free_port() -> int:
    return free_ports(1)[0]


@contextmanager
def running(data: Path, *more: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run ``up`` until the block ends, and give the process and the link that it printed."""
    said = data.parent / "said.txt"
    with said.open("wb") as out:
        process = subprocess.Popen(command(*more), env=environ(data), stdout=out, stderr=out, cwd=ROOT)
    try:
        eventually(lambda: LINK.search(said.read_text()) or process.poll() is not None, SOON_S, what="it says a link")
        found = LINK.search(said.read_text())
        assert found, said.read_text()
        yield process, found.group(0)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.wait(timeout=SOON_S)


def children_of(pid: int) -> dict[str, int]:
    """Return the processes below one, by what they are."""
    found = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
            args = (status.parent / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except (OSError, ValueError):
            continue  # It ended while we looked.
        if parent == pid and args:
            words = ("uvicorn", "celery", "scheduler", "demo_world")
            found[next((word for word in words if word in args), args)] = int(status.parent.name)
    return found


def is_alive(pid: int) -> bool:
    """Return whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_demo_starts_ticks_by_itself_and_keeps_its_data(tmp_path: Path) -> None:
    port, data = free_port(), tmp_path / "data"
    with running(data, "--demo", "--port", str(port)) as (process, link):
        with httpx.Client(follow_redirects=True, timeout=SOON_S) as visitor:
            page = visitor.get(link)
            assert page.status_code == 200
            assert "readiness_demo" not in visitor.cookies
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
            sesame = re.search(r'name="token"\s+value="([^"]+)"', page.text)
            assert token, page.text
            assert sesame, page.text
            sent = {"csrfmiddlewaretoken": token[1], "token": sesame[1]}
            overview = visitor.post(link.split("?")[0], data=sent)
            assert overview.status_code == 200
            assert overview.url.path == "/"
            assert "batch-labeller" in overview.text
            base = f"http://127.0.0.1:{port}"
            eventually(lambda: "verified" in visitor.get(base).text, SOON_S, what="a probe's pass is on the overview")
            # A run may be over before the sweep that began it says that it swept.
            eventually(lambda: visitor.get(f"{base}/readyz").status_code == 200, SOON_S, what="all is ready")
            ready = visitor.get(f"{base}/readyz").json()
            person = re.search(r'name="person"\s+value="(\d+)"[^>]*>\s*<span>Ada Lind</span>', overview.text)
            csrf = re.findall(r'name="csrfmiddlewaretoken" value="([^"]+)"', visitor.get(overview.url).text)
            assert person, overview.text
            sent = {"csrfmiddlewaretoken": csrf[0], "person": person[1], "next": "//elsewhere.example/"}
            acting = visitor.post(f"http://127.0.0.1:{port}/demo/act-as/", data=sent)
            assert acting.url.path == "/"
            assert "acting as Ada Lind, reviewer" in acting.text
        assert ready == {"ready": True, "database": "ok", "broker": "ok", "scheduler": "ok"}
        assert sorted(children_of(process.pid)) == ["celery", "demo_world", "scheduler", "uvicorn"]
    with (
        running(data, "--demo", "--port", str(port)) as (_, link),
        httpx.Client(follow_redirects=True, timeout=SOON_S) as visitor,
    ):
        assert visitor.get(link).status_code == 200
        with pytest.raises(BlockingIOError), (data / "demo" / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_the_command_ends_at_once_while_it_still_prepares_the_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    process = subprocess.Popen(command("--demo", "--port", str(free_port())), env=environ(data), cwd=ROOT)
    story = data / "demo" / "readiness.sqlite3"
    try:
        eventually(lambda: story.exists() and story.stat().st_size, SOON_S, what="the data is being prepared")
        pids = children_of(process.pid).values()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=SOON_S) == 0
        assert not [pid for pid in pids if is_alive(pid)]
    finally:
        process.kill()
    with sqlite3.connect(story) as kept:
        tables = {name for (name,) in kept.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert "readiness_service" not in tables or not kept.execute("SELECT * FROM readiness_service").fetchall()


def test_what_dies_is_started_again_and_nothing_outlives_the_command(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--port", str(free_port())) as (process, _):
        before = children_of(process.pid)
        assert sorted(before) == ["celery", "scheduler", "uvicorn"]
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        eventually(
            lambda: (
                sorted(children_of(process.pid)) == sorted(before)
                and not set(children_of(process.pid).values()) & set(before.values())
            ),
            SOON_S,
            what="each runs again",
        )
        after = children_of(process.pid)
    assert not [pid for pid in after.values() if is_alive(pid)]


def test_nothing_outlives_a_kill_of_the_command(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--port", str(free_port())) as (process, _):
        pids = children_of(process.pid).values()
        process.kill()
        process.wait(timeout=SOON_S)
        eventually(lambda: not [pid for pid in pids if is_alive(pid)], SOON_S, what="all are gone")


def test_nobody_else_on_the_machine_reads_the_data(tmp_path: Path) -> None:
    """Also where the folder was there before, open to all."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    with running(data, "--port", str(free_port())):
        made = {path.name: path.stat().st_mode & 0o077 for path in data.iterdir()}
    assert made["readiness.sqlite3"] == 0
    assert set(made.values()) == {0}, made


def refused(data: Path, *more: str) -> str:
    """Return the one line that ``up`` says when it cannot start."""
    done = subprocess.run(command(*more), env=environ(data), capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.strip().splitlines()
    return line


def test_a_taken_port_gets_one_clear_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = refused(tmp_path / "data", "--port", str(port))
    assert line.startswith(f"Port {port} is taken. Stop what uses it, or choose another")


def test_a_data_folder_that_cannot_be_written_gets_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    line = refused(tmp_path / "file" / "data", "--port", str(free_port()))
    assert line.startswith(f"Readiness cannot start. The data folder {tmp_path}/file/data cannot be used")
    assert line.endswith("Make it writable or set READINESS_DATA.")


def test_a_data_folder_in_use_gets_one_clear_line(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with (data / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        line = refused(data, "--port", str(free_port()))
    assert line == f"Readiness is running on {data} already. Stop it first, or set READINESS_DATA."
