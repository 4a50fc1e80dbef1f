"""Overview, sheet and item: what they say, what they cost, and how people sign in."""

import re
from datetime import date, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from readiness.actions import items, saved_filters
from readiness.actions.counting import count_day
from readiness.actions.decisions import NewCondition
from readiness.enums.words import DecisionKind, Judgement
from readiness.management.commands.signin_link import signin_link
from readiness.models import Environment, Evidence, User
from readiness.selectors import fleet, waiting
from readiness.selectors.first_steps import PUT_AWAY
from readiness.selectors.items import item_detail
from tests.deeds import ask, configure, decide, decide_on, observe, settle, take_back, tick, version
from tests.factories import PASSWORD, item_of, make_environment, make_member, make_reviewer, make_service, make_team

PASS, FAIL = Judgement.PASS, Judgement.FAIL

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
OVERVIEW, SHEET, ITEM = 6, 31, 49
"""How many queries a page costs, those of the session and the person included."""
OVERVIEW_ANEW = 12
"""How many the overview costs in a process that has read nothing yet, the goes that stand and their cover included."""


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def page(mia: User, client: Client) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


def words(response: Any) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def lively(mia: User, slug: str, name: str = "prod", kind: str = "prod") -> Environment:
    """An environment with evidence by people and probes, requests and runs."""
    now = timezone.now()
    service = make_environment_service(mia, slug)
    environment = make_environment(service, name, kind=kind, by=mia, now=now)
    observe(environment, "spend-cap", now=now, cap_matches=PASS)
    tick(mia, item_of(environment, "logs-redacted"), now=now)
    ask(mia, item_of(environment, "store-false"), now=now)
    return environment


def make_environment_service(mia: User, slug: str) -> Any:
    found = mia.teams.get().services.filter(slug=slug).first()
    return found or make_service(mia.teams.get(), slug, by=mia)


def queries(page: Client, address: str, **more: Any) -> int:
    page.get(address, **more)
    with CaptureQueriesContext(
        connection,
    ) as made:
        assert page.get(address, **more).status_code == 200
    return len(made)


def uncovered(mia: User, ada: User, *, launch_on: date) -> None:
    """An environment under a go with a condition, on which a tick was taken back since."""
    now = timezone.now()
    dev = make_environment(make_service(mia.teams.get(), "uncovered", by=mia), "dev", kind="dev", by=mia, now=now)
    configure(mia, dev, launch_on=launch_on, now=now)
    settle(dev, mia, but=["spend-cap"], now=now)
    until = timezone.localdate() + timedelta(days=3)
    cap = item_of(dev, "spend-cap").pk
    condition = NewCondition(item_id=cap, reason="It is set on Friday.", owner=mia, until=until)
    decide_on(dev, ada, DecisionKind.GO_WITH_CONDITIONS, conditions=[condition], now=now)
    take_back(mia, item_of(dev, "logs-redacted"), now=now)


def test_the_overview_costs_the_same_with_1_and_with_30_environments(page: Client, mia: User) -> None:
    page.cookies[PUT_AWAY] = "1"
    lively(mia, "service-a")
    with_one = queries(page, reverse("overview"))
    for number in range(29):
        lively(mia, f"service-b-{number}")
    assert (with_one, queries(page, reverse("overview"))) == (OVERVIEW, OVERVIEW)


