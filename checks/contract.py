"""What a probe is, what it may know and what it gives back. Nothing here does I/O."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from readiness.enums.words import Judgement, Kind
from readiness.observers import Fix
from readiness.rules.findings import Finding, Param
from readiness.rules.messages import in_english, kept, say

if TYPE_CHECKING:
    from checks.http import ProbeClient
    from checks.keys import Secret

Facts = dict[str, Any]
"""What a probe saw: JSON values, with units in the keys (``gap_ms``, ``body_bytes``). Never a key or a body."""


OPERATOR = "_operator"
"""Under this name the operator grants references to itself (billing sources); no team can be called so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingTarget:
    """Where a spend cap can be read, as the operator says: an HTTP JSON document and JMESPath into it."""

    url: str
    cap_expression: str
    currency_expression: str
    environment_expression: str
    environment_name: str
    header_name: str
    secret_reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """All that a probe may know of the environment it looks at. Empty strings mean: not configured.

    URLs are absolute. ``spend_cap`` is an amount of ``spend_cap_currency`` (ISO 4217) a month. ``key_reference``
    names a key and is not one.
    """

    service: str = ""
    environment: str = ""
    kind: Kind = Kind.DEV
    team: str = ""
    service_url: str = ""
    stream_url: str = ""
    bastion_url: str = ""
    key_reference: str = ""
    spend_cap: Decimal | None = None
    spend_cap_currency: str = ""
    build: str = ""
    billing: BillingTarget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the engine hands a probe for one observation: the only door out, and the only way to a secret.

    ``resolve`` turns a reference into a secret for this target's team, ``resolve_for_operator`` one that the operator
    configured; both raise ``checks.keys.SecretError``.
    ``fingerprint`` gives a short keyed hash of a secret that can be shown and compared.
    ``may_ask_with`` says whether a paid or counted call with the key of that fingerprint may be made in this run.
    """

    client: "ProbeClient"
    resolve: "Callable[[str], Secret]"
    resolve_for_operator: "Callable[[str], Secret]"
    fingerprint: "Callable[[Secret], str]"
    counts_as_manager: Callable[[str], bool | None]
    may_ask_with: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A target that is known to be good or bad in one way, and what a probe must conclude about it.

    ``app`` is an ASGI app that is served on a unix socket while ``probe`` looks at ``target``, whose URLs all reach it.
    ``secrets`` are what references resolve to. ``expected`` gives a judgement for each clause.
    """

    name: str
    probe: "Probe"
    app: Any
    target: Target
    expected: Mapping[str, Judgement]
    secrets: Mapping[str, str] = field(default_factory=dict)


class Probe(ABC):
    """Code that looks at a target and answers the clauses it observes.

    A subclass is a frozen dataclass whose fields are its settings. ``observe`` does I/O and decides nothing; ``judge``
    decides and does no I/O, and gives one finding for each clause in ``observes``. ``messages`` maps a message code to
    its English sentence, a format string over the finding's parameters, marked for translation.
    """

    slug: ClassVar[str]
    version: ClassVar[int]
    question: ClassVar[str]
    observes: ClassVar[tuple[str, ...]]
    remedy: ClassVar[str]
    every: ClassVar[timedelta]
    deadline: ClassVar[timedelta]
    messages: ClassVar[Mapping[str, str]]
    lacking: ClassVar[Mapping[str, str]] = {}
    """What may have to be configured first, by codes like those of ``messages``."""
    looks_at: ClassVar[str] = ""
    """The field of a target that a URL given by hand stands for; empty where a URL alone is not enough."""

    @abstractmethod
    def missing(self, target: Target) -> list[str]:
        """Return what has to be configured before this probe can look, in words; empty means it can."""

    @abstractmethod
    def observe(self, target: Target, tools: Tools) -> Facts:
        """Look, within the client's deadline. Failures of the target are facts, not exceptions."""

    @abstractmethod
    def judge(self, facts: Facts, *, now: datetime) -> list[Finding]:
        """Decide on facts alone: one finding for each clause in ``observes``."""

    @abstractmethod
    def proofs(self) -> Sequence[Proof]:
        """Return known-good and known-bad targets. A worker tries the probe on them before it trusts it."""

    def fix(self, message: str, facts: Facts) -> Fix | None:  # noqa: ARG002 - a probe with nothing to change needs neither
        """Return what to change after a finding with that message; None for a pass. Every other message has one."""
        return None

    def finding(self, clause: str, judgement: Judgement, message: str, **params: Param) -> Finding:
        """Make a finding from one of ``messages``; an unknown message or a missing parameter is a ``KeyError``."""
        said = say(f"{self.slug}.{message}", **params)
        return Finding(
            clause=clause, judgement=judgement, code=said.code, sentence=in_english(said), params=kept(params)
        )

    def lacks(self, message: str) -> str:
        """Return one of ``lacking`` or ``messages`` as something that is missing, in the language that is active."""
        return say(f"{self.slug}.{message}")


def messages_of(probe: Probe) -> dict[str, str]:
    """Return a probe's messages by the codes that its findings have."""
    return {f"{probe.slug}.{message}": template for message, template in {**probe.messages, **probe.lacking}.items()}
