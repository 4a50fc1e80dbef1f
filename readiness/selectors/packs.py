"""What a decision's pack is made of: its snapshot and the event that the ledger sealed, never what became of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness.models import Decision, Event
from readiness.rules.snapshots import FrozenItem, Snapshot, hash_of, read

from .reviews import sealed_event


@dataclass(frozen=True, slots=True, kw_only=True)
class PackCondition:
    """Why one item may wait under a go, as it was agreed. ``until`` is the first instant that no longer counts."""

    item: int
    title: str
    reason: str
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """One decision as it was made.

    ``computed`` is the hash of the snapshot as it is kept now, ``event`` the ledger's event of this decision, None
    where none holds. Where the decision's hash is not both, ``snapshot`` is None: then there is nothing to vouch for.
    Names and titles are those of the day. ``instead_of`` is the number of the decision that this one replaced.
    """

    decision: Decision
    computed: str
    event: Event | None
    snapshot: Snapshot | None
    review: str
    by: str
    conditions: list[PackCondition]
    dissents: list[tuple[str, str]]
    instead_of: int | None

    def condition_on(self, item: FrozenItem) -> PackCondition | None:
        """Return the condition on an item, if there is one."""
        return next((one for one in self.conditions if one.item == item.item), None)


def pack_of(decision: Decision) -> Pack:
    """Return the pack of a decision, whose review is joined. Two queries, whatever the number of items."""
    event, computed = sealed_event(decision), hash_of(decision.snapshot)
    data: Mapping[str, Any] = event.data if event is not None else {}
    intact = computed == decision.hash == data.get("snapshot")
    snapshot = read(decision.snapshot) if intact else None
    titles = {one.item: one.title for one in snapshot.items} if snapshot is not None else {}
    return Pack(
        decision=decision,
        computed=computed,
        event=event,
        snapshot=snapshot,
        review=_title_at(event, decision) if event is not None else decision.review.title,
        by=event.said["by_name"] if event is not None else str(decision.by),
        conditions=[
            PackCondition(
                item=one["item"],
                title=titles.get(one["item"], ""),
                reason=one["reason"],
                owner=one["owner_name"],
                until=datetime.fromisoformat(one["until"]),
            )
            for one in data.get("conditions", ())
        ],
        dissents=[(one["by_name"], one["reason"]) for one in data.get("dissents", ())],
        instead_of=data.get("instead_of"),
    )


def _title_at(event: Event, decision: Decision) -> str:
    """Return what the review was called when an event was written. One query."""
    # Short of the number's end, so that review 1 reads events of review 12 too: these are left out.
    named = Event.objects.filter(kind__in=("review.planned", "review.changed"), pk__lt=event.pk)
    for one in named.filter(text__contains=f'"review":{decision.review_id}').order_by("-pk"):
        if one.data["review"] == decision.review_id:
            return str(one.data.get("title") or one.data["to"]["title"])
    return decision.review.title
