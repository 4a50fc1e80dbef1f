"""The ledger's rows as they are stored, from the first to the last, a page at a time."""

import re
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from django.db import DatabaseError, connection
from django.db.models import F, QuerySet, TextField
from django.db.models.functions import Cast
from django.utils.translation import gettext as _

from readiness.models import Event
from readiness.rules.chain import Head, Row, Unreadable, instant_text

PAGE = 500
"""How many rows are in memory at a time."""
_COLUMNS = ("id", "stored_at", "kind", "actor", "service", "environment", "item", "text", "previous_hash", "hash")
_STORED_INSTANT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2})(\.[0-9]{6})?")


def rows(after: int | None = None) -> Iterator[Row | Unreadable]:
    """Yield the events after one, by number. A query for each ``PAGE`` of them, whatever their number."""
    return chain.from_iterable(pages(after))


def pages(after: int | None = None) -> Iterator[list[Row | Unreadable]]:
    """Yield the events after one, by number, at most ``PAGE`` at a time. A query each."""
    while page := _page(after):
        numbered = [row for row in page if row.id is not None]
        if not numbered:
            yield page
            return
        yield numbered
        after = numbered[-1].id


def _page(after: int | None) -> list[Row | Unreadable]:
    try:
        return [_row(values) for values in _values(_after(after))[:PAGE]]
    except (DatabaseError, ValueError):
        return [_one(number) for number in _after(after).values_list("id", flat=True)[:PAGE]]


def head(at: datetime) -> Head | None:
    """Return where the ledger ends now; None where it is empty. Two queries."""
    last = Event.objects.order_by("-id").values_list("id", "hash").first()
    if last is None:
        return None
    count = Event.objects.filter(id__lte=last[0]).count()
    return Head(id=last[0], hash=last[1], at=instant_text(at), count=count)


def row_of(event: Event) -> Row:
    """Return an event that is in memory as a row."""
    return Row(
        id=event.pk,
        text=event.text,
        previous_hash=event.previous_hash,
        hash=event.hash,
        columns={
            "at": instant_text(event.at),
            "kind": event.kind,
            "by": event.actor_id,
            "service": event.service_id,
            "environment": event.environment_id,
            "item": event.item_id,
        },
    )


def _after(after: int | None) -> QuerySet[Event]:
    found = Event.objects.order_by("id")
    return found if after is None else found.filter(id__gt=after)


def _values(found: QuerySet[Event]) -> QuerySet[Event, tuple[Any, ...]]:
    # SQLite keeps an instant as text, which Django reads generously: what is stored is compared to the letter.
    stored = Cast("at", TextField()) if connection.vendor == "sqlite" else F("at")
    return found.annotate(stored_at=stored).values_list(*_COLUMNS)


def _one(number: Any) -> Row | Unreadable:
    """Return a row that stands in a page of which not all can be read."""
    try:
        return _row(_values(Event.objects.filter(id=number)).get())
    except (DatabaseError, ValueError, Event.DoesNotExist):
        return Unreadable(place=_("Event {number}").format(number=number), id=number if type(number) is int else None)


def _row(values: tuple[Any, ...]) -> Row | Unreadable:
    number, at, kind, actor, service, environment, item, *sealed = values
    if type(number) is not int:
        return Unreadable(place=_("The row with the number “{number}”").format(number=number))
    if not all(isinstance(one, str) for one in sealed):
        return Unreadable(place=_("Event {number}").format(number=number), id=number)
    text, previous_hash, hashed = sealed
    said = {"kind": kind, "by": actor, "service": service, "environment": environment, "item": item}
    return Row(id=number, text=text, previous_hash=previous_hash, hash=hashed, columns={"at": _instant(at), **said})


def _instant(stored: object) -> object:
    """Return a stored instant as the sealed text writes it; as it is where it is stored in another way than ours."""
    if isinstance(stored, datetime):
        return instant_text(stored)
    found = _STORED_INSTANT.fullmatch(stored) if isinstance(stored, str) else None
    if found is None or found[3] == ".000000":
        return stored
    return f"{found[1]}T{found[2]}{found[3] or '.000000'}+00:00"
