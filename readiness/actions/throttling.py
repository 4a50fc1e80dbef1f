"""Count guesses of passwords, in the table of django-axes, so that its commands list and reset them.

A guess is counted before it is looked at, and taken back where it was right: of many at once, no more than the limit
get through, since each reads the sum after its own was written. ``user_agent`` holds which known browser asked; it is
empty for any other. Nothing here is an event: these rows live for minutes.
"""

from datetime import datetime

from axes.models import AccessAttempt
from django.db import transaction
from django.db.models import Case, F, Q, Value, When

from readiness.actions.housekeeping import forget_failures
from readiness.rules.throttling import (
    ADDRESS_LIMIT,
    BROWSER_LIMIT,
    NAME_LIMIT,
    PAIR_LIMIT,
    WINDOW,
    Bound,
    Failures,
    refused_until,
)


def claim_guess(*, name: str, address: str, browser: str, now: datetime) -> datetime | None:
    """Count a guess and return None, or return from when the next may be made.

    ``browser`` is empty unless it signed in with this name before. A guess that is refused writes nothing; three
    queries for one that is let through, and three more where it is the first.
    """
    until = refused_until(_bounds(name, address, browser, now), now=now)
    if until is not None:
        return until
    forget_failures(now=now)
    while not _counted(name, address, browser, now):
        pass  # Its row went, because somebody else cleaned up or signed in, between finding and counting.
    return refused_until(_bounds(name, address, browser, now), now=now, own=1)


def release_guess(*, name: str, address: str, browser: str) -> None:
    """Forget the failures of this name from this place: somebody knew the password."""
    AccessAttempt.objects.filter(username=name, ip_address=address, user_agent=browser).delete()


def _bounds(name: str, address: str, browser: str, now: datetime) -> list[Bound]:
    """One query, whose rows are bounded by the limits themselves."""
    found = AccessAttempt.objects.filter(user_agent=browser, attempt_time__gt=now - WINDOW)
    found = found.filter(username=name) if browser else found.filter(Q(username=name) | Q(ip_address=address))
    rows = [
        (username == name, str(ip) == address, Failures(at, count))
        for username, ip, at, count in found.values_list(
            "username", "ip_address", "attempt_time", "failures_since_start"
        )
    ]
    if browser:
        return [Bound(BROWSER_LIMIT, [failures for _, _, failures in rows])]
    return [
        Bound(PAIR_LIMIT, [failures for same_name, here, failures in rows if same_name and here]),
        Bound(ADDRESS_LIMIT, [failures for _, here, failures in rows if here]),
        Bound(NAME_LIMIT, [failures for same_name, _, failures in rows if same_name]),
    ]


def _counted(name: str, address: str, browser: str, now: datetime) -> bool:
    """Add one to the row of this place, which begins anew where its failures no longer count."""
    with transaction.atomic():
        row, _ = AccessAttempt.objects.get_or_create(
            username=name, ip_address=address, user_agent=browser, defaults={"failures_since_start": 0}
        )
        over = When(attempt_time__lte=now - WINDOW, then=Value(1))
        count = Case(over, default=F("failures_since_start") + 1)
        return bool(AccessAttempt.objects.filter(pk=row.pk).update(failures_since_start=count, attempt_time=now))
