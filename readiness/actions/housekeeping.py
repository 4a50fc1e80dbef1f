"""Remove what no longer means anything: ended sessions, old failures and old counts. No record of readiness."""

from datetime import datetime, timedelta
from typing import Any

from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.db import models, transaction
from django.utils import timezone

from readiness.models import DayCount
from readiness.rules.throttling import WINDOW

MOST_AT_ONCE = 500
"""So many rows are removed in one go, so that nobody who signs in waits for a long cleaning."""

COUNTS_KEPT = timedelta(days=400)
"""What was counted on a day is kept for a year and a month, so that a month can be held against the last year's."""


def tidy(*, now: datetime) -> int:
    """Remove ended sessions, old failures and old counts, some at a time; return how many.

    Each sign-in does it, and the scheduler every hour: so no table grows where no scheduler runs.
    """
    return forget_sessions(now=now) + forget_failures(now=now) + forget_counts(now=now)


def forget_sessions(*, now: datetime) -> int:
    """Remove sessions that have ended; return how many."""
    return _remove(Session.objects.filter(expire_date__lte=now))


def forget_failures(*, now: datetime) -> int:
    """Remove failed sign-ins that no longer count; return how many."""
    return _remove(AccessAttempt.objects.filter(attempt_time__lte=now - WINDOW))


def forget_counts(*, now: datetime) -> int:
    """Remove the counts of days that are long past; return how many."""
    return _remove(DayCount.objects.filter(day__lt=timezone.localdate(now - COUNTS_KEPT)))


def _remove(found: models.QuerySet[Any]) -> int:
    """Look first, so that nothing is locked where nothing is to be done; leave to others what they hold."""
    keys = list(found.order_by().values_list("pk", flat=True)[:MOST_AT_ONCE])
    if not keys:
        return 0
    with transaction.atomic():
        mine = found.filter(pk__in=keys).order_by().select_for_update(skip_locked=True)
        removed = list(mine.values_list("pk", flat=True))
        found.model.objects.filter(pk__in=removed).delete()
    return len(removed)
