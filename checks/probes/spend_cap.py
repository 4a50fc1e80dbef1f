"""Is the spend cap that the team declared the one that is set?

Bastion documents no endpoint for caps or balance, so the cap is read from a billing source that the operator
configures: an HTTP JSON document and JMESPath expressions into it. Without one, a person attests the cap.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar
from urllib.parse import urlsplit, urlunsplit

import jmespath
from django.utils.translation import gettext_noop
from jmespath.exceptions import JMESPathError

from checks.contract import BillingTarget, Facts, Probe, Proof, Target, Tools
from checks.failures import as_fact, from_fact
from checks.http import RequestFailed
from checks.keys import Secret, SecretError
from checks.probes.cap_fixes import cap_fix
from checks.probes.fixed_json import fixed_json_app
from readiness.enums.words import Judgement
from readiness.observers import Fix
from readiness.rules.findings import Finding

ENVIRONMENT = "{environment}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SpendCap(Probe):
    """Does the cap in the billing source match the declared one?"""

    slug: ClassVar[str] = "spend-cap"
    version: ClassVar[int] = 1
    question: ClassVar[str] = gettext_noop("Is the monthly spend cap that was declared the one that is set?")
    observes: ClassVar[tuple[str, ...]] = ("cap-matches",)
    remedy: ClassVar[str] = gettext_noop(
        "Set the cap for this environment in Bastion's dashboard, or correct the declared one."
    )
    every: ClassVar[timedelta] = timedelta(hours=6)
    deadline: ClassVar[timedelta] = timedelta(seconds=30)
    messages: ClassVar[Mapping[str, str]] = {
        "no-source": gettext_noop(
            "No billing source is set for this environment, and Bastion documents no API for caps. Ask the "
            "operator to configure one, or tick the item with a link to the cap in the dashboard."
        ),
        "not-declared": gettext_noop(
            "The team has declared no cap for this environment, so there is nothing to compare with."
        ),
        "matches": gettext_noop("The billing source says {found} a month, as declared."),
        "differs": gettext_noop("The billing source says {found} a month; {declared_cap} was declared."),
        "no-cap": gettext_noop(
            "The billing source knows {name} and says that no cap is set; {declared_cap} was declared."
        ),
        "unknown-environment": gettext_noop(
            "The billing source has nothing about {name}. Correct the name in the settings."
        ),
        "no-currency": gettext_noop("The billing source names no currency for {name}, so its cap cannot be compared."),
        "no-number": gettext_noop("What the billing source gives as the cap of {name} is not an amount."),
        "bad-expression": gettext_noop(
            "An expression of the billing source cannot be read ({which}). The operator has to mend it."
        ),
        "no-secret": gettext_noop("The secret for the billing source could not be read: {why}"),
        "wrong-status": gettext_noop("The billing source answered {status}."),
        "unreachable": gettext_noop("The billing source could not be read: {why}"),
    }

    def missing(self, target: Target) -> list[str]:
        """Return what keeps the probe from comparing two caps."""
        found = []
        if target.billing is None:
            found.append(self.lacks("no-source"))
        if target.spend_cap is None:
            found.append(self.lacks("not-declared"))
        return found

    def observe(self, target: Target, tools: Tools) -> Facts:
        """Read the document, and the environment's record in it."""
        facts: Facts = {
            "declared": None if target.spend_cap is None else str(target.spend_cap),
            "declared_currency": target.spend_cap_currency,
        }
        source = target.billing
        if source is None:
            return {**facts, "source": None}
        facts |= {"source": _shown(source.url), "name": source.environment_name}
        try:
            secret = tools.resolve_for_operator(source.secret_reference) if source.secret_reference else None
            answer = tools.client.get(
                source.url,
                headers={"Accept": "application/json"},
                secret_headers={source.header_name: secret} if isinstance(secret, Secret) else {},
            )
            facts |= {"status": answer.status, "elapsed_ms": round(answer.elapsed_ms, 1)}
            document = answer.json() if answer.status == 200 else None
        except SecretError as error:
            return {**facts, "secret_failure": as_fact(error.code, error.sentence)}
        except RequestFailed as failure:
            return {**facts, "request_failure": as_fact(failure.code, failure.sentence)}
        return {**facts, **(_looked_up(document, source) if answer.status == 200 else {})}

    def judge(self, facts: Facts, *, now: datetime) -> list[Finding]:  # noqa: ARG002 - nothing here ages
        """Compare two caps; whatever is not clearly one of both is inconclusive."""
        judgement, message, params = _judged(facts)
        return [self.finding("cap-matches", judgement, message, **params)]

    def fix(self, message: str, facts: Facts) -> Fix | None:
        return cap_fix(message, facts)

    def proofs(self) -> Sequence[Proof]:
        """A billing document with the declared cap, one with another, one without."""
        source = BillingTarget(
            url="http://proof.example/caps",
            environment_expression="environments[?name=={environment}] | [0]",
            cap_expression="cap",
            currency_expression="currency",
            environment_name="it's \\prod`",
            header_name="",
            secret_reference="",
        )
        target = Target(spend_cap=Decimal("1500.00"), spend_cap_currency="CAD", billing=source)

        def proof(name: str, record: dict[str, Any], expected: Judgement) -> Proof:
            document = {"environments": [{"name": "other", "cap": 1}, {"name": source.environment_name, **record}]}
            return Proof(
                name=name, probe=self, app=fixed_json_app(document), target=target, expected={"cap-matches": expected}
            )

        return (
            proof("the declared cap", {"cap": 1500, "currency": "CAD"}, Judgement.PASS),
            proof("another cap", {"cap": "1500.01", "currency": "CAD"}, Judgement.FAIL),
            proof("another currency", {"cap": 1500, "currency": "USD"}, Judgement.FAIL),
            proof("no cap", {"cap": None, "currency": "CAD"}, Judgement.FAIL),
        )


