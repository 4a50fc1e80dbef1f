"""Requests that wait for a reviewer."""

from readiness.models import Item, NotApplicable, Waiver


def waiting_request(item: Item) -> Waiver | NotApplicable | None:
    """Return the one request about this item that waits for a reviewer."""
    waiting = {"item": item, "decided_at": None, "ended_at": None}
    return Waiver.objects.filter(**waiting).first() or NotApplicable.objects.filter(**waiting).first()
