"""Launch reviews and their decisions, made by the product itself: a snapshot is worth nothing if it is made up."""

from datetime import timedelta
from random import Random

from django.utils import timezone

from readiness.actions import decisions, items, reviews
from readiness.enums.words import DecisionKind
from readiness.models import Environment, Item, User
from readiness.selectors.standing import verdict

from .world import World

ONE_IN = 6
"""One environment in so many has a decision."""
ON_AN_AGENDA = 10
REGRESSES = 12
"""Of so many decided ones one has a tick taken back afterwards."""


def hold(made: World, random: Random) -> None:
    """Hold the reviews of a sixth of the environments now, and take a tick back on some of them."""
    found = Environment.objects.select_related("service__team").order_by("pk")
    chosen = [one for one in found if one.pk % ONE_IN == 0]
    by = User.objects.get(pk=made.reviewers[0].pk)
    for start in range(0, len(chosen), ON_AN_AGENDA):
        agenda = chosen[start : start + ON_AN_AGENDA]
        now = timezone.now()
        title = f"Launch review {start // ON_AN_AGENDA + 1}"
        review = reviews.plan(by=by, title=title, starts_at=now, chair=by, environments=agenda, attendees=[], now=now)
        for environment in agenda:
            _decide(environment, by, review.pk)
    for environment in chosen[::REGRESSES]:
        _take_back(environment, made, random)


def _decide(environment: Environment, by: User, review: int) -> None:
    now = timezone.now()
    standing = verdict(environment, at=now, now=now)
    if standing is None:
        return
    unsettled = decisions.unsettled_in(standing)
    kind = DecisionKind.GO if not unsettled else DecisionKind.GO_WITH_CONDITIONS
    kind = DecisionKind.NO_GO if len(unsettled) > 4 else kind
    until = timezone.localdate(now) + timedelta(days=30)
    conditions = [
        decisions.NewCondition(item_id=one.item, reason="It is looked at again next week.", owner=by, until=until)
        for one in unsettled
        if kind == DecisionKind.GO_WITH_CONDITIONS
    ]
    decisions.decide(
        by=by,
        review_id=review,
        environment_id=environment.pk,
        kind=kind,
        note="",
        dissents=[],
        conditions=conditions,
        seen_decision=None,
        now=now,
    )


def _take_back(environment: Environment, made: World, random: Random) -> None:
    now = timezone.now()
    mine = Item.objects.filter(environment=environment).select_related("service").order_by("pk")
    item = next((one for one in mine if items.standing_ticks(one, now)), None)
    if item is not None:
        by = User.objects.get(pk=random.choice(made.members(item.service.team_id)).pk)
        summary = "It was another build that this spoke of."
        items.take_back(by=by, item_id=item.pk, summary=summary, seen_version=item.version, now=now)
