"""Two whole jobs from sign-in to done, each with a pointer, by keyboard alone and with JavaScript off.

A member clears eight items; a manager, who reads, finds out what is ready, and changes nothing.
"""

import csv
import io
import json
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.urls import resolve
from django.utils import timezone
from playwright.sync_api import Locator, Page, expect

from readiness.actions import bulk, items
from readiness.enums.words import DecisionKind, RunReason, RunState
from readiness.models import Comment, Environment, Evidence, Item, Run, SavedFilter, Team, User, Waiver
from tests.browser import NewContext, SignedIn
from tests.deeds import REASON, SUMMARY, ask, decide, decide_on, everything, on_sheet, take_back
from tests.factories import (
    PASSWORD,
    item_of,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.hands import Hands, Keyboard, Mouse, NoScript

pytestmark = pytest.mark.only_on("sqlite")
WAYS = {"with a pointer": Mouse, "by keyboard alone": Keyboard, "without JavaScript": NoScript}
LINK = "https://docs.example.ca/runs/118"
Sits = Callable[[], Hands]


@pytest.fixture(params=WAYS.values(), ids=WAYS.keys())
def sits_down(request: pytest.FixtureRequest, new_context: NewContext) -> Sits:
    """Somebody sits down at a browser of their own."""
    way: type[Hands] = request.param

    def sit() -> Hands:
        return way(new_context(java_script_enabled=way is not NoScript).new_page())

    return sit


def sign_in(hands: Hands, person: User) -> None:
    """Sign in at the page that stands in the way."""
    page = hands.page
    hands.write(page.get_by_label("Username"), person.username)
    hands.write(page.get_by_label("Password"), PASSWORD)
    hands.send(page.get_by_role("button", name="Sign in"))


def sign_out(hands: Hands) -> None:
    """Sign out, and be at the door again."""
    page = hands.page
    hands.unfold(page.locator("#user-menu"))
    hands.press(page.get_by_role("button", name="Sign out"))
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/my-items/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


# --- a member's job ---------------------------------------------------------------------------------------------------
SINGLY = ("retry-after-honoured", "audit-log")
TOGETHER = ["no-retry-on-4xx", "stream-retried-whole", "dashboards", "alerts", "sampled-logging", "store-false"]
WAITS = "data-residency"


@pytest.fixture
def mia(transactional_db: None) -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    """An environment of hers that launches soon, with nine items that she owns."""
    now = timezone.now()
    soon = timezone.localdate() + timedelta(days=9)
    service = make_service(mia.teams.get(), "assistant-web", by=mia, now=now)
    found = make_environment(service, "prod", by=mia, now=now, launch_on=soon, spend_cap=400, spend_cap_currency="CAD")
    for slug in (*SINGLY, *TOGETHER, WAITS):
        item = item_of(found, slug)
        items.assign(by=mia, item_id=item.pk, owner=mia, due_on=None, seen_version=item.version, now=now)
    return found


def test_a_member_clears_eight_items(sits_down: Sits, mia: User, prod: Environment) -> None:
    jonas = make_member(prod.service.team, "jonas")
    hands = sits_down()
    page = hands.page
    hands.open("/my-items/")
    sign_in(hands, mia)
    expect(page.get_by_role("heading", level=1)).to_have_text("My items")
    expect(page.get_by_text("9 things wait for you.")).to_be_visible()

    hands.press(page.get_by_role("link", name="Retry-After honoured", exact=True))
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry-After honoured")
    tick(hands, page.locator("#tick-retry-after-honoured"), "The client waits as long as the header says.")
    expect(row(page, "retry-after-honoured")).to_contain_text("attested")
    hands.press(page.locator(".crumbs").get_by_role("link", name="prod"))
    expect(page.get_by_text("1 of 26 settled").first).to_be_visible()

    tick(hands, hands.begin("tick", "audit-log"), "Each call is in the log with who made it.")
    expect(row(page, "audit-log")).to_contain_text("attested")
    form = hands.begin("take back", "audit-log")
    hands.write(form.get_by_label("Why it no longer holds"), "That was the log of another build.")
    hands.send(form.get_by_role("button", name="Take it back"))
    expect(row(page, "audit-log")).to_contain_text("stale")
    tick(hands, hands.begin("tick", "audit-log"), "Looked again, at the log of this build.")
    expect(row(page, "audit-log")).to_contain_text("attested")
    tick(hands, hands.begin("add evidence", "retry-after-honoured"), "And so says the drill of today.")
    expect(page.get_by_text("And so says the drill of today.").first).to_be_visible()

    until, due = (timezone.localdate() + timedelta(days=days) for days in (30, 7))
    form = hands.begin("waiver", WAITS)
    hands.check(form.get_by_label("We accept the risk"))
    hands.write(form.get_by_label("Reason"), REASON)
    hands.set_day(form.get_by_label("Until the end of"), until)
    hands.press(form.get_by_role("button", name="Ask a reviewer"))
    expect(row(page, WAITS)).to_contain_text("waits for a reviewer")
    form = hands.begin("comment", WAITS)
    hands.write(form.get_by_role("textbox"), "Legal answers on Thursday.")
    hands.send(form.get_by_role("button", name="Comment"))
    expect(page.locator(f"#detail-{WAITS} .comments")).to_contain_text("Legal answers on Thursday.")
    hands.unfold(page.locator(f"#assign-{WAITS}"))
    form = page.locator(f"#assign-{WAITS} form")
    hands.choose(form.get_by_label("Owner"), "jonas")
    hands.set_day(form.get_by_label("Due"), due)
    hands.press(form.get_by_role("button", name="Save"))
    expect(page.locator(f"#assign-{WAITS} > summary")).to_contain_text("jonas")
    hands.begin("run", "spend-cap")
    expect(page.locator("#detail-spend-cap").get_by_text("Waiting for a worker")).to_be_visible()

    hands.choose_several(TOGETHER, "Tick…")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Several items of assistant-web")
    button = "Tick them" if isinstance(hands, NoScript) else "Tick 6 items"
    tick(hands, page.locator("#several-tick"), "Gone through with the team, one after the other.", button)
    expect(page.get_by_text("Ticked 6 items.")).to_be_visible()
    expect(page.get_by_text("8 of 26 settled").first).to_be_visible()
    for slug in (*SINGLY, *TOGETHER):
        expect(row(page, slug)).to_contain_text("attested")
    hands.press(page.get_by_role("navigation", name="Main").get_by_role("link", name=re.compile("^My items")))
    expect(page.get_by_role("heading", level=1)).to_have_text("My items")
    expect(page.get_by_text("Your items that are not settled")).to_have_count(0)
    sign_out(hands)

    settled = {slug for slug in SINGLY if Evidence.objects.filter(item=item_of(prod, slug), by=mia).exists()}
    ticked = Evidence.objects.filter(by=mia, outcome="pass", links__url=LINK)
    assert settled | set(ticked.values_list("item__entry__slug", flat=True)) == {*SINGLY, *TOGETHER}
    said = Evidence.objects.filter(item=item_of(prod, "audit-log")).order_by("pk").values_list("outcome", flat=True)
    assert [*dict.fromkeys(said)] == ["pass", "withdrawn"]
    assert [*said][-1] == "pass"
    waiver, comment, run = Waiver.objects.get(), Comment.objects.get(), Run.objects.get()
    assert (waiver.item, waiver.asked_by, waiver.reason, waiver.granted) == (item_of(prod, WAITS), mia, REASON, None)
    assert (comment.by, comment.text) == (mia, "Legal answers on Thursday.")
    assert (run.probe, run.state, run.reason, run.asked_by) == (
        "spend-cap",
        RunState.QUEUED,
        RunReason.ASKED,
        mia,
    )
    assert Item.objects.values_list("owner", "due_on").get(pk=waiver.item_id) == (jonas.pk, due)


def test_enter_beside_the_buttons_ticks_nothing_where_nothing_scripts(
    signed_in: SignedIn, mia: User, prod: Environment
) -> None:
    several = f"{prod.get_absolute_url()}several/?item=store-false&item=alerts"
    page = signed_in(mia, java_script_enabled=False)
    page.goto(f"{several}&act=tick")
    page.get_by_label("What you saw or did").fill("Looked at both, and")
    page.get_by_role("checkbox", checked=True).first.press("Enter")
    expect(page.get_by_text("Nothing is done yet.")).to_be_visible()
    expect(page.get_by_label("What you saw or did")).to_have_value("Looked at both, and")
    expect(page.get_by_role("checkbox", checked=True)).to_have_count(2)
    page.goto(f"{several}&act=assign")
    page.get_by_label("Due").fill("2031-03-01")
    page.get_by_label("Due").press("Enter")
    expect(page.get_by_text("Owner and due date of 2 items are saved.")).to_be_visible()
    assert Item.objects.filter(due_on="2031-03-01").count() == 2
    assert not Evidence.objects.exists()


def tick(hands: Hands, form: Locator, words: str, button: str = "Tick") -> None:
    hands.write(form.get_by_label("Links to evidence"), LINK)
    hands.write(form.get_by_label("What you saw or did"), words)
    hands.send(form.get_by_role("button", name=button, exact=True))


def row(page: Page, slug: str) -> Locator:
    return page.locator(f"#row-{slug}")


# --- a manager's job --------------------------------------------------------------------------------------------------
OWN_AFFAIRS = {"sign-out", "keys", "language", "filter-save", "filter-delete", "sheet-seen", "item-comment"}
"""What a reader may send: about their own settings, and a question beside an item."""


@pytest.fixture
def noor(transactional_db: None) -> User:
    return make_person("noor")


@pytest.fixture
def world(noor: User) -> dict[str, Environment]:
    """Six environments of three teams: each verdict, and an item that is missing more often than any other."""
    now, today = timezone.now(), timezone.localdate()
    ada, found = make_reviewer("ada"), {}
    for team, service, name, days, missing in (
        ("Conversational", "assistant", "prod", 5, ("audit-log", "store-false")),
        ("Conversational", "assistant", "dev", None, ("spend-cap", "store-false")),
        ("Insurance", "claims", "prod", 20, ("store-false",)),
        ("Insurance", "quotes", "dev", 300, ()),
        ("Data", "batch", "dev", 3, ()),
        ("Data", "reports", "dev", 12, ("data-residency",)),
    ):
        held = Environment.objects.filter(service__slug=service).first()
        owners = held.service if held else make_service(make_team_once(team), service, now=now)
        by = make_member(owners.team)
        launch = today + timedelta(days=days) if days else None
        one = make_environment(owners, name, kind=name, by=by, now=now, launch_on=launch)
        wanted = [item for item in on_sheet(one) if item.entry.slug not in missing]
        seen = {item.pk: item.version for item in wanted}
        done = bulk.tick(by=by, environment=one, seen=seen, summary=SUMMARY, links=[LINK], now=now)
        assert not done.left
        found[f"{service} in {name}"] = one
    reports, batch = found["reports in dev"], found["batch in dev"]
    member = make_member(reports.service.team)
    decide(ada, ask(member, item_of(reports, "data-residency"), days=60, now=now), now=now)
    decide_on(batch, ada, DecisionKind.GO, now=now)
    take_back(member, item_of(batch, "spend-cap"), now=now)
    return found


def make_team_once(name: str) -> Team:
    return Team.objects.filter(name=name).first() or make_team(name)


def test_a_manager_finds_out_what_is_ready_and_changes_nothing(
    sits_down: Sits, noor: User, world: dict[str, Environment], tmp_path: Path
) -> None:
    before = everything()
    hands = sits_down()
    page = hands.page
    hands.open("/")
    sign_in(hands, noor)
    expect(page.get_by_role("heading", level=1)).to_have_text("Launch readiness")
    figures = {"ready": 1, "ready-with-waivers": 1, "not-ready": 3, "regressed": 1}
    for verdict, count in figures.items():
        expect(page.locator(f"#figure-{verdict} b")).to_have_text(str(count))
    sends_nothing_but_their_own(page)

    hands.press(page.locator("#figure-not-ready"))
    expect(names(page)).to_have_count(3)
    hands.unfold(page.locator("#team-menu"))
    hands.press(page.locator("#team-insurance"))
    expect(names(page)).to_have_text(["claims in prod"])
    hands.unfold(page.locator("#team-menu"))
    hands.press(page.locator("#team-conversational"))
    expect(names(page)).to_have_count(3)
    hands.unfold(page.locator("#window-menu"))
    hands.press(page.locator("#window-menu").get_by_role("link", name="Launching within 30 days"))
    shown = ["assistant in prod", "claims in prod"]
    expect(names(page)).to_have_text(shown)
    hands.unfold(page.locator("#saved-menu"))
    hands.write(page.get_by_label("Save what is shown as"), "Mine before the board")
    hands.send(page.locator("#saved-menu").get_by_role("button", name="Save", exact=True))
    expect(page.get_by_text("Saved as “Mine before the board”.")).to_be_visible()
    expect(names(page)).to_have_text(shown)
    assert rows_of(downloaded(hands, "As CSV", tmp_path)) == shown
    assert rows_of(downloaded(hands, "As JSON", tmp_path)) == shown

    other = sits_down()
    other.open(page.url)
    sign_in(other, make_person("omar"))
    expect(names(other.page)).to_have_text(shown)
    other.page.close()

    hands.press(page.get_by_role("link", name="Show all"))
    expect(names(page)).to_have_count(len(world))
    hands.unfold(page.locator("#group-menu"))
    hands.press(page.locator("#group-menu").get_by_role("link", name="By team"))
    expect(page.locator("tr.group")).to_have_text(
        [re.compile(name) for name in ("Conversational", "Data", "Insurance")]
    )
    hands.unfold(page.locator("#group-menu"))
    hands.press(page.locator("#group-menu").get_by_role("link", name="By launch date"))
    expect(page.locator("tr.group").first).to_contain_text("Launching within a week")
    at_launch = page.locator("tr", has=page.get_by_role("link", name="quotes in dev")).locator(".c-forecast")
    expect(at_launch).to_have_text("Not ready")

    hands.press(page.get_by_role("link", name="Heat map"))
    hands.press(page.get_by_role("link", name="Missing most first"))
    expect(page.locator(".heat-map tbody tr").first).to_contain_text("store: false")
    expect(page.locator(".heat-map tbody tr").first.locator(".total")).to_have_text("3 of 6")
    hands.press(page.locator(".heat-map tbody tr").first.get_by_role("rowheader").get_by_role("link"))
    expect(names(page)).to_have_text(["assistant in prod", "claims in prod", "assistant in dev"])

    hands.press(page.get_by_role("link", name="Show all", exact=True))
    expect(names(page)).to_have_count(len(world))
    hands.press(page.locator("a.team", has_text="Insurance").first)
    expect(page.get_by_role("heading", level=1)).to_have_text("Insurance")
    sends_nothing_but_their_own(page)
    hands.press(page.get_by_role("heading", level=2).get_by_role("link", name="quotes"))
    expect(page.get_by_role("heading", level=1)).to_have_text("quotes")
    says_why(page, "Add environment")
    sends_nothing_but_their_own(page)
    hands.press(page.get_by_role("link", name="dev of quotes"))
    expect(page.locator("#banner .verdict")).to_have_text("Ready")
    says_why(page, "Run all probes")
    sends_nothing_but_their_own(page)
    hands.press(page.locator("#open-spend-cap"))
    for tab, refused in (("evidence", "Tick"), ("runs", "Run again"), ("waiver", "Ask for a waiver")):
        hands.press(page.locator(f"#tab-spend-cap-{tab}"))
        expect(page.locator(f"#tab-spend-cap-{tab}")).to_have_attribute("aria-current", "true")
        says_why(page, refused)
        sends_nothing_but_their_own(page)
    if "/items/" in page.url:
        hands.press(page.locator(".crumbs").get_by_role("link", name="dev"))
    expect(page.locator("#forecast .verdict")).to_have_text("Not ready")
    hands.press(page.locator("#forecast").get_by_role("link", name="The whole sheet on that day"))
    expect(page.locator(".verdict").first).to_have_text("Not ready")
    sign_out(hands)

    assert everything() == before
    assert SavedFilter.objects.values_list("by__username", "name").get() == ("noor", "Mine before the board")


def names(page: Page) -> Locator:
    return page.locator("table.environments a.name")


def downloaded(hands: Hands, words: str, folder: Path) -> Path:
    page = hands.page
    hands.unfold(page.locator("#export-menu"))
    with page.expect_download() as came:
        hands.press(page.locator("#export-menu").get_by_role("link", name=words))
    path = folder / came.value.suggested_filename
    came.value.save_as(path)
    return path


def rows_of(file: Path) -> list[str]:
    text = file.read_text("utf-8-sig")
    kept = csv.DictReader(io.StringIO(text)) if file.suffix == ".csv" else json.loads(text)["environments"]
    return [f"{one['service']} in {one['environment']}" for one in kept]


def says_why(page: Page, label: str) -> None:
    """Expect a button that cannot be pressed, with the reason beside it and for who hears it."""
    button = page.get_by_role("button", name=label, exact=True).first
    expect(button).to_be_disabled()
    said = button.get_attribute("aria-description") or ""
    assert "team" in said
    expect(button.locator("xpath=following-sibling::p")).to_have_text(said)


def sends_nothing_but_their_own(page: Page) -> None:
    """Expect no form that would change what others rely on."""
    actions = page.locator("form[method=post]").evaluate_all("all => all.map((one) => new URL(one.action).pathname)")
    assert {resolve(path).url_name for path in actions} <= OWN_AFFAIRS
