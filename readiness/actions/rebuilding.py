"""Recompute the facts of items from what they are folded from, and report where the rows say something else."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from readiness.enums.words import Kind, Outcome
from readiness.models import Clause, Deployment, Event, Evidence, Item, NotApplicable, Waiver
from readiness.rules.folding import ClauseFacts, fold_item
from readiness.rules.status import ItemFacts
from readiness.selectors.clauses import clause_facts
from readiness.selectors.requests import grant_of, left_out_by

from . import ledger
from .folding import lock_item

MOVES = (
    "environment.archived",
    "environment.restored",
    "environment.changed",
    "checklist.loaded",
    "checklist.landed",
)
"""Kinds of events at which an item may come to be met without a statement about it."""


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


def first_met_at(item: Item) -> datetime | None:
    """Return when an item was first met, as it was known then; None where it never was.

    It is asked at the instants at which it may have become so: where something passed that was not held already, where
    a fail was retired, where another build came to run, and where what is asked or who lends was changed.
    """
    for at in sorted(set(_moments(item))):
        facts = fold_item(clause_facts(item, known_by=at), waiver=None, left_out=None, first_met_at=None, at=at)
        if facts.first_met_at is not None:
            return at
    return None


def _moments(item: Item) -> Iterator[datetime]:
    held: dict[tuple[Any, ...], datetime] = {}
    for clause, outcome, recorded_at, valid_until, true_until, *of_what in _statements(item):
        if outcome != Outcome.PASS:
            held = {one: end for one, end in held.items() if one[0] != clause}
            if outcome == Outcome.RETIRED:
                yield recorded_at
            continue
        # A pass holds what its like held already: on the same item and build, of the same meaning, by a probe or not.
        alike = (clause, *of_what)
        if alike not in held or held[alike] <= recorded_at:
            yield recorded_at
        held[alike] = min(valid_until, true_until or valid_until)
    if item.environment is not None:
        yield from Deployment.objects.filter(environment=item.environment).values_list("at", flat=True)
    retired = Clause.objects.filter(entry=item.entry, retired_at__isnull=False)
    yield from (at for at in retired.values_list("retired_at", flat=True) if at is not None)
    moved = Event.objects.filter(Q(service=item.service_id) | Q(service=None), kind__in=MOVES)
    yield from moved.values_list("at", flat=True)


def _statements(item: Item) -> Iterator[tuple[Any, ...]]:
    """Yield what was said of an item and of those that may lend to it, in the order in which it was recorded.

    Each is its clause, outcome, recording and ends, and then what sets it apart from another one about that clause.
    """
    said = Q(item=item)
    if item.entry.build_bound and item.environment is not None:
        said = Q(item__entry=item.entry_id, item__service=item.service_id)
    rows = Evidence.objects.filter(said).order_by("recorded_at", "id")
    ends = ("recorded_at", "valid_until", "true_until")
    yield from rows.values_list("clause", "outcome", *ends, "item", "by", "build", "meaning", "supported").iterator()


def never_folded() -> list[int]:
    """Return the items that something was said about before where each clause stands was kept, also elsewhere."""
    elsewhere = Evidence.objects.filter(item__entry=OuterRef("entry"), item__service=OuterRef("service"))
    borrows = Q(entry__build_bound=True, environment__kind=Kind.PROD) & ~Q(environment__build="") & Exists(elsewhere)
    unfolded = Item.objects.filter(Q(evidence__isnull=False) | borrows, standing=[])
    return list(unfolded.distinct().order_by("pk").values_list("pk", flat=True))
