"""Whole errands in a real browser: tick, waive, watch a probe run; with JavaScript and without."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from checks.probes.canary import canary_app
from checks.standin.server import StandInServer
from checks.tasks import nudge
from readiness.models import Environment, Evidence, Run, User, Waiver
from tests.browser import SignedIn
from tests.factories import make_environment, make_member, make_reviewer, make_service, make_team
from tests.servers.processes import RunningProduct

pytestmark = pytest.mark.only_on("postgresql")
REASON = "The renewal is with legal, and the text in force already says where data stays."
BOTH = pytest.mark.parametrize("javascript", [True, False], ids=["with JavaScript", "without JavaScript"])


@pytest.fixture
def member(transactional_db: None) -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def environment(member: User) -> Environment:
    return make_environment(make_service(member.teams.get(), "assistant-web", by=member), "prod", by=member)


def open_item(page: Page, environment: Environment, words: str, *, javascript: bool) -> None:
    """Open an item from its sheet, as people do: in a panel, or as a page where nothing scripts."""
    page.goto(environment.get_absolute_url())
    page.get_by_role("link", name=words).first.click()
    if javascript:
        expect(page.locator(".panel")).to_be_visible()
        assert page.url.endswith(environment.get_absolute_url())
    else:
        expect(page).to_have_url(re.compile("/items/"))


def row(page: Page, slug: str) -> Any:
    return page.locator(f"#row-{slug}")


@BOTH
def test_a_member_ticks_an_item_and_takes_it_back(
    signed_in: SignedIn, environment: Environment, member: User, javascript: bool
) -> None:
    page = signed_in(member, java_script_enabled=javascript)
    open_item(page, environment, "429 responses honor the Retry-After header", javascript=javascript)
    expect(page.get_by_role("link", name=re.compile("^Evidence"))).to_have_attribute("aria-current", "true")
    page.get_by_label("What you saw or did").fill("The client waits as long as the header says.")
    page.get_by_label("Links to evidence").fill("javascript:alert(1)")
    page.get_by_role("button", name="Tick", exact=True).click()
    expect(page.get_by_text("is not a link that can be kept").first).to_be_visible()
    expect(page.get_by_label("What you saw or did")).to_have_value("The client waits as long as the header says.")
    assert not Evidence.objects.exists()
    page.get_by_label("Links to evidence").fill("https://docs.example.ca/test-run")
    page.get_by_role("button", name="Tick", exact=True).click()
    expect(row(page, "retry-after-honoured")).to_contain_text("attested")
    expect(page.get_by_text("Ticked.").first).to_be_visible()
    page.get_by_text("Take the tick back").click()
    page.get_by_label("Why it no longer holds").fill("It was another build.")
    page.get_by_role("button", name="Take it back").click()
    expect(row(page, "retry-after-honoured")).to_contain_text("stale")
    assert [one.outcome for one in Evidence.objects.order_by("id")] == ["pass", "withdrawn"]


@BOTH
def test_a_waiver_is_asked_for_by_a_member_and_granted_by_a_reviewer(
    signed_in: SignedIn, environment: Environment, member: User, javascript: bool
) -> None:
    item = f"{environment.get_absolute_url()}items/data-residency/?tab=waiver"
    page = signed_in(member, java_script_enabled=javascript)
    page.goto(item)
    page.get_by_label("We accept the risk").check()
    page.get_by_label("Reason").first.fill("no")
    page.get_by_label("Until the end of").fill((timezone.localdate() + timedelta(days=800)).isoformat())
    ask = page.get_by_role("button", name="Ask a reviewer").first
    ask.click()
    expect(page.get_by_text("Say why in a sentence").first).to_be_visible()
    expect(page.get_by_text("A waiver holds at most 90 days").first).to_be_visible()
    expect(page.get_by_label("We accept the risk")).to_be_checked()
    page.get_by_label("Reason").first.fill(REASON)
    page.get_by_label("Until the end of").fill((timezone.localdate() + timedelta(days=30)).isoformat())
    page.get_by_role("button", name="Ask a reviewer").first.click()
    expect(page.get_by_text("Only a reviewer grants or refuses").first).to_be_visible()

    page = signed_in(make_reviewer("ada"), java_script_enabled=javascript)
    page.goto("/?waiting=1")
    page.get_by_role("link", name="assistant-web").first.click()
    expect(page).to_have_url(re.compile("/assistant-web/prod/"))
    page.goto(item)
    page.get_by_label("Note").fill("Agreed until then.")
    page.get_by_role("button", name="Grant").click()
    expect(row(page, "data-residency")).to_contain_text("waived to")
    waiver = Waiver.objects.get()
    assert (waiver.granted, waiver.decided_by.username, waiver.asked_by) == (True, "ada", member)


def test_a_run_is_watched_from_queued_to_its_finding_without_reloading(
    running_product: RunningProduct, signed_in: SignedIn, environment: Environment, member: User, settings: Any
) -> None:
    service = StandInServer()
    service.app = canary_app()
    with service:
        origin = service.url.removesuffix("/v1")
        allowed = f"127.0.0.1/32:{origin.rsplit(':', 1)[1]}"
        settings.ALLOWED_NETWORKS = (allowed,)
        running_product.environ["READINESS_ALLOWED_NETWORKS"] = allowed
        Environment.objects.filter(pk=environment.pk).update(service_url=origin, stream_route="/stream/canary")
        page = signed_in(member)
        open_item(page, environment, "Reverse proxies and CDNs do not buffer", javascript=True)
        page.evaluate("window.notReloaded = true")
        expect(page.get_by_role("link", name=re.compile("^Probe runs"))).to_have_attribute("aria-current", "true")
        page.get_by_role("button", name="Run now").click()
        panel = page.locator("#detail-sse-not-buffered")
        expect(panel.get_by_text("Waiting for a worker")).to_be_visible()
        running_product.start_worker()
        nudge([Run.objects.get().pk])  # As the scheduler does: the first message may be too old by now.
        expect(panel.get_by_text(re.compile("Looking, for .* so far"))).to_be_visible(timeout=120_000)
        expect(panel.get_by_text("arrived as they were sent")).to_be_visible(timeout=120_000)
        expect(panel.get_by_role("img", name=re.compile("events")).first).to_be_visible()
        expect(row(page, "sse-not-buffered")).to_contain_text("verified")
        assert page.evaluate("window.notReloaded")


def test_two_people_save_one_item_and_the_second_is_told(
    signed_in: SignedIn, environment: Environment, member: User
) -> None:
    item = f"{environment.get_absolute_url()}items/store-false/?tab=evidence"
    first, second = signed_in(member), signed_in(make_member(member.teams.get(), "jonas"))
    for page in (first, second):
        page.goto(item)
    second.get_by_label("What you saw or did").fill("The wrapper refuses anything else.")
    first.get_by_label("What you saw or did").fill("Every call sets it; seen in the traffic.")
    first.get_by_role("button", name="Tick", exact=True).click()
    expect(row(first, "store-false")).to_contain_text("attested")
    second.get_by_role("button", name="Tick", exact=True).click()
    expect(second.get_by_text("mia saved this item while you were writing").first).to_be_visible()
    expect(second.get_by_label("What you saw or did")).to_have_value("The wrapper refuses anything else.")
    assert Evidence.objects.values("summary").distinct().count() == 1
    second.get_by_role("button", name="Tick", exact=True).click()
    expect(second.get_by_text("Ticked.").first).to_be_visible()
    assert Evidence.objects.values("summary").distinct().count() == 2


def test_another_browser_sees_a_tick_without_reloading(
    signed_in: SignedIn, environment: Environment, member: User
) -> None:
    watching, ticking = signed_in(make_reviewer("ada")), signed_in(member)
    watching.goto(environment.get_absolute_url())
    expect(row(watching, "store-false")).to_contain_text("open")
    ticking.goto(f"{environment.get_absolute_url()}items/store-false/?tab=evidence")
    ticking.get_by_label("What you saw or did").fill("Every call sets it; seen in the traffic.")
    ticking.get_by_role("button", name="Tick", exact=True).click()
    expect(row(watching, "store-false")).to_contain_text("attested", timeout=120_000)
