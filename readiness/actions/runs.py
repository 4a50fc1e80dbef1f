"""The life of a run: queued, claimed under a lease, finished with evidence or errored without."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext as _

from readiness.enums.words import Judgement, Kind, Outcome, RunReason, RunState
from readiness.models import Clause, Environment, Evidence, Item, Run, User
from readiness.rules.findings import Finding
from readiness.rules.folding import CONFIRMED_AFTER, ClauseFacts
from readiness.rules.messages import Said, in_english, kept, say
from readiness.rules.permissions import Refused, change_refusals, insist
from readiness.rules.status import status_at
from readiness.selectors.disablings import disabled_on, disabled_words, of_a_disabled_probe, standing_disablings
from readiness.signals import run_requested

from . import ledger
from .folding import borrowers_of, lock_item, refresh

CONFIRMED_AGAIN_AFTER = timedelta(minutes=5)
"""A confirming run that could not tell is followed by another after this long, for as long as the fail waits."""

MOST_ATTEMPTS = 3
"""A run whose worker died this often is errored instead of being tried for ever."""


@transaction.atomic
def ask(*, by: User, environment: Environment, probes: Sequence[str], now: datetime) -> list[Run]:
    """Queue a run of each probe now; one that already waits is brought forward, one that runs is left alone."""
    live = Environment.objects.select_for_update(of=("self",), no_key=True).select_related("service__team")
    environment = live.get(pk=environment.pk)  # Locked before the ledger, which an event about it would ask for last.
    team = environment.service.team
    insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    if environment.archived_at or environment.service.archived_at:
        raise Refused([_("This is archived: probes no longer look at it.")])
    off = standing_disablings(environment)
    insist(
        [
            _("{why} Ask an admin to enable it again.").format(why=disabled_words(off[probe]))
            for probe in probes
            if probe in off
        ]
    )
    runs = [_ask_one(by, environment, probe, now) for probe in probes]
    ledger.record(
        "run.asked",
        by=by,
        at=now,
        service=environment.service,
        environment=environment,
        data={"probes": list(probes), "runs": [run.pk for run in runs]},
    )
    asked = [run.pk for run in runs]
    transaction.on_commit(lambda: run_requested.send_robust(sender=Run, run_ids=asked), robust=True)
    return runs


def _ask_one(by: User, environment: Environment, probe: str, now: datetime) -> Run:
    run = plan(environment_id=environment.pk, probe=probe, reason=RunReason.ASKED, due_at=now, now=now, by=by)
    if run is not None:
        return run
    Run.objects.filter(environment=environment, probe=probe, state=RunState.QUEUED).update(
        due_at=now, reason=RunReason.ASKED, asked_by=by
    )
    waiting = Run.objects.filter(environment=environment, probe=probe).order_by("-queued_at", "-id").first()
    if waiting is None:
        raise RuntimeError("A run that could not be queued must have met one that is open.")
    return waiting


def plan(
    *, environment_id: int, probe: str, reason: RunReason, due_at: datetime, now: datetime, by: User | None = None
) -> Run | None:
    """Queue a run; None where one of the same probe on the same target is open already (the database decides)."""
    try:
        with transaction.atomic():
            return Run.objects.create(
                environment_id=environment_id, probe=probe, reason=reason, queued_at=now, due_at=due_at, asked_by=by
            )
    except IntegrityError:
        return None


def claim(*, run_id: int, lease: timedelta, now: datetime) -> Run | None:
    """Take a run that is due, or whose worker's lease is over; None where there is nothing to take.

    One conditional update: of two workers one gets it. A nudge that comes twice, or late, finds nothing; so does one
    for a probe that is disabled there, or for an environment that is archived.
    The state is asked of the row itself and not through a join: PostgreSQL asks only that again of a row that it
    waited for, and with a join both workers would get it.
    """
    free = Q(state=RunState.QUEUED, due_at__lte=now) | Q(state=RunState.RUNNING, lease_until__lte=now)
    token = uuid4().hex
    taken = (
        Run.objects.filter(free, pk=run_id, attempts__lt=MOST_ATTEMPTS)
        .filter(environment__in=Environment.objects.filter(archived_at=None, service__archived_at=None))
        .exclude(of_a_disabled_probe())
        .update(
            state=RunState.RUNNING, claim=token, started_at=now, lease_until=now + lease, attempts=F("attempts") + 1
        )
    )
    if not taken:
        return None
    return Run.objects.select_related("environment__service__team", "environment__billing_source").get(claim=token)


@transaction.atomic
def finish(
    *,
    run: Run,
    facts: dict[str, Any],
    findings: Sequence[Finding],
    probe_version: int,
    build: str,
    observed_at: datetime,
    now: datetime,
    drill: bool = False,
) -> bool:
    """Record what a run saw and concluded, with the evidence that follows; return whether it still was ours to record.

    A run that was taken over in the meantime records nothing; one that no longer may conclude (its target was changed
    or archived while it looked, or its probe disabled) concludes nothing. A fail that waits for another one queues the
    run that looks for it. What production takes over of it is folded there in the same transaction.
    """
    chosen = _items_of(run, findings)
    touched = {item_id for item_id, _, _ in chosen}
    items = {item_id: lock_item(item_id) for item_id in sorted(touched | borrowers_of(touched))}
    overtaken = _overtaken(run, since=observed_at)
    if overtaken is not None:
        chosen, items, findings = [], {}, [_set_aside(finding, overtaken) for finding in findings]
    before = {item_id: status_at(item.facts, now) for item_id, item in items.items()}
    if not _close(
        run,
        now,
        state=RunState.DONE,
        facts=facts,
        findings=[_as_json(finding) for finding in findings],
        probe_version=probe_version,
        build=build,
    ):
        return False
    for item_id, clause, finding in chosen:
        _witness(items[item_id], clause, finding, run=run, build=build, drill=drill, observed_at=observed_at, now=now)
    folded = {item_id: refresh(item, now=now) for item_id, item in items.items()}
    if any(
        _waits(folded[item_id], clause, finding, now)
        for _, clause, finding in chosen
        for item_id, item in items.items()
        if _is_told(item, clause, run, build)
    ):
        _plan_confirming(run, due_at=observed_at + CONFIRMED_AFTER, now=now)
    elif any(finding.judgement is Judgement.INCONCLUSIVE for finding in findings):
        _confirm_later(run, now)
    for item_id, item in items.items():
        after = status_at(item.facts, now)
        lent = item_id not in touched
        if lent and after is before[item_id]:
            continue
        ledger.record_of_item(
            "item.observed-again" if after is before[item_id] else "item.observed",
            item,
            by=None,
            at=now,
            data={
                "run": run.pk,
                "probe": run.probe,
                "from": before[item_id],
                "to": after,
                "findings": [_as_json(one) for _, clause, one in chosen if clause.entry_id == item.entry_id],
                **({"lent_by": run.environment_id} if lent else {}),
            },
        )
    return True


def _overtaken(run: Run, *, since: datetime) -> Said | None:
    """Return why a run concludes nothing of what it saw since an instant; None: it may.

    The environment is locked, so that none of these can happen until this commits. The build is compared by itself with
    that of the claim: who says one may have read the clock before this run did, and have been heard after it.
    """
    locked = Environment.objects.select_for_update(of=("self",), no_key=True).select_related("service")
    environment = locked.get(pk=run.environment_id)
    if environment.archived_since is not None:
        return say("engine.archived")
    if (off := disabled_on(run.environment_id, run.probe)) is not None:
        return say("engine.disabled", why=disabled_words(off))
    if environment.settings_changed_at > since or environment.build != run.environment.build:
        return say("engine.settings-changed")
    return None


def _set_aside(finding: Finding, why: Said) -> Finding:
    return Finding(
        clause=finding.clause,
        judgement=Judgement.INCONCLUSIVE,
        code=why.code,
        sentence=in_english(why),
        params=kept(why.params),
    )


def _plan_confirming(run: Run, *, due_at: datetime, now: datetime) -> None:
    plan(
        environment_id=run.environment_id,
        probe=run.probe,
        reason=RunReason.CONFIRMING,
        due_at=due_at,
        now=min(now, due_at),
    )


def _confirm_later(run: Run, now: datetime) -> None:
    """Queue another confirming run after one that could not tell, while the fail that it was to confirm still waits."""
    if run.reason != RunReason.CONFIRMING or disabled_on(run.environment_id, run.probe) is not None:
        return
    mine = Q(environment=run.environment_id) | Q(environment=None, service=run.environment.service_id)
    if run.environment.build:
        mine |= Q(
            service=run.environment.service_id,
            environment__kind=Kind.PROD,
            environment__archived_at=None,
            environment__build=run.environment.build,
            entry__build_bound=True,
        )
    observed = Q(entry__clauses__probe=run.probe, entry__clauses__retired_at=None)
    if Item.objects.filter(mine & observed, failing_since__gt=now).exists():
        _plan_confirming(run, due_at=now + CONFIRMED_AGAIN_AFTER, now=now)


def _items_of(run: Run, findings: Sequence[Finding]) -> list[tuple[int, Clause, Finding]]:
    """Return, for each finding that counts, the item and the clause it speaks of."""
    clauses: dict[str, list[Clause]] = {}
    for clause in Clause.objects.filter(probe=run.probe, retired_at=None, entry__retired_at=None):
        clauses.setdefault(clause.slug, []).append(clause)
    environment = run.environment
    items = dict(
        Item.objects.filter(service=environment.service_id)
        .filter(Q(environment=None) | Q(environment=environment))
        .values_list("entry_id", "pk")
    )
    return [
        (items[clause.entry_id], clause, finding)
        for finding in findings
        for clause in clauses.get(finding.clause, ())
        if finding.judgement is not Judgement.INCONCLUSIVE and clause.entry_id in items
    ]


def _witness(
    item: Item,
    clause: Clause,
    finding: Finding,
    *,
    run: Run,
    build: str,
    drill: bool,
    observed_at: datetime,
    now: datetime,
) -> None:
    passed = finding.judgement is Judgement.PASS
    fresh = observed_at + (clause.fresh_pass or clause.fresh_tick)
    Evidence.objects.create(
        item=item,
        clause=clause.slug,
        outcome=Outcome.PASS if passed else Outcome.FAIL,
        summary=finding.sentence,
        code=finding.code,
        params=dict(finding.params),
        run=run,
        build=build,
        drill=drill,
        meaning=clause.meaning,
        observed_at=observed_at,
        recorded_at=now,
        valid_until=min(fresh, finding.true_until or fresh) if passed else None,
        true_until=finding.true_until if passed else None,
    )


def _waits(clauses: Sequence[ClauseFacts], clause: Clause, finding: Finding, now: datetime) -> bool:
    """Return whether this fail waits for another one to count. What other probes or clauses wait for is not asked."""
    since = next((facts.failing_since for facts in clauses if facts.clause == clause.slug), None)
    return finding.judgement is Judgement.FAIL and since is not None and since > now


def _is_told(item: Item, clause: Clause, run: Run, build: str) -> bool:
    """Return whether a run speaks of an item when it speaks of a clause: its own, or production's on the same build."""
    if item.entry_id != clause.entry_id:
        return False
    mine = item.environment is None or item.environment_id == run.environment_id
    return mine or (item.environment is not None and build != "" and item.environment.build == build)


