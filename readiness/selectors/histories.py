"""The ledger as sentences for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from readiness.enums.words import DecisionKind
from readiness.models import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One event in words: who, did what, when. ``title`` is the item's, ``entry`` its slug; empty where it has none."""

    id: int
    who: str
    what: str
    title: str
    detail: str
    at: datetime
    entry: str = ""


OBSERVED = "item.observed"
OBSERVED_AGAIN = "item.observed-again"
"""A probe found an item as it stood. Kept like every event, and left out where only news is shown."""

_SAYS = {
    "item.ticked": "ticked",
    "item.tick-taken-back": "took the tick back on",
    "item.assigned": "changed owner or due date of",
    "comment.added": "commented on",
    "comment.removed": "took a comment back on",
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
    "checklist.landed": "landed a version of the checklist",
    "item.fail-retired": "retired a fail of",
    "item.rebuilt": "corrected what was kept of",
    "probe.disabled": "disabled a probe",
    "probe.enabled": "enabled a probe again",
    "run.asked": "asked for a probe run",
    "service.added": "added the service",
    "service.changed": "changed the service",
    "service.transferred": "handed the service to another team",
    "environment.added": "added the environment",
    "environment.changed": "changed settings",
    "environment.restored": "brought the environment back",
    "environment.archived": "archived the environment",
    "service.restored": "brought the service back",
    "service.archived": "archived the service",
    "build.set": "said which build runs",
    "review.planned": "planned the review",
    "review.changed": "changed the review",
    "review.minutes-written": "wrote the minutes of",
    "review.closed": "closed the review",
    "review.opened": "opened the meeting of",
    "review.line-opened": "went to the next launch of",
    "review.joined": "came to",
    "review.person-named": "named who is in the room of",
    "review.person-left": "left, or took somebody out of,",
    "review.chair-taken": "took the chair of",
    "review.noted": "wrote a note in",
    "decision.made": "decided",
    "condition.discharged": "discharged the condition on",
    "token.made": "made an API token",
    "token.revoked": "revoked an API token",
}
_OWN = ("checklist.landed", "condition.discharged", "item.rebuilt")
"""What nobody did and no probe: the product itself, at a start or by its schedule."""

KINDS = (OBSERVED, OBSERVED_AGAIN, *_SAYS)
"""Every kind of event that has words of its own."""


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
        who=_who(event, data),
        what=_observed(data) if observed else _what(event.kind, data),
        title=event.item.entry.title if event.item else "",
        detail=_detail(event.kind, data),
        at=event.at,
        entry=event.item.entry.slug if event.item else "",
    )


def _who(event: Event, data: dict[str, Any]) -> str:
    """Return the person, the program by its token's name, the product itself, or else a probe."""
    if event.actor:
        return str(event.actor)
    return str(data.get("token_name") or ("Readiness" if event.kind in _OWN else "A probe"))


def _what(kind: str, data: dict[str, Any]) -> str:
    if kind == "build.set" and data.get("to"):
        return f"said that build {data['to']} runs"
    if kind in ("token.made", "token.revoked"):
        return f"{_SAYS[kind]}, {data.get('name', '')}"
    if kind.startswith("review."):
        return f"{_SAYS[kind]} “{data.get('title') or data['to']['title']}”"
    if kind == "decision.made":
        return f"decided: {DecisionKind(data['kind']).label}"
    return _SAYS.get(kind, kind.replace(".", " "))


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
    if kind == "checklist.landed":
        return _landed(data)
    if kind == "build.set":
        return _build(data)
    if kind in ("token.made", "token.revoked"):
        return f"rdy_{data.get('prefix', '')}_…"
    if kind in ("probe.disabled", "probe.enabled"):
        return f"{data['probe']}: {data['reason']}"
    if kind == "service.transferred":
        return f"From {data['from']['team']} to {data['to']['team']}: {data['reason']}"
    if kind == "environment.changed":
        return ", ".join(name.replace("_", " ") for name in data.get("to", ()))
    return str(data.get("summary") or data.get("reason") or data.get("note") or "")


def _build(data: dict[str, Any]) -> str:
    before, after = data.get("from"), data.get("to")
    now = "" if after else "Nobody knows which. "
    return f"{now}Before that it was {before}." if before else now.strip()


def _landed(data: dict[str, Any]) -> str:
    ahead = sorted({datetime.fromisoformat(at) for at in data.get("announced", {}).values()})
    days = ", ".join(f"{day.day} {day:%B %Y}" for day in dict.fromkeys(timezone.localdate(at) for at in ahead))
    counts = f" Something in it counts only from {days}." if days else ""
    return f"{data.get('name')}, version {data.get('to')}: {data.get('summary')}{counts}"


def _assigned(data: dict[str, Any]) -> str:
    owner = data.get("owner_name") or "nobody"
    due = data.get("to", {}).get("due_on") or "no date"
    return f"Owner {owner}, due {due}."
