"""Which rows of the overview stand under a go that no longer covers them."""

from collections.abc import Iterable
from datetime import datetime

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision
from readiness.rules.decisions import Wait, got_worse
from readiness.rules.snapshots import hash_of, read

from .decisions import newest, newest_decisions
from .fleet import Row, fleet

UNCOVERED = "uncovered"
"""Under which name a row keeps the answer, which follows from its decision and its items: a change makes a new row."""
_READ = ("environment_id", "kind", "hash", "snapshot")


def look(rows: Iterable[Row], at: datetime) -> None:
    """Find out of each row whether it stands under a go that no longer covers; ``uncovered`` tells.

    One query for the rows that are new and under a go, and one more where any has conditions; none where all are known.
    Their snapshots are read.
    """
    new = {row.pk: row for row in rows if UNCOVERED not in row.drawn}
    goes = [pk for pk, row in new.items() if row.under and row.under.is_go]
    decided = {one.environment_id: one for one in newest(goes, at).only(*_READ)} if goes else {}
    conditional = [one.pk for one in decided.values() if one.kind == DecisionKind.GO_WITH_CONDITIONS]
    waits: dict[int, list[Wait]] = {}
    if conditional:
        terms = Condition.objects.filter(decision__in=conditional)
        for decision, item, until, discharged_at in terms.values_list("decision", "item", "until", "discharged_at"):
            waits.setdefault(decision, []).append(Wait(item=item, until=until, discharged_at=discharged_at))
    for pk, row in new.items():
        found = decided.get(pk)
        row.drawn[UNCOVERED] = found is not None and not _covers(row, found, waits.get(found.pk, ()), at)


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


def _covers(row: Row, decision: Decision, waits: Iterable[Wait], at: datetime) -> bool:
    snapshot = decision.snapshot
    if hash_of(snapshot) != decision.hash:
        return False
    now = {item.pk: row.statuses[entry] for entry, item in row.items.items()}
    frozen = {one.item: Status(one.status) for one in read(snapshot).items}
    return not got_worse(frozen, now, waits, at=at)
