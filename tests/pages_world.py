"""The demo's story at a fixed instant, with what probes saw since, and every page of it by the name of its address."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import environ
import pytest
from django.conf import settings
from django.db.models import Model
from django.urls import reverse
from django.utils import timezone

from checks.contract import Probe
from checks.probes.key_validity import KeyValidity
from checks.probes.proxy_buffering import ProxyBuffering
from checks.probes.spend_cap import SpendCap
from config import policies
from demo import places
from demo.seed import seed
from readiness.actions import runs, tokens
from readiness.actions.calendar_feeds import make_feed
from readiness.models import (
    ApiToken,
    Checklist,
    ChecklistVersion,
    Comment,
    Condition,
    Decision,
    Dissent,
    Environment,
    Evidence,
    MeetingNote,
    NotApplicable,
    Review,
    Service,
    Team,
    User,
    Waiver,
)
from tests.deeds import claimed
from tests.factories import make_admin
from tests.streams import EVENTS, GAP, HELD, STREAMED, three

FROZEN = datetime(2026, 3, 3, 15, 0, tzinfo=UTC)
"""A Tuesday, with no day near it at which clocks change."""

PORTS = range(9101, 9117)
SECRETS = Path("/run/secrets/readiness")
"""Where the story says that keys are; nothing is there."""


WRITTEN: dict[type[Model], tuple[str, ...]] = {
    User: ("username", "first_name", "last_name"),
    Team: ("name",),
    Service: ("slug", "description"),
    Environment: ("name", "build", "billing_name"),
    Evidence: ("summary",),
    Waiver: ("reason", "decision_note"),
    NotApplicable: ("reason", "decision_note"),
    Comment: ("text",),
    Review: ("title", "minutes"),
    MeetingNote: ("text",),
    Decision: ("note",),
    Dissent: ("reason",),
    Condition: ("reason",),
    ChecklistVersion: ("changes",),
    Checklist: ("name", "changes"),
    ApiToken: ("name",),
}
"""Where people's own words are kept."""


@dataclass(frozen=True, slots=True)
class World:
    """Everybody by user name, and of each page who looks at it and its address."""

    people: Mapping[str, User]
    pages: Mapping[str, tuple[str, str]]


def tell(monkeypatch: pytest.MonkeyPatch) -> World:
    """Tell the demo's story up to FROZEN, and stop the product's clock there. No key is written or read."""
    monkeypatch.setattr(timezone, "now", lambda: FROZEN)
    monkeypatch.setattr(settings, "DATA_DIR", SECRETS)
    for module in ("demo.places", "demo.seed"):
        monkeypatch.setattr(f"{module}.key_of", lambda *_: "")
    for name, value in places.environment(SECRETS, PORTS).items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(settings, "KEY_REFERENCES", policies.references(environ.Env()))
    monkeypatch.setattr(settings, "ALLOWED_NETWORKS", policies.allowed_networks(environ.Env()))
    admin = make_admin("alex")
    seed(admin, ports=PORTS)
    live = Environment.objects.filter(archived_at=None).order_by("pk")
    for environment in live.exclude(key_reference=""):
        _observe(KeyValidity(), environment, _accepted(environment), minutes_ago=4)
    for environment in live.exclude(spend_cap=None):
        _observe(SpendCap(), environment, _billed(environment), minutes_ago=3)
    for environment in live.exclude(stream_route=""):
        _observe(ProxyBuffering(), environment, _stream(STREAMED), minutes_ago=130)
    shown = Environment.objects.get(service__slug="assistant-web", name="prod")
    for minutes in (2, 1):
        last = _observe(ProxyBuffering(), shown, _stream(HELD), minutes_ago=minutes)
    token, _ = tokens.make_token(
        by=admin,
        name="CI checkouts",
        scopes=["builds:write"],
        team=None,
        last_day=(FROZEN + timedelta(days=90)).date(),
        now=FROZEN,
    )
    people = {person.username: person for person in User.objects.all()}
    feed, _ = make_feed(by=people["mia"], team=None, replaces="", language="en-ca", now=FROZEN)
    return World(people=people, pages=_pages(shown, run=last, token=token.pk, feed=feed.pk))


def written() -> list[str]:
    """Return what people wrote, line by line: a page says it in their language, whatever its own is."""
    return [
        line
        for kind, names in WRITTEN.items()
        for row in kind._default_manager.values_list(*names)
        for text in row
        if isinstance(text, str)
        for line in text.splitlines()
        if line.strip()
    ]


def _observe(probe: Probe, environment: Environment, facts: dict[str, Any], *, minutes_ago: int) -> int:
    """Carry out a run that saw these facts, as its probe judges them; return its number."""
    at = FROZEN - timedelta(minutes=minutes_ago)
    run = claimed(environment, probe.slug, now=at)
    runs.finish(
        run=run,
        facts=facts,
        findings=probe.judge(facts, now=at),
        probe_version=probe.version,
        build=environment.build,
        observed_at=at,
        now=at,
    )
    return run.pk