@pytest.mark.parametrize("address", ["/", "/?rows=all"])
def test_the_overview_costs_little_where_nothing_was_read_before(page: Client, mia: User, address: str) -> None:
    launch, ada = timezone.localdate() + timedelta(days=9), make_reviewer("ada")
    for number in range(5):
        prod, now = lively(mia, f"service-{number}"), timezone.now()
        configure(mia, prod, launch_on=launch, now=now)
        item = item_of(prod, "spend-cap")
        items.assign(by=mia, item_id=item.pk, owner=mia, due_on=None, seen_version=version(item), now=now)
        decide(ada, ask(mia, item_of(prod, "audit-log"), now=now), now=now)
        decide_on(prod, ada, DecisionKind.NO_GO, now=now)
    uncovered(mia, ada, launch_on=launch)
    for weeks in (0, 1, 2, 3):
        count_day(now=now - timedelta(weeks=weeks))
    saved_filters.save(by=mia, name="Mine", query="kind=prod", now=now)
    page.get("/my-items/")
    for _ in range(2):
        fleet.forget()
        waiting.forget_waiting()
        with CaptureQueriesContext(connection) as made:
            answer = page.get(address)
        assert len(made) == OVERVIEW_ANEW
        assert words(answer).count("no longer covers") == 1
    shown = answer.context["overview"]
    assert (len(shown.at_launch), len(shown.last_runs), shown.waiting, len(shown.people)) == (6, 6, 5, 1)


def test_a_sheet_costs_the_same_with_1_and_with_30_environments_and_statements(page: Client, mia: User) -> None:
    prod = lively(mia, "service-a")
    address = prod.get_absolute_url()
    with_one = queries(page, address)
    for number in range(29):
        lively(mia, "service-a" if number < 5 else f"service-{number}", f"more-{number}", kind="staging")
        tick(mia, item_of(prod, "logs-redacted"), now=timezone.now())
        observe(prod, "spend-cap", now=timezone.now(), cap_matches=PASS)
    assert (with_one, queries(page, address)) == (SHEET, SHEET)


def test_an_item_costs_the_same_with_1_and_with_30_statements(page: Client, mia: User) -> None:
    prod = lively(mia, "service-a")
    tick(mia, item_of(prod, "spend-cap"), now=timezone.now())
    address = reverse("item", args=["service-a", "prod", "spend-cap"]) + "?tab=evidence"
    with_one = queries(page, address)
    for _ in range(29):
        tick(mia, item_of(prod, "spend-cap"), now=timezone.now())
        observe(prod, "spend-cap", now=timezone.now(), cap_matches=PASS)
    assert (with_one, queries(page, address)) == (ITEM, ITEM)


def test_a_poll_that_finds_nothing_new_costs_little(page: Client, mia: User) -> None:
    lively(mia, "service-a")
    first = page.get(reverse("overview"))
    poll = {"headers": {"HX-Request": "true", "HX-Target": "overview-body"}}
    address = f"{reverse('overview')}?since={first.context['since']}"
    with CaptureQueriesContext(connection) as made:
        assert page.get(address, **poll).status_code == 204
    assert len(made) == 3
    tick(mia, item_of(Environment.objects.get(), "audit-log"), now=timezone.now())
    news = page.get(address, **poll)
    assert news.status_code == 200
    assert b"<html" not in news.content


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("", {"one/prod", "one/staging", "two/prod", "three/dev"}),
        ("?kind=prod", {"one/prod", "two/prod"}),
        ("?kind=prod&kind=dev", {"one/prod", "two/prod", "three/dev"}),
        ("?kind=moon", {"one/prod", "one/staging", "two/prod", "three/dev"}),
        ("?team=insurance", {"three/dev"}),
        ("?team=nobody", set()),
        ("?waiting=1", {"two/prod"}),
        ("?verdict=not-ready", {"one/prod", "one/staging", "three/dev"}),
        ("?verdict=regressed", {"two/prod"}),
        ("?verdict=ready", set()),
        ("?verdict=fine", {"one/prod", "one/staging", "two/prod", "three/dev"}),
        ("?q=two", {"two/prod"}),
        ("?q=%00", {"one/prod", "one/staging", "two/prod", "three/dev"}),
        ("?q=%25", set()),
        ("?kind=prod&q=one&team=conversational", {"one/prod"}),
    ],
)
def test_filters_leave_what_the_address_asks_for(page: Client, mia: User, asked: str, shown: set[str]) -> None:
    one = make_service(mia.teams.get(), "one", by=mia)
    make_environment(one, "prod", by=mia)
    make_environment(one, "staging", kind="staging", by=mia)
    two = make_environment(make_service(mia.teams.get(), "two", by=mia), "prod", by=mia)
    make_environment(make_service(make_team("Insurance"), "three"), "dev", kind="dev")
    gone = make_environment(make_service(mia.teams.get(), "gone", by=mia), "prod", by=mia)
    Environment.objects.filter(pk=gone.pk).update(archived_at=timezone.now())
    now = timezone.now()
    for seconds, said in ((0, PASS), (60, FAIL), (90, FAIL)):
        observe(two, "spend-cap", now=now - timedelta(seconds=100 - seconds), cap_matches=said)
    ask(mia, item_of(two, "store-false"), now=now)

    overview = page.get(reverse("overview") + asked).context["overview"]

    assert {str(row.environment) for group in overview.groups for row in group.rows} == shown
    assert overview.shown == len(shown)


