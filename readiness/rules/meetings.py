"""A review while it is held: in which order its agenda is gone through, who is in the room, and who may what. Pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .permissions import Act, Actor, launch_refusals, refusals
from .texts import comment_refusals as text_refusals

AWAY_AFTER = timedelta(minutes=3)
"""A page that is not heard of for so long is of somebody who left. A network that drops for a minute is no reason."""

WAITS_DAYS = 14
"""A condition is first offered so many days after the launch."""


class Group(StrEnum):
    """What there is to decide on a line of the agenda."""

    QUICK = "quick"
    TO_TALK = "to-talk"
    DECIDED = "decided"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True, kw_only=True)
class OnAgenda:
    """One line as the order needs it.

    ``left`` is how many items are not settled, None where the environment is archived. ``unchanged`` says that it was
    decided on before and that nothing moved since. ``decided`` is the number of the decision that this review made,
    which counts up; None before there is one.
    """

    environment: int
    position: int
    launch_on: date | None
    left: int | None
    unchanged: bool
    decided: int | None

    @property
    def group(self) -> Group:
        """What there is to decide on it."""
        if self.decided is not None:
            return Group.DECIDED
        if self.left is None:
            return Group.ARCHIVED
        return Group.QUICK if self.unchanged or not self.left else Group.TO_TALK


def in_order(lines: Iterable[OnAgenda]) -> list[OnAgenda]:
    """Return an agenda in the order in which it is gone through.

    First what takes a key: everything is settled there, or nothing moved since it was last decided on. So what runs out
    when time does is talk. Then what has to be talked about, the soonest launch first, and of one day the one with the
    fewest items left; then what is decided, in the order of the decisions. What is archived comes last.
    """
    groups = list(Group)

    def key(line: OnAgenda) -> tuple[int, int, bool, date, int, int]:
        soon = line.launch_on or date.max
        decided = line.decided or 0
        return (groups.index(line.group), decided, line.launch_on is None, soon, line.left or 0, line.position)

    return sorted(lines, key=key)


def next_line(order: Sequence[int], decided: Collection[int], after: int) -> int | None:
    """Return the line that opens by itself once one is decided: the next undecided one below it, or else the first.

    ``order`` are environments without the archived ones. None where every line is decided.
    """
    waiting = [one for one in order if one not in decided and one != after]
    at = order.index(after) if after in order else -1
    return next((one for one in waiting if order.index(one) > at), waiting[0] if waiting else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class InRoom:
    """When somebody was last heard of; ``named`` are there without being heard of, until they leave."""

    seen_at: datetime
    named: bool
    gone_at: datetime | None

    def here_at(self, at: datetime) -> bool:
        """Return whether this person is in the room. Three minutes after the last sign of life they are not."""
        return self.gone_at is None and (self.named or at < self.seen_at + AWAY_AFTER)


def quorum_refusals(quorum: int | None, here: int) -> list[str]:
    """Return why nothing may be decided yet: fewer people are in the room than the review asks for."""
    if quorum is None or here >= quorum:
        return []
    needed = ngettext(
        "This review needs {n} person in the room to decide",
        "This review needs {n} people in the room to decide",
        quorum,
    ).format(n=quorum)
    there = ngettext("{n} is there", "{n} are there", here).format(n=here)
    return [
        _("{needed}, and {there}. Whoever is there opens the meeting's page, or is named by the chair.").format(
            needed=needed, there=there
        )
    ]


def lead_refusals(actor: Actor, *, chair_id: int, chair: str) -> list[str]:
    """Return why this person may not lead: choose the line that the room looks at, and say who is in it."""
    if reasons := launch_refusals(actor):
        return reasons
    if actor.id != chair_id:
        return [_("{chair} has the chair and does this. Take the chair if they are away.").format(chair=chair)]
    return []


def take_chair_refusals(actor: Actor, *, chair_id: int) -> list[str]:
    """Return why this person may not take the chair."""
    if reasons := launch_refusals(actor):
        return reasons
    return [_("You have the chair already.")] if actor.id == chair_id else []


def come_refusals(actor: Actor) -> list[str]:
    """Return why this person may not be in the room. Whoever reads may."""
    return refusals(actor, Act.READ, _("Sign in to be in the room."))


def note_refusals(actor: Actor) -> list[str]:
    """Return why this person may not write a note into the minutes. Whoever may comment may."""
    return refusals(actor, Act.COMMENT, _("Sign in to write a note."))


def note_text_refusals(text: str) -> list[str]:
    """Return why this cannot be kept as a note."""
    return text_refusals(text)


def held_refusals(*, opened_at: datetime | None) -> list[str]:
    """Return why nothing happens in this meeting yet."""
    return [] if opened_at is not None else [_("The meeting is not open yet. A reviewer opens it.")]


def condition_day(launch_on: date | None, *, today: date, last: date) -> date:
    """Return the day that a condition is offered with: two weeks after the launch or today, and at most ``last``."""
    return min(max(launch_on or today, today) + timedelta(days=WAITS_DAYS), last)