def _stream(waits: list[float]) -> dict[str, Any]:
    route, fetches = "http://127.0.0.1:9103/stream/canary", three(waits, waits, waits)
    return {"route": route, "events": EVENTS, "gap_ms": GAP, "fetches": fetches}


def _accepted(environment: Environment) -> dict[str, Any]:
    return {
        "reference": environment.key_reference,
        "counts_as_manager": True,
        "url": f"{environment.bastion_url}/models",
        "resolved": True,
        "asked": True,
        "fingerprint": f"{environment.pk:012x}",
        "begins_like_a_key": True,
        "status": 200,
        "elapsed_ms": 41.0,
        "models": 12,
        "code": None,
    }


def _billed(environment: Environment) -> dict[str, Any]:
    return {
        "declared": str(environment.spend_cap),
        "declared_currency": environment.spend_cap_currency,
        "source": "http://127.0.0.1:9104/billing.json",
        "name": environment.billing_name,
        "status": 200,
        "elapsed_ms": 12.0,
        "found": True,
        "cap": str(environment.spend_cap),
        "currency": environment.spend_cap_currency,
    }


def _pages(shown: Environment, *, run: int, token: int, feed: int) -> dict[str, tuple[str, str]]:
    """Return what there is to look at, each by somebody who sees most on it."""
    place = [shown.service.slug, shown.name]
    to_come = Review.objects.filter(closed_at=None).latest("pk")
    held = Decision.objects.order_by("pk").first()
    assert held is not None

    def at(name: str, *args: Any) -> str:
        return reverse(name, args=args)

    return {
        "sign-in": ("", at("sign-in")),
        "overview": ("noor", at("overview")),
        "overview without a row": ("noor", at("overview") + "?q=nothing-is-called-so"),
        "overview by section": ("noor", at("overview") + "?group=section&kind=prod"),
        "heat-map": ("noor", at("heat-map")),
        "team": ("mia", at("team", shown.service.team.slug)),
        "search": ("noor", at("search") + "?q=assistant"),
        "my-items": ("mia", at("my-items")),
        "my-items of a reviewer": ("ada", at("my-items")),
        "sheet": ("mia", at("sheet", *place)),
        "sheet of a reader": ("noor", at("sheet", *place)),
        "several": ("mia", at("several", *place) + "?item=alerts&item=store-false"),
        "sheet-at": ("mia", at("sheet-at", *place) + f"?at={FROZEN - timedelta(days=1):%Y-%m-%dT%H:%M}"),
        "item": ("mia", at("item", *place, "sse-not-buffered")),
        **{
            f"item, {tab}": ("mia", at("item", *place, "sse-not-buffered") + f"?tab={tab}")
            for tab in ("evidence", "waiver", "comments", "history", "why")
        },
        "run": ("mia", at("run", *place, "sse-not-buffered", run)),
        "service": ("mia", at("service", shown.service.slug)),
        "service-transfer": ("mia", at("service-transfer", shown.service.slug)),
        "archived": ("noor", at("archived")),
        "import": ("mia", at("import")),
        "service-add": ("mia", at("service-add")),
        "service-change": ("mia", at("service-change", shown.service.slug)),
        "environment-add": ("mia", at("environment-add", shown.service.slug)),
        "environment-change": ("mia", at("environment-change", *place)),
        "launches": ("ada", at("launches")),
        "calendar": ("mia", at("calendar")),
        "calendar of what is overdue": ("mia", at("calendar") + "?show=overdue"),
        "feeds": ("mia", at("feeds")),
        "feed-make": ("mia", at("feed-make")),
        "feed-revoke": ("mia", at("feed-revoke", feed)),
        "review": ("ada", at("review", to_come.pk)),
        "review-add": ("ada", at("review-add")),
        "review-change": ("ada", at("review-change", to_come.pk)),
        "launch-decide": ("ada", at("launch-decide", to_come.pk, *place)),
        "decision": ("noor", at("decision", held.pk)),
        "decision-pack": ("noor", at("decision-pack", held.pk)),
        "minutes": ("noor", at("minutes", held.review_id)),
        "meeting": ("ada", at("meeting", to_come.pk)),
        "waivers": ("ada", at("waivers")),
        "probes": ("alex", at("probes")),
        "probe": ("alex", at("probe", "proxy-buffering")),
        "checklists": ("alex", at("checklists")),
        "checklist": ("alex", at("checklist", "bastion")),
        "checklist-change": ("alex", at("checklist-change", "bastion")),
        "checklist-import": ("alex", at("checklist-import")),
        "ledger": ("alex", at("ledger")),
        "tokens": ("alex", at("tokens")),
        "token-make": ("alex", at("token-make")),
        "token-revoke": ("alex", at("token-revoke", token)),
        "password": ("mia", at("password")),
        "nothing there": ("mia", "/nowhere/"),
    }