def test_the_sheet_and_the_overview_tell_the_same_verdict_and_counts(page: Client, mia: User) -> None:
    prod = lively(mia, "one")
    decide(make_reviewer(), item_of(prod, "store-false").waivers.get(), now=timezone.now())
    overview = page.get(reverse("overview")).context["overview"]
    sheet = page.get(prod.get_absolute_url()).context["sheet"]

    [row] = [row for group in overview.groups for row in group.rows]
    assert (row.tally.verdict, row.tally.counts) == (sheet.tally.verdict, sheet.tally.counts)
    assert sheet.tally.total == 26
    assert (row.tally.counts["verified"], row.tally.counts["attested"], row.tally.waived) == (1, 1, 1)


def test_a_sheet_goes_red_by_the_clock_alone_and_its_page_is_told(page: Client, mia: User) -> None:
    prod = lively(mia, "one")
    first = page.get(prod.get_absolute_url())
    assert first.context["sheet"].row("spend-cap").status == "verified"
    seen = {"since": first.context["since"], "runs": first.context["runs_token"], "state": first.context["state_token"]}
    live = reverse("sheet-live", args=["one", "prod"])
    assert page.get(live, seen).status_code == 204
    fresh = item_of(prod, "spend-cap").entry.clauses.get().fresh_pass
    with time_machine.travel(timezone.now() + fresh, tick=False):
        page.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
        news = page.get(live, seen)
        assert news.status_code == 200
        assert page.get(prod.get_absolute_url()).context["sheet"].row("spend-cap").status == "stale"


def test_the_overview_goes_red_by_the_clock_alone_and_its_page_is_told(page: Client, mia: User) -> None:
    prod = lively(mia, "one")
    poll = {"headers": {"HX-Request": "true", "HX-Target": "overview-body"}}
    fresh = item_of(prod, "spend-cap").entry.clauses.get().fresh_pass
    drawn = timezone.now()
    with time_machine.travel(drawn + fresh - timedelta(seconds=5), tick=False):
        page.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
        first = page.get(reverse("overview"))
        address = f"{reverse('overview')}?since={first.context['since']}"
        assert page.get(address, **poll).status_code == 204
    with time_machine.travel(drawn + fresh, tick=False):
        news = page.get(address, **poll)
        assert (news.status_code, news.context["overview"].observed) == (200, first.context["overview"].observed - 1)


