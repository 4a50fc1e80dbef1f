"""A review held in real browsers: by keys alone, followed by others, over a line that drops, and without scripts."""

import re

import pytest
from django.conf import settings
from django.utils import timezone
from playwright.sync_api import Locator, Page, Route, expect

from readiness.actions import reviews
from readiness.actions.meetings import go_to, write_note
from readiness.models import Condition, Decision, Environment, MeetingNote, Review, User
from readiness.rules.minutes import MinuteKind
from readiness.selectors.meetings import order_of
from readiness.selectors.minutes import minutes_of
from tests.browser import SignedIn, caught, session_of
from tests.deeds import ask, decide_on, plan_review, settle, tick
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
from tests.servers.site import LiveSite
from tests.servers.waiting import eventually

pytestmark = pytest.mark.only_on("postgresql")

WITHIN_MS = 60_000
WHY = "The agreement is with legal, and the text in force names Canadian hosting."


@pytest.fixture
def ada(transactional_db: None) -> User:
    return make_reviewer("ada")


@pytest.fixture
def mia(ada: User) -> User:
    return make_member(make_team("Conversational"), "mia")


def launches(mia: User, many: int, *, settled: int = 0) -> list[Environment]:
    """So many services of one team with a production each, some of them settled."""
    team, now = mia.teams.get(), timezone.now()
    found = [
        make_environment(make_service(team, f"launch-{number}", by=mia, now=now), "prod", by=mia, now=now)
        for number in range(many)
    ]
    for place in found[:settled]:
        settle(place, mia, now=now)
    return found


def planned(ada: User, agenda: list[Environment]) -> Review:
    return plan_review(*agenda, by=ada, title="Launches", now=timezone.now())


def address(review: Review) -> str:
    return f"{review.get_absolute_url()}meeting/"


def line_of(page: Page) -> Locator:
    return page.locator("#meeting-line")


def looks_at(page: Page, place: int) -> None:
    expect(line_of(page)).to_have_attribute("data-line", str(place), timeout=WITHIN_MS)


def decide_by_keys(page: Page, kind: str) -> None:
    """Decide the line that is open with a key and Enter; for conditions with their one reason between them."""
    page.keyboard.press(kind)
    if kind == "c":
        page.keyboard.type(WHY)
    page.keyboard.press("Enter")


def test_thirty_launches_are_decided_by_keys_alone_and_a_second_browser_follows_every_step(
    signed_in: SignedIn, ada: User, mia: User
) -> None:
    agenda = launches(mia, 30, settled=2)
    before = decide_on(agenda[2], ada, now=timezone.now())  # A no-go from an earlier review, and nothing moved since.
    review = planned(ada, agenda)
    order = order_of(review, timezone.now())
    assert order[:3] == [agenda[0].pk, agenda[1].pk, agenda[2].pk]
    chair, room = signed_in(ada), signed_in(mia)
    room.add_init_script("const every = setInterval; setInterval = (act, ms) => ms === 30_000 ? 0 : every(act, ms);")
    for page in (chair, room):
        page.goto(address(review))
    expect(room.get_by_role("button", name="Open the meeting")).to_be_disabled()
    chair.get_by_role("button", name="Open the meeting").press("Enter")
    for page in (chair, room):  # Who had the page open as it opened is there, before "I am here" is said now and then.
        expect(page.locator("#meeting-room")).to_contain_text("I leave")
    for step, place in enumerate(order):
        looks_at(chair, place)
        looks_at(room, place)
        kind = "g" if step < 2 else "c" if step == 5 else "n"
        decide_by_keys(chair, kind)
    expect(chair.locator("#complete")).to_be_visible()
    expect(room.locator("#complete")).to_be_visible()
    expect(room.locator("#meeting-agenda")).to_contain_text("30 of 30 decided")
    expect(room.locator("#minutes-newest li.decided").last).to_contain_text("No-go. Decided by ada.")
    made = list(Decision.objects.exclude(pk=before.pk).order_by("pk"))
    assert [one.environment_id for one in made] == order
    assert [one.kind for one in made] == ["go", "go", "no-go", "no-go", "no-go", "go-with-conditions", *["no-go"] * 24]
    terms = Condition.objects.filter(decision=made[5])
    assert {(one.reason, one.owner, one.item_id) for one in terms} == {
        (WHY, mia, item.pk) for item in agenda[5].items.all()
    } | {(WHY, mia, item.pk) for item in agenda[5].service.items.filter(environment=None)}
    decided = [one for one in minutes_of(review) if one.kind is MinuteKind.DECIDED]
    assert [one.environment.pk for one in decided if one.environment] == order
    assert set(review.attendees.all()) == {ada, mia}


