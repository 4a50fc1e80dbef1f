"""The ledger as sentences for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event in words: who, did what, when. ``title`` is the item's, empty where it is not about one."""

    id: int
    who: str
    what: str
    title: str
    detail: str
    at: datetime


OBSERVED = "item.observed"
OBSERVED_AGAIN = "item.observed-again"
"""A probe found an item as it stood. Kept like every event, and left out where only news is shown."""

_SAYS = {
    "item.ticked": "ticked",
    "item.tick-taken-back": "took the tick back on",
    "item.assigned": "changed owner or due date of",
    "waiver.asked": "asked to waive",
    "waiver.granted": "granted the waiver of",
    "waiver.refused": "refused to waive",
    "waiver.withdrawn": "withdrew the waiver request for",
    "waiver.ended": "ended the waiver of",
    "not-applicable.asked": "asked to leave out",
    "not-applicable.granted": "agreed to leave out",
    "not-applicable.refused": "refused to leave out",
    "not-applicable.withdrawn": "withdrew the request to leave out",
    "not-applicable.ended": "brought back",
    "not-applicable.fell": "brought back, since it fails:",
    "run.asked": "asked for a probe run",
    "service.added": "added the service",
    "service.changed": "changed the service",
    "environment.added": "added the environment",
    "environment.changed": "changed settings",
}


def lines(events: Iterable[Event]) -> list[Line]:
    """Return events in words, in the order given. Pass a queryset; what it needs is joined, so it is one query."""
    found = events
    if hasattr(events, "select_related"):
        found = events.select_related("actor", "item__entry")
    return [_line(event) for event in found]


def _line(event: Event) -> Line:
    data = event.data
    observed = event.kind in (OBSERVED, OBSERVED_AGAIN)
    return Line(
        id=event.pk,
        who=str(event.actor) if event.actor else "A probe",
        what=_observed(data) if observed else _SAYS.get(event.kind, event.kind.replace(".", " ")),
        title=event.item.entry.title if event.item else "",
        detail=_detail(event.kind, data),
        at=event.at,
    )


def _observed(data: dict[str, Any]) -> str:
    before, after = data.get("from"), data.get("to")
    if before == after:
        return "looked again at"
    if after == "verified":
        return "verified"
    if after == "failing":
        return "saw it fail:"
    return f"moved from {str(before).replace('-', ' ')} to {str(after).replace('-', ' ')}:"


def _detail(kind: str, data: dict[str, Any]) -> str:
    if kind in (OBSERVED, OBSERVED_AGAIN):
        return " ".join(finding["sentence"] for finding in data.get("findings", ()))
    if kind == "item.assigned":
        return _assigned(data)
    if kind == "environment.changed":
        return ", ".join(name.replace("_", " ") for name in data.get("to", ()))
    return str(data.get("summary") or data.get("reason") or data.get("note") or "")


def _assigned(data: dict[str, Any]) -> str:
    owner = data.get("owner_name") or "nobody"
    due = data.get("to", {}).get("due_on") or "no date"
    return f"Owner {owner}, due {due}."
