"""What waits for a person: requests to answer, waivers about to end, items and conditions, and what nobody owns."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, Generic, TypeVar

from django.db.models import QuerySet
from django.utils import timezone

from readiness.enums.standing import Nearing, Status
from readiness.models import Condition, Environment, Item, NotApplicable, User, Waiver
from readiness.observers import observers
from readiness.rules.ownership import Owner
from readiness.rules.permissions import decide_refusals
from readiness.rules.status import status_at
from readiness.rules.steps import Step, next_step
from readiness.rules.waivers import warning_at

from .covering import uncovered_of
from .grounds import clauses_of
from .ownership import owner_of
from .steps import as_asked, asked_of_reviewers, disabled_probes, watches
from .waiting import beside, conditions_by_launch, my_conditions, my_items, my_waivers, ownerless, to_answer

MOST = 50
"""How many lines of one kind the page shows; what launches next comes first, and the rest is counted."""

Line = TypeVar("Line")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[Line]):
    """Lines of one kind, and how many more there are."""

    lines: list[Line]
    more: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ToAnswer:
    """What was asked of reviewers: one request or one batch. ``refusals`` say why this person may not answer."""

    requests: Sequence[Waiver | NotApplicable]
    sheet: Environment
    refusals: list[str]

    @property
    def first(self) -> Waiver | NotApplicable:
        """One of them: reason, person and instant are those of all."""
        return self.requests[0]

    @property
    def keys(self) -> str:
        """How a form names all of them."""
        kind = "waiver" if isinstance(self.first, Waiver) else "not-applicable"
        return ",".join(f"{kind}-{one.pk}" for one in self.requests)

    @property
    def name(self) -> str:
        """How the page names the line: by one of them."""
        return self.keys.partition(",")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingWaiver:
    """A waiver that ends soon or has ended with nothing after it; ``nearing`` is None for that."""

    waiver: Waiver
    sheet: Environment
    nearing: Nearing | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnItem:
    """An item that is not settled, with what to do next; the person's conditions and waiver about it stand with it."""

    item: Item
    sheet: Environment
    status: Status
    step: Step
    owner: Owner
    conditions: "Sequence[OwnCondition]" = ()
    waiver: Waiver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnCondition:
    """An open condition of a go; ``overdue`` from its end on."""

    condition: Condition
    overdue: bool

    @property
    def sheet(self) -> Environment:
        """The environment that was decided on."""
        return self.condition.decision.environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    """What waits for a person at an instant. ``uncovered`` are the sheets under a go that no longer covers them."""

    answers: Part[ToAnswer]
    waivers: Part[EndingWaiver]
    items: Part[OwnItem]
    ownerless: Part[OwnItem]
    conditions: Part[OwnCondition]
    today: date
    uncovered: set[int] = field(default_factory=set)

    @property
    def kinds(self) -> list[str]:
        """The kinds of what waits, where there is any, that with what blocks the nearest launch first."""
        parts: dict[str, Part[Any]] = {
            "answers": self.answers,
            "waivers": self.waivers,
            "conditions": self.conditions,
            "items": self.items,
        }
        found = [(name, part.lines[0].sheet.launch_on) for name, part in parts.items() if part.lines]
        return [name for name, _ in sorted(found, key=lambda one: _nearness(one[1], self.today))]

    @property
    def sheets(self) -> dict[int, Environment]:
        """Every sheet that what is shown is on, by its key."""
        parts: list[Part[Any]] = [self.answers, self.waivers, self.items, self.ownerless, self.conditions]
        return {line.sheet.pk: line.sheet for part in parts for line in part.lines}

    @property
    def launches(self) -> list[Environment]:
        """The sheets with a launch date that what is shown is on, in the order of their launches."""
        dated = (one for one in self.sheets.values() if one.launch_on)
        return sorted(dated, key=lambda one: (one.launch_on, str(one)))

    @property
    def nothing(self) -> bool:
        """Whether there is nothing at all to show."""
        return not self.sheets


def mine(user: User, at: datetime, launch: Environment | None = None) -> Mine:
    """Return what waits for a person, or only what is on one sheet; what launches next first, an item in one line.

    A fixed number of queries, whatever there is.
    """
    on = {} if launch is None else {"sheet": launch.pk}
    conditions = my_conditions(user) if launch is None else my_conditions(user).filter(decision__environment=launch)
    items, waivers = my_items(user, at).filter(**on), my_waivers(user, at).filter(**on)
    offered = ownerless(user, at).filter(**on)
    said: tuple[QuerySet[Any], ...] = (conditions, waivers)
    for rows in said:
        offered = offered.exclude(pk__in=rows.order_by().values("item"))
    found = Mine(
        answers=_answers(user, at, on),
        waivers=_cut(beside(waivers, items), lambda rows: _ending(rows, at)),
        items=_cut(items, lambda rows: _with_more(_own_items(rows, at), user, at)),
        ownerless=_cut(offered, lambda rows: _own_items(rows, at)),
        conditions=_cut(conditions_by_launch(beside(conditions, items), at), lambda rows: _conditions(rows, at)),
        today=timezone.localdate(at),
    )
    return replace(found, uncovered=uncovered_of(found.sheets, at) if found.sheets else set())


