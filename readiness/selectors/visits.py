"""What changed on a sheet since a person was last there."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from readiness.models import Environment, Event, User, Visit

from .histories import OBSERVED_AGAIN, Line, lines

MOST = 50
"""So many changes are listed, the newest; the rest is in the ledger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What others changed on a sheet since ``since``: ``count`` in all, the newest of them in words."""

    since: datetime
    count: int
    lines: list[Line]

    @property
    def more(self) -> int:
        """How many are not listed."""
        return self.count - len(self.lines)


def news(environment: Environment, user: User) -> News | None:
    """Return what others and probes changed since this person was last here; None on a first visit or for nothing.

    That a probe found what it found before is no news. One query, and two more where there was an earlier visit.
    """
    visit = Visit.objects.filter(user=user, environment=environment).first()
    if visit is None:
        return None
    here = Q(environment=environment) | Q(environment=None, service=environment.service)
    events = Event.objects.filter(here, id__gt=visit.seen).exclude(kind=OBSERVED_AGAIN)
    changed = events.filter(Q(actor=None) | ~Q(actor=user)).order_by("-id")
    count = changed.count()
    return News(since=visit.at, count=count, lines=lines(changed[:MOST])) if count else None
