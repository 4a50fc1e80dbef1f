"""The register of requests: every waiver and every "not applicable", with what each is at an instant, found by SQL."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    F,
    IntegerField,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.utils import timezone
from django.utils.translation import gettext as _

from readiness.enums.standing import Nearing, RequestState
from readiness.models import Entry, Environment, NotApplicable, Service, Team, User, Waiver
from readiness.rules.checklist_table import LANGUAGES
from readiness.rules.waivers import WARNED, warning_at

from .places import next_sheet
from .request_states import KINDS, MODELS, WAIVER, with_state

PAGE = 50
CHUNK = 500
ENDING = "ending"
"""The filter for what holds and ends within a week; the other filters by state are the states themselves."""

STATES = (RequestState.WAITING, RequestState.HOLDING, ENDING, *list(RequestState)[2:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address asks for. Empty means: all."""

    state: str = ""
    team: str = ""
    service: str = ""
    entry: str = ""
    person: str = ""
    kind: str = ""
    text: str = ""
    newest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One request in the register. ``sheet`` shows its item; None where none does any more."""

    kind: str
    request: Waiver | NotApplicable
    state: RequestState
    nearing: Nearing | None
    ends: datetime | None
    sheet: Environment | None

    @property
    def clauses(self) -> list[str]:
        """The clauses that a granted waiver names."""
        return list(self.request.clauses) if isinstance(self.request, Waiver) else []

    @property
    def place(self) -> str:
        """Where its item stands, in words: an environment, or the whole service."""
        item = self.request.item
        return item.environment.name if item.environment else _("the service")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the filters offer."""

    teams: list[Team] = field(default_factory=list)
    services: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    people: list[User] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of the register; ``number`` counts from 1, ``total`` is how many requests the filters leave."""

    lines: list[Line]
    number: int
    pages: int
    total: int


def register(filters: Filters, number: int, at: datetime) -> Page:
    """Return one page of the register at an instant. Five queries at most, whatever the number of requests.

    A page beyond the last is the last.
    """
    keys = _keys(filters, at)
    total = keys.count()
    pages = max(1, -(-total // PAGE))
    number = min(max(1, number), pages)
    chosen = list(keys[(number - 1) * PAGE : number * PAGE]) if total else []
    return Page(lines=_lines(chosen, at), number=number, pages=pages, total=total)


def every_line(filters: Filters, at: datetime) -> Iterator[Line]:
    """Yield everything that the filters leave, in the order of the page; five hundred are held at a time."""
    keys = list(_keys(filters, at))
    for start in range(0, len(keys), CHUNK):
        yield from _lines(keys[start : start + CHUNK], at)


def choices() -> Choices:
    """Return what the filters offer: four queries."""
    named = [
        model.objects.values_list(column, flat=True)
        for model in MODELS.values()
        for column in ("asked_by", "decided_by")
    ]
    people = Q(pk__in=named[0])
    for column in named[1:]:
        people |= Q(pk__in=column)
    return Choices(
        teams=list(Team.objects.all()),
        services=list(Service.objects.values_list("slug", flat=True)),
        entries=list(Entry.objects.filter(retired_at=None).select_related("section__checklist__team")),
        people=list(User.objects.filter(people)),
    )


def _keys(filters: Filters, at: datetime) -> QuerySet[Any]:
    """Return kind and key of what the filters leave, in order.

    What is not over comes first, the next end first and what has no end last; then what is over, the latest first.
    """
    kinds = [filters.kind] if filters.kind in MODELS else list(KINDS)
    parts = [_sortable(_filtered(with_state(kind, at), filters, at), kind) for kind in kinds]
    rows = parts[0] if len(parts) == 1 else parts[0].union(*parts[1:], all=True)
    newest = ("-asked_at", "kind", "-pk")
    return rows.order_by(*newest) if filters.newest else rows.order_by("part", "soon", "-late", *newest)


def _sortable(rows: QuerySet[Any], kind: str) -> QuerySet[Any]:
    lasting = Q(state__in=[RequestState.WAITING, RequestState.HOLDING])
    part = Case(
        When(lasting & Q(over_at__isnull=False), then=Value(0)),
        When(lasting, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    instant = DateTimeField(null=True)
    rows = rows.annotate(
        kind=Value(kind, output_field=CharField()),
        part=part,
        soon=Case(When(lasting, then=F("over_at")), default=None, output_field=instant),
        late=Case(When(lasting, then=None), default=F("over_at"), output_field=instant),
    )
    return rows.order_by().values_list("kind", "pk", "part", "soon", "late", "asked_at")


def _filtered(rows: QuerySet[Any], filters: Filters, at: datetime) -> QuerySet[Any]:
    if filters.state == ENDING:
        rows = rows.filter(state=RequestState.HOLDING, closes__lte=at + max(WARNED.values()))
    elif filters.state:
        rows = rows.filter(state=filters.state)
    exact = {
        "item__service__team__slug": filters.team,
        "item__service__slug": filters.service,
        "item__entry__slug": filters.entry,
    }
    rows = rows.filter(**{name: value for name, value in exact.items() if value})
    if filters.person:
        rows = rows.filter(Q(asked_by__username=filters.person) | Q(decided_by__username=filters.person))
    for word in filters.text.split():
        found = Q(reason__icontains=word) | Q(decision_note__icontains=word) | Q(end_reason__icontains=word)
        found |= Q(item__entry__title__icontains=word) | Q(item__service__slug__icontains=word)
        for language in LANGUAGES:
            found |= Q(**{f"item__entry__translations__{language}__title__icontains": word})
        rows = rows.filter(found)
    return rows


def _lines(keys: Sequence[tuple[Any, ...]], at: datetime) -> list[Line]:
    """Return the requests of these keys, in their order. One query a kind, and one for the sheets."""
    today = timezone.localdate(at)
    found: dict[tuple[str, int], Any] = {}
    for kind in KINDS:
        wanted = [key[1] for key in keys if key[0] == kind]
        rows = (
            with_state(kind, at)
            .filter(pk__in=wanted)
            .select_related(
                "item__entry", "item__service__team", "item__environment", "asked_by", "decided_by", "ended_by"
            )
        )
        sheet = Subquery(next_sheet(today, item="item__").values("pk")[:1])
        found |= {(kind, row.pk): row for row in (rows.annotate(sheet=sheet) if wanted else ())}
    sheets = Environment.objects.select_related("service").in_bulk({row.sheet for row in found.values() if row.sheet})
    return [_line(key[0], found[key[0], key[1]], sheets, at) for key in keys if (key[0], key[1]) in found]


def _line(kind: str, row: Any, sheets: dict[int, Environment], at: datetime) -> Line:
    state = RequestState(row.state)
    holds = state is RequestState.HOLDING and kind == WAIVER
    return Line(
        kind=kind,
        request=row,
        state=state,
        nearing=warning_at(row.until, at) if holds else None,
        ends=row.over_at,
        sheet=sheets.get(row.sheet),
    )