def _cut(rows: QuerySet[Any], drawn: Callable[[list[Any]], list[Line]]) -> Part[Line]:
    """Draw the first lines of a queryset, and count the rest where there is more."""
    found = list(rows[: MOST + 1])
    more = rows.count() - MOST if len(found) > MOST else 0
    return Part(lines=drawn(found[:MOST]), more=more)


def _answers(user: User, at: datetime, on: Mapping[str, int]) -> Part[ToAnswer]:
    """Return what waits for an answer: everything for a reviewer, for others nothing.

    The requests of one batch stand together, all of them.
    """
    if not user.actor.is_reviewer:
        return Part(lines=[])
    joined = ("item__entry", "item__environment", "item__service__team", "asked_by")
    alone: list[Any] = []
    more = 0
    everywhere = to_answer(NotApplicable, at)
    left_out = everywhere.filter(**on)
    for rows in (to_answer(Waiver, at).filter(**on), left_out.filter(batch="")):
        part: Part[Any] = _cut(rows.select_related(*joined), lambda found: found)
        alone += part.lines
        more += part.more
    batches = list(dict.fromkeys(left_out.exclude(batch="").values_list("batch", flat=True)))
    more += max(0, len(batches) - MOST)
    groups: dict[str, list[Any]] = {}
    for request in everywhere.filter(batch__in=batches[:MOST]).select_related(*joined) if batches else ():
        groups.setdefault(request.batch, []).append(request)
    every = [[one] for one in alone] + list(groups.values())
    sheets = _sheets(requests[0].sheet for requests in every)
    lines = [
        ToAnswer(
            requests=requests,
            sheet=sheets[requests[0].sheet],
            refusals=decide_refusals(user.actor, asked_by_id=requests[0].asked_by_id),
        )
        for requests in sorted(every, key=lambda requests: _order(requests[0], at))
    ]
    return Part(lines=lines, more=more)


def _order(request: Any, at: datetime) -> tuple[int, date, datetime]:
    return *_nearness(request.launch, timezone.localdate(at)), request.asked_at


def _nearness(launch: date | None, today: date) -> tuple[int, date]:
    """Return what comes first: launches ahead, then what has launched, then what has no date."""
    return 2 if launch is None else 0 if launch >= today else 1, launch or today


def _sheets(keys: Iterable[int]) -> dict[int, Environment]:
    return Environment.objects.select_related("service__team", "billing_source").in_bulk(set(keys))


def _ending(rows: list[Any], at: datetime) -> list[EndingWaiver]:
    sheets = _sheets(row.sheet for row in rows)
    return [EndingWaiver(waiver=row, sheet=sheets[row.sheet], nearing=warning_at(row.until, at)) for row in rows]


def _own_items(rows: list[Any], at: datetime) -> list[OwnItem]:
    if not rows:
        return []
    sheets = _sheets(row.sheet for row in rows)
    clauses = clauses_of(row.entry for row in rows)
    asked, off, known = asked_of_reviewers(row.pk for row in rows), disabled_probes(), observers()
    watching = {key: watches(sheet, known, off) for key, sheet in sheets.items()}
    return [
        OwnItem(
            item=row,
            sheet=sheets[row.sheet],
            status=status_at(row.facts, at),
            step=next_step(
                as_asked(row.clauses, clauses.get(row.entry_id, ()), watching[row.sheet]),
                waits_for_reviewer=row.pk in asked,
                at=at,
            ),
            owner=owner_of(row),
        )
        for row in rows
    ]


def _with_more(lines: list[OwnItem], user: User, at: datetime) -> list[OwnItem]:
    """Return items with what else waits about them: the person's conditions, and a waiver that ends or has ended."""
    keys = [line.item.pk for line in lines]
    if not keys:
        return []
    conditions: dict[int, list[OwnCondition]] = {}
    for one in _conditions(list(my_conditions(user).filter(item__in=keys)), at):
        conditions.setdefault(one.condition.item_id, []).append(one)
    waivers = {one.item_id: one for one in my_waivers(user, at).filter(item__in=keys)}
    return [
        replace(line, conditions=conditions.get(line.item.pk, ()), waiver=waivers.get(line.item.pk)) for line in lines
    ]


def _conditions(rows: list[Condition], at: datetime) -> list[OwnCondition]:
    return [OwnCondition(condition=row, overdue=row.until <= at) for row in rows]
