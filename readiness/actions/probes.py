"""Switching a probe off, everywhere or in one environment, and on again."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.models import Clause, Disabling, Environment, User
from readiness.observers import observers
from readiness.rules.messages import in_english, say
from readiness.rules.permissions import Refused, archived_refusals, insist, switch_probe_refusals
from readiness.rules.texts import reason_refusals
from readiness.selectors.disablings import disabled_words

from . import ledger
from .runs import abandon_waiting


@transaction.atomic
def disable(*, by: User, probe: str, environment_id: int | None, reason: str, now: datetime) -> Disabling:
    """Let a probe look no more, in one environment or (None) everywhere, until somebody enables it again.

    Its runs that wait are given up; one under way concludes nothing. What it saw before stands until it ages.
    The environments are locked, so that no run ends there with a conclusion after this.
    """
    insist(switch_probe_refusals(by.actor) + reason_refusals(reason))
    if probe not in observers() and not Clause.objects.filter(probe=probe).exists():
        raise Refused([_("There is no probe of that name.")])
    environment = _locked(environment_id)
    if environment is not None:
        insist(archived_refusals(environment.archived_since))
    standing = Disabling.objects.filter(probe=probe, environment=environment, ended_at=None).select_related("by")
    if (already := standing.first()) is not None:
        raise Refused([_("It is disabled already. {why}").format(why=disabled_words(already))])
    made = Disabling.objects.create(probe=probe, environment=environment, reason=reason, by=by, at=now)
    given_up = abandon_waiting(
        probe=probe,
        environment_id=environment_id,
        error=in_english(say("engine.nothing-follows", why=disabled_words(made))),
        now=now,
    )
    _record("probe.disabled", made, environment, by=by, now=now, runs=given_up)
    return made


@transaction.atomic
def enable(*, by: User, disabling_id: int, now: datetime) -> Disabling:
    """Let a probe look again. Where it is disabled otherwise as well, everywhere or there, that stands."""
    insist(switch_probe_refusals(by.actor))
    kept = Disabling.objects.select_related("environment__service", "ended_by")
    found = kept.select_for_update(of=("self",), no_key=True).get(pk=disabling_id)
    if found.ended_at is not None:
        raise Refused(
            [_("{ended_by} has enabled {probe} again already.").format(ended_by=found.ended_by, probe=found.probe)]
        )
    found.ended_by, found.ended_at = by, now
    found.save(update_fields=["ended_by", "ended_at"])
    _record("probe.enabled", found, found.environment, by=by, now=now)
    return found


def _locked(environment_id: int | None) -> Environment | None:
    """Lock one environment and return it, or lock all of them, in the order of their keys."""
    rows = Environment.objects.order_by("pk").select_for_update(of=("self",), no_key=True)
    if environment_id is not None:
        return rows.select_related("service").get(pk=environment_id)
    list(rows.values_list("pk", flat=True))
    return None


def _record(
    kind: str, one: Disabling, environment: Environment | None, *, by: User, now: datetime, **data: Any
) -> None:
    ledger.record(
        kind,
        by=by,
        at=now,
        service=environment.service if environment else None,
        environment=environment,
        data={"disabling": one.pk, "probe": one.probe, "reason": one.reason, **data},
    )