def test_a_sheet_that_finds_nothing_new_costs_little(page: Client, mia: User) -> None:
    prod = lively(mia, "one")
    staging = make_environment(prod.service, "staging", kind="staging", by=mia)
    other = lively(mia, "two")
    first = page.get(prod.get_absolute_url()).context
    tokens = {"runs": first["runs_token"], "state": first["state_token"]}
    seen = {"since": first["since"], "drawn": first["drawn"], **tokens}
    live = reverse("sheet-live", args=["one", "prod"])
    tick(mia, item_of(other, "audit-log"), now=timezone.now())
    with CaptureQueriesContext(connection) as made:
        assert page.get(live, seen).status_code == 204
    assert len(made) == 8
    assert page.get(live, {**seen, "runs": "1q0"}).status_code == 200
    tick(mia, item_of(staging, "audit-log"), now=timezone.now())
    with CaptureQueriesContext(connection) as made:
        page.get(live, seen)
    assert len(made) > 20, "What is observed in staging may count in production, so the sheet is looked at."


@pytest.mark.parametrize("since", ["", "0", "-", "x-1", "1-99999999999", "9" * 30])
def test_a_poll_that_says_nothing_of_use_is_answered_whole(page: Client, mia: User, since: str) -> None:
    lively(mia, "one")

    assert (
        page.get(
            reverse("overview"), {"since": since}, headers={"HX-Request": "true", "HX-Target": "overview-body"}
        ).status_code
        == 200
    )


def test_a_tick_is_not_crowded_off_its_page_by_observations(page: Client, mia: User) -> None:
    prod = make_environment(make_service(mia.teams.get(), "one", by=mia), "prod", by=mia)
    item = item_of(prod, "spend-cap")
    now = timezone.now()
    tick(mia, item, now=now - timedelta(hours=30))
    for minutes in range(60):
        observe(prod, "spend-cap", now=now - timedelta(minutes=100 - minutes), cap_matches=FAIL)

    [clause] = item_detail(prod, item, now).clauses
    assert (clause.attested is not None, clause.failing, clause.contradicted) == (True, True, True)
    assert Evidence.objects.filter(item=item).count() == 61
    assert item_detail(prod, item, now).can_take_back


def test_an_item_on_which_nobody_spoke_says_so_and_is_never_green(page: Client, mia: User) -> None:
    prod = make_environment(make_service(mia.teams.get(), "one", by=mia), "prod", by=mia)
    sheet = page.get(prod.get_absolute_url()).context["sheet"]

    assert dict(sheet.tally.counts) == {"open": 26}
    assert sheet.strip.sentence == "26 open"
    assert (sheet.tally.verdict, sheet.tally.percent) == ("not-ready", 0)


def test_the_panel_that_watched_a_run_to_its_end_can_ask_for_the_next(page: Client, mia: User) -> None:
    prod = make_environment(make_service(mia.teams.get(), "one", by=mia), "prod", by=mia)
    run = observe(prod, "spend-cap", now=timezone.now(), cap_matches=PASS)
    answer = page.get(
        reverse("run", args=["one", "prod", "spend-cap", run.pk]), headers={"HX-Request": "true"}
    ).content.decode()

    button = re.search(r'id="run-actions-spend-cap"\s+hx-swap-oob="true".*', answer, re.DOTALL)
    assert button, "Without it the button says Running for ever."
    assert re.search(r'<button class="button primary" type="submit">\s*Run again', button[0])


def test_words_in_the_address_that_no_database_takes_find_nothing(page: Client) -> None:
    assert page.get(reverse("overview"), {"team": "a\0", "q": "a\0", "verdict": "a\0", "kind": "\0"}).status_code == 200


@pytest.mark.parametrize("address", ["/", "/services/new/", "/sign-in/", "/no-such-page/"])
def test_no_page_is_kept_by_anybody(page: Client, address: str) -> None:
    assert "no-store" in page.get(address).headers["Cache-Control"]


# --- signing in -------------------------------------------------------------------------------------------------------


def parts_of(link: str) -> tuple[str, str]:
    """The path of a sign-in link with its query, and its token."""
    split = urlsplit(link)
    return f"{split.path}?{split.query}", parse_qs(split.query)["sesame"][0]


