"""Which fails of an item a reviewer may retire: those of probes that are disabled wherever they were seen."""

from collections.abc import Sequence

from django.db.models import Q

from readiness.models import Clause, Disabling, Environment, Item
from readiness.rules.folding import ClauseFacts

from .clauses import standing_fails


def retirable(item: Item, clauses: Sequence[ClauseFacts]) -> list[str]:
    """Return the clauses on which a fail stands that no probe can lift any more, in their order.

    Its probe is disabled wherever a look could still lift it: for an item of an environment where the fail was seen
    (there, or in the environment that production took it over from), for one of a service in every live environment.
    No query where no fail stands; else three, and two for each fail of an environment's item.
    """
    failed = {one.clause: one for one in clauses if one.failed is not None}
    if not failed:
        return []
    probes = Clause.objects.filter(entry_id=item.entry_id, slug__in=failed, retired_at=None).order_by("position")
    live = set(
        Environment.objects.filter(service=item.service_id, archived_at=None, service__archived_at=None).values_list(
            "pk", flat=True
        )
    )
    off: set[tuple[str, int | None]] = set(
        Disabling.objects.filter(Q(environment__in=live) | Q(environment=None), ended_at=None).values_list(
            "probe", "environment"
        )
    )
    found = []
    for clause, probe in probes.values_list("slug", "probe"):
        places = _places(item, failed[clause]) & live if item.environment_id else live
        somewhere = places and all((probe, place) in off for place in places)
        if (probe, None) in off or somewhere:
            found.append(clause)
    return found


def _places(item: Item, facts: ClauseFacts) -> set[int]:
    """Return the environments in which the fails were seen that stand on a clause."""
    seen = standing_fails(item, facts).order_by().values_list("run__environment", flat=True).distinct()
    return {place for place in seen if place is not None}
