"""Open pages follow the ledger in a real browser, and leave alone what somebody has in hand."""

import re
from functools import partial

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from readiness.models import Environment, User
from tests.browser import NewContext, SignedIn, caught
from tests.deeds import ask, configure, tick
from tests.factories import item_of, make_environment, make_member, make_reviewer, make_service, make_team
from tests.servers.site import LiveSite
from tests.servers.waiting import eventually

pytestmark = pytest.mark.only_on("postgresql")

WITHIN_MS = 60_000
ASKS = re.compile(r"/prod/live/\?since=")
THE_STREAM = re.compile(r"^http://[^/]+/live/")


@pytest.fixture
def mia(transactional_db: None) -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "document-search"), "prod")


def follows(page: Page) -> None:
    """Return once the page is told by a stream, its own or another tab's."""
    expect(page.locator("html")).to_have_attribute("data-stream", "open", timeout=WITHIN_MS)


def mark(page: Page) -> None:
    """Notice later whether the page was loaded anew."""
    page.evaluate("window.marked = true")


def test_two_people_see_each_other_tick_and_a_half_typed_note_survives(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    noa = make_member(mia.teams.get(), "noa")
    one, other = signed_in(mia), signed_in(noa)
    for page in (one, other):
        page.goto(prod.get_absolute_url())
        follows(page)
        mark(page)
    one.locator("#open-audit-log").click()
    note = one.locator("#audit-log_tick_summary")
    note.fill("Half a sent")
    note.evaluate("field => field.setSelectionRange(4, 6)")

    tick(noa, item_of(prod, "rotation-runbook"), now=timezone.now())
    tick(noa, item_of(prod, "audit-log"), now=timezone.now())
    for page in (one, other):
        expect(page.locator("#row-rotation-runbook")).to_contain_text("by noa", timeout=WITHIN_MS)
        expect(page.locator("#row-audit-log")).to_contain_text("by noa", timeout=WITHIN_MS)
        assert page.evaluate("window.marked")
    expect(one.locator("#banner")).to_contain_text("2 of ")
    expect(note).to_be_focused()
    expect(note).to_have_value("Half a sent")
    assert note.evaluate("field => [field.selectionStart, field.selectionEnd]") == [4, 6]
    expect(one.locator("#changed")).to_be_visible(timeout=WITHIN_MS)
    one.get_by_role("button", name="Show what is new").click()
    expect(one.locator("#detail-audit-log .tabs")).to_be_visible()
    expect(one.locator("#audit-log_tick_summary")).to_have_value("Half a sent")
    expect(one.locator("#changed")).to_be_hidden()


def test_pages_without_a_live_part_follow_too_and_lose_neither_focus_nor_place(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    ada = make_reviewer("ada")
    first = ask(mia, item_of(prod, "audit-log"), now=timezone.now())
    page = signed_in(ada, viewport={"width": 900, "height": 300})
    page.goto("/my-items/")
    follows(page)
    mark(page)
    link = page.locator("#page").get_by_role("link", name=first.item.entry.title)
    link.focus()
    page.evaluate("scrollTo({ top: 120, behavior: 'instant' })")
    top = link.bounding_box()
    ask(mia, item_of(prod, "rotation-runbook"), now=timezone.now())
    expect(page.locator(".waits > li")).to_have_count(2, timeout=WITHIN_MS)
    expect(link).to_be_focused()
    assert link.bounding_box() == top
    note = page.locator("textarea").first
    note.fill("Not yet")
    ask(mia, item_of(prod, "spend-cap"), now=timezone.now())
    expect(page.locator("#changed")).to_be_visible(timeout=WITHIN_MS)
    expect(page.locator(".waits > li")).to_have_count(2)
    expect(note).to_have_value("Not yet")
    note.fill("")
    note.blur()
    expect(page.locator(".waits > li")).to_have_count(3)
    expect(page.locator("#changed")).to_be_hidden()
    assert page.evaluate("window.marked")


ANSWERED = """() => new Promise((resolve) => {
    let left = 2;
    document.addEventListener("htmx:afterRequest", ({ target }) => {
        if (target.matches("[data-open]") && --left === 0) setTimeout(resolve);
    });
})"""


@pytest.mark.parametrize("order", ["as they were asked for", "the other way round"])
def test_of_two_panels_the_one_that_was_asked_for_last_is_open(
    signed_in: SignedIn, mia: User, prod: Environment, order: str
) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    page.evaluate("htmx.config.defaultSettleDelay = 400")  # The second answer is there before the first has settled.
    waiting: dict[str, Route] = {}
    for slug in ("rotation-runbook", "audit-log"):
        page.route(f"**/items/{slug}/", partial(waiting.__setitem__, slug))
        with page.expect_request(f"**/items/{slug}/"):
            page.locator(f"#open-{slug}").click()
    page.evaluate(f"() => {{ window.answered = ({ANSWERED})(); }}")
    for slug in sorted(waiting, reverse=order == "as they were asked for"):
        waiting[slug].continue_()
    page.evaluate("window.answered")
    expect(page.locator("#detail-audit-log .panel")).to_be_visible()
    expect(page.locator("#detail-rotation-runbook")).to_be_empty()
    expect(page.locator("#open-rotation-runbook")).to_have_attribute("aria-expanded", "false")


def test_what_was_held_back_is_never_put_over_what_was_asked_for_after_it(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    noa = make_member(mia.teams.get(), "noa")
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    follows(page)
    page.locator("#open-audit-log").click()
    page.locator("#audit-log_tick_summary").focus()
    tick(noa, item_of(prod, "audit-log"), now=timezone.now())
    expect(page.locator("#changed")).to_be_visible()

    history = caught(page, "**/?tab=history", page.locator("#tab-audit-log-history").click)
    answer = history.fetch()
    with page.expect_response("**/items/audit-log/?tab=evidence"):
        tick(noa, item_of(prod, "audit-log"), now=timezone.now())
    tick(noa, item_of(prod, "alerts"), now=timezone.now())  # Time enough for what is held to be put.
    expect(page.locator("#row-alerts")).to_contain_text("by noa")
    expect(page.locator("#changed")).to_be_visible()
    history.fulfill(response=answer)
    expect(page.locator("#tab-audit-log-history")).to_have_attribute("aria-current", "true")
    expect(page.locator("#detail-audit-log .history > li")).to_have_count(2)  # One more than was asked for.
    expect(page.locator("#changed")).to_be_hidden()

    why = caught(page, "**/?tab=why", page.locator("#tab-audit-log-why").click)
    page.locator("[data-close]").click()
    with page.expect_event("requestfailed"):
        why.abort()
    page.locator("#open-audit-log").click()
    page.locator("#tab-audit-log-history").click()
    expect(page.locator("#detail-audit-log .history > li")).to_have_count(2)
    tick(noa, item_of(prod, "audit-log"), now=timezone.now())
    expect(page.locator("#detail-audit-log .history > li")).to_have_count(3)
    expect(page.locator("#changed")).to_be_hidden()


SETTLED = """() => {
    window.settled = [];
    const note = () => {
        const { settled } = document.getElementById("banner").dataset;
        if (window.settled.at(-1) !== settled) window.settled.push(settled);
    };
    new MutationObserver(note).observe(document.getElementById("main"), { childList: true, subtree: true });
}"""


def test_what_a_page_asked_before_somebody_acted_is_never_put_over_their_answer(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    noa = make_member(mia.teams.get(), "noa")
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    follows(page)
    page.evaluate(SETTLED)
    page.locator("#open-audit-log").click()
    page.locator("#audit-log_tick_summary").fill("Each call is in the log.")
    page.locator("#detail-audit-log").get_by_label("Links to evidence").fill("https://docs.example.ca/a")
    poll = caught(page, ASKS, lambda: tick(noa, item_of(prod, "alerts"), now=timezone.now()))
    before = poll.fetch()
    page.get_by_role("button", name="Tick", exact=True).click()
    expect(page.locator("#row-audit-log")).to_contain_text("by mia")
    poll.fulfill(response=before)
    expect(page.locator("#row-alerts")).to_contain_text("by noa")
    assert page.evaluate("window.settled") == ["0 of 26", "2 of 26"]

    configure(mia, prod, launch_on=timezone.localdate(), now=timezone.now())
    page.get_by_role("button", name="Show what is new").click()
    expect(page.locator("#changed")).to_be_hidden()
    for key in "js":  # All of the page is another by now.
        page.keyboard.press(key)
    expect(page.locator("[data-pick-count]")).to_have_text("1 selected")


def test_the_overview_follows_and_says_so_in_one_sentence(signed_in: SignedIn, mia: User, prod: Environment) -> None:
    page = signed_in(mia)
    page.goto("/")
    follows(page)
    make_environment(prod.service, "staging", kind="staging", now=timezone.now())
    expect(page.locator("#announcer")).to_have_text(re.compile(r"^The verdicts changed: .*2 "), timeout=WITHIN_MS)


@pytest.fixture
def eight(new_context: NewContext, signed_in: SignedIn, mia: User, prod: Environment) -> list[Page]:
    """Eight tabs of one browser."""
    first = signed_in(mia)
    first.goto(prod.get_absolute_url())
    return [first, *tabs(first.context, prod, 7)]


def tabs(context: BrowserContext, prod: Environment, many: int) -> list[Page]:
    found = []
    for _ in range(many):
        page = context.new_page()
        page.goto(prod.get_absolute_url())
        found.append(page)
    return found


def test_eight_tabs_share_one_stream_and_another_takes_over(
    eight: list[Page], live_site: LiveSite, mia: User, prod: Environment
) -> None:
    for page in eight:
        follows(page)
    assert live_site.streams() == 1
    tick(mia, item_of(prod, "rotation-runbook"), now=timezone.now())
    for page in eight:
        page.bring_to_front()
        expect(page.locator("#row-rotation-runbook")).to_contain_text("by mia", timeout=WITHIN_MS)
    first, *others = eight
    first.close()
    tick(mia, item_of(prod, "audit-log"), now=timezone.now())
    for page in others:
        page.bring_to_front()
        expect(page.locator("#row-audit-log")).to_contain_text("by mia", timeout=WITHIN_MS)
    eventually(lambda: live_site.streams() == 1, 60, what="one stream again")


def test_a_stream_that_is_cut_is_made_up_for_by_asking_and_comes_back(
    signed_in: SignedIn, live_site: LiveSite, mia: User, prod: Environment
) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    follows(page)
    page.route(THE_STREAM, lambda route: route.abort())
    live_site.cut_streams()
    expect(page.locator("html")).to_have_attribute("data-stream", "none", timeout=WITHIN_MS)
    tick(mia, item_of(prod, "rotation-runbook"), now=timezone.now())
    expect(page.locator("#row-rotation-runbook")).to_contain_text("by mia", timeout=WITHIN_MS)
    page.unroute(THE_STREAM)
    follows(page)
    tick(mia, item_of(prod, "audit-log"), now=timezone.now())
    expect(page.locator("#row-audit-log")).to_contain_text("by mia", timeout=WITHIN_MS)


def test_a_part_that_is_drawn_anew_while_it_asks_goes_on_following(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    page = signed_in(mia)
    page.goto(prod.get_absolute_url())
    follows(page)
    page.route(ASKS, lambda route: None, times=1)  # It is never answered.
    with page.expect_request(ASKS, timeout=WITHIN_MS):
        tick(mia, item_of(prod, "rotation-runbook"), now=timezone.now())
    page.evaluate(
        """() => {
            const asking = document.getElementById("live");
            const fresh = asking.cloneNode();
            fresh.setAttribute("hx-trigger", "readiness:moved from:body"); // Not by the clock, which would hide it.
            asking.replaceWith(fresh);
            htmx.process(fresh);
            htmx.trigger(document.body, "htmx:afterSettle", { target: document.body });
        }"""
    )
    expect(page.locator("#row-rotation-runbook")).to_contain_text("by mia", timeout=WITHIN_MS)
