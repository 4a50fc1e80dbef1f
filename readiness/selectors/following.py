"""What open pages follow: the ledger from an event on, and what time alone moved on a sheet."""

from datetime import datetime

from django.db.models import Q
from django.utils import timezone

from readiness.models import AgendaLine, Condition, Entry, Environment, Event, Item, Review
from readiness.rules.following import Moved
from readiness.rules.status import ItemFacts

from .fleet import fleet_if_kept


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


def moved_in_review(review: Review, since: int) -> bool:
    """Return whether an event after one may have changed a review or a sheet of its agenda. One query."""
    on_it = AgendaLine.objects.filter(review=review).values("environment__service")
    return Event.objects.filter(Q(service=None) | Q(service__in=on_it), id__gt=since).exists()


def moved_by_time(since: datetime, now: datetime, environment: Environment | None = None) -> bool:
    """Return whether anything may have changed after one instant and up to another without an event.

    That is where evidence or a waiver ended, a fail or an entry began to count, a condition ended, or a day began: on
    one sheet, or anywhere where none is given. At most three queries; where this process keeps where everything stands,
    that answers for anywhere, and does not look through every item.
    """
    if timezone.localdate(since) != timezone.localdate(now):
        return True
    conditions = Condition.objects.filter(until__gt=since, until__lte=now)
    kept = fleet_if_kept(now) if environment is None else None
    if kept is not None:
        return kept.moved(since, now) or conditions.exists()
    reached = Q()
    for name in ItemFacts.names():
        reached |= Q(**{f"{name}__gt": since, f"{name}__lte": now})
    items = Item.objects.filter(reached)
    if environment is not None:
        own = Q(environment=environment) | Q(environment=None)
        items = items.filter(own, service=environment.service_id)
        conditions = conditions.filter(decision__environment=environment)
    entries = Entry.objects.filter(counts_from__gt=since, counts_from__lte=now)
    return items.exists() or conditions.exists() or entries.exists()
