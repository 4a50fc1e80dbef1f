"""Fold statements into the facts that status follows from (design section 4). Pure; the clock is passed in."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import inf

from readiness.enums.words import Outcome

from .status import ItemFacts

CONFIRMED_AFTER = timedelta(seconds=30)
"""A fail on a met clause counts from the same probe's next fail at least this long after it (design section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One piece of evidence about one clause. ``valid_until`` is set for a pass and only for it."""

    id: int
    outcome: Outcome
    observed_at: datetime
    valid_until: datetime | None = None
    by_person: bool = False
    supported: bool = True
    build: str = ""

    @property
    def order(self) -> tuple[datetime, int]:
        """Of two statements the later one stands."""
        return (self.observed_at, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseFacts:
    """Where one clause stands: ends of its newest pass and standing tick, and when its fail counts from."""

    clause: str
    pass_until: datetime | None = None
    tick_until: datetime | None = None
    failing_since: datetime | None = None

    @property
    def met_until(self) -> datetime | None:
        """The later of the two ends."""
        return max((end for end in (self.pass_until, self.tick_until) if end is not None), default=None)

    def met_at(self, at: datetime) -> bool:
        """Return whether a pass or a tick holds at an instant, whatever a fail says."""
        return self.met_until is not None and at < self.met_until


Order = tuple[datetime, float]
"""When, and among what happened at one instant in which order."""

Span = tuple[Order, datetime]
"""When something held: from a statement on, up to the first instant that no longer counts."""


def fold_clause(
    clause: str,
    statements: Iterable[Statement],
    *,
    build_bound: bool,
    build: str,
    build_since: datetime | None = None,
) -> ClauseFacts:
    """Fold the statements about one clause.

    A pass of a build-bound clause counts while the environment's build is the one it was made on; with no build known
    (``build`` empty) all its own passes count until they age. No build lifts a fail: only a later pass does. So a pass
    that a rollback revives at ``build_since`` holds from there on, and a fail from before it keeps counting.
    """
    ordered = sorted(statements, key=lambda statement: statement.order)
    observed = [statement for statement in ordered if not statement.by_person]
    ticks = _tick_spans([statement for statement in ordered if statement.by_person])
    passes = [statement for statement in observed if statement.outcome == Outcome.PASS]
    counted = [one for one in passes if not build_bound or not build or one.build == build]
    spans = [(one.order, one.valid_until) for one in counted[-1:] if one.valid_until is not None]
    if build_bound and build_since is not None:
        spans = [(max(start, (build_since, 0)), end) for start, end in spans]
    lifted = passes[-1].order if passes else None
    fails = [one.order for one in observed if one.outcome == Outcome.FAIL and (lifted is None or one.order > lifted)]
    return ClauseFacts(
        clause=clause,
        pass_until=counted[-1].valid_until if counted else None,
        tick_until=max((end for _, end in ticks), default=None),
        failing_since=_counting_from(fails, spans + ticks),
    )


def _tick_spans(by_people: Sequence[Statement]) -> list[Span]:
    """Return when ticks held: each from its instant to its end, cut where a later word replaced it or took it back."""
    spans: list[Span] = []
    for statement in by_people:
        if statement.outcome != Outcome.WITHDRAWN and not statement.supported:
            continue
        cut = [(start, min(end, statement.observed_at)) for start, end in spans]
        spans = [(start, end) for start, end in cut if start[0] < end]
        if statement.outcome != Outcome.WITHDRAWN and statement.valid_until is not None:
            spans.append((statement.order, statement.valid_until))
    return spans


def _counting_from(fails: Sequence[Order], spans: Sequence[Span]) -> datetime | None:
    """Return when the first fail counts: at once on a clause that is not met, else once confirmed or at its end."""
    if not fails:
        return None
    unmet = fails[0]
    for start, end in sorted(spans):
        if start <= unmet and unmet[0] < end:
            unmet = (end, inf)
    first = fails[0][0]
    confirmed = next((fail for fail, _ in fails if fail - first >= CONFIRMED_AFTER), unmet[0])
    return min(unmet[0], confirmed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A granted waiver: it holds in ``[start, end)`` for the clauses that it names."""

    start: datetime
    end: datetime
    clauses: frozenset[str]


def fold_item(
    clauses: Sequence[ClauseFacts],
    *,
    waiver: Grant | None,
    not_applicable_from: datetime | None,
    first_met_at: datetime | None,
    at: datetime,
) -> ItemFacts:
    """Fold clauses, a waiver and a "not applicable" into an item's facts, as known at ``at``.

    ``first_met_at`` is what was known before; it is set to ``at`` where the item is met now for the first time.
    An item without clauses is met by nothing.
    """
    observed_until = _earliest([clause.pass_until for clause in clauses])
    settled_until = _earliest([clause.met_until for clause in clauses])
    failing_since = min((c.failing_since for c in clauses if c.failing_since is not None), default=None)
    waived = _waived(clauses, waiver)
    met = settled_until is not None and at < settled_until and not (failing_since is not None and failing_since <= at)
    return ItemFacts(
        observed_until=observed_until,
        settled_until=settled_until,
        failing_since=failing_since,
        waived_from=waived[0] if waived else None,
        waived_until=waived[1] if waived else None,
        not_applicable_from=not_applicable_from,
        first_met_at=first_met_at or (at if met else None),
    )


def _earliest(ends: Sequence[datetime | None]) -> datetime | None:
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def _waived(clauses: Sequence[ClauseFacts], waiver: Grant | None) -> tuple[datetime, datetime] | None:
    """Return when the waiver settles the item: up to its end, and while every clause that it does not name holds."""
    if waiver is None:
        return None
    ends = [waiver.end]
    for clause in clauses:
        if clause.clause in waiver.clauses:
            continue
        if clause.met_until is None:
            return None
        ends.append(clause.met_until)
        if clause.failing_since is not None:
            ends.append(clause.failing_since)
    end = min(ends)
    return (waiver.start, end) if waiver.start < end else None
