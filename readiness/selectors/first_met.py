"""When an item was first met, found again from everything that was recorded about it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Exists, Q, QuerySet

from readiness.enums.words import Outcome
from readiness.models import Clause, Deployment, Event, Evidence, Item
from readiness.rules.folding import fold_item

from .clauses import clause_facts

MOVES = (
    "environment.archived",
    "environment.restored",
    "environment.changed",
    "checklist.loaded",
    "checklist.landed",
)
"""Kinds of events at which an item may come to be met without a statement about it."""


def first_met_at(item: Item, *, since: datetime | None = None) -> datetime | None:
    """Return when an item was first met, as it was known then; None where it never was.

    It is asked at the instants at which it may have become so: where something passed that was not held already, where
    a fail was retired, where another build came to run, and where what is asked or who lends was changed.
    ``since`` is for a transaction that has yet to write its event: nothing was met before, and it is asked there too.
    """
    moments = set(_moments(item))
    for at in sorted({one for one in moments if one > since} | {since} if since else moments):
        facts = fold_item(clause_facts(item, known_by=at), waiver=None, left_out=None, first_met_at=None, at=at)
        if facts.first_met_at is not None:
            return at
    return None


def was_overtaken(item: Item, now: datetime) -> bool:
    """Return whether something that an item is folded from was recorded by a later clock; one query.

    Whoever waited for the item's lock has an earlier clock than what was recorded meanwhile.
    """
    built = Deployment.objects.filter(environment=item.environment_id, at__gt=now)
    said, moved = _said(item).filter(recorded_at__gt=now), _moves(item).filter(at__gt=now)
    return Item.objects.filter(Exists(said) | Exists(built) | Exists(moved), pk=item.pk).exists()


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
    yield from _moves(item).values_list("at", flat=True)


def _statements(item: Item) -> Iterator[tuple[Any, ...]]:
    """Yield what was said of an item and of those that may lend to it, in the order in which it was recorded.

    Each is its clause, outcome, recording and ends, and then what sets it apart from another one about that clause.
    """
    rows = _said(item).order_by("recorded_at", "id")
    ends = ("recorded_at", "valid_until", "true_until")
    yield from rows.values_list("clause", "outcome", *ends, "item", "by", "build", "meaning", "supported").iterator()


def _said(item: Item) -> QuerySet[Evidence]:
    """Return what was said of an item and of those that may lend to it."""
    if item.entry.build_bound and item.environment is not None:
        return Evidence.objects.filter(item__entry=item.entry_id, item__service=item.service_id)
    return Evidence.objects.filter(item=item)


def _moves(item: Item) -> QuerySet[Event]:
    return Event.objects.filter(Q(service=item.service_id) | Q(service=None), kind__in=MOVES)
