"""The ledger as sentences for people."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from readiness.enums.words import DecisionKind
from readiness.models import Event
from readiness.rules.environments import setting_words
from readiness.rules.messages import tell_finding
from readiness.rules.spoken import long_day, status_words


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
    "item.ticked": pgettext_lazy("history", "ticked"),
    "item.tick-taken-back": pgettext_lazy("history", "took the tick back on"),
    "item.assigned": pgettext_lazy("history", "changed owner or due date of"),
    "comment.added": pgettext_lazy("history", "commented on"),
    "comment.removed": pgettext_lazy("history", "took a comment back on"),
    "waiver.asked": pgettext_lazy("history", "asked to waive"),
    "waiver.granted": pgettext_lazy("history", "granted the waiver of"),
    "waiver.refused": pgettext_lazy("history", "refused to waive"),
    "waiver.withdrawn": pgettext_lazy("history", "withdrew the waiver request for"),
    "waiver.ended": pgettext_lazy("history", "ended the waiver of"),
    "not-applicable.asked": pgettext_lazy("history", "asked to leave out"),
    "not-applicable.granted": pgettext_lazy("history", "agreed to leave out"),
    "not-applicable.refused": pgettext_lazy("history", "refused to leave out"),
    "not-applicable.withdrawn": pgettext_lazy("history", "withdrew the request to leave out"),
    "not-applicable.ended": pgettext_lazy("history", "brought back"),
    "not-applicable.fell": pgettext_lazy("history", "brought back, since it fails:"),
    "checklist.landed": pgettext_lazy("history", "landed a version of the checklist"),
    "item.fail-retired": pgettext_lazy("history", "retired a fail of"),
    "item.rebuilt": pgettext_lazy("history", "corrected what was kept of"),
    "probe.disabled": pgettext_lazy("history", "disabled a probe"),
    "probe.enabled": pgettext_lazy("history", "enabled a probe again"),
    "run.asked": pgettext_lazy("history", "asked for a probe run"),
    "service.added": pgettext_lazy("history", "added the service"),
    "service.changed": pgettext_lazy("history", "changed the service"),
    "service.transferred": pgettext_lazy("history", "handed the service to another team"),
    "environment.added": pgettext_lazy("history", "added the environment"),
    "environment.changed": pgettext_lazy("history", "changed settings"),
    "environment.restored": pgettext_lazy("history", "brought the environment back"),
    "environment.archived": pgettext_lazy("history", "archived the environment"),
    "service.restored": pgettext_lazy("history", "brought the service back"),
    "service.archived": pgettext_lazy("history", "archived the service"),
    "build.set": pgettext_lazy("history", "said which build runs"),
    "review.planned": pgettext_lazy("history", "planned the review"),
    "review.changed": pgettext_lazy("history", "changed the review"),
    "review.minutes-written": pgettext_lazy("history", "wrote the minutes of"),
    "review.closed": pgettext_lazy("history", "closed the review"),
    "review.opened": pgettext_lazy("history", "opened the meeting of"),
    "review.line-opened": pgettext_lazy("history", "went to the next launch of"),
    "review.joined": pgettext_lazy("history", "came to"),
    "review.person-named": pgettext_lazy("history", "named who is in the room of"),
    "review.person-left": pgettext_lazy("history", "left, or took somebody out of,"),
    "review.chair-taken": pgettext_lazy("history", "took the chair of"),
    "review.noted": pgettext_lazy("history", "wrote a note in"),
    "decision.made": pgettext_lazy("history", "decided"),
    "condition.discharged": pgettext_lazy("history", "discharged the condition on"),
    "token.made": pgettext_lazy("history", "made an API token"),
    "token.revoked": pgettext_lazy("history", "revoked an API token"),
    "calendar.made": pgettext_lazy("history", "made a calendar address"),
    "calendar.revoked": pgettext_lazy("history", "revoked a calendar address"),
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
    return str(data.get("token_name") or (_("Readiness") if event.kind in _OWN else _("A probe")))


def _what(kind: str, data: dict[str, Any]) -> str:
    if kind == "build.set" and data.get("to"):
        return _("said that build {build} runs").format(build=data["to"])
    if kind in ("token.made", "token.revoked"):
        return f"{_SAYS[kind]}, {data.get('name', '')}"
    if kind.startswith("review."):
        return _("{what} “{title}”").format(what=_SAYS[kind], title=data.get("title") or data["to"]["title"])
    if kind == "decision.made":
        return _("decided: {decision}").format(decision=DecisionKind(data["kind"]).label)
    return str(_SAYS.get(kind, kind.replace(".", " ")))


def _observed(data: dict[str, Any]) -> str:
    before, after = data.get("from"), data.get("to")
    if before == after:
        return pgettext("history", "looked again at")
    if after == "verified":
        return pgettext("history", "verified")
    if after == "failing":
        return pgettext("history", "saw it fail:")
    return _("moved from {before} to {after}:").format(before=status_words(str(before)), after=status_words(str(after)))


def _detail(kind: str, data: dict[str, Any]) -> str:
    if kind in (OBSERVED, OBSERVED_AGAIN):
        return " ".join(tell_finding(finding).text for finding in data.get("findings", ()))
    if kind == "item.assigned":
        return _assigned(data)
    if kind == "checklist.landed":
        return _landed(data)
    if kind == "build.set":
        return _build(data)
    if kind in ("token.made", "token.revoked", "calendar.made", "calendar.revoked"):
        return f"rdy_{data.get('prefix', '')}_…"
    if kind in ("probe.disabled", "probe.enabled"):
        return _("{probe}: {reason}").format(probe=data["probe"], reason=data["reason"])
    if kind == "service.transferred":
        return _("From {before} to {after}: {reason}").format(
            before=data["from"]["team"], after=data["to"]["team"], reason=data["reason"]
        )
    if kind == "environment.changed":
        return ", ".join(setting_words(name) for name in data.get("to", ()))
    reason = data.get("reason")
    if kind == "not-applicable.fell" and reason:
        return _(reason)
    return str(data.get("summary") or reason or data.get("note") or "")


def _build(data: dict[str, Any]) -> str:
    before, after = data.get("from"), data.get("to")
    said = [] if after else [_("Nobody knows which.")]
    if before:
        said.append(_("Before that it was {build}.").format(build=before))
    return " ".join(said)


def _landed(data: dict[str, Any]) -> str:
    ahead = sorted({datetime.fromisoformat(at) for at in data.get("announced", {}).values()})
    days = ", ".join(long_day(day) for day in dict.fromkeys(timezone.localdate(at) for at in ahead))
    said = _("{checklist}, version {version}: {changes}").format(
        checklist=data.get("name"), version=data.get("to"), changes=data.get("summary")
    )
    return said + " " + _("Something in it counts only from {days}.").format(days=days) if days else said


def _assigned(data: dict[str, Any]) -> str:
    owner = data.get("owner_name") or _("nobody")
    due = data.get("to", {}).get("due_on") or _("no date")
    return _("Owner {owner}, due {due}.").format(owner=owner, due=due)
