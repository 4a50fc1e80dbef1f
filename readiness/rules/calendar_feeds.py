"""Calendar addresses: when one takes the place of another, and how much a calendar holds. Pure."""

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

BACK = timedelta(days=60)
"""How long what has passed stays in a calendar."""

CANCELLED_FOR = timedelta(days=30)
"""How long a calendar says that something was called off, so that programs that keep what is gone drop it."""

MOST = 400
"""At most so many of one kind, those nearest to today first."""

REVIEW_LASTS = timedelta(hours=1)
"""How much of a calendar a review takes, since nobody says when it ends before it has."""

LONGEST_REVIEW = timedelta(hours=12)
"""A review that was closed later than this after its start was forgotten, and not held so long."""


def standing_refusals(standing: str | None, replaces: str) -> list[str]:
    """Return why no address is made in place of ``replaces``, where another one stands; both are prefixes.

    A page that showed a new address and is loaded again sends its form again, and would end what it showed.
    """
    if (standing or "") == replaces:
        return []
    if standing is None:
        return [_("The address that this was to replace works no more. Make one anew.")]
    return [_("An address was made meanwhile: rdy_{prefix}_…. Nothing was changed.").format(prefix=standing)]


def revoked_refusals(revoked_at: datetime | None) -> list[str]:
    """Return why an address may not be revoked."""
    return [_("This address is revoked already.")] if revoked_at is not None else []


def nearness(day: date, today: date) -> tuple[int, int]:
    """Return what is kept first where there is too much: what is to come, the nearest first, then what has passed."""
    days = (day - today).days
    return (0, days) if days >= 0 else (1, -days)


def ends_at(starts_at: datetime, closed_at: datetime | None) -> datetime:
    """Return when a review ends in a calendar: when it was closed, where that is likely."""
    if closed_at is not None and timedelta() < closed_at - starts_at <= LONGEST_REVIEW:
        return closed_at
    return starts_at + REVIEW_LASTS
