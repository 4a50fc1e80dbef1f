"""Search over everything: what is found, in which order, by whatever was typed, and at which cost."""

from datetime import date
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving
from readiness.models import Comment, Environment, Service, Team, User
from readiness.rules.searching import MOST_TEXT, Match, cleaned, every_part, fold, match, parts, query
from readiness.selectors.folded import Folded
from readiness.selectors.search import Found, Kind, search
from tests.deeds import NOW, REASON, ask, plan_review, tick
from tests.factories import item_of, make_environment, make_member, make_person, make_reviewer, make_service, make_team

pytestmark = pytest.mark.django_db

QUERIES = 12
"""How many queries the page costs, those of the session, the person and the frame included."""


@pytest.fixture
def mia() -> User:
    member = make_member(Team.objects.create(name="Équipe Conversation", slug="conversation"), "mia")
    User.objects.filter(pk=member.pk).update(first_name="Mia", last_name="Ålund")
    return User.objects.get(pk=member.pk)


@pytest.fixture
def prod(mia: User) -> Environment:
    service = make_service(mia.teams.get(), "assistant-web", by=mia)
    Service.objects.filter(pk=service.pk).update(description="Answers 100% of questions, in the browser_tab.")
    return make_environment(service, "prod", by=mia, launch_on=date(2026, 3, 20))


def look(text: str, *, most: int = 6, only: str = "") -> Found:
    return search(text, NOW, most=most, only=only)


def names(found: Found) -> dict[str, list[str]]:
    return {str(group.kind): [hit.name for hit in group.hits] for group in found.groups}


def test_a_name_matches_exactly_from_its_start_by_words_by_parts_or_in_what_is_said_of_it() -> None:
    asked = query("Web")
    assert match(asked, "wéb") is Match.EXACT
    assert match(asked, "web-assistant") is Match.PREFIX
    assert match(asked, "assistant-web") is Match.WORD
    assert match(asked, "cobweb") is Match.SUBSTRING
    assert match(asked, "search", "the web") is Match.ELSEWHERE
    assert match(asked, "search", "the net") is None
    assert match(query("web assistant"), "assistant-web") is Match.WORD
    assert match(query("assistant-web/prod"), "assistant-web/prod") is Match.EXACT
    assert match(query("prod assist"), "assistant-web/prod") is Match.WORD


@given(st.text(max_size=200))
def test_whatever_is_typed_becomes_one_short_line_and_folds_once(text: str) -> None:
    line = cleaned(text)
    assert cleaned(line) == line
    assert len(line) <= MOST_TEXT
    assert line.isprintable()
    asked = query(text)
    assert bool(asked) == bool(asked.words)
    assert parts(asked, [text.replace("/", " "), line]) <= every_part(asked)


def test_the_database_folds_as_the_rule_does() -> None:
    for name in ("Équipe Müller", "plain", "Ångström", "ﬁne ½", "İstanbul", "a%b_c\\d", "日本 ガ"):
        team = Team.objects.create(name=name, slug="one")
        read = Team.objects.annotate(read=Folded("name")).values_list("read", flat=True).get(pk=team.pk)
        assert read == fold(name)
        team.delete()


def test_everything_with_a_name_is_found_whatever_its_capitals_and_accents(mia: User, prod: Environment) -> None:
    spend = item_of(prod, "spend-cap")
    tick(mia, spend)
    waiver = ask(mia, item_of(prod, "store-false"))
    Comment.objects.create(item=spend, by=mia, text="The façade answers slowly.", at=NOW)
    Comment.objects.create(item=spend, by=mia, text="", at=NOW, removed_at=NOW)
    plan_review(prod, by=make_reviewer(), title="Spring launches")
    assert names(look("ASSISTANT-WEB"))["services"] == ["assistant-web"]
    assert names(look("assistant-web/prod"))["environments"] == ["assistant-web in prod"]
    assert names(look("equipe")) == {"teams": ["Équipe Conversation"]}
    assert names(look("mia alund")) == {"people": ["Mia Ålund"]}
    make_person("una+test@example.ca")
    (person,) = look("una+test").groups
    assert person.hits[0].url == "/?owner=una%2Btest%40example.ca"
    assert names(look("spring")) == {"reviews": ["Spring launches"]}
    assert names(look("facade slowly")) == {"comments": [spend.entry.title]}
    assert names(look(REASON)) == {"waivers": [waiver.item.entry.title]}
    assert "spend-cap" in names(look("spend-cap"))["probes"]
    assert "entries" in names(look(spend.entry.title))


def test_an_item_is_found_by_its_entry_and_its_place_together(mia: User, prod: Environment) -> None:
    make_environment(prod.service, "staging", kind="staging", by=mia)
    title = item_of(prod, "spend-cap").entry.title
    found = look("spend assistant prod")
    (group,) = [one for one in found.groups if one.kind is Kind.ITEM]
    hit = group.hits[0]
    assert (hit.name, hit.place, hit.status) == (title, "assistant-web in prod", "open")
    assert hit.url == reverse("item", args=["assistant-web", "prod", "spend-cap"])
    both = look("spend assistant", most=100, only="items")
    assert {one.place for one in both.groups[0].hits} == {"assistant-web in prod", "assistant-web in staging"}
    assert both.groups[0].hits[0].place == "assistant-web in prod", "What launches next comes first."
    assert Kind.ITEM not in {one.kind for one in look("spend").groups}, "That is an entry, not an item."


