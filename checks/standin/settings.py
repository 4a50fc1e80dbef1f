"""What the stand-in is told: who may call it, what it lists, how it fails."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from checks.standin.catalogue import ALL_MODELS
from checks.standin.errors import FAILURES


class RetryAfterForm(StrEnum):
    """How ``Retry-After`` looks on a 429. Bastion documents whole seconds; a client must survive the others."""

    SECONDS = "seconds"
    ABSENT = "absent"
    HTTP_DATE = "http-date"
    ZERO = "zero"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandInSettings:
    """How the stand-in behaves; keys are kept out of its ``repr``.

    ``unknown_model_status`` is 400 or 404: Bastion's pages disagree. ``models_need_balance`` says whether the model
    list is refused with 402 too when a key has no balance, which is not documented. ``token_delay`` is waited
    between two events of a stream. ``max_body_bytes`` is the stand-in's own bound: Bastion documents
    25 MB for audio alone.
    """

    accepted_keys: frozenset[str] = field(default=frozenset(), repr=False)
    revoked_keys: frozenset[str] = field(default=frozenset(), repr=False)
    keys_without_balance: frozenset[str] = field(default=frozenset(), repr=False)
    models: tuple[str, ...] = ALL_MODELS
    reply: str = "This answer comes from the stand-in for the Bastion API."
    unknown_model_status: int = 400
    models_need_balance: bool = False
    retry_after_s: int = 2
    retry_after_form: RetryAfterForm = RetryAfterForm.SECONDS
    stream_usage: bool = True
    token_delay: timedelta = timedelta()
    max_body_bytes: int = 25 * 1024 * 1024

    def __post_init__(self) -> None:
        """Raise ``ValueError`` for a status, a wait or a bound that makes no sense."""
        if self.unknown_model_status not in (400, 404):
            raise ValueError("unknown_model_status is 400 or 404")
        if self.retry_after_s < 0 or self.token_delay < timedelta() or self.max_body_bytes < 1:
            raise ValueError("retry_after_s and token_delay are not negative, max_body_bytes is at least 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a fault plan may look at: one request, before anything was decided. ``path`` is below the mount point."""

    method: str
    path: str
    key: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Answer ``status`` instead of working: for the next ``requests`` that match, or always where that is ``None``.

    An empty ``key`` or ``path`` matches every one. Raises ``ValueError`` for a status without an envelope in
    ``errors.FAILURES`` and for fewer than one request.
    """

    status: int
    requests: int | None = None
    key: str = field(default="", repr=False)
    path: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never be answered."""
        if self.status not in FAILURES:
            raise ValueError(f"no error is known for status {self.status}")
        if self.requests is not None and self.requests < 1:
            raise ValueError("a fault is for one request at least")

    def matches(self, asked: Asked) -> bool:
        """Say whether this fault is meant for that request."""
        return self.key in ("", asked.key) and self.path in ("", asked.path)


FaultPlan = Callable[[Asked], Fault | None]
"""Decides for each request; of the fault it returns only the status counts. Called from the server's thread."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalLine:
    """One answered request. ``path`` has no query, ``key_mark`` is a keyed hash (empty where no key was sent)."""

    at: datetime
    method: str
    path: str
    status: int
    key_mark: str
