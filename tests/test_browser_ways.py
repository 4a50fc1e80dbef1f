"""From each page one finds the next: tables fit a small desk, and headings follow one another."""

from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect

from readiness.actions.decisions import NewCondition
from readiness.enums.words import DecisionKind
from readiness.models import Environment, User
from tests.browser import SignedIn
from tests.deeds import REASON, ask, decide_on, on_sheet
from tests.factories import make_environment, make_member, make_reviewer, make_service, make_team

pytestmark = pytest.mark.only_on("postgresql")
LEVELS = """() => [...document.querySelectorAll("main h1, main h2, main h3, main h4")]
    .filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]))"""


@pytest.fixture
def mia(transactional_db: None) -> User:
    return make_member(make_team("Conversational"))


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "document-search"), "prod")


def test_a_go_with_conditions_and_a_request_leave_room_for_the_last_column(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    now, until = timezone.now(), timezone.localdate() + timedelta(days=3)
    items = on_sheet(prod)
    conditions = [NewCondition(item_id=item.pk, reason=REASON, owner=mia, until=until) for item in items]
    decide_on(prod, make_reviewer(), DecisionKind.GO_WITH_CONDITIONS, conditions=conditions, now=now)
    ask(mia, items[0], now=now)
    page = signed_in(mia, viewport={"width": 1280, "height": 800})
    page.goto("/")
    expect(page.get_by_text("1 to review")).to_be_visible()
    assert page.locator(".table-card").evaluate("card => card.scrollWidth - card.clientWidth") == 0


def test_menu_and_sheet_lead_to_the_register_the_ledger_and_any_instant(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    page.get_by_role("link", name="Another instant").click()
    expect(page.get_by_label("At, local time: UTC")).to_be_visible()
    for name in ("Waivers", "Ledger"):
        page.locator("#user-menu summary").click()
        page.locator("#user-menu").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)


def test_headings_skip_no_level(signed_in: SignedIn, mia: User, prod: Environment) -> None:
    page = signed_in(mia)
    for address in ("/", prod.get_absolute_url(), f"{prod.get_absolute_url()}items/spend-cap/", "/launches/"):
        page.goto(address)
        assert skipped(page) == [], address


def skipped(page: Page) -> list[tuple[int, int]]:
    levels = [0, *page.evaluate(LEVELS)]
    return [(before, after) for before, after in pairwise(levels) if after > before + 1]
