"""Servers and folders of the tests go when the tests do, however these end."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers.guard import Guarded, GuardedFolder
from tests.servers.postgresql import NoPostgreSQL, PostgreSQL, usable_binaries
from tests.servers.valkey import Valkey
from tests.servers.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent
GONE_WITHIN_S = 120.0

STARTS_SERVERS = """
import sys
from tests.servers.environment import servers
mine = servers()
print(mine.folder, mine.postgresql._process.pid, mine.valkey._process.pid, flush=True)
sys.stdin.read()
"""


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM])
def test_servers_and_their_folder_go_when_the_tests_are_killed(ending: int) -> None:
    environ = {**os.environ, "READINESS_TEST_DATABASE": "postgresql"}
    with subprocess.Popen(
        [sys.executable, "-c", STARTS_SERVERS],
        cwd=ROOT,
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        folder, *pids = tests.stdout.readline().split()
        assert Path(folder).exists()
        assert [runs(int(pid)) for pid in pids] == [True, True]
        tests.send_signal(ending)
    eventually(
        lambda: not Path(folder).exists() and not any(runs(int(pid)) for pid in pids),
        GONE_WITHIN_S,
        what="servers and folder are gone",
    )


def test_a_killed_process_is_gone_with_its_children(tmp_path: Path) -> None:
    guarded = Guarded(
        ["sh", "-c", "sleep 600 & echo $!; wait"], log=tmp_path / "log", environ=os.environ, folder=tmp_path
    )
    child = int(eventually(lambda: guarded.output().strip(), GONE_WITHIN_S, what="it says its child"))
    guarded.kill()
    assert not guarded.running
    eventually(lambda: not runs(child), GONE_WITHIN_S, what="the child is gone")


def test_a_program_that_is_not_there_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No such file"):
        Guarded(["/nowhere/server"], log=tmp_path / "log", environ=os.environ, folder=tmp_path)


@pytest.mark.only_on("postgresql")
def test_a_postgresql_that_is_stopped_comes_back_where_it_was() -> None:
    import psycopg

    guarded = GuardedFolder("readiness-tests-")
    server = PostgreSQL(guarded.path)
    try:
        server.start()
        with psycopg.connect(server.url("postgres"), autocommit=True) as connection:
            connection.execute("CREATE DATABASE kept")
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.url("kept"), connect_timeout=5)
        server.start()
        psycopg.connect(server.url("kept")).close()
    finally:
        server.stop()
        guarded.remove()


@pytest.mark.only_on("postgresql")
def test_a_password_is_asked_for() -> None:
    import psycopg
    import redis

    guarded = GuardedFolder("readiness-tests-")
    postgresql, valkey = PostgreSQL(guarded.path), Valkey(guarded.path)
    try:
        postgresql.start()
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(postgresql.url("postgres").replace(postgresql.password, "wrong"))
        valkey.start()
        with pytest.raises(redis.AuthenticationError):
            redis.Redis(port=valkey.port).ping()
    finally:
        postgresql.stop()
        valkey.stop()
        guarded.remove()


def test_without_any_postgresql_one_line_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tests.servers.postgresql._found", lambda: iter([tmp_path]))
    with pytest.raises(NoPostgreSQL, match=r"found none\. `make test` installs one"):
        usable_binaries(None, tmp_path)
