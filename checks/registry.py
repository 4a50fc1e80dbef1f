"""Every probe, by slug. One explicit list; a test compares it with the folder and with the checklist."""

from collections.abc import Mapping
from datetime import timedelta
from functools import cache, partial
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from checks.contract import Probe, messages_of
from checks.models import PROVEN_FOR, ProbeProof
from checks.probes.key_validity import KeyValidity
from checks.probes.proxy_buffering import ProxyBuffering
from checks.probes.spend_cap import SpendCap
from checks.targets import target_of
from readiness.models import Environment
from readiness.observers import Fix, Observer, OwnProof
from readiness.rules.messages import register

PROBES: tuple[Probe, ...] = (KeyValidity(), SpendCap(), ProxyBuffering())


@cache
def probes() -> dict[str, Probe]:
    """Return the probes by slug."""
    return {probe.slug: probe for probe in PROBES}


def register_messages() -> None:
    """Make what every probe says known by its codes, so that what was stored can be said in another language."""
    for probe in PROBES:
        register(messages_of(probe))


register_messages()


def interval(probe: Probe) -> timedelta:
    """Return how often a probe looks by itself: what the operator set, or else its own interval."""
    seconds = settings.PROBE_EVERY_SECONDS.get(probe.slug)
    return probe.every if seconds is None else timedelta(seconds=seconds)


def observers() -> list[Observer]:
    """Return the probes as pages show them."""
    return [
        Observer(
            slug=probe.slug,
            question=_(probe.question),
            remedy=_(probe.remedy),
            every=interval(probe),
            missing=partial(_missing, probe),
            proof=partial(_proof, probe),
            fix=partial(_fix, probe),
        )
        for probe in PROBES
    ]


def _fix(probe: Probe, code: str, facts: Mapping[str, Any]) -> Fix | None:
    """Return what to change after a finding. Facts that an older version wrote may lack what a newer one reads."""
    try:
        return probe.fix(code.removeprefix(f"{probe.slug}."), dict(facts))
    except (KeyError, TypeError, ValueError, AttributeError, IndexError):
        return Fix(words=_(probe.remedy))


def _missing(probe: Probe, environment: Environment) -> list[str]:
    return probe.missing(target_of(environment))


def _proof(probe: Probe) -> OwnProof | None:
    tried = ProbeProof.objects.filter(probe=probe.slug, version=probe.version).first()
    if tried is None:
        return None
    until = tried.at + PROVEN_FOR if tried.proven else None
    return OwnProof(proven=tried.proven, at=tried.at, counts_until=until, detail=tried.detail)
