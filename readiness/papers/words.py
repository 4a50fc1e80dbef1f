"""The words that several papers share."""

from datetime import datetime, timedelta

from django.utils import timezone

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.rules.spoken import capital, long_day, long_moment, status_words
from readiness.templatetags.readiness_words import LEGENDS, LETTERS

_TONES = {Status.NOT_APPLICABLE: "na"}
_KINDS = {
    DecisionKind.GO: "verified",
    DecisionKind.GO_WITH_CONDITIONS: "waived",
    DecisionKind.NO_GO: "failing",
}


def moment_words(instant: datetime) -> str:
    """Return an instant in full in the site's time zone: 3 March 2026 at 18:16."""
    return long_moment(timezone.localtime(instant))


def last_day_words(end: datetime) -> str:
    """Return the last day that counts before an end, in full."""
    return long_day(timezone.localdate(end - timedelta(microseconds=1)))


def tone_of(status: str) -> str:
    """Return the colour token of a status; that of open for a word that is none."""
    return _TONES.get(Status(status), status) if status in set(Status) else "open"


def letter_of(status: str) -> str:
    """Return the shape of a status; that of open for a word that is none."""
    return LETTERS[Status(status)] if status in set(Status) else "o"


def kind_words(kind: str) -> str:
    """Return a kind of decision in words; one that is none as it is."""
    return str(DecisionKind(kind).label) if kind in DecisionKind.values else kind


def kind_tone(kind: str) -> str:
    """Return the colour token of a kind of decision."""
    return _KINDS[DecisionKind(kind)] if kind in DecisionKind.values else "open"


def status_word(status: str) -> str:
    """Return a status with a capital, as it stands in a table."""
    return capital(status_words(status))


def legend() -> list[tuple[str, str]]:
    """Return what the shapes of the strip mean: letter and words."""
    return [(letter, str(words)) for letter, words in LEGENDS]