def _as_json(finding: Finding) -> dict[str, Any]:
    return {
        "clause": finding.clause,
        "judgement": str(finding.judgement),
        "code": finding.code,
        "params": dict(finding.params),
        "sentence": finding.sentence,
    }


@transaction.atomic
def fail(*, run: Run, error: str, now: datetime) -> bool:
    """Record that we could not look, in words. It concludes nothing; return whether the run still was ours."""
    closed = _close(run, now, state=RunState.ERRORED, error=error)
    if closed:
        _confirm_later(run, now)
    return closed


def abandon(*, run_id: int, error: str, now: datetime) -> bool:
    """Error a run that nobody can finish any more: its workers died too often, or its target was archived."""
    over = Q(state=RunState.QUEUED) | Q(state=RunState.RUNNING, lease_until__lte=now)
    return bool(
        Run.objects.filter(over, pk=run_id).update(
            state=RunState.ERRORED, error=error, finished_at=now, claim="", lease_until=None
        )
    )


def abandon_waiting(*, probe: str, environment_id: int | None, error: str, now: datetime) -> list[int]:
    """Error the runs of a probe that wait, in one environment or (None) everywhere; return which."""
    waiting = Run.objects.filter(probe=probe, state=RunState.QUEUED)
    if environment_id is not None:
        waiting = waiting.filter(environment=environment_id)
    found = list(waiting.order_by("pk").values_list("pk", flat=True))
    return [run_id for run_id in found if abandon(run_id=run_id, error=error, now=now)]


def _close(run: Run, now: datetime, **columns: Any) -> bool:
    mine = Run.objects.filter(pk=run.pk, state=RunState.RUNNING, claim=run.claim)
    return bool(mine.update(finished_at=now, lease_until=None, **columns))
