"""What the minutes of a review are handed over with: who was there, what was decided on each line, what happened."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from readiness.models import AgendaLine, Environment, Event, Item, Review
from readiness.rules.minutes import MinuteKind

from .minutes import MinuteLine, minutes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Attended:
    """Somebody in the room, by name. ``came`` is None where nobody kept when, ``left`` where they stayed to the end."""

    name: str
    came: datetime | None
    left: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """Why one item may wait under a go. ``until`` is the first instant that no longer counts."""

    title: str
    reason: str
    owner: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One decision as the ledger sealed it; ``hash`` is that of its snapshot."""

    decision: int
    kind: str
    by: str
    at: datetime
    note: str
    verdict: str
    hash: str
    conditions: list[Agreed]
    dissents: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of the agenda with what was decided on it here, in order: a decision may be made anew."""

    environment: Environment
    made: list[Made]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proceedings:
    """One review as it was held. ``chairs`` had it one after the other, each since when; the first since it opened.

    Names are those of the day, where the ledger has them.
    """

    review: Review
    chairs: list[tuple[str, datetime | None]]
    closed_by: str
    attendance: list[Attended]
    agenda: list[Line]
    lines: list[MinuteLine]

    @property
    def decided(self) -> int:
        """How many lines of the agenda were decided on."""
        return sum(1 for line in self.agenda if line.made)


def proceedings_of(review: Review) -> Proceedings:
    """Return a review as it was held, with its chair and who closed it joined. Seven queries, whatever its length."""
    lines = minutes_of(review)
    agenda = AgendaLine.objects.filter(review=review).select_related("environment__service")
    made = _made(review)
    return Proceedings(
        review=review,
        chairs=_chairs(review, lines),
        closed_by=next((line.who for line in lines if line.kind is MinuteKind.CLOSED), ""),
        attendance=_attendance(review, lines),
        agenda=[Line(environment=one.environment, made=made.get(one.environment_id, [])) for one in agenda],
        lines=lines,
    )


def _made(review: Review) -> dict[int, list[Made]]:
    """Return the decisions of a review by environment. Two queries."""
    # Short of the number's end, so that review 1 reads events of review 12 too: these are left out.
    named = Event.objects.filter(kind="decision.made", text__contains=f'"review":{review.pk}').order_by("pk")
    events = [event for event in named if event.data["review"] == review.pk]
    waiting = {one["item"] for event in events for one in event.data["conditions"]}
    items = Item.objects.filter(pk__in=waiting).select_related("entry")
    titles = {item.pk: item.entry.title for item in items}
    found: dict[int, list[Made]] = {}
    for event in events:
        found.setdefault(event.environment_id or 0, []).append(_decision(event, event.data, titles))
    return found


def _decision(event: Event, data: Mapping[str, Any], titles: Mapping[int, str]) -> Made:
    return Made(
        decision=data["decision"],
        kind=data["kind"],
        by=event.said["by_name"],
        at=event.at,
        note=data["note"],
        verdict=data["verdict"],
        hash=data["snapshot"],
        conditions=[
            Agreed(
                title=titles.get(one["item"], ""),
                reason=one["reason"],
                owner=one["owner_name"],
                until=datetime.fromisoformat(one["until"]),
            )
            for one in data["conditions"]
        ],
        dissents=[(one["by_name"], one["reason"]) for one in data["dissents"]],
    )


def _chairs(review: Review, lines: Iterable[MinuteLine]) -> list[tuple[str, datetime | None]]:
    moved = [line for line in lines if line.kind in (MinuteKind.CHAIR, MinuteKind.CHAIR_GIVEN)]
    first = str(moved[0].params["before"]) if moved else str(review.chair)
    # Who takes it is who did it; who is given it is named beside.
    return [(first, review.opened_at), *((str(line.params.get("person", line.who)), line.at) for line in moved)]


def _attendance(review: Review, lines: Iterable[MinuteLine]) -> list[Attended]:
    """Return who was there, in the order in which they came; whoever was named beforehand, where it was never held."""
    if review.opened_at is None:
        people = review.attendees.order_by("first_name", "username")
        return [Attended(name=str(person), came=None, left=None) for person in people]
    found: dict[int, Attended] = {}  # Two people may have one name.
    for line in lines:
        person, name = line.params.get("person_id", 0), str(line.params.get("person", ""))
        if line.kind in (MinuteKind.CAME, MinuteKind.NAMED):
            came = found[person].came if person in found else line.at
            found[person] = Attended(name=name, came=came, left=None)
        elif line.kind is MinuteKind.LEFT and person in found:
            found[person] = Attended(name=name, came=found[person].came, left=line.at)
    return list(found.values())
