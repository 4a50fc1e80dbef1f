"""How long somebody stays signed in."""

from datetime import datetime, timedelta

IDLE = timedelta(hours=12)
"""A browser that asks for nothing overnight is signed out in the morning; a page left open goes on asking."""

LONGEST = timedelta(days=14)
"""However much it is used: a session that was stolen does not live for ever."""

RENEWED_EVERY = timedelta(minutes=15)
"""A session is written again at most this often, so that reading pages costs next to no writes."""


def ends_at(*, signed_in_at: datetime, now: datetime) -> datetime:
    """Return when a session that is used now ends."""
    return min(now + IDLE, signed_in_at + LONGEST)


def renewed_end(*, signed_in_at: datetime, end: datetime, now: datetime) -> datetime | None:
    """Return the new end of a session that is used now; None where the one it has will do."""
    new = ends_at(signed_in_at=signed_in_at, now=now)
    return new if new - end >= RENEWED_EVERY else None
