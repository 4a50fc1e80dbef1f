"""The runs of a probe on an environment, one after the other."""

from dataclasses import dataclass
from datetime import datetime

from readiness.models import Environment, Evidence, Run

MOST = 30
"""So many of the newest runs are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPage:
    """What the page of a run shows beside it: the trail that it is part of, its neighbours, and what it wrote."""

    trail: list[Run]
    before: Run | None
    after: Run | None
    evidence: list[Evidence]


def trail(environment: Environment, probe: str) -> list[Run]:
    """Return the newest runs of a probe that are over, the oldest of them first, without their facts. One query."""
    over = Run.objects.filter(environment=environment, probe=probe, finished_at__isnull=False)
    return list(reversed(over.defer("facts").order_by("-queued_at", "-id")[:MOST]))


def run_page(run: Run) -> RunPage:
    """Return what stands beside a run. Four queries."""
    others = Run.objects.filter(environment=run.environment_id, probe=run.probe).defer("facts", "findings")
    written = Evidence.objects.filter(run=run).select_related("item__entry").order_by("item__entry__position", "id")
    return RunPage(
        trail=trail(run.environment, run.probe),
        before=others.filter(queued_at__lte=run.queued_at).exclude(pk=run.pk).order_by("-queued_at", "-id").first(),
        after=others.filter(queued_at__gt=run.queued_at).order_by("queued_at", "id").first(),
        evidence=list(written),
    )


def key_seen_since(run: Run) -> datetime | None:
    """Return since when runs here see the key that a run saw, by its fingerprint; None where it saw none. Two queries.

    It may be older: nobody saw it before the first run that did.
    """
    mark = run.facts.get("fingerprint")
    if not mark or run.finished_at is None:
        return None
    earlier = Run.objects.filter(environment=run.environment_id, probe=run.probe, queued_at__lte=run.queued_at)
    seen = earlier.filter(finished_at__isnull=False, facts__has_key="fingerprint")
    others = seen.exclude(facts__fingerprint=mark).order_by("-queued_at", "-id")
    other = others.values_list("queued_at", flat=True).first()
    mine = seen.filter(facts__fingerprint=mark)
    mine = mine if other is None else mine.filter(queued_at__gt=other)
    return mine.order_by("queued_at", "id").values_list("finished_at", flat=True).first()
