"""What is known today of an instant to come (design section 4): pure, over where each clause stands."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from readiness.enums.standing import Status

from .folding import ClauseFacts, Grant, LeftOut, fold_item
from .status import ItemFacts, status_at

FOREVER = datetime.max.replace(tzinfo=UTC)


class Cause(StrEnum):
    """Why an item gets worse at an instant that is known beforehand."""

    WAIVER_ENDS = "waiver-ends"
    TICK_AGES = "tick-ages"
    OBSERVATION_AGES = "observation-ages"
    NO_LONGER_TRUE = "no-longer-true"
    FAIL_COUNTS = "fail-counts"
    BEGINS_TO_COUNT = "begins-to-count"
    MEANS_ANOTHER_THING = "means-another-thing"
    CONDITION_ENDS = "condition-ends"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal:
    """An item gets worse at an instant that is known beforehand. ``clause`` is empty where it is the whole item."""

    at: datetime
    cause: Cause
    clause: str
    before: Status
    after: Status


def keep_passing(clauses: Sequence[ClauseFacts], *, scheduled: Collection[str], now: datetime) -> list[ClauseFacts]:
    """Return the clauses as they are taken to be from now on: a probe that passes now on a schedule keeps passing.

    ``scheduled`` are the clauses whose probe runs here by itself. What a drill saw, and what was observed in another
    environment, ends when it ends. So does what is known to end (``true_until``): a key gets a year old.
    """
    return [_kept(clause, now) if clause.clause in scheduled else clause for clause in clauses]


def _kept(clause: ClauseFacts, now: datetime) -> ClauseFacts:
    fresh = clause.pass_until is not None and now < clause.pass_until
    if not fresh or not clause.passing or clause.drill or clause.lent_by is not None:
        return clause
    return replace(clause, pass_until=clause.true_until or FOREVER)


def forecast(
    clauses: Sequence[ClauseFacts],
    *,
    waiver: Grant | None,
    left_out: LeftOut | None,
    first_met_at: datetime | None,
    scheduled: Collection[str],
    now: datetime,
) -> ItemFacts:
    """Return the facts of an item as they are taken to be at every instant from now on."""
    kept = keep_passing(clauses, scheduled=scheduled, now=now)
    return fold_item(kept, waiver=waiver, left_out=left_out, first_met_at=first_met_at, at=now)


def reversals(
    clauses: Sequence[ClauseFacts],
    facts: ItemFacts,
    *,
    waiver: Grant | None,
    left_out: LeftOut | None,
    after: datetime,
    until: datetime,
) -> list[Reversal]:
    """Return every instant in ``(after, until]`` at which an item gets worse, in order, each with what ends there.

    ``clauses`` and ``facts`` are those of the forecast. Where several things end at one instant there is a line for
    each. An item gets worse where it is settled no longer, met no longer, or begins to fail.
    """
    instants = {getattr(facts, name) for name in ItemFacts.names()}
    found: list[Reversal] = []
    before = status_at(facts, after)
    for at in sorted(one for one in instants if one is not None and after < one <= until):
        now = status_at(facts, at)
        if rank(now) < rank(before):
            found += [
                Reversal(at=at, cause=cause, clause=clause, before=before, after=now)
                for cause, clause in _ends(clauses, waiver=waiver, left_out=left_out, at=at)
            ]
        before = now
    return found


def rank(status: Status) -> int:
    """Return how good a status is, as far as it matters to a decision: met or left out, waived, unsettled, failing."""
    if status.met or status is Status.NOT_APPLICABLE:
        return 3
    return {Status.WAIVED: 2, Status.FAILING: 0}.get(status, 1)


def _ends(
    clauses: Sequence[ClauseFacts], *, waiver: Grant | None, left_out: LeftOut | None, at: datetime
) -> list[tuple[Cause, str]]:
    found: list[tuple[Cause, str]] = []
    if waiver is not None and waiver.end == at:
        found.append((Cause.WAIVER_ENDS, ""))
    if left_out is not None and left_out.end == at:
        found.append((Cause.MEANS_ANOTHER_THING, ""))
    for clause in clauses:
        if clause.counting_since == at:
            found.append((Cause.FAIL_COUNTS, clause.clause))
        elif clause.met_until == at:
            found.append((_what_ends(clause, at), clause.clause))
    return found


def _what_ends(clause: ClauseFacts, at: datetime) -> Cause:
    if clause.pass_until == at:
        return Cause.NO_LONGER_TRUE if clause.true_until == at else Cause.OBSERVATION_AGES
    return Cause.TICK_AGES if clause.tick_until == at else Cause.BEGINS_TO_COUNT