@pytest.fixture
def held(ada: User, mia: User) -> tuple[Review, list[int]]:
    """A review of four launches, the first of which is settled."""
    review = planned(ada, launches(mia, 4, settled=1))
    return review, order_of(review, timezone.now())


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def open_it(page: Page, review: Review, first: int) -> None:
    page.goto(address(review))
    page.get_by_role("button", name="Open the meeting").click()
    expect(page.locator("#meeting-room")).to_contain_text("I leave")
    looks_at(page, first)


def test_the_chairs_line_drops_and_nothing_is_lost_doubled_or_taken_for_done(
    signed_in: SignedIn, ada: User, held: tuple[Review, list[int]]
) -> None:
    review, (first, second, third, fourth) = held
    sam = make_reviewer("sam")
    chair, other = signed_in(ada), signed_in(sam)
    open_it(chair, review, first)
    other.goto(address(review))
    looks_at(other, first)

    chair.context.set_offline(True)
    decide_by_keys(chair, "g")
    unsent = chair.locator("#unsent")
    expect(unsent).to_contain_text("Not sent yet: Go, launch-0 in prod.")
    expect(unsent).to_contain_text("It is sent by itself, once")
    assert not Decision.objects.exists()
    chair.locator("#note_text").fill("Ask the vendor.")
    chair.locator("#note_text").press("Control+Enter")
    expect(unsent).to_contain_text("Not sent yet: Go, launch-0 in prod. Ask the vendor.")
    chair.locator("#note_text").fill("Half a sent")
    chair.locator("#note_text").blur()
    chair.context.set_offline(False)
    for page in (chair, other):
        looks_at(page, second)
    expect(other.locator("#note_line")).to_have_value(str(second))
    expect(chair.locator("#note_line option:checked")).to_have_text("launch-0 in prod")
    chair.locator("[data-show-new]").click()
    expect(chair.locator("#note_line option[selected]")).to_have_attribute("value", str(second))
    expect(chair.locator("#note_line")).to_have_value(str(first))
    expect(unsent).to_be_hidden()
    expect(chair.locator("#note_text")).to_have_value("Half a sent")
    assert Decision.objects.get().environment_id == first
    assert MeetingNote.objects.get().text == "Ask the vendor."

    lost: list[Route] = []

    def first_answer_is_lost(route: Route) -> None:
        """The server decides, and its answer never arrives."""
        if lost:
            return route.continue_()
        lost.append(route)
        route.fetch()
        return route.abort()

    chair.route("**/meeting/decide/", first_answer_is_lost)
    decide_by_keys(chair, "n")
    for page in (chair, other):
        looks_at(page, third)
    expect(unsent).to_be_hidden()
    assert Decision.objects.filter(environment=second).count() == 1

    # While the chair is cut off another reviewer takes the chair and decides: what is sent then tells by whom.
    chair.context.set_offline(True)
    chair.keyboard.press("c")
    chair.keyboard.type(WHY)
    chair.keyboard.press("Enter")
    expect(unsent).to_contain_text("Go with conditions, launch-2 in prod.")
    other.get_by_role("button", name="Take the chair").click()
    expect(other.locator("#meeting-room")).to_contain_text("sam has the chair")
    decide_by_keys(other, "n")
    looks_at(other, fourth)
    chair.context.set_offline(False)
    expect(chair.locator("#messages")).to_contain_text("sam has the chair now.")
    told = line_of(chair).get_by_role("alert").filter(has_text="decided first")
    expect(told).to_contain_text(re.compile("sam decided first:\\s+No-go"))
    looks_at(chair, third)
    expect(chair.locator("#decide_everywhere")).to_have_value(WHY)
    assert Decision.objects.get(environment=third).by == sam
    expect(chair.locator("#note_text")).to_have_value("Half a sent")
    chair.locator("#note_text").press("Control+Enter")
    expect(other.locator("#meeting-minutes")).to_contain_text("Half a sent")
    notes = [(one.text, one.environment_id) for one in MeetingNote.objects.all()]
    assert notes == [("Ask the vendor.", first), ("Half a sent", first)], "Each is about what was open as it was begun."
    said = [one.kind for one in minutes_of(review)]
    assert [said.count(kind) for kind in (MinuteKind.DECIDED, MinuteKind.NOTED, MinuteKind.CHAIR)] == [3, 2, 1]


