"""What a test touches, from its fixtures and marks: this decides where and when it runs."""

from zlib import crc32

import pytest
from django.test import TransactionTestCase

from tests.servers.environment import DATABASES

OF_THE_DATABASE = {
    "db",
    "transactional_db",
    "django_db_reset_sequences",
    "django_db_serialized_rollback",
    "live_server",
}


def touches_database(item: pytest.Item) -> bool:
    """Return whether a test uses the database, and so runs on both."""
    cls = getattr(item, "cls", None)
    return (
        item.get_closest_marker("django_db") is not None
        or bool(OF_THE_DATABASE & set(getattr(item, "fixturenames", ())))
        or (cls is not None and issubclass(cls, TransactionTestCase))
    )


def empties_tables(item: pytest.Item) -> bool:
    """Return whether a test writes for everybody to see, so that the tables are emptied behind it."""
    mark = item.get_closest_marker("django_db")
    asked = mark is not None and bool(mark.kwargs.get("transaction") or mark.args[:1] == (True,))
    return asked or bool({"transactional_db", "live_server"} & set(getattr(item, "fixturenames", ())))


def touches_page(item: pytest.Item) -> bool:
    """Return whether a test drives a browser."""
    return "browser" in getattr(item, "fixturenames", ())


def timeout_of(item: pytest.Item) -> float:
    """Return the seconds that a test's own ``timeout`` mark grants it; 0 where it has none."""
    mark = item.get_closest_marker("timeout")
    return float(mark.args[0]) if mark is not None and mark.args else 0.0


def allowed_databases(item: pytest.Item, *, split: bool) -> tuple[str, ...]:
    """Return the databases that a test runs on: those that its ``only_on`` mark names, else all.

    ``split``: both run in this session. A test without a database then runs on one of them, chosen by its file, and one
    that is marked ``either_database`` on SQLite: most of the browser's tests, which take longest, are PostgreSQL's.
    """
    mark = item.get_closest_marker("only_on")
    if mark is not None:
        unknown = set(mark.args) - set(DATABASES)
        if unknown or not mark.args:
            raise pytest.UsageError(f"{item.nodeid}: only_on takes {' or '.join(DATABASES)}.")
        return tuple(mark.args)
    if split and item.get_closest_marker("either_database"):
        return (DATABASES[0],)
    if split and not touches_database(item):
        return (DATABASES[crc32(item.path.name.encode()) % len(DATABASES)],)
    return DATABASES
