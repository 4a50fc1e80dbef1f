"""What open pages follow: the ledger from an event on, and what time alone moved on a sheet."""

from datetime import datetime

from django.db.models import Exists, Q
from django.utils import timezone

from readiness.models import Condition, Entry, Environment, Event, Item
from readiness.rules.following import Moved
from readiness.rules.status import ItemFacts


def newest_event() -> int:
    """Return the number of the ledger's newest line; 0 where it is empty. One query."""
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


def moved_after(last: int, most: int) -> list[Moved]:
    """Return what moved after an event, oldest first, at most so much. One query.

    ``id > last`` is safe to follow: ids are given under the ledger's lock, which is held to the end of the transaction,
    so that no event is committed after a later one.
    """
    rows = Event.objects.filter(id__gt=last).order_by("id")
    found = rows.values_list("id", "kind", "service__slug", "environment__name")[:most]
    return [Moved(id=id_, kind=kind, service=service, environment=name) for id_, kind, service, name in found]


def moved_on_sheet(environment: Environment, since: int) -> bool:
    """Return whether an event after one may have changed a sheet. One query.

    Every environment of the service counts: production takes over what is observed in the others, without an event of
    its own. So does what has no service: a checklist, a review, a probe that was disabled everywhere.
    """
    concerns = Q(service=environment.service_id) | Q(service=None)
    return Event.objects.filter(concerns, id__gt=since).exists()


def sheet_moved_by_time(environment: Environment, since: datetime, now: datetime) -> bool:
    """Return whether anything on a sheet may have changed after one instant and up to another without an event.

    That is where evidence or a waiver ended, a fail or an entry began to count, a condition ended, or a day began.
    At most one query.
    """
    if timezone.localdate(since) != timezone.localdate(now):
        return True
    reached = Q()
    for name in ItemFacts.names():
        reached |= Q(**{f"{name}__gt": since, f"{name}__lte": now})
    items = Item.objects.filter(Q(environment=environment) | Q(environment=None), service=environment.service_id)
    entries = Entry.objects.filter(counts_from__gt=since, counts_from__lte=now)
    conditions = Condition.objects.filter(decision__environment=environment, until__gt=since, until__lte=now)
    found = Environment.objects.filter(pk=environment.pk)
    return found.filter(Exists(items.filter(reached)) | Exists(entries) | Exists(conditions)).exists()