def sign_in(page: Page, person: User) -> None:
    page.get_by_label("Username").fill(person.username, timeout=WITHIN_MS)
    page.get_by_label("Password").fill(PASSWORD)
    press(page, "Sign in")


def ends_session_and_signs_in(page: Page, person: User) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    sign_in(page, person)


def off_agenda(review: Review, place: int, *, by: User) -> None:
    review.refresh_from_db()
    stay = review.agenda.exclude(environment=place).select_related("environment__service")
    reviews.change(
        by=by,
        review_id=review.pk,
        title=review.title,
        starts_at=review.starts_at,
        chair=review.chair,
        environments=[line.environment for line in stay],
        attendees=[],
        seen_version=review.version,
        now=timezone.now(),
    )


def test_what_is_not_sent_outlives_a_fault_a_reload_and_a_session_that_ended(
    signed_in: SignedIn, ada: User, held: tuple[Review, list[int]]
) -> None:
    review, (first, second, third, _last) = held
    chair = signed_in(ada)
    chair.add_init_script("console.error = () => {};")  # htmx tells there of each fault.
    open_it(chair, review, first)
    chair.on("dialog", lambda dialog: dialog.accept())  # "Leave the page? What you typed may not be saved."
    unsent = chair.locator("#unsent")

    chair.route("**/meeting/decide/", lambda route: route.abort())
    decide_by_keys(chair, "n")
    expect(unsent).to_contain_text("Not sent yet: No-go, launch-0 in prod.")
    chair.unroute("**/meeting/decide/")
    chair.route("**/meeting/decide/", lambda route: route.fulfill(status=500, body="<!doctype html><p>It broke.</p>"))
    for _ in range(3):
        with chair.expect_request("**/meeting/decide/"):
            pass
    expect(unsent).to_be_visible()
    expect(chair.locator("#messages .message")).to_have_count(1)
    chair.reload()
    expect(unsent).to_contain_text("Not sent yet: No-go, launch-0 in prod.")
    assert not Decision.objects.exists()

    ends_session_and_signs_in(chair, ada)
    chair.unroute("**/meeting/decide/")
    looks_at(chair, second)
    expect(unsent).to_be_hidden()
    assert Decision.objects.get().environment_id == first

    chair.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)
    decide_by_keys(chair, "n")  # The first that is heard of it.
    sign_in(chair, ada)
    looks_at(chair, third)
    assert Decision.objects.get(environment=second).by == ada


