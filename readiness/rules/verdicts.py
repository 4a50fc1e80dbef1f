"""What the statuses of a sheet add up to at an instant (design section 4)."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from readiness.enums.standing import Status, Verdict

from .status import ItemFacts, status_at


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


def tally_at(items: Iterable[ItemFacts], at: datetime) -> Tally:
    """Return the verdict of a sheet at an instant. A sheet without a counted item is not ready.

    Regressed: not ready, and an item that had been met is failing.
    """
    return tally((status_at(facts, at), facts.first_met_at is not None) for facts in items)


def tally(statuses: Iterable[tuple[Status, bool]]) -> Tally:
    """Return the verdict of statuses, each with whether its item had been met before."""
    counts: Counter[Status] = Counter()
    regressed = False
    for status, was_met in statuses:
        counts[status] += 1
        regressed = regressed or (was_met and status is Status.FAILING)
    return Tally(verdict=_verdict(counts, regressed=regressed), counts=counts)


def _verdict(counts: Counter[Status], *, regressed: bool) -> Verdict:
    if counts and all(status.settled for status in counts):
        return Verdict.READY_WITH_WAIVERS if counts[Status.WAIVED] else Verdict.READY
    return Verdict.REGRESSED if regressed else Verdict.NOT_READY
