"""Which rows of the overview stand under a go that no longer covers them."""

from collections.abc import Iterable
from datetime import datetime

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision
from readiness.rules.decisions import Wait, got_worse
from readiness.rules.snapshots import hash_of, read

from .decisions import newest_decisions
from .fleet import Row, fleet

UNCOVERED = "uncovered"
"""Under which name a row keeps the answer, which follows from its decision and its items: a change makes a new row."""


def look(rows: Iterable[Row], at: datetime) -> None:
    """Find out of each row whether it stands under a go that no longer covers; ``uncovered`` tells.

    Three queries for the rows that are new and under a go; none where all are known. Their snapshots are read.
    """
    new = {row.pk: row for row in rows if UNCOVERED not in row.drawn}
    decided = newest_decisions([pk for pk, row in new.items() if row.under and row.under.is_go], at) if new else {}
    ids = [decision.pk for decision in decided.values()]
    snapshots = dict(Decision.objects.filter(pk__in=ids).values_list("pk", "snapshot")) if ids else {}
    waits: dict[int, list[Wait]] = {}
    if ids:
        terms = Condition.objects.filter(decision__in=ids).values_list("decision", "item", "until", "discharged_at")
        for decision, item, until, discharged_at in terms:
            waits.setdefault(decision, []).append(Wait(item=item, until=until, discharged_at=discharged_at))
    for pk, row in new.items():
        found = decided.get(pk)
        row.drawn[UNCOVERED] = found is not None and not _covers(
            row, found, snapshots[found.pk], waits.get(found.pk, ()), at
        )


def uncovered(row: Row) -> bool:
    """Return whether a row that was looked at stands under a go that no longer covers it."""
    return bool(row.drawn.get(UNCOVERED))


def uncovered_of(environments: Iterable[int], at: datetime) -> set[int]:
    """Return those of a few environments that stand under a go that no longer covers them.

    One query where no go stands, six at most.
    """
    decided = newest_decisions(environments, at)
    under_a_go = {pk for pk, one in decided.items() if one.kind != DecisionKind.NO_GO}
    if not under_a_go:
        return set()
    rows = [row for row in fleet(at).rows(at) if row.pk in under_a_go]
    look(rows, at)
    return {row.pk for row in rows if uncovered(row)}


def _covers(row: Row, decision: Decision, snapshot: str, waits: Iterable[Wait], at: datetime) -> bool:
    if hash_of(snapshot) != decision.hash:
        return False
    now = {item.pk: row.statuses[entry] for entry, item in row.items.items()}
    frozen = {one.item: Status(one.status) for one in read(snapshot).items}
    return not got_worse(frozen, now, waits, at=at)
