"""The ledger as a page shows it: newest first, each event in words, with its seal."""

from dataclasses import dataclass

from django.db.models import QuerySet

from readiness.models import Event, Item, Service, User
from readiness.rules.chain import faults_of_one

from .chain import row_of
from .histories import KINDS, Line, lines

SHOWN = 50
"""How many events a page has."""
NOBODY = ":nobody"
"""Chosen in place of a person: what probes and the schedule did. No user name has a colon."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Which events: by the beginning of their kind, a user name (or NOBODY), a service's slug, an item's key."""

    kind: str = ""
    person: str = ""
    service: str = ""
    item: int | None = None

    def __bool__(self) -> bool:
        """Tell whether they leave anything out."""
        return bool(self.kind or self.person or self.service or self.item is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One event of the page. ``line`` is none where its text is not one that the ledger wrote; ``faults`` say so."""

    event: Event
    line: Line | None
    faults: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """At most SHOWN events, and the ``before`` of the pages beside it: none where there are no older ones, and for
    ``newer`` where the newest page comes next."""

    entries: list[Entry]
    older: int | None
    newer: int | None
    has_newer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What can be chosen from: kinds that have words, people and services; and the item that was chosen."""

    kinds: tuple[str, ...]
    people: list[User]
    services: list[str]
    item: Item | None


def page(filters: Filters, *, before: int | None) -> Page:
    """Return the newest events that fit, of those before a number where one is given. Two queries, or three."""
    fitting = _fitting(filters)
    older = fitting if before is None else fitting.filter(id__lt=before)
    # Numbers first: a database that has to sort what fits need not carry every text along.
    found = list(older.values_list("id", flat=True)[: SHOWN + 1])
    shown = found[:SHOWN]
    events = Event.objects.filter(id__in=shown).order_by("-id")
    if before is None:
        newer = []
    else:
        start = shown[0] if shown else before - 1
        newer = list(fitting.filter(id__gt=start).order_by("id").values_list("id", flat=True)[: SHOWN + 1])
    return Page(
        entries=[
            _entry(event) for event in events.select_related("actor", "item__entry", "service", "environment__service")
        ],
        older=shown[-1] if len(found) > SHOWN else None,
        newer=newer[SHOWN - 1] + 1 if len(newer) > SHOWN else None,
        has_newer=bool(newer),
    )


def choices(filters: Filters) -> Choices:
    """Return what the filters can be set to. Two queries, and one where an item is chosen."""
    item = None
    if filters.item is not None:
        item = Item.objects.select_related("entry", "service", "environment").filter(pk=filters.item).first()
    return Choices(
        kinds=tuple(sorted(KINDS)),
        people=list(User.objects.only("username", "first_name", "last_name")),
        services=list(Service.objects.order_by("slug").values_list("slug", flat=True)),
        item=item,
    )


def _fitting(filters: Filters) -> QuerySet[Event]:
    found = Event.objects.order_by("-id")
    if filters.kind:
        found = found.filter(kind__startswith=filters.kind)
    if filters.person:
        found = found.filter(actor=None) if filters.person == NOBODY else found.filter(actor__username=filters.person)
    if filters.service:
        found = found.filter(service__slug=filters.service)
    if filters.item is not None:
        found = found.filter(item_id=filters.item)
    return found


def _entry(event: Event) -> Entry:
    try:
        line = lines([event])[0]
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        line = None
    return Entry(event=event, line=line, faults=tuple(fault.sentence for fault in faults_of_one(row_of(event))))
