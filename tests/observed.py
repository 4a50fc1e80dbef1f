"""Observations of entries whose probes do not exist yet, recorded as a run of theirs would be."""

from datetime import datetime, timedelta

from django.db import transaction

from readiness.actions import folding
from readiness.models import Evidence, Item, Run


def observe_bound(item: Item, *, now: datetime, build: str, outcome: str = "pass", drill: bool = False) -> None:
    """Record a statement of a run on every clause of an item, and fold whatever rests on it."""
    assert item.environment is not None
    with transaction.atomic():
        touched = sorted({item.pk} | folding.borrowers_of([item.pk]))
        locked = [folding.lock_item(pk) for pk in touched]
        run = Run.objects.create(
            environment=item.environment,
            probe="drill",
            state="done",
            reason="scheduled",
            queued_at=now,
            due_at=now,
            finished_at=now,
            build=build,
        )
        for clause in item.entry.clauses.filter(retired_at=None):
            Evidence.objects.create(
                item=item,
                clause=clause.slug,
                outcome=outcome,
                summary="Seen in a drill.",
                run=run,
                build=build,
                drill=drill,
                observed_at=now,
                recorded_at=now,
                valid_until=now + timedelta(days=90) if outcome == "pass" else None,
            )
        for one in locked:
            folding.refresh(one, now=now)
