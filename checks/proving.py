"""Try a probe on targets that are known to be good and bad, before its findings are trusted."""

import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

import structlog

from checks.contract import Probe, Proof, Tools
from checks.http import ClientPolicy, ProbeClient
from checks.keys import Secret, SecretError, fingerprint
from checks.models import PROVEN_FOR, ProbeProof
from checks.serving import Served
from readiness.rules.networks import parse_allowed

log = structlog.get_logger(__name__)

_HOST = "proof.example"

_ONE_AT_A_TIME = threading.Lock()
"""Threads of one worker wait for the proof that the first of them makes, instead of all making it."""


def is_proven(probe: Probe, *, now: datetime) -> bool:
    """Return whether this version of the probe told good from bad within a day, trying it now where it has not."""
    with _ONE_AT_A_TIME:
        return _known(probe, now) or _try(probe, now)


def _known(probe: Probe, now: datetime) -> bool:
    proofs = ProbeProof.objects.filter(probe=probe.slug, version=probe.version, proven=True)
    return proofs.filter(at__gt=now - PROVEN_FOR).exists()


def _try(probe: Probe, now: datetime) -> bool:
    problems = [problem for proof in probe.proofs() for problem in failures(proof, now=now)]
    ProbeProof.objects.update_or_create(
        probe=probe.slug,
        version=probe.version,
        defaults={"at": now, "proven": not problems, "detail": "\n".join(problems)},
    )
    if problems:
        log.error("probe.unproven", probe=probe.slug, problems=problems)
    return not problems


def failures(proof: Proof, *, now: datetime) -> list[str]:
    """Return where a probe did not conclude what it must about a known target; empty means that it did.

    A proof that fails is tried once more: it measures time, and a loaded machine may delay one try.
    """
    return _failures(proof, now=now) and _failures(proof, now=now)


def _failures(proof: Proof, *, now: datetime) -> list[str]:
    client_policy = ClientPolicy(
        allowed_networks=(parse_allowed("127.0.0.1/32"),), key_hosts=(_HOST, f"{_HOST}:80", f"{_HOST}:443")
    )
    with tempfile.TemporaryDirectory(prefix="proof-") as folder:
        path = str(Path(folder) / "s")
        with (
            Served(proof.app, uds=path),
            ProbeClient(client_policy, deadline_s=proof.probe.deadline.total_seconds(), unix_socket=path) as client,
        ):
            facts = proof.probe.observe(proof.target, _tools(client, proof.secrets))
    found = {finding.clause: finding for finding in proof.probe.judge(facts, now=now)}
    return [
        f"{proof.name}: {clause} should be {expected}, and was {found[clause].judgement}: {found[clause].sentence}"
        for clause, expected in proof.expected.items()
        if found[clause].judgement != expected
    ]


def _tools(client: ProbeClient, secrets: Mapping[str, str]) -> Tools:
    def resolve(reference: str) -> Secret:
        if reference not in secrets:
            raise SecretError("missing", f"The proof has no {reference}.")
        return Secret(secrets[reference])

    return Tools(
        client=client,
        resolve=resolve,
        resolve_for_operator=resolve,
        fingerprint=lambda secret: fingerprint(secret, pepper="proof"),
        counts_as_manager=lambda reference: reference.startswith("file:"),
        may_ask_with=lambda _mark: True,
    )
