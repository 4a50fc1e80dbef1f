"""Is the environment's key where it should be, and does Bastion accept it?

Asks ``GET {Bastion URL}/models``, the one call that is documented to need nothing but a key. A 200 says nothing about
credit: how Bastion answers this call at zero balance is not documented.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.utils.translation import gettext_noop

from checks.contract import Facts, Probe, Proof, Target, Tools
from checks.failures import as_fact, from_fact
from checks.http import RequestFailed
from checks.keys import SecretError
from checks.probes.key_fixes import key_fix
from checks.standin.app import standin_app
from checks.standin.settings import StandInSettings
from readiness.enums.words import Judgement
from readiness.observers import Fix
from readiness.rules.findings import Finding
from readiness.rules.references import split_reference

KEY_PREFIX = "qbt_"
"""How every Bastion key begins, as its endpoint pages document. Length and alphabet are not documented."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyValidity(Probe):
    """Is the key read from a secrets manager, and is it accepted?"""

    slug: ClassVar[str] = "key-validity"
    version: ClassVar[int] = 1
    question: ClassVar[str] = gettext_noop("Is the key read from a secrets manager, and does Bastion accept it?")
    observes: ClassVar[tuple[str, ...]] = ("key-from-manager", "key-accepted")
    remedy: ClassVar[str] = gettext_noop(
        "Put a key that works where the reference points, and restart what reads it: "
        "SDKs read a key once, at their start."
    )
    looks_at: ClassVar[str] = "bastion_url"
    every: ClassVar[timedelta] = timedelta(hours=6)
    deadline: ClassVar[timedelta] = timedelta(seconds=30)
    messages: ClassVar[Mapping[str, str]] = {
        "from-manager": gettext_noop(
            "The key is read from {reference}, which the operator counts as a secrets manager."
        ),
        "not-a-manager": gettext_noop(
            "The key is read from {reference}, which the operator does not count as a secrets manager. "
            "Move it to one, or attest why this is as good."
        ),
        "managers-unknown": gettext_noop(
            "The key is read from {reference}. The operator has not said which references count as a "
            "secrets manager (READINESS_SECRETS_MANAGERS)."
        ),
        "no-secret": gettext_noop("{reference} gave no key: {why}"),
        "not-like-a-key": gettext_noop(
            "What {reference} names does not begin with qbt_, as Bastion's keys do. It was sent nowhere."
        ),
        "accepted": gettext_noop("Bastion accepted the key: {models} models listed in {elapsed_ms} ms."),
        "refused": gettext_noop("Bastion refused the key with {status} ({code})."),
        "no-balance": gettext_noop(
            "Bastion answered {status} ({code}): the account has no balance, which says nothing of the key."
        ),
        "rate-limited": gettext_noop("Bastion answered 429, so the key could not be tried now."),
        "forbidden": gettext_noop(
            "The answer was 403, which is not documented for this call: it says nothing of the key."
        ),
        "upstream": gettext_noop("Bastion answered {status}, which says nothing of the key."),
        "redirected": gettext_noop(
            "{url} redirects to {to}. The key was not sent there, and a client's would be lost on the way. "
            "Write the address that it leads to as the Bastion URL."
        ),
        "not-models": gettext_noop(
            "{url} answered 200 with something else than a list of models. Is this the Bastion URL, with its "
            "version (/v1)?"
        ),
        "not-found": gettext_noop("{url} answered {status}. Is this the Bastion URL, with its version (/v1)?"),
        "unreachable": gettext_noop("Bastion could not be asked: {why}"),
        "asked-recently": gettext_noop(
            "Bastion was asked with this key a short while ago, perhaps for another environment; it "
            "is asked again later."
        ),
        "not-asked": gettext_noop("The key was not tried, because {reference} gave none."),
    }

    lacking: ClassVar[Mapping[str, str]] = {
        "no-bastion-url": gettext_noop("The environment has no Bastion URL."),
        "no-key-reference": gettext_noop("The environment has no key reference."),
    }

    def missing(self, target: Target) -> list[str]:
        """Return which of Bastion URL and key reference is not configured."""
        found = []
        if not target.bastion_url:
            found.append(self.lacks("no-bastion-url"))
        if not target.key_reference:
            found.append(self.lacks("no-key-reference"))
        return found

    def observe(self, target: Target, tools: Tools) -> Facts:
        """Resolve the key, and ask for the models with it."""
        url = target.bastion_url.rstrip("/") + "/models"
        facts: Facts = {
            "reference": _shown(target.key_reference),
            "counts_as_manager": tools.counts_as_manager(target.key_reference),
            "url": url,
            "resolved": False,
            "asked": False,
        }
        try:
            key = tools.resolve(target.key_reference)
        except SecretError as error:
            return {**facts, "secret_failure": as_fact(error.code, error.sentence)}
        mark = tools.fingerprint(key)
        facts |= {"resolved": True, "fingerprint": mark, "begins_like_a_key": key.reveal().startswith(KEY_PREFIX)}
        if not facts["begins_like_a_key"]:
            return facts
        try:
            tools.client.insist_on_key_host(url)
            if not tools.may_ask_with(mark):
                return {**facts, "asked_recently": True}
            answer = tools.client.get(url, secret_headers={"Authorization": key.with_prefix("Bearer ")})
        except RequestFailed as failure:
            return {**facts, "request_failure": as_fact(failure.code, failure.sentence)}
        facts |= {"asked": True, "status": answer.status, "elapsed_ms": round(answer.elapsed_ms, 1)}
        if 300 <= answer.status < 400:
            facts["redirects_to"] = _origin(answer.headers.get("location", ""))
        return {**facts, **_read(answer)}

    def judge(self, facts: Facts, *, now: datetime) -> list[Finding]:  # noqa: ARG002 - nothing here ages
        """Tell valid from refused from unreachable."""
        return [self._from_manager(facts), self._accepted(facts)]

    def _from_manager(self, facts: Facts) -> Finding:
        clause, reference = "key-from-manager", facts["reference"]
        if not facts["resolved"]:
            why = from_fact(facts["secret_failure"])
            return self.finding(clause, Judgement.INCONCLUSIVE, "no-secret", reference=reference, why=why)
        if not facts["begins_like_a_key"]:
            return self.finding(clause, Judgement.INCONCLUSIVE, "not-like-a-key", reference=reference)
        if facts["counts_as_manager"] is None:
            return self.finding(clause, Judgement.INCONCLUSIVE, "managers-unknown", reference=reference)
        if not facts["counts_as_manager"]:
            return self.finding(clause, Judgement.FAIL, "not-a-manager", reference=reference)
        return self.finding(clause, Judgement.PASS, "from-manager", reference=reference)

    def _accepted(self, facts: Facts) -> Finding:
        clause, unsure = "key-accepted", Judgement.INCONCLUSIVE
        if not facts["resolved"]:
            return self.finding(clause, unsure, "not-asked", reference=facts["reference"])
        if not facts["begins_like_a_key"]:
            return self.finding(clause, unsure, "not-like-a-key", reference=facts["reference"])
        if facts.get("asked_recently"):
            return self.finding(clause, unsure, "asked-recently")
        if not facts["asked"]:
            return self.finding(clause, unsure, "unreachable", why=from_fact(facts["request_failure"]))
        return self._answered(clause, facts)

    def _answered(self, clause: str, facts: Facts) -> Finding:
        unsure, status, code = Judgement.INCONCLUSIVE, facts["status"], facts.get("code") or "no code"
        if status == 200:
            if facts["models"] is None:
                return self.finding(clause, unsure, "not-models", url=facts["url"])
            return self.finding(
                clause, Judgement.PASS, "accepted", models=facts["models"], elapsed_ms=round(facts["elapsed_ms"])
            )
        if status == 401:
            return self.finding(clause, Judgement.FAIL, "refused", status=status, code=code)
        if status == 402:
            return self.finding(clause, unsure, "no-balance", status=status, code=code)
        if status == 429:
            return self.finding(clause, unsure, "rate-limited")
        if 300 <= status < 400:
            return self.finding(clause, unsure, "redirected", url=facts["url"], to=facts["redirects_to"] or "nowhere")
        if status == 403:
            return self.finding(clause, unsure, "forbidden")
        if status >= 500:
            return self.finding(clause, unsure, "upstream", status=status)
        return self.finding(clause, unsure, "not-found", url=facts["url"], status=status)

    def fix(self, message: str, facts: Facts) -> Fix | None:
        return key_fix(message, facts)

    def proofs(self) -> Sequence[Proof]:
        """A stand-in that accepts the key, and one that has revoked it."""
        key = KEY_PREFIX + "proof_0123456789abcdef"
        target = Target(bastion_url="http://proof.example/v1", key_reference="file:/proof/key")
        good = standin_app(StandInSettings(accepted_keys=frozenset({key})))
        revoked = standin_app(StandInSettings(accepted_keys=frozenset({key}), revoked_keys=frozenset({key})))
        accepted = {"key-from-manager": Judgement.PASS, "key-accepted": Judgement.PASS}
        refused = {"key-from-manager": Judgement.PASS, "key-accepted": Judgement.FAIL}
        secrets = {"file:/proof/key": key}
        return (
            Proof(name="accepted key", probe=self, app=good, target=target, expected=accepted, secrets=secrets),
            Proof(name="revoked key", probe=self, app=revoked, target=target, expected=refused, secrets=secrets),
        )


def _shown(reference: str) -> str:
    """Return the reference as it may be shown: it names a key and is not one; what looks like a key is cut."""
    scheme, name = split_reference(reference)
    return f"{scheme}:***" if KEY_PREFIX in name else reference


def _origin(location: str) -> str:
    """Return scheme and host of where a redirect leads: the rest may carry anything, what we sent included."""
    try:
        parts = urlsplit(location)
        return f"{parts.scheme}://{parts.hostname}"[:200] if parts.scheme and parts.hostname else "another path"
    except ValueError:
        return ""


def _read(answer: Any) -> dict[str, Any]:
    """Return the number of models, or the error's documented code; no text of the answer is kept."""
    try:
        body = answer.json()
    except RequestFailed:
        return {"models": None, "code": None}
    listed = body.get("data") if isinstance(body, dict) and body.get("object") == "list" else None
    error = body.get("error") if isinstance(body, dict) else None
    code = error.get("code") if isinstance(error, dict) else None
    return {
        "models": len(listed) if isinstance(listed, list) else None,
        "code": code[:60] if isinstance(code, str) and code.replace("_", "").isalnum() else None,
    }
