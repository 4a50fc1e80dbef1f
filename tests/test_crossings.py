"""Two people save one thing: the second sees what the first saved beside what they typed, and loses neither."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from readiness.actions import archiving, builds, probes, requests, services
from readiness.enums.words import Judgement
from readiness.models import BillingSource, Environment, Event, Item, Membership, NotApplicable, Service, User, Waiver
from readiness.rules.crossings import Side, side_of
from readiness.selectors.crossings import OF_A_SERVICE, OF_AN_ENVIRONMENT
from tests.deeds import (
    REASON,
    SUMMARY,
    ask,
    ask_to_leave_out,
    decide,
    end,
    everything,
    observe,
    take_back,
    tick,
    version,
)
from tests.factories import (
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)
from tests.reading import value_of, words
from tests.test_retiring import disable, retire

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
LINK = "https://docs.example.ca/jonas"
MINE = "What I had written, which took me half an hour."


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "assistant-web", by=mia), "prod", by=mia)


@pytest.fixture
def jonas(prod: Environment) -> User:
    return make_member(prod.service.team, "jonas")


@pytest.fixture
def page(mia: User, client: Client) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


def as_person(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def post(page: Client, name: str, *, htmx: bool = False, **given: Any) -> Any:
    address = reverse(name, args=["assistant-web", "prod", "spend-cap"])
    return page.post(address, given, headers={"HX-Request": "true"} if htmx else {})


def until() -> str:
    return (timezone.localdate() + timedelta(days=5)).isoformat()


FORMS: dict[str, dict[str, Any]] = {
    "item-tick": {"summary": MINE, "links": "https://docs.example.ca/mine"},
    "item-take-back": {"summary": MINE},
    "item-assign": {"owner": "", "due_on": "2031-01-01"},
    "ask-waiver": {"stance": "probe-is-wrong", "reason": MINE, "until": "2031-02-03"},
    "ask-not-applicable": {"reason": MINE},
}


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize("name", FORMS)
def test_every_form_about_an_item_shows_both_texts_and_can_be_sent_again(
    page: Client, prod: Environment, jonas: User, name: str, htmx: bool
) -> None:
    item = item_of(prod, "spend-cap")
    tick(jonas, item, links=[LINK], now=timezone.now())
    take_back(jonas, item, now=timezone.now())
    tick(jonas, item, links=[LINK], now=timezone.now())
    if name in ("ask-waiver", "ask-not-applicable"):
        take_back(jonas, item, now=timezone.now())
    sent = {**FORMS[name], **({"until": until()} if name == "ask-waiver" else {})}
    before = everything()

    response = post(page, name, htmx=htmx, seen_version=1, **sent)

    assert (response.status_code, everything()) == (409, before)
    said = words(response)
    assert "jonas saved this item while you were writing." in said
    assert (said.count(SUMMARY), LINK in said) >= (3, True), "Each of what the first wrote since is there."
    theirs, _, mine = said.partition("Yours, not saved yet")
    assert "jonas ticked it" in theirs
    if name != "item-assign":
        assert MINE in mine
    else:
        assert "Due 2031-01-01" in mine
    assert ("<html" in response.content.decode()) is not htmx
    form = name.removeprefix("item-").removeprefix("ask-").replace("-", "_")
    seen = value_of(response, f"spend-cap_{form}_seen_version")
    assert seen == str(version(item))
    assert post(page, name, htmx=htmx, **{**sent, "seen_version": seen}).status_code == (200 if htmx else 302)


def test_only_what_was_saved_since_is_shown(page: Client, prod: Environment, jonas: User) -> None:
    item = item_of(prod, "spend-cap")
    ask(jonas, item, reason="This was known when the page was opened.", now=timezone.now())
    seen = version(item)
    tick(jonas, item, links=[LINK], now=timezone.now())
    said = words(post(page, "item-tick", seen_version=seen, summary=MINE)).partition("Yours")[0]
    assert "jonas ticked it" in said
    assert "This was known when" not in said.partition("Saved meanwhile")[2]


def test_owner_due_date_request_and_answer_are_told_as_they_were_saved(
    page: Client, prod: Environment, jonas: User
) -> None:
    item = item_of(prod, "spend-cap")
    post(as_person(jonas), "item-assign", seen_version=1, owner=jonas.pk, due_on="2031-03-04")
    waiver = ask(jonas, item, reason="Their reason, in full length.", now=timezone.now())
    decide(make_reviewer("ada"), waiver, grant=False, note="Their note, in full length.", now=timezone.now())
    said = words(post(page, "item-tick", seen_version=1, summary=MINE)).partition("Yours")[0]
    assert "jonas and ada saved this item" in said
    assert "Owner jonas Due 4 March 2031" in said
    assert "Holds We accept the risk Reason Their reason, in full length. Until the end of" in said
    assert "ada refused to waive it" in said
    assert "Note Their note, in full length." in said


@pytest.mark.parametrize("grant", ["grant", "refuse"])
def test_a_reviewer_who_answers_sees_what_was_saved_since_they_read_it(
    prod: Environment, jonas: User, grant: str
) -> None:
    item = item_of(prod, "spend-cap")
    waiver = ask(jonas, item, now=timezone.now())
    seen = version(item)
    post(as_person(jonas), "item-assign", seen_version=seen, owner=jonas.pk, due_on="")
    reviewer = as_person(make_reviewer("ada"))
    sent = {"request": f"waiver-{waiver.pk}", "answer": grant, "note": MINE}

    response = post(reviewer, "decide", seen_version=seen, **sent)

    assert response.status_code == 409
    assert "jonas saved this item" in words(response)
    assert value_of(response, "spend-cap_decide_note") == MINE
    assert Waiver.objects.get().waiting
    assert post(reviewer, "decide", seen_version=version(item), **sent).status_code == 302


def test_a_note_is_not_lost_where_another_reviewer_has_answered(prod: Environment, jonas: User) -> None:
    item = item_of(prod, "spend-cap")
    waiver = ask(jonas, item, now=timezone.now())
    seen = version(item)
    decide(make_reviewer("ada"), waiver, grant=False, note="Their note, in full length.", now=timezone.now())
    sent = {"request": f"waiver-{waiver.pk}", "answer": "refuse", "note": MINE}
    response = post(as_person(make_reviewer("eve")), "decide", seen_version=seen, **sent)
    assert response.status_code == 409
    assert "Their note, in full length." in words(response)
    assert MINE in words(response)


def test_ending_a_request_crosses_too_and_keeps_its_reason(page: Client, prod: Environment, jonas: User) -> None:
    item = item_of(prod, "spend-cap")
    waiver = ask(jonas, item, now=timezone.now())
    seen = version(item)
    end(jonas, waiver, reason="Their reason to withdraw it.", now=timezone.now())
    response = post(page, "end-request", seen_version=seen, request=f"waiver-{waiver.pk}", reason=MINE)
    assert response.status_code == 409
    assert "jonas withdrew the waiver request for it" in words(response)
    assert "Their reason to withdraw it." in words(response)
    assert MINE in words(response)


def test_a_probe_crosses_nobody(page: Client, prod: Environment) -> None:
    observe(prod, "spend-cap", now=timezone.now(), cap_matches=Judgement.FAIL)
    assert post(page, "item-tick", seen_version=1, summary=MINE, links=LINK).status_code == 302


def test_the_version_of_an_item_counts_the_events_of_people_about_it(prod: Environment, jonas: User) -> None:
    """Whatever people do to it; so the newest so many events are what was saved since a version."""
    item, ada, rev = item_of(prod, "spend-cap"), make_admin(), make_reviewer()
    tick(jonas, item)
    take_back(jonas, item)
    end(jonas, ask(jonas, item))
    decide(rev, ask(jonas, item), grant=False, note=REASON)
    waiver = decide(rev, ask(jonas, item))
    decide(rev, ask(jonas, item))
    end(jonas, Waiver.objects.exclude(pk=waiver.pk).latest("id"))
    decide(rev, ask_to_leave_out(jonas, item))
    observe(prod, "spend-cap", now=timezone.now(), cap_matches=Judgement.FAIL)
    assert NotApplicable.objects.get().ended_by is None
    disable(ada, "spend-cap", now=timezone.now())
    retire(rev, item, now=timezone.now())
    post(as_person(jonas), "item-assign", seen_version=version(item), owner=jonas.pk, due_on="")
    post(as_person(jonas), "item-assign", seen_version=version(item), owner=jonas.pk, due_on="")
    for one in Item.objects.all():
        people = Event.objects.filter(item=one, actor__isnull=False).count()
        assert (one.entry.slug, one.version) == (one.entry.slug, 1 + people)
    assert version(item) == 16


def test_versions_of_environments_and_services_count_what_was_saved_of_them(prod: Environment, jonas: User) -> None:
    service = prod.service
    builds.set_build(by=jonas, environment_id=prod.pk, build="two", now=timezone.now())
    builds.set_build(by=jonas, environment_id=prod.pk, build="two", now=timezone.now())
    archiving.archive_environment(by=jonas, environment_id=prod.pk, reason=REASON, now=timezone.now())
    archiving.restore_environment(by=jonas, environment_id=prod.pk, reason=REASON, now=timezone.now())
    services.change_service(by=jonas, service=service, description="x", seen_version=1, now=timezone.now())
    archiving.archive_service(by=jonas, service_id=service.pk, reason=REASON, now=timezone.now())
    archiving.restore_service(by=jonas, service_id=service.pk, reason=REASON, now=timezone.now())
    of_it = Event.objects.filter(environment=prod, kind__in=OF_AN_ENVIRONMENT)
    assert Environment.objects.get().version == 1 + of_it.count() == 4
    assert Service.objects.get().version == 1 + Event.objects.filter(kind__in=OF_A_SERVICE).count() == 4


ENVIRONMENT = {"name": "prod", "kind": "prod", "build": "one", "spend_cap": "100", "spend_cap_currency": "CAD"}


def change(page: Client, prod: Environment, *, seen: int = 0, at: str = "prod", **given: Any) -> Any:
    prod.refresh_from_db()
    form = {**ENVIRONMENT, "seen_version": seen or prod.version, **given}
    return page.post(reverse("environment-change", args=["assistant-web", at]), form)


def test_settings_cross_field_by_field_and_what_was_left_alone_is_taken_over(
    page: Client, prod: Environment, jonas: User
) -> None:
    source = BillingSource.objects.create(name="Ledger of spend", url="https://billing.example.ca")
    change(page, prod)
    prod.refresh_from_db()
    seen = prod.version
    billing = {"billing_source": source.pk, "billing_name": "asst"}
    change(as_person(jonas), prod, build="two", spend_cap="250", service_url="https://same.example.ca", **billing)

    mine = {"build": "three", "service_url": "https://same.example.ca", "bastion_url": "https://api.example.ca/v1"}
    response = change(page, prod, seen=seen, **mine)

    assert response.status_code == 409
    said = words(response)
    assert "jonas saved these settings while you were writing." in said
    assert "Build two jonas three" in said
    assert "Taken over into the form, since you had left it alone: Monthly spend cap ( 250 , by jonas)" in said
    assert "Billing source ( Ledger of spend , by jonas)" in said
    assert "Bastion URL https://api.example.ca/v1" in said.partition("Yours")[2]
    assert "Unchanged: Name, Kind, Launch date" in said
    assert [value_of(response, f"id_{name}") for name in ("build", "spend_cap")] == ["three", "250.00"]
    assert f'<option value="{source.pk}" selected>' in response.content.decode()
    again = {**mine, **billing, "spend_cap": "250.00"}
    assert change(page, prod, seen=int(value_of(response, "id_seen_version")), **again).status_code == 302
    prod.refresh_from_db()
    kept = (prod.build, prod.billing_source, str(prod.spend_cap), prod.bastion_url)
    assert kept == ("three", source, "250.00", "https://api.example.ca/v1")


def test_a_build_that_a_person_or_a_program_set_is_named(page: Client, prod: Environment, jonas: User) -> None:
    change(page, prod)
    prod.refresh_from_db()
    seen = prod.version
    builds.set_build(by=jonas, environment_id=prod.pk, build="nine", now=timezone.now())
    response = change(page, prod, seen=seen, build="ten")
    assert response.status_code == 409
    assert "Build nine jonas ten" in words(response)


def test_what_was_typed_is_kept_where_it_was_renamed_meanwhile(page: Client, prod: Environment, jonas: User) -> None:
    change(page, prod)
    prod.refresh_from_db()
    seen = prod.version
    change(as_person(jonas), prod, name="production")
    response = change(page, prod, seen=seen, build="mine", environment_id=prod.pk)
    assert response.status_code == 409
    assert (value_of(response, "id_build"), value_of(response, "id_name")) == ("mine", "production")
    assert f'action="{reverse("environment-change", args=["assistant-web", "production"])}"' in (
        response.content.decode()
    )
    assert change(page, prod, seen=seen, build="mine", environment_id=0).status_code == 404


def test_what_was_typed_is_kept_where_it_was_archived_meanwhile(page: Client, prod: Environment, jonas: User) -> None:
    archiving.archive_environment(by=jonas, environment_id=prod.pk, reason=REASON, now=timezone.now())
    response = change(page, prod, build="mine")
    assert response.status_code == 422
    assert "This is archived" in words(response)
    assert value_of(response, "id_build") == "mine"


def test_a_service_crosses_with_what_was_saved_and_who_handed_it_over(
    page: Client, mia: User, prod: Environment, jonas: User
) -> None:
    other = make_team("Insurance")
    Membership.objects.bulk_create(Membership(user=one, team=other) for one in (mia, jonas))
    address = reverse("service-change", args=["assistant-web"])
    first = {"description": "Theirs.", "seen_version": 1}
    assert as_person(jonas).post(address, first).status_code == 302
    handed = {"team": other.pk, "reason": REASON, "seen_version": 2}
    transfer = reverse("service-transfer", args=["assistant-web"])
    assert as_person(jonas).post(transfer, handed).status_code == 302
    before = everything()

    response = page.post(address, {"description": "Mine.", "seen_version": 1})

    assert (response.status_code, everything()) == (409, before)
    said = words(response)
    assert "jonas saved this service while you were writing." in said
    assert "Description Theirs. jonas Mine." in said
    assert "jonas handed the service to another team" in said
    assert value_of(response, "id_description") == "Mine."
    again = {"description": "Mine.", "seen_version": value_of(response, "id_seen_version")}
    assert page.post(address, again).status_code == 302
    saved = Service.objects.get()
    assert (saved.team, saved.description, saved.version) == (other, "Mine.", 4)


@given(st.text(max_size=2), st.text(max_size=2), st.text(max_size=2))
@settings(max_examples=300)
def test_a_setting_is_on_one_side_and_mine_is_never_dropped(seen: str, saved: str, mine: str) -> None:
    side = side_of(seen=seen, saved=saved, mine=mine)
    assert (side in (Side.UNCHANGED, Side.MINE)) is (saved == seen)
    assert (side in (Side.UNCHANGED, Side.THEIRS)) is (mine == seen)
    assert (side is Side.ALIKE) is (seen != saved == mine)
    if side is Side.THEIRS:
        assert mine == seen, "Only what this person left alone is taken over."


def test_what_is_saved_at_once_by_a_requester_and_an_answerer_is_told_to_whoever_is_second(
    page: Client, prod: Environment, mia: User, jonas: User
) -> None:
    item = item_of(prod, "spend-cap")
    request = ask(mia, item, now=timezone.now())
    requests.decide(by=make_reviewer("ada"), request=request, grant=True, note="", now=timezone.now())
    probes.disable(
        by=make_admin(), probe="spend-cap", environment_id=None, reason=REASON, now=timezone.now()
    )  # Nobody's word about the item.
    response = post(page, "end-request", seen_version=2, request=f"waiver-{request.pk}", reason=MINE)
    assert response.status_code == 409
    assert "ada granted the waiver of it" in words(response)
    assert value_of(response, "spend-cap_end_reason") == MINE
