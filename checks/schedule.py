"""What is due, and what has been forgotten: questions to the database, asked every few seconds."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from zlib import crc32

import structlog
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from checks.contract import Probe
from checks.models import Heartbeat
from checks.registry import interval, probes
from checks.targets import target_of
from readiness.actions import runs
from readiness.actions.runs import MOST_ATTEMPTS
from readiness.enums.words import Judgement, RunReason, RunState
from readiness.models import Disabling, Environment, Run
from readiness.models.runs import OPEN_STATES
from readiness.selectors.disablings import of_a_disabled_probe

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
DISABLED = "The probe was disabled before it could look."


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
        for environment, reason in due(probe, now):
            run = runs.plan(environment_id=environment.pk, probe=probe.slug, reason=reason, due_at=now, now=now)
            planned += run is not None
    return planned


def due(probe: Probe, now: datetime) -> Iterator[tuple[Environment, RunReason]]:
    """Yield the live environments that a probe should look at now by itself, each with why.

    That is: it can (everything it needs is configured), nobody disabled it there, none of its runs is open there, and
    it never looked, or its interval is over, or the settings changed or it was enabled again since. A probe looks again
    sooner at what it could not pass. Five queries; environments are loaded whole only where they are due.
    """
    if Disabling.objects.filter(probe=probe.slug, environment=None, ended_at=None).exists():
        return
    newest = Run.objects.filter(environment=OuterRef("pk"), probe=probe.slug).order_by("-queued_at", "-id")
    off = Disabling.objects.filter(probe=probe.slug, ended_at=None, environment__isnull=False)
    environments = Environment.objects.filter(archived_at=None, service__archived_at=None)
    environments = environments.exclude(pk__in=off.values("environment"))
    last = dict(environments.annotate(last=Subquery(newest.values("pk")[:1])).values_list("pk", "last"))
    reasons = {pk: RunReason.SCHEDULED for pk, run_id in last.items() if run_id is None}
    reasons |= _over(probe, [run_id for run_id in last.values() if run_id], now)
    found = environments.filter(pk__in=reasons).select_related("service__team", "billing_source").order_by("pk")
    for environment in found:
        if not probe.missing(target_of(environment)):
            yield environment, reasons[environment.pk]


def _over(probe: Probe, newest: Sequence[int], now: datetime) -> dict[int, RunReason]:
    """Return the environments whose newest run no longer says how they are: it is old, or saw other settings."""
    every = interval(probe)
    again = min(every, UNSETTLED_AGAIN_AFTER)
    changed = Q(queued_at__lt=F("environment__settings_changed_at"))
    old = Q(queued_at__lte=now - again * (1 - JITTER))
    here_or_everywhere = Q(environment=OuterRef("environment")) | Q(environment=None)
    enabled = Disabling.objects.filter(here_or_everywhere, probe=probe.slug, ended_at__gt=OuterRef("queued_at"))
    runs_over = Run.objects.filter(pk__in=newest).exclude(state__in=OPEN_STATES).annotate(enabled=Exists(enabled))
    ended = runs_over.filter(changed | old | Q(enabled=True))
    found = {}
    for environment, queued_at, changed_at, findings, on_again in ended.values_list(
        "environment_id", "queued_at", "environment__settings_changed_at", "findings", "enabled"
    ):
        passed = bool(findings) and all(finding["judgement"] == Judgement.PASS for finding in findings)
        if queued_at < changed_at:
            found[environment] = RunReason.CHANGED
        elif on_again or queued_at + (every if passed else again) * spread(environment, probe.slug) <= now:
            found[environment] = RunReason.SCHEDULED
    return found


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
    disabled = Run.objects.filter(Q(state=RunState.QUEUED) | left).filter(of_a_disabled_probe())
    died = Run.objects.filter(left, attempts__gte=MOST_ATTEMPTS)
    return sum(
        runs.abandon(run_id=run_id, error=error, now=now)
        for found, error in ((archived, ARCHIVED), (disabled, DISABLED), (died, WORKERS_DIED))
        for run_id in found.values_list("pk", flat=True)
    )
