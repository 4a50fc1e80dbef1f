"""What waits for a person, as queries: the page of their items draws them, and every page shows how many there are."""

from datetime import date, datetime
from typing import Any

from django.db.models import Case, Exists, F, Func, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When
from django.utils import timezone

from readiness.enums.standing import Status
from readiness.models import Condition, Decision, Item, NotApplicable, User, Waiver
from readiness.rules.waivers import WARNED

from .ownership import here, with_owners
from .places import by_launch, next_sheet, shown
from .status_sql import status_expression

UNSETTLED = [str(status) for status in Status if not status.settled]
UNMET = [*UNSETTLED, str(Status.WAIVED)]
WAITS = {"decided_at": None, "ended_at": None}


def waiting_for(user: User, at: datetime) -> int:
    """Return how many things wait for a person: what they may answer, their waivers, items and conditions. One query.

    What nobody owns is offered to a team and waits for no one person, so it is not counted. A batch counts once.
    """
    own_batches = to_answer(NotApplicable, at).exclude(asked_by=user)
    sets: list[tuple[QuerySet[Any], str]] = [
        (my_waivers(user, at), "pk"),
        (my_items(user, at), "pk"),
        (my_conditions(user), "pk"),
    ]
    if user.actor.is_reviewer:
        sets += [
            (to_answer(Waiver, at).exclude(asked_by=user), "pk"),
            (own_batches.filter(batch=""), "pk"),
            (own_batches.exclude(batch=""), "batch"),
        ]
    counts = {f"n{place}": _count(rows, column) for place, (rows, column) in enumerate(sets)}
    row = User.objects.filter(pk=user.pk).annotate(**counts).values_list(*counts).first()
    return sum(count or 0 for count in row) if row else 0


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
    """Return the unsettled items that a person owns, in the teams they are in: failing first, then by launch."""
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
    soonest = (by_launch("launch", today), "launch", F("due_on").asc(nulls_last=True), "service__slug", "sheet")
    return found.order_by(failing, *soonest, "entry__section__position", "entry__position", "pk")


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
