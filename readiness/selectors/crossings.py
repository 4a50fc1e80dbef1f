"""What others saved since the version that a person saw: about an item, a service, or an environment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readiness.enums.words import Stance
from readiness.models import Environment, Event, Item, Service
from readiness.rules.environments import setting_words
from readiness.rules.spoken import amount_words, capital, long_day

from .histories import Line, lines

MOST = 20
"""So many changes are shown at most; the rest is in the history."""

OF_AN_ENVIRONMENT = ("environment.changed", "build.set", "environment.archived", "environment.restored")
OF_A_SERVICE = ("service.changed", "service.transferred", "service.archived", "service.restored")
"""What counts the version of an environment or of a service up."""

COMMENTING = ("comment.added", "comment.removed")
"""What people write beside an item: it changes nothing of it, so nobody's form crosses it."""

_LABELS = {
    "stance": gettext_noop("Holds"),
    "summary": gettext_noop("Says"),
    "reason": gettext_noop("Reason"),
    "note": gettext_noop("Note"),
    "links": gettext_noop("Links"),
    "until": gettext_noop("Until"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """One change by somebody, in words, with what they wrote: each a label and a text."""

    line: Line
    texts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Since:
    """What was saved of some settings since a version: by whom each was last, and what each was before."""

    saved: Sequence[Saved] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    last: Mapping[str, Line] = field(default_factory=dict)


def saved_about(item: Item, seen_version: int) -> list[Saved]:
    """Return what was written about an item since a version of it, the first of it first. Two queries.

    A version is counted up once by each such event, so the newest so many are those.
    """
    return _saved(written_about(item), max(1, item.version - seen_version))


def written_about(item: Item) -> QuerySet[Event]:
    """Return the events that counted an item's version up: of people about it, and landings that ask it again."""
    slug = item.entry.slug
    landings = Event.objects.filter(kind="checklist.landed", text__contains=f'"{slug}"')
    again = [event.pk for event in landings if slug in event.data["asked_again"]]
    by_people = Event.objects.filter(Q(item=item, actor__isnull=False) | Q(pk__in=again))
    return by_people.exclude(kind__in=COMMENTING)


def environment_since(environment: Environment, seen_version: int) -> Since:
    """Return what was saved of an environment's settings since a version of it, by people and by programs."""
    events = Event.objects.filter(environment=environment, kind__in=OF_AN_ENVIRONMENT)
    return _since(events, environment.version - seen_version)


def service_since(service: Service, seen_version: int) -> Since:
    """Return what was saved of a service since a version of it."""
    events = Event.objects.filter(service=service, environment=None, kind__in=OF_A_SERVICE)
    return _since(events, service.version - seen_version)


def _newest(events: QuerySet[Event], count: int) -> list[Event]:
    found = events.select_related("actor", "item__entry").order_by("-id")[: min(max(1, count), MOST)]
    return list(reversed(found))


def _saved(events: QuerySet[Event], count: int) -> list[Saved]:
    found = _newest(events, count)
    return [Saved(line=line, texts=texts(event)) for event, line in zip(found, lines(found), strict=True)]


def _since(events: QuerySet[Event], count: int) -> Since:
    found = _newest(events, count)
    told = lines(found)
    before: dict[str, Any] = {}
    last: dict[str, Line] = {}
    for event, line in zip(found, told, strict=True):
        for name, value in _changed(event).items():
            before.setdefault(name, value)
            last[name] = line
    saved = [Saved(line=line, texts=texts(event)) for event, line in zip(found, told, strict=True)]
    return Since(saved=saved, before=before, last=last)


def _changed(event: Event) -> Mapping[str, Any]:
    """Return what each setting was before an event that changed it."""
    if event.kind == "build.set":
        return {"build": event.data["from"]}
    was: Mapping[str, Any] = event.data.get("from") or {}
    return was


def texts(event: Event) -> list[tuple[str, str]]:
    """Return what somebody wrote in an event, each with a label; what they left empty is left out."""
    data = event.data
    if event.kind == "item.assigned":
        owner, due = data.get("owner_name") or _("nobody"), data.get("to", {}).get("due_on")
        return [(_("Owner"), owner), (_("Due"), long_day(date.fromisoformat(due)) if due else _("no date"))]
    if event.kind == "build.set":
        return [(_("Build"), str(data["to"]))]
    if event.kind in ("environment.changed", "service.changed", "service.transferred"):
        return [(capital(setting_words(name)), _setting(name, value)) for name, value in data["to"].items()]
    return [(_(label), _text(name, data[name])) for name, label in _LABELS.items() if data.get(name)]


def _setting(name: str, value: Any) -> str:
    words = str(value or _("nothing"))
    return amount_words(words) if name == "spend_cap" else words


def _text(name: str, value: Any) -> str:
    if name == "links":
        return "\n".join(value)
    if name == "stance":
        return str(Stance(value).label)
    if name == "until":
        end = datetime.fromisoformat(value).astimezone(UTC)
        day = timezone.localdate(end - timedelta(microseconds=1))
        return _("the end of {day}").format(day=long_day(day))
    return str(value)
