"""What is asked changes when a version lands, and who answers it when services change: these wait for each other."""

from django.db import connection

_LOCK = 0x4348_4543_4B4C_4953


def hold_checklists() -> None:
    """Keep the entries that are asked as they are until this transaction ends. Call it first in it.

    Without it, who adds an environment while a version lands would not ask it what that version adds, nor would the
    landing, which does not see the environment yet. Those who hold do not wait for each other.
    """
    _take("pg_advisory_xact_lock_shared")


def hold_checklists_to_land() -> None:
    """Wait until nobody holds the checklists, and let nobody hold them or land until this transaction ends.

    Call it first in a transaction: nobody who asks for it has any other lock, so nobody waits in a circle.
    """
    _take("pg_advisory_xact_lock")


def _take(function: str) -> None:
    """SQLite's IMMEDIATE transactions are one at a time already."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT {function}(%s)", [_LOCK])
