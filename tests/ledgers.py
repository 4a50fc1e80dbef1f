"""Ledgers to tamper with: one that people and probes wrote, a long one, and one byte changed."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from django.db import connection, transaction

from readiness.actions import ledger
from readiness.enums.words import Judgement
from readiness.models import Event
from readiness.rules.chain import FIRST_HASH, Row, Unreadable, canonical, instant_text, seal
from readiness.selectors import chain as stored
from tests.deeds import ask, decide, observe, take_back, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer, make_service, make_team

COLUMNS = stored._COLUMNS
EPOCH = datetime(2000, 1, 1, tzinfo=NOW.tzinfo)


def lively_ledger() -> list[Row]:
    """Have people and a probe write some events, with every column filled in some; return the rows as stored."""
    team = make_team()
    member, reviewer = make_member(team, "Zoë"), make_reviewer()
    prod = make_environment(make_service(team, by=member), by=member)
    items = [item_of(prod, slug) for slug in ("spend-cap", "rotation-runbook", "key-in-secrets-manager")]
    for number, item in enumerate(items):
        now = NOW + timedelta(hours=number, microseconds=1234 * number)
        tick(member, item, links=["https://docs.example.ca/é"], now=now)
        take_back(member, item, now=now + timedelta(minutes=1))
        decide(reviewer, ask(member, item, now=now + timedelta(minutes=2)), now=now + timedelta(minutes=3))
    observe(prod, "spend-cap", now=NOW + timedelta(days=1), cap_matches=Judgement.PASS)
    return stored_rows()


def stored_rows() -> list[Row]:
    found = list(stored.rows())
    assert all(isinstance(row, Row) for row in found)
    return found  # type: ignore[return-value]


def append(kind: str = "test.said", *, at: datetime = NOW, **data: Any) -> Event:
    """Write one event the way the product does."""
    with transaction.atomic():
        return ledger.record(kind, by=None, at=at, data=data)


def rewritten(first: int, change: dict[str, Any]) -> None:
    """Do as somebody with the database would: change an event, and seal it and every later one anew."""
    events = list(Event.objects.filter(id__gte=first).order_by("id"))
    before = events[0].previous_hash
    Event.objects.filter(id__gte=first).delete()
    for event in events:
        if event.pk == first:
            said = {**ledger_line(event), "data": change}
            event.text = canonical(said)
        event.previous_hash, event.hash = before, seal(before, event.text)
        before = event.hash
    Event.objects.bulk_create(events)


def ledger_line(event: Event) -> dict[str, Any]:
    import json

    line: dict[str, Any] = json.loads(event.text)
    return line


def write_many(number: int, *, padding: str) -> None:
    """Append so many well sealed events, without the product: it would take minutes."""
    last = Event.objects.order_by("-id").first()
    identity, before = (last.pk, last.hash) if last else (0, FIRST_HASH)
    for start in range(0, number, 1000):
        events = []
        for step in range(start, min(start + 1000, number)):
            identity += 1
            at = NOW + timedelta(seconds=step)
            blank = dict.fromkeys(("by", "by_name", "service", "environment", "item"))
            line = {"id": identity, "at": instant_text(at), "kind": "test.said", "data": {"said": padding}, **blank}
            text = canonical(line)
            sealed = seal(before, text)
            events.append(Event(id=identity, at=at, kind="test.said", text=text, previous_hash=before, hash=sealed))
            before = sealed
        Event.objects.bulk_create(events)


# --- one byte ---------------------------------------------------------------------------------------------------------
def stored_values() -> list[tuple[Any, ...]]:
    """Every row as the database gives it."""
    return list(stored._values(Event.objects.order_by("id")))


def flip(content: bytes, random: Random) -> bytes:
    """Return the bytes with one of them another."""
    place = random.randrange(len(content))
    return content[:place] + bytes([content[place] ^ random.randrange(1, 256)]) + content[place + 1 :]


def flipped(value: Any, random: Random) -> Any:
    """Return a value of a column with one byte of it changed; bytes where the result is no text."""
    if isinstance(value, int):
        return int.from_bytes(flip(value.to_bytes(8, "big", signed=True), random), "big", signed=True)
    if isinstance(value, datetime):
        microseconds = (value - EPOCH) // timedelta(microseconds=1)
        return EPOCH + timedelta(microseconds=flipped(microseconds, random))
    changed = flip(value.encode(), random)
    try:
        return changed.decode()
    except UnicodeDecodeError:
        return changed


def with_a_byte_changed(rows: Sequence[tuple[Any, ...]], random: Random) -> tuple[int, str, Any]:
    """Choose a row and a column with bytes in it; return its place, the column and the new value."""
    while True:
        place, column = random.randrange(len(rows)), random.randrange(len(COLUMNS))
        value = rows[place][column]
        if value is None:
            continue
        try:
            return place, COLUMNS[column], flipped(value, random)
        except OverflowError:
            continue


def as_read(values: tuple[Any, ...]) -> Row | Unreadable:
    """Return a row as it is read from these values: text that is no text cannot be."""
    if any(isinstance(value, bytes) for value in values):
        return Unreadable(place=f"Event {values[0]}", id=values[0])
    return stored._row(values)


def update(identity: int, column: str, value: Any) -> None:
    """Change one column of one row in SQL, behind the product's back."""
    name = {"stored_at": "at", **{one: f"{one}_id" for one in ("actor", "service", "environment", "item")}}.get(
        column, column
    )
    given, mark = value, "%s"
    if connection.vendor == "sqlite" and isinstance(value, (str, bytes)):
        given, mark = value.encode() if isinstance(value, str) else value, "CAST(%s AS TEXT)"
    with connection.cursor() as cursor:
        cursor.execute(f'UPDATE readiness_event SET "{name}" = {mark} WHERE id = %s', [given, identity])
        assert cursor.rowcount == 1
