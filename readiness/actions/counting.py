"""Count once a day how much is settled. The trend is drawn from it; no verdict rests on it, so it is no event."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from readiness.models import DayCount
from readiness.selectors.everywhere import sheets_counted

AT_ONCE = 500


def count_day(*, now: datetime) -> int:
    """Keep what every live sheet counts at this instant as the count of its day; return how many were kept.

    The first to count a day counts it, and whoever comes later or at the same moment changes nothing. A day on which
    nothing counts stays missing: what was known then is not made up afterwards.
    """
    day = timezone.localdate(now)
    if DayCount.objects.filter(day=day).exists():
        return 0
    rows = [
        DayCount(
            environment_id=environment,
            day=day,
            at=now,
            items=counted.items,
            settled=counted.settled,
            verified=counted.verified,
        )
        for environment, counted in sheets_counted(now).items()
    ]
    with transaction.atomic():
        DayCount.objects.bulk_create(rows, batch_size=AT_ONCE, ignore_conflicts=True)
    return len(rows)
