"""Where an item stands at an instant: a pure function of folded facts and the clock (design section 4)."""

from dataclasses import dataclass, fields
from datetime import datetime

from readiness.enums.standing import Status


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFacts:
    """What status follows from. Instants are aware; None means that there is none.

    Every ``*_until`` is the first instant that no longer counts. ``observed_until`` is the earliest end of passes over
    the clauses, ``settled_until`` the earliest end of met clauses, each None if a clause has none. ``failing_since`` is
    the earliest instant at which a fail counts, and may lie ahead. ``waived_from`` and ``waived_until`` bound the time
    in which a waiver holds *and* names every clause that is not met. ``not_applicable_until`` is when the entry begins
    to mean something else than what was left out. ``first_met_at`` is when the item was first met.
    """

    observed_until: datetime | None = None
    settled_until: datetime | None = None
    failing_since: datetime | None = None
    waived_from: datetime | None = None
    waived_until: datetime | None = None
    not_applicable_from: datetime | None = None
    not_applicable_until: datetime | None = None
    first_met_at: datetime | None = None

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """The names of the facts, which are those of the item's columns."""
        return tuple(field.name for field in fields(cls))


def status_at(facts: ItemFacts, at: datetime) -> Status:
    """Return where an item stands at an instant.

    ``at`` is aware. Ends are half open: evidence that ends at 12:00 does not count at 12:00. Nothing known reads open,
    never verified. ``selectors.status_sql`` is the twin of this function for lists.
    """
    failing = _reached(facts.failing_since, at)
    left_out = _reached(facts.not_applicable_from, at) and not _reached(facts.not_applicable_until, at)
    if left_out and not failing:
        return Status.NOT_APPLICABLE
    if _before(at, facts.observed_until) and not failing:
        return Status.VERIFIED
    if _before(at, facts.settled_until) and not failing:
        return Status.ATTESTED
    if _reached(facts.waived_from, at) and _before(at, facts.waived_until):
        return Status.WAIVED
    if failing:
        return Status.FAILING
    if _reached(facts.first_met_at, at):
        return Status.STALE
    return Status.OPEN


def _reached(since: datetime | None, at: datetime) -> bool:
    return since is not None and since <= at


def _before(at: datetime, until: datetime | None) -> bool:
    return until is not None and at < until