def test_a_sign_in_link_shows_a_button_and_its_post_signs_in_once(client: Client, mia: User) -> None:
    address, token = parts_of(signin_link(mia, base="http://testserver"))
    for _ in range(3):
        shown = client.get(address)
        assert (shown.status_code, "_auth_user_id" in client.session) == (200, False)
    assert "Sign in as mia" in words(shown)
    assert shown.headers["Cache-Control"].find("no-store") >= 0
    assert token in shown.content.decode()

    assert client.post(reverse("sign-in-link"), {"token": token}).headers["Location"] == reverse("overview")
    assert client.get(reverse("overview")).status_code == 200

    again = Client()
    refused = again.post(reverse("sign-in-link"), {"token": token})
    assert (refused.status_code, "_auth_user_id" in again.session) == (403, False)
    assert again.get(address).status_code == 403
    assert "used already" in words(refused)


@pytest.mark.parametrize("token", ["", "x", "AAAA" * 20, "\x00", "é"])
def test_a_link_with_another_token_signs_nobody_in(client: Client, token: str) -> None:
    for response in (
        client.post(reverse("sign-in-link"), {"token": token}),
        client.get(reverse("sign-in-link"), {"sesame": token}),
    ):
        assert (response.status_code, "_auth_user_id" in client.session) == (403, False)


def test_a_link_is_over_after_a_day_and_when_its_person_has_left(client: Client, mia: User) -> None:
    _, token = parts_of(signin_link(mia, base="http://testserver"))
    with time_machine.travel(timezone.now() + timedelta(hours=24, seconds=2), tick=False):
        assert client.post(reverse("sign-in-link"), {"token": token}).status_code == 403
    User.objects.filter(pk=mia.pk).update(is_active=False)
    assert client.post(reverse("sign-in-link"), {"token": token}).status_code == 403
    assert "_auth_user_id" not in client.session


def test_a_link_does_not_work_from_another_site(mia: User) -> None:
    _, token = parts_of(signin_link(mia, base="http://testserver"))
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(reverse("sign-in-link"), {"token": token}).status_code == 403
    assert "_auth_user_id" not in strict.session


def test_the_command_prints_a_link_that_works(client: Client, mia: User, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("signin_link", "mia", base="https://readiness.example.ca/")
    link = capsys.readouterr().out.strip()

    assert link.startswith("https://readiness.example.ca/sign-in/link/?sesame=")
    assert client.get(parts_of(link)[0]).status_code == 200


@pytest.mark.parametrize(
    ("asked", "leads_to"),
    [
        ("/services/new/", "/services/new/"),
        ("https://evil.example.com/", "/"),
        ("//evil.example.com/", "/"),
        ("https:evil.example.com", "/"),
        ("/\\evil.example.com", "/"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_signing_in_leads_nowhere_but_here(client: Client, mia: User, asked: str, leads_to: str) -> None:
    response = client.post(reverse("sign-in"), {"username": "mia", "password": PASSWORD, "next": asked})

    assert (response.status_code, response.headers["Location"]) == (302, leads_to)


def test_a_wrong_password_says_the_same_for_everybody_and_keeps_the_name(client: Client, mia: User) -> None:
    told = [
        client.post(reverse("sign-in"), {"username": name, "password": "wrong", "next": ""}) for name in ("mia", "mio")
    ]
    assert words(told[0]) == words(told[1])
    assert b'value="mia"' in told[0].content
    assert b'value="wrong"' not in told[0].content


def test_signing_out_is_a_post_and_ends_the_session(page: Client) -> None:
    assert page.get(reverse("sign-out")).status_code == 405
    page.post(reverse("sign-out"))
    assert page.get(reverse("overview")).status_code == 302


@pytest.mark.parametrize("name", ["overview", "sign-in", "sign-in-link"])
def test_pages_allow_no_script_or_style_of_their_own(page: Client, name: str) -> None:
    response = page.get(reverse(name), {"sesame": "x"})
    policy = response.headers["Content-Security-Policy"]

    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    html = response.content.decode()
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=|<style", html)
