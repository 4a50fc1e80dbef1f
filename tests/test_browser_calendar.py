"""The launch calendar in a real browser: it follows, fits a phone, and leads to an address by keyboard alone."""

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from django.utils import timezone
from playwright.sync_api import Page, expect

from readiness.models import Environment, User
from tests.browser import SignedIn
from tests.calendars import events_in
from tests.deeds import configure
from tests.factories import make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.only_on("postgresql")


@pytest.fixture
def mia(transactional_db: None) -> User:
    return make_member(make_team("Search"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "document-search"), "prod", now=timezone.now())


def test_it_follows_fits_a_phone_and_leads_to_an_address_by_keyboard(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    today = timezone.localdate()
    page = signed_in(mia, viewport={"width": 390, "height": 800})
    page.goto("/launches/calendar/?mine=1")
    expect(page.locator("html")).to_have_attribute("data-stream", "open")
    expect(page.locator("td.today")).not_to_contain_text("document-search")
    configure(mia, prod, launch_on=today, now=timezone.now())
    expect(page.locator("td.today")).to_contain_text("No review before this launch")
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") == 0
    expect(page.locator("td.today .day-words")).to_be_visible()
    assert violations(page) == []

    page.get_by_role("link", name="Subscribe").press("Enter")
    page.get_by_role("link", name="Make an address").first.press("Enter")
    page.get_by_role("button", name="Make it").press("Enter")
    address = page.get_by_label("The address").inner_text()
    assert violations(page) == []
    answer = httpx.get(address)
    (launch,) = events_in(answer.content).values()
    assert launch["SUMMARY"] == "Launch: document-search in prod"
    assert httpx.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304


def violations(page: Page) -> list[str]:
    return [one["id"] for one in Axe().run(page).response["violations"]]
