"""Which rows of the overview stand under a go that no longer covers them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.models import Decision, Environment
from readiness.rules.decisions import got_worse
from readiness.rules.snapshots import hash_of, statuses_in
from readiness.rules.verdicts import Under

from .decisions import newest_decisions
from .fleet import fleet, fleet_if_kept
from .kept import Row

UNCOVERED = "uncovered"
"""Under which name a row keeps the answer, which follows from its decision and its items: a change makes a new row."""
_SNAPSHOT, _HASH = "decided_snapshot", "decided_hash"
_READ = {_SNAPSHOT: "snapshot", _HASH: "hash"}


def look(rows: Iterable[Row], at: datetime) -> None:
    """Find out of each row whether it stands under a go that no longer covers; ``uncovered`` tells.

    One query for the rows that are new and under a go, whose snapshots are read; none where all are known.
    """
    new = _new(rows)
    goes = _goes(new)
    compare(new, with_decisions(Environment.objects.filter(pk__in=goes).only("pk"), new) if goes else (), at)


def with_decisions(places: QuerySet[Environment], rows: Iterable[Row]) -> QuerySet[Environment]:
    """Return environments, each with what ``compare`` needs of it: the go that a row that is new stands under."""
    goes = _goes(_new(rows))
    if not goes:
        return places
    made = Decision.objects.filter(environment=OuterRef("pk"), pk__in=goes.values())
    return places.annotate(**{name: Subquery(made.values(column)[:1]) for name, column in _READ.items()})


def compare(rows: Iterable[Row], places: Iterable[Environment], at: datetime) -> None:
    """Do as ``look`` does with environments that come from ``with_decisions``. No query."""
    frozen = {one.pk: (getattr(one, _SNAPSHOT, None) or "", getattr(one, _HASH, None) or "") for one in places}
    for row in _new(rows):
        snapshot, hashed = frozen.get(row.pk, ("", ""))
        row.drawn[UNCOVERED] = snapshot != "" and not _covers(row, snapshot, hashed, at)


def still_covers(snapshot: str, hashed: str, under: Under | None, statuses: Mapping[int, Status], at: datetime) -> bool:
    """Return whether a go that stands covers a sheet, from its frozen one and where items stand now, by key."""
    if hash_of(snapshot) != hashed:
        return False
    return under is None or not got_worse(statuses_in(snapshot), statuses, under, at=at)


def uncovered(row: Row) -> bool:
    """Return whether a row that was looked at stands under a go that no longer covers it."""
    return bool(row.drawn.get(UNCOVERED))


def uncovered_of(environments: Iterable[int], at: datetime) -> set[int]:
    """Return those of a few environments that stand under a go that no longer covers them.

    One query where no go stands, or where everything is kept and nothing happened since; seven at most.
    """
    kept, wanted = fleet_if_kept(at), set(environments)
    if kept is None:
        decided = newest_decisions(wanted, at)
        wanted = {pk for pk, one in decided.items() if one.kind != DecisionKind.NO_GO}
        kept = fleet(at) if wanted else None
    rows = [row for row in kept.rows(at) if row.pk in wanted] if kept is not None else []
    look(rows, at)
    return {row.pk for row in rows if uncovered(row)}


def _new(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if UNCOVERED not in row.drawn]


def _goes(new: Sequence[Row]) -> dict[int, int]:
    """Return the goes that rows stand under. Not what stands by the clock of who asks: a row may be of a later one."""
    return {row.pk: row.under.decision for row in new if row.under and row.under.is_go and row.under.decision}


def _covers(row: Row, snapshot: str, hashed: str, at: datetime) -> bool:
    now = {item.pk: row.statuses[entry] for entry, item in row.items.items()}
    return still_covers(snapshot, hashed, row.under, now, at)
