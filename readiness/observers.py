"""Which probes exist, as far as pages need to know: ``checks`` answers when it is installed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from readiness.models import Environment
from readiness.signals import observers_wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """A probe as a page shows it.

    ``every`` is how often it runs by itself; ``missing`` says what an environment lacks before it can look, in words.
    """

    slug: str
    question: str
    remedy: str
    every: timedelta
    missing: Callable[[Environment], list[str]]


def observers() -> dict[str, Observer]:
    """Return the probes that are installed, by slug; empty where ``checks`` is not."""
    answers: Sequence[tuple[object, Any]] = observers_wanted.send(sender=None)
    return {observer.slug: observer for _, found in answers for observer in found}