def test_what_is_refused_holds_nothing_up_and_nobody_sends_what_another_wrote(
    signed_in: SignedIn, ada: User, held: tuple[Review, list[int]], live_site: LiveSite
) -> None:
    review, (first, second, *_others) = held
    sam = make_reviewer("sam")
    chair = signed_in(ada)
    chair.add_init_script("console.error = () => {};")
    open_it(chair, review, first)
    chair.context.set_offline(True)
    decide_by_keys(chair, "n")
    chair.locator("#note_text").fill("Ask the vendor.")
    chair.locator("#note_text").press("Control+Enter")
    unsent = chair.locator("#unsent")
    expect(unsent).to_contain_text("Not sent yet: No-go, launch-0 in prod. Ask the vendor.")
    off_agenda(review, first, by=sam)
    chair.context.set_offline(False)
    expect(unsent).to_be_hidden()
    expect(chair.locator("#messages")).to_contain_text("That did not work")
    expect(chair.locator("main")).to_contain_text("not on the agenda of this review")
    expect(chair.locator("#note_text")).to_have_value("Ask the vendor.")
    assert not Decision.objects.exists()

    chair.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session_of(sam), "url": live_site.url}])
    go_to(by=ada, review_id=review.pk, environment_id=second, now=timezone.now())
    expect(chair.locator("[data-meeting]")).to_have_attribute("data-person", str(sam.pk), timeout=WITHIN_MS)


def test_the_next_launch_opens_at_its_head_minutes_stay_at_their_end_and_a_late_note_can_be_copied(
    signed_in: SignedIn, ada: User, mia: User, held: tuple[Review, list[int]]
) -> None:
    review, (first, second, *_others) = held
    chair = signed_in(ada, viewport={"width": 1280, "height": 420})
    open_it(chair, review, first)
    other = signed_in(mia)
    other.goto(address(review))
    for number in range(9):
        write_note(
            by=mia, review_id=review.pk, environment_id=None, text=f"{number}", key=f"{number}", now=timezone.now()
        )
    minutes = chair.locator("#meeting-minutes")
    expect(minutes).to_contain_text("8", timeout=WITHIN_MS)
    end = "card => card.scrollHeight - card.clientHeight - card.scrollTop < 2 && card.scrollTop > 0"
    eventually(lambda: minutes.evaluate(end), 60, what="the newest line is in sight")
    chair.mouse.wheel(0, 600)
    eventually(lambda: chair.evaluate("scrollY") > 100, 60, what="it scrolled")
    decide_by_keys(chair, "n")
    looks_at(chair, second)
    eventually(lambda: chair.evaluate("scrollY") == 0, 60, what="the head of the next launch is in sight")

    other.locator("#note_text").fill("Ask the vendor once more.")
    reviews.close(by=ada, review_id=review.pk, now=timezone.now())
    expect(other.locator("main")).to_contain_text("closed this review", timeout=WITHIN_MS)
    other.locator("#note_text").press("Control+Enter")
    kept = other.locator("#meeting-note")
    expect(kept).to_contain_text("What you wrote was not saved. Copy what you still need: Ask the vendor once more.")
    expect(line_of(other)).to_contain_text("Nothing was decided on this launch.")
    expect(line_of(other)).not_to_contain_text("To settle before a decision")
    expect(line_of(other).locator("button")).to_have_count(0)
    drawn = other.locator("#meeting-live").get_attribute("data-since") or ""
    tick(mia, item_of(Environment.objects.get(pk=second), "rotation-runbook"), now=timezone.now())
    expect(other.locator("#meeting-live")).not_to_have_attribute("data-since", drawn, timeout=WITHIN_MS)
    expect(kept).to_contain_text("Ask the vendor once more.")


