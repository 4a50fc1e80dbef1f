"""What waits for a person, as queries: the page of their items draws them, and every page shows how many there are."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    F,
    Func,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Coalesce, Least
from django.utils import timezone

from readiness.enums.standing import Status
from readiness.models import Condition, Decision, Event, Item, NotApplicable, User, Waiver
from readiness.rules.permissions import Actor
from readiness.rules.status import ItemFacts
from readiness.rules.waivers import WARNED

from .ownership import here, with_owners
from .places import by_launch, next_sheet, shown
from .status_sql import status_expression

UNSETTLED = [str(status) for status in Status if not status.settled]
UNMET = [*UNSETTLED, str(Status.WAIVED)]
WAITS = {"decided_at": None, "ended_at": None}


Newest = tuple[int, str]
"""The number and the hash of the ledger's newest event: what is known as of it stands until there is another one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """How many things wait for a person, from an instant to right before another one, as of the ledger's event."""

    actor: Actor
    newest: Newest
    since: datetime
    until: datetime
    count: int

    def holds(self, actor: Actor, newest: Newest, at: datetime) -> bool:
        return (self.actor, self.newest) == (actor, newest) and self.since <= at < self.until


MOST_KEPT = 10_000
"""For so many people at most a process keeps how much waits for them."""
_NEVER = datetime(9999, 1, 1, tzinfo=UTC)
_WARNED_FROM = max(WARNED.values())
_kept: dict[int, Waits] = {}


def waiting_for(user: User, at: datetime, newest: Newest | None = None) -> int:
    """Return how many things wait for a person: what they may answer, their waivers, items and conditions.

    An item of theirs with a condition or a waiver is one thing, and so is a batch. What nobody owns is offered to a
    team and waits for no one person, so it is not counted.

    It is kept for the person, as they may act now, for as long as no event is recorded and no instant is reached at
    which time alone changes it (docs/decisions/0012): one small query, and none where the newest event is given, as of
    which the page is. It is counted in one query more.
    """
    known = _kept.get(user.pk)
    if known is not None and known.holds(user.actor, newest or _newest(), at):
        return known.count
    if len(_kept) >= MOST_KEPT:
        _kept.clear()
    _kept[user.pk] = found = counted(user, at)
    return found.count


def forget_waiting() -> None:
    """Count everything again the next time."""
    _kept.clear()


def _newest() -> Newest:
    return Event.objects.order_by("-id").values_list("id", "hash").first() or (0, "")


def counted(user: User, at: datetime) -> Waits:
    """Count anew, and find until when it stands. One query, so that the newest event is that of what is counted."""
    own_batches = to_answer(NotApplicable, at).exclude(asked_by=user)
    mine = my_items(user, at)
    sets: list[tuple[QuerySet[Any], str]] = [
        (beside(my_waivers(user, at), mine), "pk"),
        (mine, "pk"),
        (beside(my_conditions(user), mine), "pk"),
    ]
    if user.actor.is_reviewer:
        sets += [
            (to_answer(Waiver, at).exclude(asked_by=user), "pk"),
            (own_batches.filter(batch=""), "pk"),
            (own_batches.exclude(batch=""), "batch"),
        ]
    counts = {f"n{place}": _count(rows, column) for place, (rows, column) in enumerate(sets)}
    newest = Event.objects.order_by("-id")
    columns = {
        "event": Subquery(newest.values("id")[:1]),
        "seal": Subquery(newest.values("hash")[:1]),
        **_turns(user, at),
        **counts,
    }
    row = User.objects.filter(pk=user.pk).annotate(**columns).values_list(*columns).first()
    event, seal, items, waivers, warned, *found = row or (0, "", at, at, at)
    return Waits(
        actor=user.actor,
        newest=(event or 0, seal or ""),
        since=at,
        until=min(items or _NEVER, waivers or _NEVER, (warned or _NEVER) - _WARNED_FROM),
        count=sum(count or 0 for count in found),
    )


def _turns(user: User, at: datetime) -> dict[str, Subquery]:
    """Return the next instants at which time alone may change what waits for a person: those of more than waits, too.

    They are when a fact about their items begins or ends or an entry begins to count, the same about items of their
    waivers, and the end of a waiver, before which people are warned.
    """
    facts = ItemFacts.names()
    waivers = Waiver.objects.filter(granted=True, ended_at=None).filter(
        Q(decided_by=user) | Q(asked_by=user) | Q(item__service__team__in=user.actor.teams)
    )
    warned_by = at + _WARNED_FROM
    return {
        "items_turn": _next(Item.objects.filter(owner=user), (*facts, "entry__counts_from"), at),
        "waivers_turn": _next(waivers.filter(until__lte=warned_by), [f"item__{name}" for name in facts], at),
        "warned_turn": _next(waivers, ["until"], warned_by),
    }


def _next(rows: QuerySet[Any], columns: Iterable[str], after: datetime) -> Subquery:
    """Return the first instant after another one in some columns; none, or the end of time, where there is none."""
    never = Value(_NEVER, output_field=DateTimeField())
    firsts = [Coalesce(Min(name, filter=Q(**{f"{name}__gt": after})), never) for name in columns]
    first = Least(*firsts, never)
    return Subquery(rows.order_by().annotate(every=Value(1)).values("every").annotate(first=first).values("first"))


def _count(rows: QuerySet[Any], column: str) -> Subquery:
    counted = Func(F(column), function="COUNT", template="%(function)s(DISTINCT %(expressions)s)")
    counted.output_field = IntegerField()
    return Subquery(rows.order_by().annotate(counted=counted).values("counted"))


def _placed(rows: QuerySet[Any], today: date) -> QuerySet[Any]:
    """Return requests about items that some sheet shows, what launches next first."""
    rows = rows.filter(item__entry__retired_at=None, item__service__archived_at=None).annotate(
        sheet=Subquery(next_sheet(today, item="item__").values("pk")[:1]),
        launch=Subquery(next_sheet(today, item="item__").values("launch_on")[:1]),
    )
    return rows.filter(sheet__isnull=False).order_by(by_launch("launch", today), "launch", "asked_at", "pk")


def to_answer(model: type[Waiver] | type[NotApplicable], at: datetime) -> QuerySet[Any]:
    """Return what waits for a reviewer, whoever asked."""
    return _placed(model.objects.filter(**WAITS), timezone.localdate(at))


def my_waivers(user: User, at: datetime) -> QuerySet[Any]:
    """Return the waivers that somebody should renew, settle or let go, as far as they are this person's.

    They are who asked, who granted, the item's owner, and the team where nobody owns it. A waiver whose item is met, or
    about which a request waits already, asks for nothing.
    """
    teams = user.actor.teams
    item = Item.objects.filter(pk=OuterRef("item")).annotate(status=status_expression(at))
    owned = Item.objects.filter(pk=OuterRef("item")).annotate(owner_here=here())
    in_team = Q() if user.actor.is_admin else Q(item__service__team__in=teams)
    rows = Waiver.objects.filter(granted=True, ended_at=None, until__lte=at + max(WARNED.values()))
    rows = rows.filter(
        Q(decided_by=user)
        | (Q(asked_by=user) & in_team)
        | Q(item__service__team__in=teams) & (Q(item__owner=user) | ~Exists(owned.filter(owner_here=True)))
    )
    asked_again = (Exists(kind.objects.filter(item=OuterRef("item"), **WAITS)) for kind in (Waiver, NotApplicable))
    rows = rows.filter(Exists(item.filter(status__in=UNMET)), *(~asked for asked in asked_again))
    return _placed(rows, timezone.localdate(at)).select_related("item__entry", "asked_by", "decided_by")


def my_items(user: User, at: datetime) -> QuerySet[Item]:
    """Return the unsettled items that a person owns, in the teams they are in: by launch, of each what fails first."""
    return _unsettled(Item.objects.filter(owner=user, service__team__in=user.actor.teams), at)


def ownerless(user: User, at: datetime) -> QuerySet[Item]:
    """Return the unsettled items of a person's teams that nobody looks after: no owner, or one who has left."""
    items = Item.objects.annotate(kept=here()).filter(kept=False, service__team__in=user.actor.teams)
    return _unsettled(items, at)


