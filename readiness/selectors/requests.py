"""Requests that wait for a reviewer, and grants as the rules take them."""

from datetime import datetime

from readiness.models import Entry, Item, NotApplicable, Waiver
from readiness.rules.folding import Grant, LeftOut


def waiting_request(item: Item) -> Waiver | NotApplicable | None:
    """Return the one request about this item that waits for a reviewer."""
    waiting = {"item": item, "decided_at": None, "ended_at": None}
    return Waiver.objects.filter(**waiting).first() or NotApplicable.objects.filter(**waiting).first()


def grant_of(waiver: Waiver | None) -> Grant | None:
    """Return a granted waiver as the rules take it."""
    if waiver is None or waiver.decided_at is None:
        return None
    return Grant(start=waiver.decided_at, end=waiver.until, clauses=frozenset(waiver.clauses))


def left_out_by(granted: NotApplicable | None, entry: Entry) -> LeftOut | None:
    """Return a granted "not applicable" as the rules take it: it ends where the entry begins to mean another thing."""
    if granted is None or granted.decided_at is None:
        return None
    later = [datetime.fromisoformat(at) for number, at in entry.meanings.items() if int(number) > granted.meaning]
    return LeftOut(start=granted.decided_at, end=min(later, default=None))
