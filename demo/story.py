"""Who and what the demo is about. Names are invented."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to act as. ``teams`` are slugs; a manager is a reader without any."""

    username: str
    first_name: str
    last_name: str
    teams: tuple[str, ...] = ()
    reviewer: bool = False

    @property
    def role(self) -> str:
        """What this person is in the demo's menu."""
        if self.reviewer:
            return gettext("reviewer")
        return gettext("member") if self.teams else gettext("manager")


TEAMS = {
    "conversational": "Conversational",
    "insurance": "Insurance",
    "support": "Support",
    "platform": "Platform",
}

PEOPLE = (
    Person("mia", "Mia", "Roy", ("conversational",)),
    Person("jonas", "Jonas", "Tran", ("conversational",)),
    Person("lena", "Lena", "Bouchard", ("insurance",)),
    Person("omar", "Omar", "Diallo", ("insurance",)),
    Person("sofia", "Sofia", "Costa", ("support",)),
    Person("theo", "Théo", "Gagnon", ("support",)),
    Person("priya", "Priya", "Nair", ("platform",)),
    Person("kim", "Kim", "Larsen", ("platform",)),
    Person("ada", "Ada", "Lind", (), reviewer=True),
    Person("sam", "Sam", "Okafor", (), reviewer=True),
    Person("noor", "Noor", "Haddad"),
)

SERVICES = {
    "assistant-web": ("conversational", "Chat assistant on the public site"),
    "voice-notes": ("conversational", "Summaries of voice memos in the phone app"),
    "claims-summary": ("insurance", "Case summaries for claims handlers"),
    "policy-search": ("insurance", "Questions about policies, answered with sources"),
    "ticket-triage": ("support", "Sorts incoming tickets and drafts a first answer"),
    "email-drafts": ("support", "Drafts replies that a person sends"),
    "document-search": ("platform", "Search over internal documents"),
    "batch-labeller": ("platform", "Nightly labelling of records, no readers waiting"),
}

