"""What the statuses of a sheet add up to at an instant (design section 4)."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from readiness.enums.standing import Status, Verdict
from readiness.enums.words import DecisionKind

from .status import ItemFacts, status_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Under:
    """The decision that stands on an environment at an instant.

    ``conditions`` maps each item that may wait under it to the first instant at which it may no longer; those that were
    ``discharged`` are not in it, so an item that is unsettled again after that is outside them. ``decision`` is which
    one it is.
    """

    kind: DecisionKind
    conditions: Mapping[int, datetime] = field(default_factory=dict)
    discharged: Collection[int] = ()
    decision: int | None = field(default=None, compare=False)

    @property
    def is_go(self) -> bool:
        """Whether the environment was let go, with or without conditions."""
        return self.kind != DecisionKind.NO_GO

    def lets_wait(self, item: int, at: datetime) -> bool:
        """Return whether an item may be unsettled at an instant under this decision."""
        return self.kind == DecisionKind.GO_WITH_CONDITIONS and item in self.conditions and at < self.conditions[item]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where one item of a sheet stands at an instant, and whether it had been met by then."""

    item: int
    status: Status
    was_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The statuses of a sheet, counted, and the verdict they add up to. Entries that do not apply are not in it."""

    verdict: Verdict
    counts: Counter[Status]

    @property
    def total(self) -> int:
        """How many items the sheet has."""
        return self.counts.total()

    @property
    def settled(self) -> int:
        """How many are met, waived or not applicable."""
        return sum(count for status, count in self.counts.items() if status.settled)

    @property
    def left(self) -> int:
        """How many still need somebody."""
        return self.total - self.settled

    @property
    def waived(self) -> int:
        """How many wait on a waiver: counted apart, never as met."""
        return self.counts[Status.WAIVED]

    @property
    def percent(self) -> int:
        """Settled items in percent, rounded down so that 100 means all; 0 for an empty sheet."""
        return self.settled * 100 // self.total if self.total else 0


def stand_at(item: int, facts: ItemFacts, at: datetime) -> Stand:
    """Return where an item stands at an instant."""
    was_met = facts.first_met_at is not None and facts.first_met_at <= at
    return Stand(item=item, status=status_at(facts, at), was_met=was_met)


def tally(stands: Iterable[Stand], *, under: Under | None, at: datetime) -> Tally:
    """Return the verdict of a sheet at an instant, under the decision that stands then.

    A sheet without a counted item is not ready. Regressed is what is not ready and a go stands; or, under a go with
    conditions, has an item that is unsettled and may not wait; or has an item that had been met and is failing.
    """
    counts: Counter[Status] = Counter()
    regressed = under is not None and under.kind == DecisionKind.GO
    for stand in stands:
        counts[stand.status] += 1
        if stand.status.settled:
            continue
        broken = under is not None and under.is_go and not under.lets_wait(stand.item, at)
        regressed = regressed or broken or (stand.was_met and stand.status is Status.FAILING)
    return Tally(verdict=_verdict(counts, regressed=regressed), counts=counts)


def _verdict(counts: Counter[Status], *, regressed: bool) -> Verdict:
    if counts and all(status.settled for status in counts):
        return Verdict.READY_WITH_WAIVERS if counts[Status.WAIVED] else Verdict.READY
    return Verdict.REGRESSED if regressed else Verdict.NOT_READY
