"""Which probes exist, as far as pages need to know: ``checks`` answers when it is installed."""

from collections.abc import Callable, Mapping, Sequence
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Snippet:
    """Lines to copy as they are, and what they are for."""

    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What to change after a finding, in words, and the exact lines where there are any; the likeliest first."""

    words: str
    snippets: tuple[Snippet, ...] = ()


def _no_fix(_code: str, _facts: Mapping[str, Any]) -> Fix | None:
    return None


def _never_tried() -> OwnProof | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Observer:
    """A probe as a page shows it.

    ``every`` is how often it runs by itself; ``missing`` says what an environment lacks before it can look, in words.
    ``proof`` asks for its own proof; None where it has not tried yet. ``fix`` takes the code of a finding and the facts
    of its run, which may be of an older version of the probe.
    """

    slug: str
    question: str
    remedy: str
    every: timedelta
    missing: Callable[[Environment], list[str]]
    proof: Callable[[], OwnProof | None] = _never_tried
    fix: Callable[[str, Mapping[str, Any]], Fix | None] = _no_fix


def observers() -> dict[str, Observer]:
    """Return the probes that are installed, by slug; empty where ``checks`` is not."""
    answers: Sequence[tuple[object, Any]] = observers_wanted.send(sender=None)
    return {observer.slug: observer for _, found in answers for observer in found}
