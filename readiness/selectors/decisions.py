"""Which decision stands on each environment at an instant."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision, Environment
from readiness.rules.verdicts import Under


def newest_decisions(environments: Iterable[int] | None, at: datetime) -> dict[int, Decision]:
    """Return the newest decision of each environment by an instant, without its snapshot; None asks for all.

    One query, which reads no decision that another one replaced. Of two decisions at one instant the one that was
    recorded later stands.
    """
    places = Environment.objects.all() if environments is None else Environment.objects.filter(pk__in=environments)
    made = Decision.objects.filter(environment=OuterRef("pk"), at__lte=at).order_by("-at", "-pk")
    newest = places.order_by().values_list(Subquery(made.values("pk")[:1]))
    decided = Decision.objects.filter(pk__in=newest).defer("snapshot").order_by("environment_id")
    return {decision.environment_id: decision for decision in decided.select_related("by")}


def standing_decisions(environments: Iterable[int] | None, at: datetime) -> dict[int, Under]:
    """Return what stands on each environment at an instant, as the rules take it. Two queries."""
    newest = newest_decisions(environments, at)
    conditions: dict[int, dict[int, datetime]] = {}
    conditional = [one.pk for one in newest.values() if one.kind == DecisionKind.GO_WITH_CONDITIONS]
    waiting = Q(discharged_at=None) | Q(discharged_at__gt=at)
    if conditional:
        for condition in Condition.objects.filter(waiting, decision__in=conditional):
            conditions.setdefault(condition.decision_id, {})[condition.item_id] = condition.until
    return {
        environment: Under(kind=DecisionKind(one.kind), conditions=conditions.get(one.pk, {}))
        for environment, one in newest.items()
    }


def under(environment: Environment, at: datetime) -> Under | None:
    """Return what stands on one environment at an instant."""
    return standing_decisions([environment.pk], at).get(environment.pk)
