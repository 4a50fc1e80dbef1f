"""The minutes of a review: lines that follow from the ledger, so that nobody has to write what happened."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Q

from readiness.models import AgendaLine, Environment, Event, Review
from readiness.rules.minutes import OF_REVIEW, ON_THE_SPOT, MinuteKind, words


@dataclass(frozen=True, slots=True, kw_only=True)
class MinuteLine:
    """One line: when, what, who, on which line of the agenda (None: the meeting itself), about which item's title.

    ``number`` is that of its event. ``params`` are codes, names and texts as the event keeps them. Of a note ``text``;
    of a decision ``decision``, ``kind``, ``note``, ``verdict``, ``conditions``, ``waived``, ``instead_of``; of a
    dissent ``decision``, ``reason``; of what was done to an item ``entry``, ``reason``, ``left_out``, ``until``; of
    whoever came or left ``person``, their name, and ``person_id``; of a chair ``before``, who had it, and ``person``,
    who was given it, where nobody took it.
    """

    number: int
    at: datetime
    kind: MinuteKind
    who: str
    environment: Environment | None = None
    title: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)

    @property
    def words(self) -> str:
        """The line as a sentence, in the language of whoever reads it."""
        return words(self.kind, self.who, self.title, self.params)


def minutes_of(review: Review) -> list[MinuteLine]:
    """Return the minutes of a review in the order in which things happened. Three queries, whatever their number.

    What was done to items of the agenda counts from when the meeting opened until the review was closed, wherever it
    was done. An event about a service is told at the first line of its agenda. A review that was never held as a
    meeting has its decisions alone.
    """
    agenda = list(AgendaLine.objects.filter(review=review).select_related("environment__service"))
    places = {line.environment_id: line.environment for line in agenda}
    first = {line.environment.service_id: line.environment for line in reversed(agenda)}
    # Short of the number's end, so that review 1 reads events of review 12 too: these are left out below.
    named = Event.objects.filter(kind__in=OF_REVIEW, text__contains=f'"review":{review.pk}')
    own = [event for event in named.select_related("actor", "environment__service") if _of(event, review)]
    opened = min((event.pk for event in own if event.kind == "review.opened"), default=None)
    closed = max((event.pk for event in own if event.kind == "review.closed"), default=None)
    found = [event for event in own if event.kind != "review.changed" or _gives_chair(event, opened)]
    if opened is not None:
        about = Q(service__in=list(first), kind__in=ON_THE_SPOT, pk__gt=opened)
        if closed is not None:
            about &= Q(pk__lt=closed)
        on_the_spot = Event.objects.filter(about).select_related("actor", "item__entry")
        found += [event for event in on_the_spot if event.environment_id is None or event.environment_id in places]
    found.sort(key=lambda event: event.pk)
    return [line for event in found for line in _lines(event, places, first)]


def _of(event: Event, review: Review) -> bool:
    return bool(event.data.get("review") == review.pk)


def _gives_chair(event: Event, opened: int | None) -> bool:
    return opened is not None and event.pk > opened and "chair" in event.data["to"]


def _lines(event: Event, places: Mapping[int, Environment], first: Mapping[int, Environment]) -> Iterator[MinuteLine]:
    data, item = event.data, event.item if event.kind in ON_THE_SPOT else None
    kind = OF_REVIEW.get(event.kind) or ON_THE_SPOT[event.kind]
    environment = places.get(event.environment_id or 0)
    if environment is None and event.service_id is not None:
        environment = first.get(event.service_id)
    line = MinuteLine(
        number=event.pk,
        at=event.at,
        kind=kind,
        who=event.said["by_name"] or "",
        environment=environment,
        title=item.entry.title if item else "",
        params=_params(event, data),
    )
    yield line
    for one in data.get("dissents", ()) if kind is MinuteKind.DECIDED else ():
        yield MinuteLine(
            number=event.pk,
            at=event.at,
            kind=MinuteKind.DISSENTED,
            who=one["by_name"],
            environment=environment,
            params={"reason": one["reason"], "decision": data["decision"]},
        )


def _params(event: Event, data: Mapping[str, Any]) -> dict[str, Any]:
    if event.kind == "decision.made":
        kept = {name: data.get(name) for name in ("decision", "kind", "note", "verdict", "instead_of")}
        return {**kept, "conditions": len(data["conditions"]), "waived": data.get("waived", 0)}
    if event.kind == "review.changed":
        return {"before": data["from"]["chair"], "person": data["to"]["chair"]}
    if event.item is not None:
        reason = data.get("reason") or data.get("note") or data.get("summary") or ""
        left_out = event.kind.startswith("not-applicable.")
        return {"entry": event.item.entry.slug, "reason": reason, "left_out": left_out, "until": data.get("until", "")}
    return {name: data[name] for name in ("text", "person", "person_id", "before") if name in data}
