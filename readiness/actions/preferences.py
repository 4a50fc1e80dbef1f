"""What a person sets for themselves alone. Nobody else relies on it, so the ledger does not tell of it."""

from datetime import datetime

from django.db.models import F
from django.db.models.functions import Greatest

from readiness.models import Environment, User, Visit
from readiness.selectors.following import newest_event


def switch_keys(*, by: User, off: bool) -> None:
    """Make pages deaf to single keys for this person, or hear them again."""
    User.objects.filter(pk=by.pk).update(keys_off=off)


def choose_language(*, by: User, language: str) -> None:
    """Keep in which language this person reads pages."""
    User.objects.filter(pk=by.pk).update(language=language)


def mark_seen(*, by: User, environment: Environment, seen: int, now: datetime) -> None:
    """Keep how far this person has read a sheet: never less far than before, and never beyond the newest event."""
    seen = min(seen, newest_event())
    mine = Visit.objects.filter(user=by, environment=environment)
    # Two tabs may be left at the same time: the one that reads on is kept.
    if not mine.update(seen=Greatest(F("seen"), seen), at=now):
        Visit.objects.bulk_create([Visit(user=by, environment=environment, seen=seen, at=now)], ignore_conflicts=True)
