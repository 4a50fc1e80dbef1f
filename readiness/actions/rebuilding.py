"""Recompute the facts of items from what they are folded from, and report where the rows say something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from readiness.enums.words import Kind
from readiness.models import Evidence, Item, NotApplicable, Waiver
from readiness.rules.folding import ClauseFacts, fold_item
from readiness.rules.status import ItemFacts
from readiness.selectors.clauses import clause_facts
from readiness.selectors.first_met import first_met_at
from readiness.selectors.requests import grant_of, left_out_by

from . import ledger
from .folding import lock_item


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One fact of an item that its row holds otherwise than what it is folded from says."""

    item: Item
    fact: str
    held: Any
    folded: Any


@transaction.atomic
def rebuild(item_id: int, *, write: bool, now: datetime) -> list[Difference]:
    """Recompute one item's facts; return what its row holds otherwise, and write it there if asked.

    Evidence, builds, waivers and the rest are taken as they are: what they are folded into is what is checked. A row
    that agrees is not touched.
    """
    item = lock_item(item_id)
    clauses = clause_facts(item)
    standing = {"item": item, "granted": True, "ended_at": None}
    facts = fold_item(
        clauses,
        waiver=grant_of(Waiver.objects.filter(**standing).first()),
        left_out=left_out_by(NotApplicable.objects.filter(**standing).first(), item.entry),
        first_met_at=first_met_at(item),
        at=now,
    )
    folded = {**{name: getattr(facts, name) for name in ItemFacts.names()}, "standing": [c.to_json() for c in clauses]}
    found = [
        Difference(item=item, fact=name, held=getattr(item, name), folded=value)
        for name, value in folded.items()
        if getattr(item, name) != value and not (name == "standing" and _says_nothing(item.standing, clauses))
    ]
    if found and write:
        for difference in found:
            setattr(item, difference.fact, difference.folded)
        item.save(update_fields=[difference.fact for difference in found])
        # Whoever keeps what the row said, in another process, is told by this.
        corrected = sorted(difference.fact for difference in found)
        ledger.record_of_item("item.rebuilt", item, by=None, at=now, data={"facts": corrected})
    return found


def _says_nothing(held: list[Any], clauses: Sequence[ClauseFacts]) -> bool:
    """Return whether a row is that of an item about which nothing was ever said, so that nothing was folded yet."""
    unsaid = (ClauseFacts(clause=one.clause, counts_from=one.counts_from) for one in clauses)
    return held == [] and list(unsaid) == list(clauses)


def never_folded() -> list[int]:
    """Return the items that something was said about before where each clause stands was kept, also elsewhere."""
    elsewhere = Evidence.objects.filter(item__entry=OuterRef("entry"), item__service=OuterRef("service"))
    borrows = Q(entry__build_bound=True, environment__kind=Kind.PROD) & ~Q(environment__build="") & Exists(elsewhere)
    unfolded = Item.objects.filter(Q(evidence__isnull=False) | borrows, standing=[])
    return list(unfolded.distinct().order_by("pk").values_list("pk", flat=True))
