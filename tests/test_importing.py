"""Importing services from Backstage and from CSV: what is read, what is shown before, and what is written."""

import time
from contextlib import suppress
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving, services
from readiness.actions.importing import ImportCrossed, import_file
from readiness.models import Environment, Event, Item, Service, Team, User
from readiness.rules.import_file import MOST_BYTES, MOST_ROWS, ImportFileError, read
from readiness.rules.references import ReferencePolicy, TeamGrant
from readiness.selectors.importing import Plan, State, plan
from tests.deeds import REASON, everything
from tests.factories import NOW, make_admin, make_environment, make_member, make_service, make_team
from tests.importing import import_form
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]

CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: assistant-web
  description: >-
    Answers questions
    in the browser.
  links:
    - url: https://runbooks.example.ca/assistant
      title: Runbook
spec:
  type: service
  owner: group:default/conversational
---
apiVersion: backstage.io/v1alpha1
kind: System
metadata: {name: everything}
---
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: Bad_Name}
spec: {owner: Conversational}
---
kind: Component
metadata: {name: claims}
spec: {owner: nobody-we-know}
---
kind: Component
metadata: {name: mine}
spec: {owner: "user:ada"}
"""

TABLE = """\
Service,Description,Team,Environment,Kind,Launch date,Base URL,Key reference,Spend cap,Currency,Colour
assistant-web,Answers questions.,Conversational,prod,prod,2026-12-01,https://assistant.example.ca/,env:CONV_KEY,500,cad,red
assistant-web,,,staging,Staging,,,,,,
"""


@pytest.fixture
def team(settings: Any) -> Team:
    settings.KEY_REFERENCES = ReferencePolicy(teams={"conversational": TeamGrant(variable_prefixes=("CONV_",))})
    return make_team("Conversational")


@pytest.fixture
def mia(team: Team) -> User:
    return make_member(team, "mia")


def planned(text: str, by: User) -> Plan:
    return plan(read(text), User.objects.get(pk=by.pk).actor)


def told(found: Plan) -> list[tuple[int, str, str]]:
    return [(line.line, line.title, str(line.state)) for line in found.lines]


def carried_out(text: str, by: User) -> Plan:
    by = User.objects.get(pk=by.pk)
    return import_file(by=by, file=read(text), digest=planned(text, by).digest, now=NOW)


def test_a_catalog_names_services_by_their_components_and_says_what_it_leaves_out(mia: User) -> None:
    found = planned(CATALOG, mia)
    assert told(found) == [
        (1, "assistant-web", "new"),
        (19, "Bad_Name", "refused"),
        (24, "claims", "refused"),
        (28, "mine", "refused"),
    ]
    assert [(one.line, one.what) for one in found.file.left_out] == [(15, "System everything")]
    said = [" ".join(line.reasons) for line in found.lines]
    assert "lower-case letters" in said[1]
    assert "There is no team called nobody-we-know. Ask an admin to add it" in said[2]
    assert "Its owner is a person (ada)" in said[3]
    assert "1 link is not taken over" in found.lines[0].notes[0]
    carried_out(CATALOG, mia)
    service = Service.objects.get()
    assert (service.slug, service.description) == ("assistant-web", "Answers questions in the browser.")
    assert service.team.slug == "conversational"
    assert told(planned(CATALOG, mia))[0][1:] == ("assistant-web", "same")


def test_a_table_adds_services_with_their_environments_and_the_second_time_says_same(mia: User) -> None:
    first = planned(TABLE, mia)
    assert told(first) == [
        (2, "assistant-web", "new"),
        (2, "assistant-web in prod", "new"),
        (3, "assistant-web in staging", "new"),
    ]
    assert list(first.file.unread) == ["Colour"]
    before = Event.objects.count()
    carried_out(TABLE, mia)
    prod = Environment.objects.get(name="prod")
    assert (prod.launch_on, prod.service_url, prod.key_reference) == (
        date(2026, 12, 1),
        "https://assistant.example.ca",
        "env:CONV_KEY",
    )
    assert (prod.spend_cap, prod.spend_cap_currency, prod.kind) == (Decimal("500.00"), "CAD", "prod")
    assert Item.objects.filter(environment=prod).exists()
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))[before:]
    assert kinds == ["service.added", "environment.added", "environment.added"]
    again = planned(TABLE, mia)
    assert {line.state for line in again.lines} == {State.SAME}
    assert again.writes == 0
    written = everything()
    carried_out(TABLE, mia)
    assert everything() == written


def test_a_table_changes_what_it_says_and_leaves_what_it_does_not(mia: User) -> None:
    carried_out(TABLE, mia)
    found = planned("service,description,environment,launch date\nassistant-web,,prod,2027-01-15\n", mia)
    assert told(found) == [(2, "assistant-web", "same"), (2, "assistant-web in prod", "changed")]
    (change,) = found.lines[1].changes
    assert (change.label, change.before, change.after) == ("Launch date", "2026-12-01", "2027-01-15")
    carried_out("service,description,environment,launch date\nassistant-web,,prod,2027-01-15\n", mia)
    prod = Environment.objects.get(name="prod")
    assert (prod.launch_on, prod.spend_cap, prod.service.description) == (
        date(2027, 1, 15),
        Decimal("500.00"),
        "Answers questions.",
    )
    carried_out("service;description\nassistant-web;Says more.\n", mia)
    assert Service.objects.get().description == "Says more."


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("new-one,,,,,,,", "It names no team."),
        ("new-one,,Nobody,,,,,", "There is no team called Nobody."),
        ("new,,Conversational,,,,,", "part of an address"),
        (f"{'x' * 61},,Conversational,,,,,", "at most 60 characters"),
        (f"new-one,{'x' * 201},Conversational,,,,,", "at most 200 characters"),
        ("new-one,,Theirs,,,,,", "Only members of Theirs change this."),
        ("theirs,New words.,,,,,,", "Only members of Theirs change this."),
        ("handed,,Theirs,,,,,", "An import hands no service over"),
        ("gone,x,,,,,,", "It is archived. Bring it back first."),
        ("new-one,,Conversational,prod,,,,", "Kind: say which it is"),
        ("new-one,,Conversational,prod,production,,,", "production is none of dev, staging, prod"),
        ("new-one,,Conversational,edit,prod,,,", "part of an address"),
        ("new-one,,Conversational,prod,prod,01.12.2026,,", "Launch date: "),
        ("new-one,,Conversational,prod,prod,,env:OTHER_KEY,", "variables that begin with CONV_ only"),
        ("new-one,,Conversational,prod,prod,,file:/proc/self/environ,", "may not refer to any files"),
        ("new-one,,Conversational,prod,prod,,the-key-itself,", "What stands there was not kept."),
        ("new-one,,Conversational,prod,prod,,,0", "A cap is more than nothing"),
        ("new-one,,Conversational,prod,prod,,,5", "Say in which currency"),
        ("new-one,,Conversational,,prod,,,", "of an environment, and names none"),
        (",,Conversational,,,,,", "It names no service."),
        ("new-one,,Conversational,,,,,,,more", "It has 10 cells, and the first line names 8."),
    ],
)
def test_what_cannot_be_is_refused_with_its_line_and_writes_nothing(mia: User, row: str, says: str) -> None:
    other = make_team("Theirs")
    make_service(other, "theirs")
    make_service(mia.teams.get(), "handed", by=mia)
    gone = make_service(mia.teams.get(), "gone", by=mia)
    archiving.archive_service(by=mia, service_id=gone.pk, reason=REASON, now=NOW)
    text = f"service,description,team,environment,kind,launch date,key reference,spend cap\n\n{row}\n"
    found = planned(text, mia)
    assert {line.line for line in found.lines} == {3}
    reasons = [reason for line in found.lines for reason in line.reasons]
    assert says in " ".join(reasons)
    assert found.count(State.REFUSED) >= 1
    if all(not line.written for line in found.lines):
        before = everything()
        carried_out(text, mia)
        assert everything() == before


def test_two_lines_about_one_thing_do_not_contradict_each_other(mia: User) -> None:
    head = "service,description,team,environment,kind\n"
    found = planned(
        f"{head}a-b,One.,Conversational,prod,prod\na-b,Two.,,staging,staging\na-b,,,prod,dev\na-b,,,,\n", mia
    )
    assert told(found) == [
        (2, "a-b", "new"),
        (2, "a-b in prod", "new"),
        (3, "a-b", "refused"),
        (4, "a-b in prod", "refused"),
        (5, "a-b", "refused"),
    ]
    assert "It says another description than line 2." in found.lines[2].reasons
    assert "Line 2 names this environment already." in found.lines[3].reasons


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "There is nothing in it."),
        ("name of it,team\na,b\n", "Line 1: no column is called"),
        ("service,team,owner\na,b,c\n", "two columns say team"),
        ('service\n"a\n', "Line 2: this is not CSV"),
        ("service\n\0\n", "There is a NUL in it."),
        ("service\n" + "a\n" * (MOST_ROWS + 1), f"at most {MOST_ROWS} are imported at once"),
        ("service\n" + "a" * MOST_BYTES, "That is too long"),
        ("kind: Component\nmetadata: [", "this is not YAML"),
        ("kind: &a Component\nmetadata: {name: *a}\n", "Line 2: anchors and aliases are not read."),
        ("kind: Component\nmetadata: " + "[" * 40 + "]" * 40, "nested deeper than 20 levels"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nkind: Component\n", "anchors and aliases are not read"),
        ("kind: Component\nmetadata: {name: \x07}\n", "This is not YAML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(text: str, says: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        read(text)
    assert says in str(caught.value)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_in_words(text: str) -> None:
    for whole in (text, f"service,team\n{text}", f"kind: Component\n{text}"):
        with suppress(ImportFileError):
            assert len(read(whole).rows) <= MOST_ROWS


def test_a_hostile_file_costs_little() -> None:
    began = time.perf_counter()
    assert read("kind: Component\nmetadata:\n  links:\n" + "   - {a: [[[[{b: c}]]]]}\n" * 20_000).rows
    deep = "kind: Component\nmetadata: " + "[" * 100_000
    with pytest.raises(ImportFileError):
        read(deep)
    assert time.perf_counter() - began < 30
    with pytest.raises(ImportFileError, match="101 columns"):
        read("service" + ",x" * 100)


def test_what_was_written_since_the_preview_is_shown_anew_and_nothing_is_written(mia: User) -> None:
    service = make_service(mia.teams.get(), "assistant-web", by=mia)
    text = "service,description\nassistant-web,Mine.\n"
    seen = planned(text, mia).digest
    services.change_service(by=mia, service=service, description="Theirs.", seen_version=1, now=NOW)
    before = everything()
    with pytest.raises(ImportCrossed):
        import_file(by=mia, file=read(text), digest=seen, now=NOW)
    assert everything() == before
    assert Service.objects.get().description == "Theirs."


def test_the_page_previews_confirms_and_notices_that_the_world_moved(client: Client, mia: User) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/services/import/template/").content.decode().startswith("service,description,team,environment")
    assert "Nothing changes before you have seen" in words(client.get("/services/import/"))
    before = everything()
    shown = client.post("/services/import/", {"text": TABLE})
    said = words(shown)
    assert "3 new, 0 changed, 0 the same, 0 refused" in said
    assert "Columns that are not read: Colour" in said
    assert everything() == before
    assert client.post("/services/import/", {"text": TABLE, "step": "import", "digest": "x"}).status_code == 409
    form = import_form(User.objects.get(pk=mia.pk), TABLE)
    make_environment(make_service(mia.teams.get(), "assistant-web", by=mia), "prod", by=mia)
    moved = client.post("/services/import/", form)
    assert (moved.status_code, "Something changed since the preview" in words(moved)) == (409, True)
    done = client.post("/services/import/", import_form(User.objects.get(pk=mia.pk), TABLE), follow=True)
    assert "Imported: 1 new, 2 changed, 0 as before." in words(done)
    many = words(client.post("/services/import/", {"text": "kind: System\n---\n" * 300}))
    assert "300 left out" in many
    assert ("line 399: System and 100 more" in many, "line 401: System" in many) == (True, False)
    wrong = client.post("/services/import/", {"text": "kind: ["})
    assert (wrong.status_code, "1 thing to mend" in words(wrong)) == (422, True)
    pasted = client.post("/services/import/", {"text": "service\nqbt_abcdefghijklmnop"})
    assert pasted.status_code == 422
    assert "qbt_abcdefghijklmnop" not in pasted.content.decode()


@pytest.mark.parametrize("many", [1, 60])
def test_a_preview_costs_as_many_queries_with_one_service_as_with_sixty(
    mia: User, many: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    actor = User.objects.get(pk=mia.pk).actor
    file = read("service,team,environment,kind\n" + "".join(f"s-{n},Conversational,prod,prod\n" for n in range(many)))
    with django_assert_num_queries(4):
        found = plan(file, actor)
    assert found.count(State.NEW) == 2 * many


def test_an_admin_imports_into_any_team_and_the_ledger_stays_whole(team: Team) -> None:
    carried_out(TABLE, make_admin())
    ids = list(Event.objects.order_by("id").values_list("id", flat=True))
    assert ids == list(range(1, len(ids) + 1))