def _unsettled(items: QuerySet[Item], at: datetime) -> QuerySet[Item]:
    today = timezone.localdate(at)
    unsettled = items.annotate(status=status_expression(at)).filter(status__in=UNSETTLED)
    found = with_owners(shown(unsettled, at, today)).select_related("entry", "service__team", "environment")
    failing = Case(When(status=Status.FAILING, then=Value(0)), default=Value(1), output_field=IntegerField())
    due = F("due_on").asc(nulls_last=True)
    soonest = (by_launch("launch", today), "launch", failing, due, "service__slug", "sheet")
    return found.order_by(*soonest, "entry__section__position", "entry__position", "pk")


def beside(rows: QuerySet[Any], items: QuerySet[Item]) -> QuerySet[Any]:
    """Return the waivers or conditions whose item is not among others: there a line about the item says both."""
    return rows.exclude(item__in=items.order_by().values("pk"))


def conditions_by_launch(rows: QuerySet[Condition], at: datetime) -> QuerySet[Condition]:
    """Return conditions in the order of the launches that they are on, then by their ends."""
    day = "decision__environment__launch_on"
    return rows.order_by(by_launch(day, timezone.localdate(at)), day, "until", "pk")


def my_conditions(user: User) -> QuerySet[Condition]:
    """Return the open conditions of a person under decisions that stand: none was made on the environment since."""
    later = Decision.objects.filter(environment=OuterRef("decision__environment")).filter(
        Q(at__gt=OuterRef("decision__at")) | Q(at=OuterRef("decision__at"), pk__gt=OuterRef("decision"))
    )
    rows = Condition.objects.filter(~Exists(later), owner=user, discharged_at=None)
    rows = rows.filter(decision__environment__archived_at=None, decision__environment__service__archived_at=None)
    return (
        rows.select_related("item__entry", "decision__environment__service", "decision__by")
        .defer("decision__snapshot")
        .order_by("until", "pk")
    )
