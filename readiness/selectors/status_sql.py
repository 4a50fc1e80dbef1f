"""The twin of ``rules.status.status_at`` for lists, as one SQL expression over an item's columns."""

from datetime import datetime

from django.db.models import Case, CharField, Q, Value, When

from readiness.enums.standing import Status


def status_expression(at: datetime) -> Case:
    """Return the status of an item at an instant, first match wins. A property test holds it equal to ``status_at``."""
    failing = Q(failing_since__isnull=False, failing_since__lte=at)
    left_out = Q(not_applicable_from__isnull=False, not_applicable_from__lte=at) & (
        Q(not_applicable_until__isnull=True) | Q(not_applicable_until__gt=at)
    )
    cases = [
        (left_out & ~failing, Status.NOT_APPLICABLE),
        (Q(observed_until__isnull=False, observed_until__gt=at) & ~failing, Status.VERIFIED),
        (Q(settled_until__isnull=False, settled_until__gt=at) & ~failing, Status.ATTESTED),
        (Q(waived_from__isnull=False, waived_from__lte=at, waived_until__gt=at), Status.WAIVED),
        (failing, Status.FAILING),
        (Q(first_met_at__isnull=False, first_met_at__lte=at), Status.STALE),
    ]
    return Case(
        *(When(condition, then=Value(str(status))) for condition, status in cases),
        default=Value(str(Status.OPEN)),
        output_field=CharField(),
    )
