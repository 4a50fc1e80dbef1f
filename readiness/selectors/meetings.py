"""A review while it is held, as its page shows it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness.models import Decision, Environment, Item, Membership, Review, User
from readiness.rules.meetings import Group, OnAgenda, in_order, next_line
from readiness.rules.minutes import MinuteKind

from .decisions import decided_lines, sent_with
from .minutes import MinuteLine, minutes_of
from .reviews import AgendaItem, environments_to_show, review_page
from .room import Room, room_of
from .sheets import ItemRow, Sheet, sheet


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One line of the agenda. ``number`` counts the decided ones first, so that the next one to decide follows them."""

    item: AgendaItem
    group: Group
    number: int

    @property
    def environment(self) -> Environment:
        """What it is about."""
        return self.item.line.environment

    @property
    def decided(self) -> Decision | None:
        """The newest decision that this review made on it."""
        return self.item.decided_here


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A review while it is held. ``shown`` is the line that is open, ``sheet`` its sheet; None where it is archived.

    ``room_line`` says whether the room looks at it too; ``followed``, whether the page goes where the chair goes.
    """

    review: Review
    places: list[Place]
    shown: Place | None
    sheet: Sheet | None
    room: Room
    minutes: list[MinuteLine]
    room_line: bool
    followed: bool

    @property
    def order(self) -> list[int]:
        """The environments in the order of the page, without the archived ones."""
        return [one.environment.pk for one in self.places if one.group is not Group.ARCHIVED]

    @property
    def decided(self) -> int:
        """How many lines are decided."""
        return sum(1 for one in self.places if one.group is Group.DECIDED)

    @property
    def complete(self) -> bool:
        """Whether every line that can be decided is."""
        return self.decided == len(self.order) > 0

    @property
    def to_settle(self) -> list[ItemRow]:
        """The items of the line that is open that are not settled, in the order of the sheet."""
        return [row for row in self._rows if row.status is not None and not row.status.settled]

    @property
    def settled(self) -> list[ItemRow]:
        """Its settled items."""
        return [row for row in self._rows if row.status is not None and row.status.settled]

    @property
    def about_shown(self) -> list[MinuteLine]:
        """The lines of the minutes about the line that is open, but for the decision that is shown beside them."""
        shown = self.shown
        if shown is None:
            return []
        told = shown.decided.pk if shown.decided is not None else None
        about = [one for one in self.minutes if one.environment == shown.environment]
        return [one for one in about if one.kind is not MinuteKind.DECIDED or one.params["decision"] != told]

    @property
    def _rows(self) -> list[ItemRow]:
        return self.sheet.rows if self.sheet is not None else []

    @property
    def earlier(self) -> list[MinuteLine]:
        """The minutes but for the newest lines."""
        return self.minutes[:-MOST_LINES]

    @property
    def newest(self) -> list[MinuteLine]:
        """The newest lines of the minutes."""
        return self.minutes[-MOST_LINES:]


MOST_LINES = 12
"""So many lines of the minutes stand open; those before them are folded."""


def meeting(review: Review, at: datetime, *, line: int | None = None) -> Meeting:
    """Return a review as it is held, with a line of its agenda open: the one named, else the room's, else the first.

    A fixed number of queries, whatever the length of the agenda and of the minutes.
    """
    page = review_page(review, at)
    places = ordered(page.agenda)
    known = {one.environment.pk: one for one in places}
    shown = known.get(line or 0) or known.get(review.line_id or 0) or next(iter(places), None)
    live = shown is not None and shown.item.line.tally is not None
    return Meeting(
        review=review,
        places=places,
        shown=shown,
        sheet=sheet(environments_to_show().get(pk=shown.environment.pk), at) if shown and live else None,
        room=room_of(review, at),
        minutes=minutes_of(review),
        room_line=shown is not None and shown.environment.pk == review.line_id,
        followed=line not in known,
    )


def order_of(review: Review, at: datetime) -> list[int]:
    """Return the environments of an agenda in the order in which it is gone through, without the archived ones."""
    return [one.environment.pk for one in ordered(review_page(review, at).agenda) if one.group is not Group.ARCHIVED]


def decided_with(
    key: str, *, by: User, review: Review, environment_id: int, at: datetime
) -> tuple[Decision, int | None] | None:
    """Return what a person decided on a line with a key that they sent, and the line that comes next; else None."""
    found = sent_with(key, by=by, review_id=review.pk)
    if found is None or found.environment_id != environment_id:
        return None
    return found, next_line(order_of(review, at), decided_lines(review), environment_id)


def ordered(agenda: Sequence[AgendaItem]) -> list[Place]:
    """Return the lines of an agenda in the order in which it is gone through. No query."""
    items = {one.line.environment.pk: one for one in agenda}
    lines = in_order(_on_agenda(one, position) for position, one in enumerate(agenda))
    decided = [one for one in lines if one.group is Group.DECIDED]
    numbers = {one.environment: number for number, one in enumerate(decided, start=1)}
    waiting = (one for one in lines if one.group is not Group.DECIDED)
    numbers |= {one.environment: number for number, one in enumerate(waiting, start=len(decided) + 1)}
    return [Place(item=items[one.environment], group=one.group, number=numbers[one.environment]) for one in lines]


def _on_agenda(one: AgendaItem, position: int) -> OnAgenda:
    line = one.line
    return OnAgenda(
        environment=line.environment.pk,
        position=position,
        launch_on=line.environment.launch_on,
        left=len(line.left) if line.tally is not None else None,
        unchanged=one.moved is not None and not one.moved.moves,
        decided=one.decided_here.pk if one.decided_here else None,
    )


def owners_offered(environment: Environment, items: Iterable[Item], people: Collection[int]) -> dict[int, int]:
    """Return who is first offered to own a condition, by item: its owner, else who owns most of these items, else the
    first of the team. Of those who can still sign in, ``people``, alone; nobody where none of them can. One query.
    """
    items = list(items)
    owned = [one.owner_id for one in items if one.owner_id in people]
    team = Membership.objects.filter(team=environment.service.team_id, user__in=people)
    first = team.order_by("user__first_name", "user__username").values_list("user_id", flat=True).first()
    otherwise = max(owned, key=owned.count) if owned else first
    chosen = {one.pk: one.owner_id if one.owner_id in people else otherwise for one in items}
    return {item: owner for item, owner in chosen.items() if owner is not None}


def people_to_name(room: Room) -> list[User]:
    """Return who may be named as being in the room: everybody who can sign in and is not there. One query."""
    there = [one.pk for one in room.here]
    return list(User.objects.filter(is_active=True).exclude(pk__in=there).order_by("first_name", "username"))
