"""What a test process has of its own: a data folder, and on PostgreSQL a server and a broker.

``READINESS_TEST_DATABASE`` chooses: ``sqlite`` (the default; the broker is files) or ``postgresql`` (with Valkey), the
two ways to run the product. It is prepared once a process, before the settings are read, and gone with the process.
"""

import atexit
import os
import secrets
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.servers.guard import GuardedFolder
from tests.servers.postgresql import PostgreSQL
from tests.servers.valkey import Valkey

DATABASES = ("sqlite", "postgresql")
CHOSEN_BY = "READINESS_TEST_DATABASE"
OURS = ("READINESS_", "DATABASE_", "BROKER_")


@dataclass(frozen=True, slots=True)
class Servers:
    """The folder and the servers of this test process; on SQLite there are none."""

    database: str
    folder: Path
    postgresql: PostgreSQL | None = None
    valkey: Valkey | None = None


@cache
def servers() -> Servers:
    """Return what this process has, started on the first call, with the settings' environment pointing there."""
    database = os.environ.get(CHOSEN_BY, "sqlite")
    if database not in DATABASES:
        raise SystemExit(f"{CHOSEN_BY} must be {' or '.join(DATABASES)}, and is {database}.")
    guarded = GuardedFolder("readiness-tests-")
    atexit.register(guarded.remove)
    _forget_the_developers_own()
    os.environ["READINESS_DATA"] = str(guarded.path / "data")
    for part in ("data", "data/broker", "data/broker-control"):
        (guarded.path / part).mkdir(mode=0o700)
    if database == "sqlite":
        return Servers(database, guarded.path)
    postgresql, valkey = PostgreSQL(guarded.path), Valkey(guarded.path)
    for server in (postgresql, valkey):
        server.start()
        atexit.register(server.stop)
    os.environ.update(
        {
            "DATABASE_URL": postgresql.url("readiness"),
            "BROKER_URL": valkey.url,
            "READINESS_SECRET_KEY": secrets.token_urlsafe(48),
            "READINESS_HTTPS": "false",
        }
    )
    return Servers(database, guarded.path, postgresql, valkey)


def _forget_the_developers_own() -> None:
    for name in list(os.environ):
        if name.startswith(OURS) and name != CHOSEN_BY:
            del os.environ[name]
