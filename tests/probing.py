"""Observe and judge with a probe by hand, against a real server on loopback."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from checks.contract import Facts, Probe, Target, Tools
from checks.http import ClientPolicy, ProbeClient
from checks.keys import Secret, SecretError, fingerprint
from readiness.rules.messages import say
from readiness.rules.networks import parse_allowed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def tools(
    client: ProbeClient,
    *,
    secrets: Mapping[str, str] | None = None,
    managers: tuple[str, ...] | None = ("file:",),
    may_ask: Callable[[str], bool] = lambda _mark: True,
) -> Tools:
    """Return tools whose secrets are the given ones."""
    known = secrets or {}

    def resolve(reference: str) -> Secret:
        if reference not in known:
            raise SecretError("missing", f"There is no {reference}.")
        return Secret(known[reference])

    return Tools(
        client=client,
        resolve=resolve,
        resolve_for_operator=resolve,
        fingerprint=lambda secret: fingerprint(secret, pepper="tests"),
        counts_as_manager=lambda reference: None if managers is None else reference.startswith(managers),
        may_ask_with=may_ask,
    )


def look(probe: Probe, target: Target, *, key_hosts: tuple[str, ...] = (), **more: Any) -> tuple[Facts, dict[str, str]]:
    """Return facts, and ``judgement message`` for each clause."""
    allowed = (parse_allowed("127.0.0.1/32"),)
    with ProbeClient(ClientPolicy(allowed_networks=allowed, key_hosts=key_hosts), deadline_s=60) as client:
        facts = probe.observe(target, tools(client, **more))
    return facts, judged(probe, facts)


def judged(probe: Probe, facts: Facts) -> dict[str, str]:
    """Return ``judgement message`` for each clause, and check that each sentence is said from its code alone."""
    findings = probe.judge(facts, now=NOW)
    assert [finding.clause for finding in findings] == list(probe.observes)
    assert not [finding.sentence for finding in findings if "{" in finding.sentence]
    read = [json.loads(json.dumps([finding.code, finding.params])) for finding in findings]
    assert [say(code, **params) for code, params in read] == [finding.sentence for finding in findings]
    return {one.clause: f"{one.judgement} {one.code.removeprefix(probe.slug + '.')}" for one in findings}
