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
    return LeftOut(start=granted.decided_at, end=outlived_at(granted, entry))


def outlived_at(asked: NotApplicable, entry: Entry) -> datetime | None:
    """Return when an entry begins to mean another thing than what was asked about; None where no version says so."""
    later = [datetime.fromisoformat(at) for number, at in entry.meanings.items() if int(number) > asked.meaning]
    return min(later, default=None)
