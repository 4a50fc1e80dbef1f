"""A sheet by keys alone, several items at once, and what changed meanwhile, in a real browser."""

import re

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Route, expect

from readiness.enums.words import Judgement
from readiness.models import Environment, Evidence, User, Visit
from tests.browser import SignedIn, caught
from tests.deeds import claimed, finish, tick
from tests.factories import item_of, make_environment, make_member, make_service, make_team
from tests.servers.waiting import eventually

pytestmark = pytest.mark.only_on("sqlite")
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
    expect(page.locator(".message")).to_have_text("Ticked.")
    expect(page.locator("#tab-key-in-secrets-manager-evidence")).to_be_focused()
    assert set(Evidence.objects.values_list("summary", flat=True)) == {"just jxw? said"}

    keys.press("j")
    assert page.evaluate(FOCUSED) == "open-separate-keys"
    keys.press("w")
    expect(page.locator("#separate-keys_waiver_stance_0")).to_be_focused()
    keys.type("just proxy x")
    expect(page.locator("#separate-keys_waiver_stance_0")).to_be_focused()
    page.locator("#open-separate-keys").focus()
    keys.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    keys.press("j")
    keys.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert page.evaluate(FOCUSED) == "open-separate-keys"

    for key, said in (("s", "1 selected"), ("j", "1 selected"), ("s", "2 selected")):
        keys.press(key)
        expect(page.locator("[data-pick-count]")).to_have_text(said)
    page.get_by_role("button", name="Owner and due date…").click()
    page.get_by_label("Owner").select_option(label="mia")
    page.get_by_role("button", name="Save").click()
    expect(page.locator(".message")).to_have_text("Owner and due date of 2 items are saved.")
    page.wait_for_load_state()  # Before that a page has no keys.
    assert item_of(prod, "separate-keys").owner == mia

    keys.press("?")
    page.get_by_role("dialog").get_by_role("button", name="Switch single keys off").click()
    expect(page.locator("body[data-keys=off]")).to_be_attached()
    page.wait_for_load_state()
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
    page.get_by_role("button", name="Seen").press("Enter")
    expect(page.locator("#since-list")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


def test_several_are_ticked_by_keys_and_enter_beside_the_words_does_nothing(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    page = signed_in(mia)
    page.goto(f"{prod.get_absolute_url()}several/?item=store-false&item=alerts&act=tick")
    page.get_by_label("Links to evidence").fill("https://docs.example.ca/a")
    words = page.get_by_label("What you saw or did")
    words.fill("Looked at both.")
    page.get_by_role("checkbox", checked=True).first.press("Enter")
    assert not Evidence.objects.exists()
    words.press("Control+Enter")
    expect(page.locator(".message")).to_have_text("Ticked 2 items.")
    expect(page).to_have_url(re.compile(f"{prod.get_absolute_url()}$"))


def test_answers_in_another_order_open_show_and_fill_in_what_was_asked_for_last(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    page = signed_in(mia)
    page.goto(f"{prod.get_absolute_url()}#item-audit-log")
    panel, tabs = page.locator("#detail-audit-log .panel"), page.locator("#detail-audit-log .tabs")
    expect(panel).to_be_visible()
    keys, tab_of = page.keyboard, "**/items/audit-log/?tab={}".format

    history = caught(page, tab_of("history"), page.locator("#tab-audit-log-history").click)
    why = caught(page, tab_of("why"), page.locator("#tab-audit-log-why").click)
    answer(page, why)
    expect(tabs.locator("[aria-current]")).to_have_attribute("data-tab", "why")
    answer(page, history)
    history = caught(page, tab_of("history"), page.locator("#tab-audit-log-history").click)
    expect(tabs.locator("[aria-current]")).to_have_attribute("data-tab", "why")
    page.locator("[data-close]").click()
    answer(page, history)
    expect(panel).to_have_count(0)

    page.locator("#open-audit-log").focus()
    evidence = caught(page, tab_of("evidence"), lambda: keys.press("x"))
    keys.press("w")
    waiver = caught(page, tab_of("waiver"), evidence.continue_)
    expect(tabs.locator("[aria-current]")).to_have_attribute("data-tab", "evidence")
    waiver.continue_()
    expect(page.locator("#audit-log_waiver_stance_0")).to_be_focused()

    page.locator("h1").evaluate("head => { head.innerHTML = '<a href=#item-alerts>Alerts</a>'; }")
    alerts = caught(page, "**/items/alerts/", page.get_by_role("link", name="Alerts", exact=True).click)
    expect(page).to_have_url(re.compile("#item-alerts$"))
    page.locator("#open-alerts").click()  # It comes already.
    answer(page, alerts)
    expect(page.locator("#detail-alerts .panel")).to_be_visible()
    expect(panel).to_have_count(0)
    expect(page.locator("#open-alerts")).to_have_attribute("aria-expanded", "true")

    run_all = page.get_by_role("button", name="Run all probes")
    run_all.press("Enter")
    expect(page.locator(".message").first).to_be_visible()
    expect(run_all).to_be_focused()


def answer(page: Page, route: Route) -> None:
    with page.expect_event("requestfinished"):
        route.continue_()


def test_what_no_panel_came_for_is_not_done_later_and_a_reader_is_told_why(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    page.keyboard.press("j")
    page.route("**/?tab=evidence", lambda route: route.fulfill(status=204))
    with page.expect_response("**/?tab=evidence"):
        page.keyboard.press("x")
    page.unroute("**/?tab=evidence")
    page.locator("#open-key-in-secrets-manager").click()
    page.locator("#tab-key-in-secrets-manager-evidence").click()
    expect(page.locator("#key-in-secrets-manager_tick_summary")).to_be_visible()
    assert "tick_summary" not in page.evaluate(FOCUSED)

    page = signed_in(make_member(make_team("Search"), "noa"))
    page.goto(prod.get_absolute_url())
    page.keyboard.press("j")
    page.keyboard.press("s")
    expect(page.locator("#announcer")).to_have_text("Nothing is selected: you may not change this item.")


def test_an_item_and_a_run_on_pages_of_their_own_swap_their_parts(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    run = claimed(prod, "spend-cap", now=timezone.now())
    page = signed_in(mia)
    page.goto(f"{prod.get_absolute_url()}items/spend-cap/?tab=evidence")
    page.evaluate("window.marked = true")
    page.locator("#tab-spend-cap-runs").click()
    expect(page.locator("#tab-spend-cap-runs")).to_have_attribute("aria-current", "true")
    expect(page.locator("#detail-spend-cap [data-elapsed]")).to_be_visible()
    watching = page.context.new_page()
    watching.goto(f"{prod.get_absolute_url()}items/spend-cap/runs/{run.pk}/")
    expect(watching.locator(".side .facts")).to_contain_text("running")
    finish(run, now=timezone.now(), cap_matches=Judgement.PASS)
    expect(watching.locator(".side .facts")).to_contain_text("done")
    expect(watching.get_by_role("heading", name="Evidence that it wrote")).to_be_visible()
    expect(page.locator("#row-spend-cap .tag.verified")).to_be_visible()
    expect(page.locator("#detail-spend-cap .findings")).to_be_visible()
    assert page.evaluate("window.marked")


def test_what_was_written_outlives_the_session(signed_in: SignedIn, mia: User, prod: Environment) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    page.locator("#open-audit-log").click()
    words = page.locator("#audit-log_tick_summary")
    words.fill("Half a page about the log.")
    Session.objects.all().delete()
    page.get_by_role("button", name="Tick", exact=True).click()
    expect(page.locator(".message")).to_contain_text("What you wrote is still here")
    expect(words).to_have_value("Half a page about the log.")
    page.get_by_role("link", name="Load the page again").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    assert not Evidence.objects.exists()


def test_a_form_that_came_back_with_reasons_is_kept_while_others_change_its_item(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    jonas = make_member(prod.service.team, "jonas")
    for slug, address in (("spend-cap", "#item-spend-cap"), ("store-false", "items/store-false/?tab=evidence")):
        page = signed_in(mia)
        page.goto(prod.get_absolute_url() + address)
        if address.startswith("#"):
            page.locator(f"#tab-{slug}-evidence").click()
        words = page.locator(f"#{slug}_tick_summary")
        words.fill("Seen.")
        page.get_by_label("Links to evidence").fill("javascript:alert(1)")
        page.get_by_role("button", name="Tick", exact=True).click()
        expect(page.get_by_text("is not a link that can be kept")).to_be_visible()
        page.locator("h1").click()
        tick(jonas, item_of(prod, slug), now=timezone.now())
        expect(page.locator("#changed")).to_be_visible()
        expect(words).to_have_value("Seen.")
        page.get_by_role("button", name="Show what is new").click()
        expect(page.locator(".clauses")).to_contain_text("jonas vouches")
        expect(words).to_have_value("Seen.")
        expect(page.get_by_label("Links to evidence")).to_have_value("javascript:alert(1)")
