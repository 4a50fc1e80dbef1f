"""Carry out one run: claim, prove, observe, judge, record. The engine owns the deadline, the clock and exceptions."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError
from django.utils import timezone

from checks.contract import Facts, Probe, Target
from checks.failures import say
from checks.http import ProbeClient
from checks.proving import is_proven
from checks.registry import probes
from checks.targets import target_of
from checks.toolbox import Secrets, client_policy, tools_for
from readiness.actions import runs
from readiness.enums.words import Judgement, RunReason
from readiness.models import Run
from readiness.rules.findings import Finding
from readiness.rules.messages import Said, in_english, kept

log = structlog.get_logger(__name__)

LEASE_MARGIN = timedelta(seconds=20)
"""What a lease has beyond the probe's own deadline: proving itself first, judging and writing afterwards."""


def execute(run_id: int, *, clock: Callable[[], datetime] = timezone.now) -> bool:
    """Carry out a run if it is free to be taken; return whether it was taken and its outcome recorded."""
    probe = _probe_of(run_id)
    if probe is None:
        return runs.abandon(run_id=run_id, error="No probe of this name is installed.", now=clock())
    run = runs.claim(run_id=run_id, lease=probe.deadline + LEASE_MARGIN, now=clock())
    if run is None:
        return False
    with structlog.contextvars.bound_contextvars(run_id=run.pk, probe=probe.slug, environment=str(run.environment)):
        log.info("run.started", attempt=run.attempts, reason=run.reason)
        recorded = _carry_out(run, probe, clock)
        log.info("run.finished", recorded=recorded)
    return recorded


def _probe_of(run_id: int) -> Probe | None:
    slug = Run.objects.filter(pk=run_id).values_list("probe", flat=True).first()
    return probes().get(slug or "")


def _carry_out(run: Run, probe: Probe, clock: Callable[[], datetime]) -> bool:
    secrets = Secrets()
    target = target_of(run.environment)
    try:
        facts, findings, observed_at = look(
            probe, target, secrets, clock=clock, unlimited=run.reason != RunReason.SCHEDULED
        )
    except DatabaseError:
        raise  # Ours, and not the probe's: the run stays open, and its lease brings it back.
    except Exception as error:  # noqa: BLE001 - whatever broke is ours: it is told once and ticks nothing
        log.error("run.broke", error=type(error).__name__, where=_where(error))
        return runs.fail(
            run=run, error=f"The probe itself broke ({type(error).__name__}); nothing follows from it.", now=clock()
        )
    return runs.finish(
        run=run,
        facts=facts,
        findings=findings,
        probe_version=probe.version,
        build=target.build,
        observed_at=observed_at,
        now=clock(),
    )


def look(
    probe: Probe, target: Target, secrets: Secrets, *, clock: Callable[[], datetime], unlimited: bool
) -> tuple[Facts, list[Finding], datetime]:
    """Observe and judge; return facts, one finding for each clause, and the instant of the observation's start.

    A probe that is not proven, or lacks settings, answers that it cannot tell. No secret is left in what is returned.
    """
    started = clock()
    missing = probe.missing(target)
    if missing:
        return (
            {"missing": [in_english(one) for one in missing]},
            _cannot_tell(probe, say("engine.not-configured", missing=missing)),
            started,
        )
    if not is_proven(probe, now=started):
        return {}, _cannot_tell(probe, say("engine.unproven")), started
    started = clock()
    with ProbeClient(client_policy(), deadline_s=probe.deadline.total_seconds()) as client:
        tools = tools_for(target, client, secrets, now=started, unlimited=unlimited)
        facts: Facts = _storable(secrets.scrub(probe.observe(target, tools)))
    findings = probe.judge(facts, now=clock())
    if [finding.clause for finding in findings] != list(probe.observes):
        raise RuntimeError("A probe gives one finding for each clause that it observes, in their order.")
    return facts, findings, started


def _storable(value: Any) -> Any:
    """Return facts without what a database refuses in a text, since a target chooses them: NUL and lone surrogates."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode().replace("\0", "\ufffd")
    if isinstance(value, Mapping):
        return {_storable(name): _storable(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_storable(inner) for inner in value]
    return value


def _cannot_tell(probe: Probe, why: Said) -> list[Finding]:
    return [
        Finding(
            clause=clause,
            judgement=Judgement.INCONCLUSIVE,
            code=why.code,
            sentence=in_english(why),
            params=kept(why.params),
        )
        for clause in probe.observes
    ]


def _where(error: BaseException) -> list[str]:
    """Return file and line of each frame, without values: what broke may have held a secret."""
    found: list[str] = []
    trace: Any = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        found.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return found
