"""What probes see, made up, and what the real ones conclude from it: a few of each outcome, which runs share."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from checks.contract import Facts, Probe
from checks.registry import PROBES
from readiness.actions.runs import _as_json
from readiness.rules.findings import Finding

OUTCOMES = ("pass", "fail", "unclear")
OF_EACH = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one run saw and concluded."""

    id: int
    probe: str
    outcome: str
    facts: Facts
    findings: tuple[Finding, ...]

    @property
    def findings_json(self) -> list[dict[str, Any]]:
        """The findings as a run's row keeps them."""
        return [_as_json(finding) for finding in self.findings]


def samples(random: Random, now: datetime) -> list[Sample]:
    """Return some samples of each outcome of each probe."""
    found: list[Sample] = []
    for probe in PROBES:
        for outcome in OUTCOMES:
            for _ in range(OF_EACH):
                facts = SEEN[probe.slug](outcome, random)
                findings = tuple(probe.judge(facts, now=now))
                _insist(probe, outcome, findings)
                found.append(
                    Sample(id=len(found) + 1, probe=probe.slug, outcome=outcome, facts=facts, findings=findings)
                )
    return found


def _insist(probe: Probe, outcome: str, findings: tuple[Finding, ...]) -> None:
    words = {str(finding.judgement) for finding in findings}
    right = {"pass": words == {"pass"}, "fail": "fail" in words, "unclear": words == {"inconclusive"}}[outcome]
    if not right:
        raise RuntimeError(f"The probe {probe.slug} says {', '.join(sorted(words))} of what was made up as {outcome}.")


def _key(outcome: str, random: Random) -> Facts:
    seen = {
        "reference": "vault:secret/service#key",
        "counts_as_manager": True,
        "url": "https://bastion.example/v1/models",
        "resolved": True,
        "asked": True,
        "fingerprint": f"{random.getrandbits(40):010x}",
        "begins_like_a_key": True,
        "elapsed_ms": round(random.uniform(60, 400), 1),
    }
    if outcome == "unclear":
        failure = {"code": "not-found", "sentence": "The store has nothing there."}
        return {name: seen[name] for name in ("reference", "url")} | {
            "counts_as_manager": None,
            "resolved": False,
            "asked": False,
            "secret_failure": failure,
        }
    if outcome == "fail":
        return seen | {"status": 401, "models": None, "code": "invalid_api_key"}
    return seen | {"status": 200, "models": random.randint(4, 40), "code": None}


def _cap(outcome: str, random: Random) -> Facts:
    declared = random.randint(2, 80) * 50
    return {
        "declared": f"{declared}.00",
        "declared_currency": "CAD",
        "source": "https://billing.example/caps",
        "name": "service prod",
        "status": 503 if outcome == "unclear" else 200,
        "elapsed_ms": round(random.uniform(20, 200), 1),
        **({} if outcome == "unclear" else {"found": True, "currency": "CAD"}),
        **({} if outcome == "unclear" else {"cap": str(declared + (500 if outcome == "fail" else 0))}),
    }


def _stream(outcome: str, random: Random) -> Facts:
    fetches = [_fetch(accept, outcome, random) for accept in ("identity", "gzip", "gzip")]
    if outcome == "unclear":
        fetches = fetches[:1]
    return {"route": "https://service.example/canary", "events": 8, "gap_ms": 500, "fetches": fetches}


def _fetch(accept: str, outcome: str, random: Random) -> Mapping[str, Any]:
    noise = [random.uniform(10, 60) for _ in range(8)]
    sent = [n * 500.0 + random.uniform(0, 5) for n in range(8)]
    arrived = [3600.0 + wait / 10 for wait in noise] if outcome == "fail" else map(sum, zip(sent, noise, strict=True))
    events = [
        {"n": n, "sent_ms": round(at, 1), "arrived_ms": round(seen, 1)}
        for n, (at, seen) in enumerate(zip(sent, arrived, strict=True))
    ]
    silent = outcome == "unclear"
    return {
        "accept_encoding": accept,
        "status": 404 if silent else 200,
        "content_type": "text/html" if silent else "text/event-stream",
        "headers": {"cache-control": "no-cache"},
        "header_ms": round(random.uniform(5, 40), 1),
        "nonce": "" if silent else f"{random.getrandbits(64):016x}",
        "canary_came_back": None if silent else True,
        "of": None if silent else 8,
        "events": [] if silent else events,
        "foreign_events": 0,
        "readable_bytes": 0 if silent else 1400,
        "read_ms": 0.0 if silent else 4100.0,
        "failure": None,
    }


SEEN = {"key-validity": _key, "spend-cap": _cap, "proxy-buffering": _stream}
