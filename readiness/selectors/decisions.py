"""Which decision stands on each environment at an instant."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from readiness.enums.words import DecisionKind
from readiness.models import Decision, Environment, Review, User
from readiness.rules.verdicts import Under


def newest_decisions(environments: Iterable[int] | None, at: datetime) -> dict[int, Decision]:
    """Return the newest decision of each environment by an instant, without its snapshot; None asks for all.

    One query, which reads no decision that another one replaced. Of two decisions at one instant the one that was
    recorded later stands.
    """
    decided = newest(environments, at).defer("snapshot").order_by("environment_id")
    return {decision.environment_id: decision for decision in decided.select_related("by")}


def newest(environments: Iterable[int] | None, at: datetime) -> QuerySet[Decision]:
    """Return, as a query, the newest decision of each environment by an instant; None asks for all."""
    places = Environment.objects.all() if environments is None else Environment.objects.filter(pk__in=environments)
    made = Decision.objects.filter(environment=OuterRef("pk"), at__lte=at).order_by("-at", "-pk")
    return Decision.objects.filter(pk__in=places.order_by().values_list(Subquery(made.values("pk")[:1])))


def standing_decisions(environments: Iterable[int] | None, at: datetime) -> dict[int, Under]:
    """Return what stands on each environment at an instant, as the rules take it. One query."""
    columns = ("environment_id", "pk", "kind", "conditions__item_id", "conditions__until", "conditions__discharged_at")
    kinds: dict[int, tuple[int, DecisionKind]] = {}
    conditions: dict[int, dict[int, datetime]] = {}
    discharged: dict[int, set[int]] = {}
    for environment, pk, kind, item, until, settled_at in newest(environments, at).order_by().values_list(*columns):
        kinds[environment] = pk, DecisionKind(kind)
        if item is None or kind != DecisionKind.GO_WITH_CONDITIONS:
            continue
        if settled_at is not None and settled_at <= at:
            discharged.setdefault(environment, set()).add(item)
        else:
            conditions.setdefault(environment, {})[item] = until
    return {
        one: Under(kind=kind, conditions=conditions.get(one, {}), discharged=discharged.get(one, ()), decision=pk)
        for one, (pk, kind) in kinds.items()
    }


def under(environment: Environment, at: datetime) -> Under | None:
    """Return what stands on one environment at an instant."""
    return standing_decisions([environment.pk], at).get(environment.pk)


def sent_with(key: str, *, by: User, review_id: int) -> Decision | None:
    """Return what a person decided in a review with a key that their page sent; None without one. One query."""
    return Decision.objects.filter(review=review_id, by=by, key=key).first() if key else None


def decided_lines(review: Review) -> set[int]:
    """Return the environments that a review decided on. One query."""
    return set(review.decisions.values_list("environment_id", flat=True))
