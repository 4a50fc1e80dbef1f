"""Write the ledger: every change is one event, in the transaction of the change, sealed over the event before."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from readiness.models import Environment, Event, Item, Service, User
from readiness.rules.chain import FIRST_HASH, canonical, instant_text, seal
from readiness.rules.following import CHANNEL

_LOCK = 0x5245_4144_494E_4553
_rehearsing = ContextVar("_rehearsing", default=False)
_kept: ContextVar[list[dict[str, Any]] | None] = ContextVar("_kept", default=None)


@contextmanager
def rehearsal() -> Iterator[None]:
    """Let actions write within, and undo all of it at the end: what they would do is seen, and never done.

    Their events are left out of the ledger, so that a rehearsal never holds its lock: nobody else has to wait.
    """
    with transaction.atomic():
        token = _rehearsing.set(True)
        try:
            yield
        finally:
            _rehearsing.reset(token)
            transaction.set_rollback(True)


@contextmanager
def at_the_end() -> Iterator[None]:
    """Keep the events of several actions back, and write them when the block ends, in their order.

    For many actions in one transaction: each asks for locks of its own, and the ledger's is the last of all.
    """
    events: list[dict[str, Any]] = []
    token = _kept.set(events)
    try:
        yield
    finally:
        _kept.reset(token)
    for event in events:
        record(**event)


def record(
    kind: str,
    *,
    by: User | None,
    at: datetime,
    service: Service | None = None,
    environment: Environment | None = None,
    item: Item | None = None,
    data: dict[str, Any] | None = None,
) -> Event:
    """Append one event. Call it last in a transaction: from here to the commit no other event can be written.

    ``by`` is None for probes and the schedule. ``data`` is JSON: what changed, from what, to what.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("An event belongs to the transaction of its change.")
    if _rehearsing.get():
        return Event(kind=kind, at=at, actor=by, service=service, environment=environment, item=item)
    kept = _kept.get()
    if kept is not None:
        about = {"service": service, "environment": environment, "item": item}
        kept.append({"kind": kind, "by": by, "at": at, "data": data, **about})
        return Event(kind=kind, at=at, actor=by, **about)
    _lock()
    last = Event.objects.order_by("-id").values_list("id", "hash").first()
    previous_id, previous_hash = last or (0, FIRST_HASH)
    identity = previous_id + 1
    text = canonical(
        {
            "id": identity,
            "at": instant_text(at),
            "kind": kind,
            "by": by.pk if by else None,
            "by_name": str(by) if by else None,
            "service": service.pk if service else None,
            "environment": environment.pk if environment else None,
            "item": item.pk if item else None,
            "data": data or {},
        }
    )
    return Event.objects.create(
        id=identity,
        at=at,
        kind=kind,
        actor=by,
        service=service,
        environment=environment,
        item=item,
        text=text,
        previous_hash=previous_hash,
        hash=seal(previous_hash, text),
    )


def record_of_item(kind: str, item: Item, *, by: User | None, at: datetime, data: dict[str, Any]) -> Event:
    """Append one event about an item, with its service and its environment."""
    return record(kind, by=by, at=at, service=item.service, environment=item.environment, item=item, data=data)


def _lock() -> None:
    """Let one writer at a time append. Ids are given under it, so that no reader can see a later one first.

    The same statement wakes whoever follows the ledger, once the transaction is committed. SQLite's IMMEDIATE
    transactions are one at a time already, and wake nobody.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s), pg_notify(%s, '')", [_LOCK, CHANNEL])
