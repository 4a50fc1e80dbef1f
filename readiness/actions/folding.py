"""Fold an item's evidence and requests into its row, in the transaction that changed them."""

from collections.abc import Iterable
from datetime import datetime

from readiness.models import Item, NotApplicable, Waiver
from readiness.rules.folding import ClauseFacts, Grant, fold_item
from readiness.rules.status import ItemFacts
from readiness.selectors.clauses import clause_facts

from . import ledger

FELL = "A probe saw it fail, so it does apply."


def lock_item(item_id: int) -> Item:
    """Return the item, locked until the end of the transaction, so that two writers of one item take turns.

    Who locks several takes them in the order of their keys, before anything else is locked or an event is written:
    the ledger's own lock comes last everywhere. What the item is folded by, such as its environment's build, is read
    once the lock is held: PostgreSQL would answer a join with what it was when the wait began.
    """
    Item.objects.select_for_update(no_key=True).get(pk=item_id)
    return Item.objects.select_related("entry", "service__team", "environment").get(pk=item_id)


def refresh(item: Item, *, now: datetime) -> list[ClauseFacts]:
    """Fold and save an item's facts; return its clauses. A "not applicable" falls where a fail counts.

    The item must be locked. Facts that are unchanged are not written.
    """
    clauses = clause_facts(item)
    standing = NotApplicable.objects.filter(item=item, granted=True, ended_at=None).first()
    failing = _counting_since(item.facts, clauses, now)
    if standing is not None and failing is not None:
        standing.ended_at, standing.end_reason = max(failing, standing.asked_at), FELL
        standing.save(update_fields=["ended_at", "end_reason"])
        ledger.record_of_item(
            "not-applicable.fell",
            item,
            by=None,
            at=now,
            data={"request": standing.pk, "since": failing.isoformat()},
        )
        standing = None
    waiver = Waiver.objects.filter(item=item, granted=True, ended_at=None).first()
    facts = fold_item(
        clauses,
        waiver=_grant(waiver),
        not_applicable_from=standing.decided_at if standing else None,
        first_met_at=item.first_met_at,
        at=now,
    )
    if facts != item.facts:
        for name in ItemFacts.names():
            setattr(item, name, getattr(facts, name))
        item.save(update_fields=ItemFacts.names())
    return clauses


def _counting_since(before: ItemFacts, clauses: Iterable[ClauseFacts], now: datetime) -> datetime | None:
    """Return when a fail began to count, also one that counted until the statement that is being recorded."""
    since = [before.failing_since, *(clause.failing_since for clause in clauses)]
    return min((instant for instant in since if instant is not None and instant <= now), default=None)


def _grant(waiver: Waiver | None) -> Grant | None:
    if waiver is None or waiver.decided_at is None:
        return None
    return Grant(start=waiver.decided_at, end=waiver.until, clauses=frozenset(waiver.clauses))