def test_wildcards_are_letters_and_no_input_does_harm(mia: User, prod: Environment) -> None:
    assert names(look("100%")) == {"services": ["assistant-web"]}
    assert names(look("browser_tab")) == {"services": ["assistant-web"]}
    for nothing in ("%", "_", "10_%", "\\", "'", "%%%", "x" * 10_000, "(", "[a-z"):
        assert names(look(nothing)).get("people", []) == []
    Comment.objects.create(item=item_of(prod, "spend-cap"), by=mia, text="50% of it, a_b", at=NOW)
    assert "comments" in names(look("50%"))
    assert "comments" in names(look("a_b"))
    assert "comments" not in names(look("a%b"))
    assert look("\0 \n\t ") == Found()


@pytest.mark.only_on("sqlite")
def test_a_service_that_is_added_while_somebody_looks_breaks_no_search(mia: User, prod: Environment) -> None:
    added: list[Environment] = []

    def meanwhile(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if not added and 'FROM "readiness_environment"' in sql:
            added.append(prod)
            late = make_environment(make_service(prod.service.team, "late", by=mia), "prod", by=mia)
            Comment.objects.create(item=item_of(late, "spend-cap"), by=mia, text="It came late.", at=NOW)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(meanwhile):
        assert look("late").total <= 1
    assert names(look("late"))["services"] == ["late"]


def test_what_is_archived_is_found_after_what_is_not_and_says_so(mia: User, prod: Environment) -> None:
    team = mia.teams.get()
    for name in ("search-one", "search-two"):
        make_environment(make_service(team, name, by=mia), "prod", by=mia)
    one = Service.objects.get(slug="search-one")
    archiving.archive_service(by=mia, service_id=one.pk, reason=REASON, now=NOW)
    groups = {group.kind: group for group in look("search").groups}
    assert [(hit.name, hit.archived) for hit in groups[Kind.SERVICE].hits] == [
        ("search-two", False),
        ("search-one", True),
    ]
    assert [hit.archived for hit in groups[Kind.ENVIRONMENT].hits] == [False, True]
    assert Kind.ITEM not in {group.kind for group in look("spend search-one").groups}


def test_the_kind_with_the_best_match_comes_first_and_each_says_how_much_there_is(mia: User) -> None:
    team = mia.teams.get()
    for number in range(9):
        make_service(team, f"mia-{number}", by=mia)
    found = look("mia alund")
    assert [group.kind for group in found.groups] == [Kind.PERSON]
    found = look("mia")
    assert [(group.kind, len(group.hits), group.total, group.more) for group in found.groups] == [
        (Kind.SERVICE, 6, 9, 3),
        (Kind.PERSON, 1, 1, 0),
    ]
    assert len(look("mia", most=100, only="services").groups[0].hits) == 9


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("many", [1, 30])
def test_the_page_costs_as_much_with_one_hit_as_with_thirty(
    client: Client, mia: User, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(many):
        prod = make_environment(make_service(mia.teams.get(), f"assistant-{number}", by=mia), "prod", by=mia)
        ask(mia, item_of(prod, "store-false"), reason=f"The assistant waits for cluster {number}.")
        Comment.objects.create(item=item_of(prod, "spend-cap"), by=mia, text="The assistant.", at=NOW)
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    with django_assert_num_queries(QUERIES):  # Whether a go covers is asked where environments are found,
        page = client.get("/search/?q=assistant").content.decode()
    assert "Waivers, by their reason" in page
    with django_assert_num_queries(QUERIES):  # and where items stand where items are.
        page = client.get("/search/?q=spend+assistant").content.decode()
    assert "assistant-0 in prod" in page


@pytest.mark.only_on("sqlite")
def test_the_page_works_without_scripts_and_offers_options_to_the_field(
    client: Client, mia: User, prod: Environment
) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    assert "Everything with a name can be found" in client.get("/search/").content.decode()
    assert "Nothing matches &lt;b&gt;" in client.get("/search/", {"q": "<b>"}).content.decode()
    page = client.get("/search/", {"q": "web", "kind": "services"}).content.decode()
    assert "Look for everything" in page
    asked: dict[str, Any] = {"headers": {"HX-Request": "true", "HX-Target": "find-results"}}
    offered = client.get("/search/", {"q": "web"}, **asked).content.decode()
    assert 'role="option"' in offered
    assert "<html" not in offered
    assert not client.get("/search/", **asked).content.decode().strip()
    for hostile in ("\0", "a" * 10_000, "%ED%A0%80", "%", "🙂"):
        assert client.get("/search/", {"q": hostile, "kind": hostile}).status_code == 200


@pytest.mark.only_on("postgresql")
def test_somebody_finds_an_item_by_keyboard_alone(signed_in: Any) -> None:
    member = make_member(make_team("Conversational"))
    prod = make_environment(make_service(member.teams.get(), "assistant-web", by=member), "prod", by=member)
    page = signed_in(member)
    page.goto("/probes/")
    page.keyboard.press("/")
    field = page.get_by_role("combobox", name="Find a service or item")
    assert field.evaluate("one => one === document.activeElement")
    page.keyboard.insert_text("spend prod")  # At once: what is typed bit by bit may be asked for more than once.
    options = page.get_by_role("option")
    expect(options.first).to_be_visible()
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    active = field.get_attribute("aria-activedescendant")
    assert page.locator(f"#{active}").get_attribute("aria-selected") == "true"
    page.keyboard.press("Escape")
    expect(options).to_have_count(0)
    page.keyboard.insert_text(" assistant")
    page.get_by_role("option", name="assistant-web in prod").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('item', args=['assistant-web', 'prod', 'spend-cap'])}")
    User.objects.filter(pk=member.pk).update(keys_off=True)
    page.goto(prod.get_absolute_url())
    page.keyboard.press("/")
    assert not page.locator("#find").evaluate("one => one === document.activeElement")
