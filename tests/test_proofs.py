"""Every probe tells its known-good from its known-bad targets; one that cannot is not believed."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import ClassVar

import pytest

from checks.contract import Facts, Probe, Proof
from checks.models import ProbeProof
from checks.probes.spend_cap import SpendCap
from checks.proving import failures, is_proven
from checks.registry import PROBES
from readiness.enums.words import Judgement
from readiness.rules.findings import Finding

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
PROOFS = [(probe, proof) for probe in PROBES for proof in probe.proofs()]


@pytest.mark.parametrize(("probe", "proof"), PROOFS, ids=[f"{probe.slug}: {proof.name}" for probe, proof in PROOFS])
def test_it_concludes_what_it_must(probe: Probe, proof: Proof) -> None:
    assert failures(proof, now=NOW) == []


def test_every_clause_is_proven_to_pass_and_to_fail() -> None:
    for probe in PROBES:
        proven = {(clause, judgement) for proof in probe.proofs() for clause, judgement in proof.expected.items()}
        fails = {clause for clause, judgement in proven if judgement is Judgement.FAIL}
        passes = {clause for clause, judgement in proven if judgement is Judgement.PASS}
        assert passes == set(probe.observes), probe.slug
        assert fails, probe.slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Gullible(SpendCap):
    """A probe that passes everything."""

    version: ClassVar[int] = 2

    def judge(self, facts: Facts, *, now: datetime) -> list[Finding]:
        cap = {"amount": "1", "currency": "CAD"}
        return [self.finding("cap-matches", Judgement.PASS, "matches", found=cap)]

    def proofs(self) -> list[Proof]:
        return [replace(proof, probe=self) for proof in SpendCap.proofs(self)]


@pytest.mark.django_db
def test_a_probe_that_passes_everything_is_not_believed_and_its_reasons_are_kept() -> None:
    assert not is_proven(Gullible(), now=NOW)
    kept = ProbeProof.objects.get(probe="spend-cap", version=2)
    assert not kept.proven
    assert "another cap: cap-matches should be fail, and was pass" in kept.detail
