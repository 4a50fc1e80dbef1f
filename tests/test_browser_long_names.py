"""The longest names that the forms take fit a phone and a desk, and what people write turns no words around it."""

import pytest
from playwright.sync_api import Page

from readiness.models import Environment, Service
from tests.browser import SignedIn
from tests.factories import make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.only_on("postgresql")


@pytest.fixture
def longest(transactional_db: None) -> Environment:
    service = make_service(make_team(), "s" * 60)
    Service.objects.filter(pk=service.pk).update(description="w" * 200)
    address, route = f"https://a.example/{'u' * 400}", "/" + "r" * 250
    return make_environment(service, "e" * 40, build="b" * 100, service_url=address, stream_route=route)


@pytest.mark.parametrize("width", [390, 1280])
def test_no_page_is_wider_than_its_window(signed_in: SignedIn, longest: Environment, width: int) -> None:
    page = signed_in(make_member(longest.service.team), viewport={"width": width, "height": 800})
    sheet = longest.get_absolute_url()
    for address in ("/?q=" + "s" * 100, f"/services/{longest.service.slug}/", sheet, f"{sheet}edit/"):
        page.goto(address)
        assert wide(page) <= width, address


def wide(page: Page) -> int:
    return int(page.locator("html").evaluate("html => html.scrollWidth"))


def test_a_name_that_turns_text_around_turns_itself_only(signed_in: SignedIn, longest: Environment) -> None:
    page = signed_in(make_member(longest.service.team))
    page.goto(longest.get_absolute_url())
    turned = page.locator(".happened b").first.evaluate("name => getComputedStyle(name).unicodeBidi")
    assert turned == "isolate"
