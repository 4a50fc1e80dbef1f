"""A PostgreSQL server of the benchmark's own, and the product's settings pointed at one of its databases."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

from tests.servers.environment import OURS
from tests.servers.guard import GuardedFolder
from tests.servers.postgresql import PostgreSQL

SERVER = {"shared_buffers": "256MB", "max_wal_size": "4GB", "autovacuum": "off", "maintenance_work_mem": "256MB"}
"""What differs from the tests' server. Nothing cleans up behind a measure's back: tables are analysed once, when full.

``fsync`` stays off, as in the tests: a write that waits for a disk would hide what the product adds to it.
"""


@contextmanager
def server() -> Iterator[PostgreSQL]:
    """Start a server in a folder of its own; both are gone at the end, whatever ended it."""
    guarded = GuardedFolder("readiness-bench-")
    postgresql = PostgreSQL(guarded.path, settings=SERVER)
    try:
        postgresql.start()
        yield postgresql
    finally:
        postgresql.stop()
        guarded.remove()


def environment(url: str, data: Path) -> dict[str, str]:
    """Return an environment in which the product runs on a database, with nothing of the developer's own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    data.mkdir(mode=0o700, exist_ok=True)
    return kept | {
        "DJANGO_SETTINGS_MODULE": "benchmarks.at_size.settings",
        "DATABASE_URL": url,
        "READINESS_DATA": str(data),
        "READINESS_SECRET_KEY": secrets.token_urlsafe(48),
        "READINESS_HTTPS": "false",
    }


def create(url: str, *, template: str = "") -> None:
    """Make a database anew, empty or as a copy of another one on its server that nobody is connected to."""
    name = urlsplit(url).path.strip("/")
    with psycopg.connect(urlsplit(url)._replace(path="/postgres").geturl(), autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))


def named(url: str, name: str) -> str:
    """Return the URL of another database on the same server."""
    return urlsplit(url)._replace(path=f"/{name}").geturl()