def test_people_leave_the_chair_and_follow_again_and_settle_on_the_spot(
    signed_in: SignedIn, ada: User, mia: User, held: tuple[Review, list[int]]
) -> None:
    review, (first, second, third, fourth) = held
    wait = item_of(Environment.objects.get(pk=second), "audit-log")
    ask(mia, wait, now=timezone.now())
    chair, member = signed_in(ada), signed_in(mia)
    open_it(chair, review, first)
    member.goto(address(review))
    looks_at(member, first)
    member.keyboard.press("j")
    looks_at(member, second)
    expect(line_of(member)).to_contain_text("You look at this on your own")
    expect(member).to_have_url(re.compile(rf"line={second}$"))
    late = caught(member, f"**/live/?line={third}", member.locator(f"#to-{third}").click)
    with member.expect_event("requestfailed", lambda request: request == late.request):  # It is given up.
        member.locator(f"#to-{fourth}").click()
    looks_at(member, fourth)
    member.locator(f"#to-{second}").click()
    looks_at(member, second)
    expect(member).to_have_url(re.compile(rf"line={second}$"))
    grant = member.locator("#item-audit-log").get_by_role("button", name="Grant")
    expect(grant).to_be_disabled()
    expect(grant).to_have_accessible_description("Only a reviewer grants or refuses. Ask one to look at it.")
    chair.keyboard.press("j")
    looks_at(chair, second)
    expect(line_of(member)).not_to_contain_text("You look at this on your own")
    expect(chair.locator("#to-settle + p")).to_contain_text("Only members of Conversational change this.")
    chair.locator("#grant-audit-log").press("Enter")
    for page in (chair, member):
        expect(page.locator("#item-audit-log")).to_have_count(0)
        expect(page.locator("#meeting-minutes")).to_contain_text("ada granted the waiver of")
    member.get_by_text("Tick…").first.click()
    member.locator(".on-the-spot[open] textarea").first.fill("Rotated it with the runbook.")
    chair.keyboard.press("j")
    looks_at(chair, third)
    member.locator(".on-the-spot[open]").get_by_role("button", name="Tick").click()
    expect(chair.locator("#meeting-minutes")).to_contain_text("mia ticked")
    looks_at(member, second)  # Who looks at a line on their own stays there.
    member.keyboard.press("f")
    looks_at(member, third)
    expect(chair.locator("#meeting-room")).to_contain_text("2")


def test_a_meeting_is_held_without_scripts(
    signed_in: SignedIn, ada: User, mia: User, held: tuple[Review, list[int]]
) -> None:
    review, (first, second, third, fourth) = held
    noor = make_person("noor")
    ask(mia, item_of(Environment.objects.get(pk=second), "audit-log"), now=timezone.now())
    page = signed_in(ada, java_script_enabled=False)
    page.goto(address(review))
    press(page, "Open the meeting")
    looks_at(page, first)
    press(page, "I leave")
    press(page, "I am here")
    page.locator("#room-names summary").click()
    page.locator("#room-person").select_option(label="noor")
    press(page, "Is there")
    page.locator("#decide-go").click()
    looks_at(page, second)
    page.locator("#grant-audit-log").click()
    expect(page.locator("#item-audit-log")).to_have_count(0)
    page.locator("#note_text").fill("The audit store moves.")
    press(page, "Keep it")
    looks_at(page, second)
    page.locator("#decide-conditional").click()  # Without a reason: what is missing is said, and nothing is decided.
    expect(line_of(page)).to_contain_text("Nothing was decided yet")
    page.locator("#decide_everywhere").fill(WHY)
    page.locator("#decide-conditional").click()
    looks_at(page, third)
    page.locator(f"#to-{fourth}").click()
    looks_at(page, fourth)
    page.locator("[data-dissent] summary").click()
    page.locator("#decide_dissent-0-by").select_option(label="noor")
    page.locator("#decide_dissent-0-reason").fill("Nobody has tried the runbook on it yet.")
    page.locator("#decide-no-go").click()
    looks_at(page, third)
    page.locator("#decide-no-go").click()
    expect(page.locator("#complete")).to_be_visible()
    press(page, "Close this review")
    said = [(one.kind.value, one.environment.pk if one.environment else None) for one in minutes_of(review)]
    assert said == [
        ("opened", None),
        ("came", None),
        ("left", None),
        ("came", None),
        ("named", None),
        ("decided", first),
        ("granted", second),
        ("noted", second),
        ("decided", second),
        ("decided", fourth),
        ("dissented", fourth),
        ("decided", third),
        ("closed", None),
    ]
    assert Condition.objects.filter(reason=WHY, owner=mia).count() > 20
    assert set(review.attendees.all()) == {ada, noor}