NO_STREAM = ("stream-retried-whole", "sse-not-buffered", "commit-after-clean-end", "cancellation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One environment of the demo.

    ``stream`` is ``direct``, ``steady`` (always held), ``flapping``, ``compressed`` or empty. ``cap`` is what the team
    declares and ``billed`` what the billing document says. ``open`` items have no answer, ``stale`` ones an old one,
    ``waived`` and ``left_out`` are granted requests, ``asked`` wait for a reviewer; ``answered=False`` leaves all open.
    ``watched``: people looked at what probes look at too, before any of them did.
    """

    team: str
    service: str
    name: str
    kind: str
    launch_in: int | None = None
    stream: str = ""
    cap: Decimal | None = None
    billed: Decimal | None = None
    has_key: bool = True
    key_refused: bool = False
    answered: bool = True
    open: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    waived: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    watched: bool = False
    left_out: tuple[str, ...] = ()
    build: str = ""


def _place(service: str, name: str, **more: Any) -> Place:
    return Place(team=SERVICES[service][0], service=service, name=name, kind=name, **more)


def _cap(amount: int) -> dict[str, Decimal]:
    return {"cap": Decimal(amount), "billed": Decimal(amount)}


_DRILLS = ("drill-sustained-5xx", "drill-key-revoked", "drill-credit-limit")

PLACES = (
    _place("assistant-web", "dev", **_cap(100)),
    _place("assistant-web", "staging", stream="direct", **_cap(300), open=("cancellation", *_DRILLS), build="9f2c41d"),
    _place(
        "assistant-web",
        "prod",
        launch_in=3,
        stream="flapping",
        **_cap(1500),
        asked=("data-residency",),
        build="9f2c41d",
    ),
    _place("voice-notes", "staging", stream="compressed", **_cap(200), answered=False),
    _place(
        "voice-notes",
        "prod",
        launch_in=24,
        stream="steady",
        **_cap(800),
        open=("dashboards", "alerts", "sampled-logging", "token-budgets", "commit-after-clean-end", *_DRILLS),
        waived=("side-effects-once",),
        build="51aa0b7",
    ),
    _place("claims-summary", "staging", stream="direct", **_cap(250), stale=("logs-redacted",), build="c07e9d2"),
    _place(
        "claims-summary",
        "prod",
        launch_in=5,
        stream="direct",
        **_cap(1200),
        waived=("audit-log", "drill-credit-limit"),
        watched=True,
        build="c07e9d2",
    ),
    _place("policy-search", "dev", **_cap(100), open=("logs-redacted",)),
    _place(
        "policy-search",
        "prod",
        launch_in=38,
        stream="direct",
        cap=Decimal(900),
        billed=Decimal(700),
        stale=("alerts", "dashboards"),
        open=("retry-with-backoff", "retry-after-honoured", "store-false", *_DRILLS),
        asked=("pii-redacted",),
        build="3d8810f",
    ),
    _place("ticket-triage", "staging", stream="direct", **_cap(200), open=_DRILLS, build="7be1f02"),
    _place(
        "ticket-triage",
        "prod",
        launch_in=12,
        stream="direct",
        **_cap(600),
        key_refused=True,
        open=("key-in-secrets-manager", "dashboards", "low-balance-warned", "audit-log", *_DRILLS),
        build="7be1f02",
    ),
    _place("email-drafts", "staging", stream="direct", **_cap(150), build="e44d1c9"),
    _place("email-drafts", "prod", launch_in=-20, stream="direct", cap=Decimal(400), build="e44d1c9"),
    _place("document-search", "dev", **_cap(100)),
    _place("document-search", "staging", stream="direct", **_cap(200), build="aa90c3e"),
    _place("document-search", "prod", launch_in=17, stream="direct", **_cap(1000), build="aa90c3e"),
    _place("batch-labeller", "staging", **_cap(150), left_out=NO_STREAM, build="18f6a5b"),
    _place("batch-labeller", "prod", launch_in=-60, **_cap(2000), left_out=NO_STREAM, build="18f6a5b"),
)


def billing_records() -> list[dict[str, Any]]:
    """Return what the demo's billing document says: one record an environment, some without a cap."""
    return [
        {
            "name": f"{place.service}-{place.name}",
            "monthly_cap": None if place.billed is None else float(place.billed),
            "currency": "CAD",
        }
        for place in PLACES
        if place.cap is not None
    ]


_DOCS = "https://docs.example.ca"

SAYS: dict[str, tuple[str, str]] = {
    "key-in-secrets-manager": ("Key comes from the vault at start; CI variables and laptops checked by hand.", ""),
    "separate-keys": ("One key for each environment, labelled so in the dashboard.", ""),
    "rotation-runbook": ("Rotated staging and prod with the runbook, no 401 seen.", f"{_DOCS}/runbooks/rotate-key"),
    "logs-redacted": ("Searched a week of logs and error reports for a dummy key: no hit.", f"{_DOCS}/logs/redaction"),
    "retry-with-backoff": ("Three attempts, 1 s and 2 s with 25 % jitter; test in the client's suite.", ""),
    "retry-after-honoured": ("Integration test waits the 7 s that the header asks for.", ""),
    "no-retry-on-4xx": ("Only 429 and 5xx are retried; table test over the documented codes.", ""),
    "stream-retried-whole": ("A cut stream starts over; the partial text is dropped.", ""),
    "side-effects-once": ("Jobs carry a call id; the outbox refuses a second one.", ""),
    "dashboards": ("Opened from the bookmark in 9 s.", f"{_DOCS}/dashboards/bastion"),
    "alerts": ("All four fired in last week's exercise and reached on-call.", f"{_DOCS}/alerts/bastion"),
    "sampled-logging": ("One in fifty bodies, redacted, kept 14 days.", f"{_DOCS}/logs/policy"),
    "spend-cap": ("Set in the dashboard, seen by two of us.", f"{_DOCS}/billing/caps"),
    "model-choice-documented": ("Table of surfaces and models, with why, reviewed.", f"{_DOCS}/models"),
    "low-balance-warned": ("Auto-recharge is on; low balance mails the team and finance.", f"{_DOCS}/billing/alerts"),
    "token-budgets": ("Every call sets max_tokens; p99 of completions is beside each.", ""),
    "sse-not-buffered": ("Watched tokens arrive one by one through the CDN.", ""),
    "commit-after-clean-end": ("Partial answers stay drafts until the end event.", f"{_DOCS}/ui/streaming"),
    "cancellation": ("Stop closes the upstream within 200 ms, measured on staging.", ""),
    "store-false": ("Wrapper sets store: false and refuses anything else.", ""),
    "pii-redacted": ("Names and numbers are replaced before the prompt is built.", f"{_DOCS}/privacy/agreement"),
    "audit-log": ("Our user id and the call's id in one record, bodies elsewhere.", ""),
    "data-residency": ("Signed, names the Canadian-inference guarantee.", f"{_DOCS}/legal/dpa"),
    "drill-sustained-5xx": ("Fifteen minutes of 503 on staging: degraded answers, no 500.", f"{_DOCS}/drills/5xx"),
    "drill-key-revoked": ("Key revoked under load: one failed call each, alert in 2 min.", f"{_DOCS}/drills/401"),
    "drill-credit-limit": ("402 shown as a polite message, nothing retried.", f"{_DOCS}/drills/402"),
}

WAIVES: dict[str, str] = {
    "side-effects-once": "The queue may deliver twice; duplicates are drafts, and nothing is sent without a person.",
    "audit-log": "The audit store moves to the new cluster next week; until then the gateway's log names the user.",
    "drill-credit-limit": "The 402 drill ran on staging; the prod wording is with the translators until next week.",
    "data-residency": "The agreement's renewal is with legal; the text in force already names Canadian hosting.",
    "pii-redacted": "Free-text notes are not redacted yet. Only ten pilot users, who agreed in writing, can reach it.",
}

LEAVES_OUT = "Labels are read from a table the next morning: nothing here is streamed to anybody."
