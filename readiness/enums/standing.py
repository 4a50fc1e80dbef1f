"""The words of the product that are derived, never stored."""

from enum import StrEnum


class Status(StrEnum):
    """Where an item stands at an instant (design section 4)."""

    NOT_APPLICABLE = "not-applicable"
    VERIFIED = "verified"
    ATTESTED = "attested"
    WAIVED = "waived"
    FAILING = "failing"
    STALE = "stale"
    OPEN = "open"

    @property
    def met(self) -> bool:
        """Whether every clause holds: verified or attested."""
        return self in (Status.VERIFIED, Status.ATTESTED)

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do now: met, waived or not applicable."""
        return self.met or self in (Status.WAIVED, Status.NOT_APPLICABLE)


class Verdict(StrEnum):
    """What the statuses of a sheet add up to at an instant."""

    READY = "ready"
    READY_WITH_WAIVERS = "ready-with-waivers"
    NOT_READY = "not-ready"
    REGRESSED = "regressed"


class RequestState(StrEnum):
    """Where a request of a team stands at an instant: a waiver, or "not applicable"."""

    WAITING = "waiting"
    HOLDING = "holding"
    ENDED = "ended"
    REVOKED = "revoked"
    RENEWED = "renewed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class Nearing(StrEnum):
    """How near the end of a waiver is: people are warned a week and a day before."""

    WITHIN_A_WEEK = "within-a-week"
    WITHIN_A_DAY = "within-a-day"
