"""The ledger of what people and probes did, in the order of time and sealed as the product seals it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness.models import Event, User
from readiness.rules.chain import FIRST_HASH, canonical, instant_text, seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one event tells. ``place`` is a service, an environment and an item by their keys, or none."""

    at: datetime
    kind: str
    by: User | None
    place: tuple[int | None, int | None, int | None]
    data: dict[str, Any]


def sealed(told: Iterable[Told]) -> Iterator[Event]:
    """Yield the events that come after those there are, in the order of time."""
    last = Event.objects.order_by("-id").values_list("id", "hash").first()
    identity, before = last or (0, FIRST_HASH)
    for one in sorted(told, key=lambda one: one.at):
        identity += 1
        service, environment, item = one.place
        line = {
            "id": identity,
            "at": instant_text(one.at),
            "kind": one.kind,
            "by": one.by.pk if one.by else None,
            "by_name": str(one.by) if one.by else None,
            "service": service,
            "environment": environment,
            "item": item,
            "data": one.data,
        }
        text = canonical(line)
        seal_of_it = seal(before, text)
        yield Event(
            id=identity,
            at=one.at,
            kind=one.kind,
            actor=one.by,
            service_id=service,
            environment_id=environment,
            item_id=item,
            text=text,
            previous_hash=before,
            hash=seal_of_it,
        )
        before = seal_of_it
