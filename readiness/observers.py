"""Which probes exist, as far as pages need to know: ``checks`` answers when it is installed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from readiness.models import Environment
from readiness.signals import observers_wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnProof:
    """Whether a probe told its known-good from its known-bad targets when it last tried; ``detail`` is what went wrong.

    ``counts_until`` is None where it failed: it is tried again at the next run.
    """

    proven: bool
    at: datetime
    counts_until: datetime | None = None
    detail: str = ""


def _never_tried() -> OwnProof | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """A probe as a page shows it.

    ``every`` is how often it runs by itself; ``missing`` says what an environment lacks before it can look, in words.
    ``proof`` asks for its own proof; None where it has not tried yet.
    """

    slug: str
    question: str
    remedy: str
    every: timedelta
    missing: Callable[[Environment], list[str]]
    proof: Callable[[], OwnProof | None] = _never_tried


def observers() -> dict[str, Observer]:
    """Return the probes that are installed, by slug; empty where ``checks`` is not."""
    answers: Sequence[tuple[object, Any]] = observers_wanted.send(sender=None)
    return {observer.slug: observer for _, found in answers for observer in found}
