"""Fold an item's evidence and requests into its row, in the transaction that changed them."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext_noop

from readiness.enums.words import Kind
from readiness.models import Condition, Item, NotApplicable, Waiver
from readiness.rules.folding import ClauseFacts, fold_item
from readiness.rules.status import ItemFacts, status_at
from readiness.selectors.clauses import clause_facts
from readiness.selectors.first_met import first_met_at, was_overtaken
from readiness.selectors.requests import grant_of, left_out_by

from . import ledger

FELL = gettext_noop("A probe saw it fail, so it does apply.")
OUTLIVED = gettext_noop("The entry asks for something else now, so it has to be asked again.")


def lock_item(item_id: int) -> Item:
    """Return the item, locked until the end of the transaction, so that two writers of one item take turns.

    Who locks several takes them in the order of their keys, before anything else is locked or an event is written:
    the ledger's own lock comes last everywhere. What the item is folded by, such as its environment's build, is read
    once the lock is held: PostgreSQL would answer a join with what it was when the wait began.
    """
    Item.objects.select_for_update(no_key=True).values_list("pk").get(pk=item_id)
    return Item.objects.select_related("entry", "service__team", "environment").get(pk=item_id)


def borrowers_of(item_ids: Collection[int]) -> set[int]:
    """Return the items of production that take over what probes say of these, beyond themselves.

    That is known of each item by itself: its entry is bound to the build, and its service runs in production elsewhere.
    """
    lenders = Item.objects.filter(pk__in=item_ids, environment__isnull=False, entry__build_bound=True)
    there = Q()
    for entry_id, service_id in lenders.values_list("entry", "service"):
        there |= Q(entry=entry_id, service=service_id)
    if not there:
        return set()
    live = Item.objects.filter(there, environment__kind=Kind.PROD, environment__archived_at=None)
    return set(live.exclude(pk__in=item_ids).values_list("pk", flat=True))


def refresh(item: Item, *, now: datetime) -> list[ClauseFacts]:
    """Fold and save an item's facts; return its clauses.

    A "not applicable" falls where a fail counts, and a condition is discharged where the item is settled. The item must
    be locked. Facts that are unchanged are not written.
    """
    clauses = clause_facts(item)
    standing = NotApplicable.objects.filter(item=item, granted=True, ended_at=None).first()
    if standing is not None and _fell(standing, item, clauses, now):
        standing = None
    waiver = Waiver.objects.filter(item=item, granted=True, ended_at=None).first()
    facts = fold_item(
        clauses,
        waiver=grant_of(waiver),
        left_out=left_out_by(standing, item.entry),
        first_met_at=item.first_met_at,
        at=now,
    )
    if item.first_met_at is None and facts.first_met_at is not None and was_overtaken(item, now):
        facts = replace(facts, first_met_at=first_met_at(item, since=now))
    written = [one.to_json() for one in clauses]
    if facts != item.facts or written != item.standing:
        for name in ItemFacts.names():
            setattr(item, name, getattr(facts, name))
        item.standing = written
        item.save(update_fields=[*ItemFacts.names(), "standing"])
    if status_at(facts, now).settled:
        _discharge(item, now)
    return clauses


def _discharge(item: Item, now: datetime) -> None:
    """Discharge, once and for good, the conditions under which an item was let wait."""
    for condition in Condition.objects.filter(item=item, discharged_at=None).select_related("decision__environment"):
        # Whoever waited for the item's lock has an earlier clock than the decision that was made meanwhile.
        condition.discharged_at = max(now, condition.decided_at)
        condition.save(update_fields=["discharged_at"])
        environment = condition.decision.environment
        ledger.record(
            "condition.discharged",
            by=None,
            at=now,
            service=item.service,
            environment=environment,
            item=item,
            data={"condition": condition.pk, "decision": condition.decision_id},
        )


def _fell(standing: NotApplicable, item: Item, clauses: Iterable[ClauseFacts], now: datetime) -> bool:
    """End a "not applicable" where a fail counts or where the entry means another thing by now; return whether."""
    failing = _counting_since(item.facts, clauses, now)
    left_out = left_out_by(standing, item.entry)
    outlived = left_out.end if left_out is not None and left_out.end is not None and left_out.end <= now else None
    since = failing or outlived
    if since is None:
        return False
    standing.ended_at, standing.end_reason = now, FELL if failing else OUTLIVED
    standing.save(update_fields=["ended_at", "end_reason"])
    data = {"request": standing.pk, "since": since.isoformat(), "reason": standing.end_reason}
    ledger.record_of_item("not-applicable.fell", item, by=None, at=now, data=data)
    return True


def _counting_since(before: ItemFacts, clauses: Iterable[ClauseFacts], now: datetime) -> datetime | None:
    """Return when a fail began to count, also one that counted until the statement that is being recorded.

    One that would have begun to count at this very instant, and is lifted by it, never counted.
    """
    past = before.failing_since if before.failing_since is not None and before.failing_since < now else None
    since = [past, *(clause.counting_since for clause in clauses)]
    return min((instant for instant in since if instant is not None and instant <= now), default=None)
