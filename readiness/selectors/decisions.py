"""Which decision stands on each environment at an instant."""

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q

from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision, Environment
from readiness.rules.verdicts import Under


def newest_decisions(environments: Iterable[int] | None, at: datetime) -> dict[int, Decision]:
    """Return the newest decision of each environment by an instant, without its snapshot; None asks for all.

    One query. Of two decisions at one instant the one that was recorded later stands.
    """
    decided = Decision.objects.filter(at__lte=at).defer("snapshot").order_by("environment_id", "at", "pk")
    if environments is not None:
        decided = decided.filter(environment__in=list(environments))
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
