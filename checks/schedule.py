"""What is due, and what has been forgotten: questions to the database, asked every few seconds."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from zlib import crc32

import structlog
from django.db.models import F, OuterRef, Q, QuerySet, Subquery

from checks.contract import Probe
from checks.models import Heartbeat
from checks.registry import interval, probes
from checks.targets import target_of
from readiness.actions import runs
from readiness.actions.runs import MOST_ATTEMPTS
from readiness.enums.words import Judgement, RunReason, RunState
from readiness.models import Environment, Run

log = structlog.get_logger(__name__)

HEARTBEAT = "scheduler"
NUDGED_AGAIN_AFTER = timedelta(seconds=10)
"""A run that is due and was not taken is nudged again after this long: its message may be lost."""

UNSETTLED_AGAIN_AFTER = timedelta(hours=1)
"""What was not passed is looked at again after this long, where the probe's own interval is longer."""

JITTER = 0.1
"""An interval varies by this share from environment to environment, so that they do not all come due at once."""

WORKERS_DIED = "The workers that tried this run died each time; nothing follows from it. Ask for it again."
ARCHIVED = "The environment was archived before the probe could look."


def sweep(*, now: datetime, nudge: Callable[[list[int]], bool]) -> int:
    """Queue what is due, bring back what was forgotten, and show that the scheduler lives; return how many nudges.

    Safe to run twice at once: the database lets one run of a probe be open on a target. ``nudge`` sends run ids to the
    workers; it returns False where the broker cannot be reached, and then the next sweep tries again.
    """
    plan_due(now)
    give_up(now)
    waiting = list(_to_nudge(now).values_list("pk", flat=True)[:500])
    sent = bool(waiting) and nudge(waiting)
    if sent:
        Run.objects.filter(pk__in=waiting).update(nudged_at=now)
    Heartbeat.objects.update_or_create(name=HEARTBEAT, defaults={"at": now})
    return len(waiting) if sent else 0


def plan_due(now: datetime) -> int:
    """Queue a run of every probe on every live environment where one is due; return how many."""
    planned = 0
    for probe in probes().values():
        for environment in due(probe, now):
            reason = RunReason.CHANGED if _changed_since_looked(environment) else RunReason.SCHEDULED
            run = runs.plan(environment_id=environment.pk, probe=probe.slug, reason=reason, due_at=now, now=now)
            planned += run is not None
    return planned


def due(probe: Probe, now: datetime) -> Iterator[Environment]:
    """Yield the live environments that a probe should look at now by itself.

    That is: it can (everything it needs is configured), none of its runs is open there, and it never looked, or its
    interval is over, or the settings changed since. A probe looks again sooner at what it could not pass.
    """
    newest = Run.objects.filter(environment=OuterRef("pk"), probe=probe.slug).order_by("-queued_at", "-id")
    every = interval(probe)
    soonest = now - min(every, UNSETTLED_AGAIN_AFTER) * (1 - JITTER)
    candidates = (
        Environment.objects.filter(archived_at=None, service__archived_at=None)
        .select_related("service__team", "billing_source")
        .annotate(
            last_at=Subquery(newest.values("queued_at")[:1]),
            last_state=Subquery(newest.values("state")[:1]),
            last_findings=Subquery(newest.values("findings")[:1]),
        )
        .filter(Q(last_state=None) | ~Q(last_state__in=[RunState.QUEUED, RunState.RUNNING]))
        .filter(Q(last_at=None) | Q(last_at__lte=soonest) | Q(last_at__lt=F("settings_changed_at")))
    )
    for environment in candidates:
        if _is_due(environment, probe, every, now) and not probe.missing(target_of(environment)):
            yield environment


def _is_due(environment: Environment, probe: Probe, every: timedelta, now: datetime) -> bool:
    last_at: datetime | None = getattr(environment, "last_at", None)
    if last_at is None or _changed_since_looked(environment):
        return True
    findings = getattr(environment, "last_findings", None) or []
    passed = bool(findings) and all(finding["judgement"] == Judgement.PASS for finding in findings)
    wait = every if passed else min(every, UNSETTLED_AGAIN_AFTER)
    return last_at + wait * spread(environment.pk, probe.slug) <= now


def _changed_since_looked(environment: Environment) -> bool:
    """Return whether a person changed the settings since the last run: what was seen before was another target."""
    last_at: datetime | None = getattr(environment, "last_at", None)
    return last_at is not None and last_at < environment.settings_changed_at


def spread(environment_id: int, probe: str) -> float:
    """Return a factor between 1 - JITTER and 1 + JITTER, always the same for one probe on one environment."""
    place = crc32(f"{environment_id}/{probe}".encode()) / 0xFFFFFFFF
    return 1 - JITTER + 2 * JITTER * place


def _to_nudge(now: datetime) -> QuerySet[Run]:
    waiting = Q(state=RunState.QUEUED, due_at__lte=now) | Q(state=RunState.RUNNING, lease_until__lte=now)
    unheard = Q(nudged_at=None) | Q(nudged_at__lt=F("due_at")) | Q(nudged_at__lte=now - NUDGED_AGAIN_AFTER)
    return Run.objects.filter(waiting & unheard).order_by("due_at", "pk")


def give_up(now: datetime) -> int:
    """Error the runs that nobody can finish any more; return how many."""
    left = Q(state=RunState.RUNNING, lease_until__lte=now)
    gone = ~Q(environment__archived_at=None) | ~Q(environment__service__archived_at=None)
    archived = Run.objects.filter((Q(state=RunState.QUEUED) | left) & gone)
    died = Run.objects.filter(left, attempts__gte=MOST_ATTEMPTS)
    return sum(
        runs.abandon(run_id=run_id, error=error, now=now)
        for found, error in ((archived, ARCHIVED), (died, WORKERS_DIED))
        for run_id in found.values_list("pk", flat=True)
    )
