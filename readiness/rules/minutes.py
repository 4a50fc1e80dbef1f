"""What the minutes of a review are made of, and how each line reads. Pure."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from readiness.enums.words import DecisionKind


class MinuteKind(StrEnum):
    """What a line of the minutes says. Each is one kind of event of the ledger, or a part of one."""

    OPENED = "opened"
    CAME = "came"
    NAMED = "named"
    LEFT = "left"
    CHAIR = "chair"
    CHAIR_GIVEN = "chair-given"
    NOTED = "noted"
    TICKED = "ticked"
    TAKEN_BACK = "taken-back"
    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    DECIDED = "decided"
    DISSENTED = "dissented"
    CLOSED = "closed"


OF_REVIEW = {
    "review.opened": MinuteKind.OPENED,
    "review.joined": MinuteKind.CAME,
    "review.person-named": MinuteKind.NAMED,
    "review.person-left": MinuteKind.LEFT,
    "review.chair-taken": MinuteKind.CHAIR,
    "review.changed": MinuteKind.CHAIR_GIVEN,
    "review.noted": MinuteKind.NOTED,
    "review.closed": MinuteKind.CLOSED,
    "decision.made": MinuteKind.DECIDED,
}
"""Events that name their review, by their kind. Of changes those of the chair, while the meeting is held."""

ON_THE_SPOT = {
    "item.ticked": MinuteKind.TICKED,
    "item.tick-taken-back": MinuteKind.TAKEN_BACK,
    "waiver.asked": MinuteKind.ASKED,
    "waiver.granted": MinuteKind.GRANTED,
    "waiver.refused": MinuteKind.REFUSED,
    "waiver.withdrawn": MinuteKind.WITHDRAWN,
    "not-applicable.asked": MinuteKind.ASKED,
    "not-applicable.granted": MinuteKind.GRANTED,
    "not-applicable.refused": MinuteKind.REFUSED,
    "not-applicable.withdrawn": MinuteKind.WITHDRAWN,
}
"""Events about items that belong to a review where they happen on its agenda while it is held."""


def words(kind: MinuteKind, who: str, title: str, params: Mapping[str, Any]) -> str:
    """Return a line of the minutes as one sentence or two; a note and a reason are quoted as they were written.

    ``title`` is the item's, empty where the line is about none. The environment is told beside it, not in it.
    """
    if kind is MinuteKind.NOTED:
        return str(params["text"])
    if kind is MinuteKind.DECIDED:
        return _decided(who, params)
    if kind is MinuteKind.DISSENTED:
        return _("{who} does not agree: {reason}").format(who=who, reason=params["reason"])
    if kind in _ITEM_WORDS:
        return _of_item(kind, who, title, params)
    patterns = {
        MinuteKind.OPENED: _("{who} opened the meeting."),
        MinuteKind.CAME: _("{who} came."),
        MinuteKind.NAMED: _("{person} is in the room, as {who} says."),
        MinuteKind.LEFT: _("{person} left.") if params.get("person") == who else _("{who} took {person} out."),
        MinuteKind.CHAIR: _("{who} took the chair from {before}."),
        MinuteKind.CHAIR_GIVEN: _("{who} gave the chair to {person}.")
        if params.get("before") == who
        else _("{who} gave the chair to {person}, after {before}."),
        MinuteKind.CLOSED: _("{who} closed the review."),
    }
    return patterns[kind].format(who=who, person=params.get("person", ""), before=params.get("before", ""))


_ITEM_WORDS = frozenset(ON_THE_SPOT.values())


def _of_item(kind: MinuteKind, who: str, title: str, params: Mapping[str, Any]) -> str:
    left_out = params.get("left_out", False)
    patterns = {
        MinuteKind.TICKED: _("{who} ticked “{title}”."),
        MinuteKind.TAKEN_BACK: _("{who} took the tick back on “{title}”."),
        MinuteKind.ASKED: _("{who} asked to leave out “{title}”.")
        if left_out
        else _("{who} asked to waive “{title}”."),
        MinuteKind.GRANTED: _("{who} agreed to leave out “{title}”.")
        if left_out
        else _("{who} granted the waiver of “{title}”."),
        MinuteKind.REFUSED: _("{who} refused to leave out “{title}”.")
        if left_out
        else _("{who} refused to waive “{title}”."),
        MinuteKind.WITHDRAWN: _("{who} withdrew the request to leave out “{title}”.")
        if left_out
        else _("{who} withdrew the waiver request for “{title}”."),
    }
    said = patterns[kind].format(who=who, title=title)
    quoted = params.get("reason", "")
    return _("{said} {reason}").format(said=said, reason=quoted) if quoted else said


def _decided(who: str, params: Mapping[str, Any]) -> str:
    parts = [str(DecisionKind(params["kind"]).label)]
    if conditions := params.get("conditions", 0):
        parts.append(ngettext("{n} condition", "{n} conditions", conditions).format(n=conditions))
    if waived := params.get("waived", 0):
        parts.append(ngettext("{n} waiver", "{n} waivers", waived).format(n=waived))
    said = _("{decision}. Decided by {who}.").format(decision=", ".join(parts), who=who)
    note = params.get("note", "")
    return _("{said} {reason}").format(said=said, reason=note) if note else said
