"""Which probes are switched off, where, by whom and why."""

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from readiness.models import Disabling, Environment
from readiness.rules.messages import Said, say


def standing_disablings(environment: Environment) -> dict[str, Disabling]:
    """Return what is switched off in an environment, by probe; one that holds everywhere stands before its own."""
    found: dict[str, Disabling] = {}
    for one in off_in(environment.pk).select_related("by").order_by("at", "id"):
        if one.probe not in found or one.environment_id is None:
            found[one.probe] = one
    return found


def disabled_on(environment_id: int, probe: str) -> Disabling | None:
    """Return what switched a probe off in an environment; None where it looks. One query."""
    return off_in(environment_id).filter(probe=probe).select_related("by").order_by("at", "id").first()


def off_in(environment_id: int) -> QuerySet[Disabling]:
    """Return what stands and holds in an environment: its own, and what holds everywhere."""
    return Disabling.objects.filter(Q(environment=environment_id) | Q(environment=None), ended_at=None)


def of_a_disabled_probe() -> Exists:
    """Return the condition, for a query of runs, that their probe is switched off where they look."""
    there = Q(environment=OuterRef("environment")) | Q(environment=None)
    return Exists(Disabling.objects.filter(there, probe=OuterRef("probe"), ended_at=None))


def disabled_words(one: Disabling) -> Said:
    """Return who switched a probe off, where, when and why, in a sentence; the instant in the site's time zone."""
    at = timezone.localtime(one.at)
    code = "engine.disabled-here" if one.environment_id else "engine.disabled-everywhere"
    return say(code, person=str(one.by), probe=one.probe, moment=at, reason=one.reason)