def _shown(url: str) -> str:
    """Return a billing source's address as everybody may read it: a user name or a query may hold a token."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _looked_up(document: Any, source: BillingTarget) -> Facts:
    """Return the record's cap and currency as text, and whether there is a record; or which expression is wrong."""
    quoted = _literal(source.environment_name)
    try:
        record = jmespath.search(source.environment_expression.replace(ENVIRONMENT, quoted), document)
    except JMESPathError:
        return {"bad_expression": "environment"}
    if record is None:
        return {"found": False}
    values: Facts = {"found": True}
    for which, expression in (("cap", source.cap_expression), ("currency", source.currency_expression)):
        try:
            value = jmespath.search(expression, record)
        except JMESPathError:
            return {"bad_expression": which}
        values[which] = None if value is None else _short(value)
    return values


def _short(value: Any) -> str:
    """Return a value as text where it may be an amount or a currency; a longer one may be anything and is not kept."""
    text = str(value)
    return text if len(text) <= 40 else "a longer text"


def _literal(name: str) -> str:
    """Return a name as a JSON literal of JMESPath. A raw string will not do: it cannot end with a backslash."""
    return "`" + json.dumps(name).replace("`", "\\u0060") + "`"


def _judged(facts: Facts) -> tuple[Judgement, str, dict[str, Any]]:
    unsure = Judgement.INCONCLUSIVE
    if facts["source"] is None:
        return unsure, "no-source", {}
    if facts["declared"] is None:
        return unsure, "not-declared", {}
    if "secret_failure" in facts:
        return unsure, "no-secret", {"why": from_fact(facts["secret_failure"])}
    if "request_failure" in facts:
        return unsure, "unreachable", {"why": from_fact(facts["request_failure"])}
    if facts["status"] != 200:
        return unsure, "wrong-status", {"status": facts["status"]}
    if "bad_expression" in facts:
        return unsure, "bad-expression", {"which": facts["bad_expression"]}
    if not facts["found"]:
        return unsure, "unknown-environment", {"name": facts["name"]}
    return _compared(facts)


def _compared(facts: Facts) -> tuple[Judgement, str, dict[str, Any]]:
    name, unsure = facts["name"], Judgement.INCONCLUSIVE
    declared = {"declared_cap": {"amount": facts["declared"], "currency": facts["declared_currency"]}}
    if facts["cap"] is None:
        return Judgement.FAIL, "no-cap", {"name": name, **declared}
    try:
        cap = Decimal(facts["cap"])
    except InvalidOperation:
        return unsure, "no-number", {"name": name}
    if not cap.is_finite() or facts["cap"] in ("True", "False"):
        return unsure, "no-number", {"name": name}
    if not facts["currency"]:
        return unsure, "no-currency", {"name": name}
    found = {"found": {"amount": facts["cap"], "currency": facts["currency"]}}
    if cap == Decimal(facts["declared"]) and facts["currency"].upper() == facts["declared_currency"]:
        return Judgement.PASS, "matches", found
    return Judgement.FAIL, "differs", {**found, **declared}
