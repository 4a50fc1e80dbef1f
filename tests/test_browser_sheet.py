"""A sheet by keys alone, several items at once, and what changed meanwhile, in a real browser."""

import re

import pytest
from django.utils import timezone
from playwright.sync_api import expect

from readiness.models import Environment, Evidence, User, Visit
from tests.browser import SignedIn
from tests.deeds import tick
from tests.factories import item_of, make_environment, make_member, make_service, make_team
from tests.servers.waiting import eventually

pytestmark = pytest.mark.only_on("postgresql")
FOCUSED = "document.activeElement.id"


@pytest.fixture
def mia(transactional_db: None) -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "assistant-web", by=mia), "prod", by=mia, now=timezone.now())


def test_a_member_works_the_sheet_without_touching_a_pointer(signed_in: SignedIn, mia: User, prod: Environment) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    keys = page.keyboard
    for key in "jjk":
        keys.press(key)
    assert page.evaluate(FOCUSED) == "open-key-in-secrets-manager"
    keys.press("x")
    expect(page.locator("#key-in-secrets-manager_tick_summary")).to_be_focused()
    keys.type("just jxw? said")
    keys.press("Escape")
    keys.press("w")
    expect(page.locator("#key-in-secrets-manager_tick_summary")).to_be_focused()  # Nothing half-typed is replaced.
    keys.press("Control+Enter")
    expect(page.locator("#row-key-in-secrets-manager .tag.attested")).to_be_visible()
    assert set(Evidence.objects.values_list("summary", flat=True)) == {"just jxw? said"}

    keys.press("j")
    assert page.evaluate(FOCUSED) == "open-separate-keys"
    keys.press("w")
    expect(page.locator("#separate-keys_waiver_stance_0")).to_be_focused()
    page.locator("#open-separate-keys").focus()
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("j")
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate(FOCUSED) == "open-separate-keys"

    for key in "sjs":
        keys.press(key)
    page.get_by_role("button", name="Owner and due date…").click()
    page.get_by_label("Owner").select_option(label="mia")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".message")).to_have_text("Owner and due date of 2 items are saved.")
    assert item_of(prod, "separate-keys").owner == mia

    keys.press("?")
    page.get_by_role("dialog").get_by_role("button", name="Switch single keys off").click()
    expect(page.locator("body[data-keys=off]")).to_be_attached()
    keys.press("j")
    keys.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_a_sheet_says_once_what_changed_since_one_left_it(signed_in: SignedIn, mia: User, prod: Environment) -> None:
    page = signed_in(mia)
    page.clock.install()
    page.goto(prod.get_absolute_url())
    expect(page.get_by_text("since you were last here")).to_have_count(0)
    page.clock.fast_forward(6000)
    page.goto("/ledger/")
    eventually(Visit.objects.exists, 60)
    tick(make_member(prod.service.team, "jonas"), item_of(prod, "spend-cap"), now=timezone.now())
    page.goto(prod.get_absolute_url())
    page.get_by_text(re.compile("1 change since you were last here")).click()
    expect(page.locator("#since-list li")).to_contain_text("jonas ticked")
    page.get_by_role("button", name="Seen").click()
    expect(page.locator("#since-list")).to_have_count(0)
