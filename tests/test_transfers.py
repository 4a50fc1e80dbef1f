"""Handing a service to another team: what is said before, who may, and what holds afterwards."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving, items, services
from readiness.models import Event, Item, Service, Team, User
from readiness.rules.references import ReferencePolicy, TeamGrant
from readiness.selectors.mine import mine
from readiness.selectors.transfers import effects
from tests.deeds import NOW, REASON, ask, decide, everything, tick, version
from tests.factories import item_of, make_admin, make_environment, make_member, make_reviewer, make_service, make_team
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


@pytest.fixture
def place(settings: Any) -> Service:
    settings.KEY_REFERENCES = ReferencePolicy(
        teams={"conversational": TeamGrant(("CONV_",)), "insurance": TeamGrant(("INS_",))}
    )
    mia = make_member(make_team("Conversational"), "mia")
    service = make_service(mia.teams.get(), "assistant-web", by=mia)
    prod = make_environment(service, "prod", by=mia, key_reference="env:CONV_KEY")
    item = item_of(prod, "store-false")
    items.assign(by=mia, item_id=item.pk, owner=mia, due_on=None, seen_version=version(item), now=NOW)
    ada, now = make_reviewer("ada"), timezone.now()
    decide(ada, ask(mia, item_of(prod, "spend-cap"), now=now), now=now)
    ended = now - timedelta(days=9)
    decide(ada, ask(mia, item_of(prod, "audit-log"), days=3, now=ended), now=ended)
    tick(mia, item_of(prod, "key-in-secrets-manager"))
    return service


@pytest.fixture
def insurance() -> Team:
    return make_team("Insurance")


def page_of(client: Client, name: str) -> Client:
    client.force_login(User.objects.get(username=name), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_what_follows_is_said_before_anybody_does_it(
    client: Client, place: Service, insurance: Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    mia = User.objects.get(username="mia")
    with django_assert_num_queries(6):
        found = effects(place, insurance, timezone.now())
    assert [(one.username, count) for one, count in found.leaving] == [("mia", 1)]
    assert [one.environment.name for one in found.keys] == ["prod"]
    assert (found.waivers, found.tokens, list(found.dropped), list(found.asked)) == (1, 0, [], [])
    address = reverse("service-transfer", args=["assistant-web"])
    before = everything()
    said = words(page_of(client, "mia").get(address, {"to": "insurance"}))
    assert "1 item will have nobody, since their owners are not in Insurance: mia (1)." in said
    assert "prod refers to env:CONV_KEY , and probes will not read it any more." in said
    assert "1 waiver stays as granted, each to its end." in said
    assert everything() == before
    assert "What follows" not in words(client.get(address, {"to": "nowhere"}))
    insurance.members.add(mia)
    assert effects(place, insurance, timezone.now()).leaving == []


def test_it_is_done_at_once_and_the_new_team_finds_what_nobody_owns(
    client: Client, place: Service, insurance: Team
) -> None:
    lena = make_member(insurance, "lena")
    address = reverse("service-transfer", args=["assistant-web"])
    form = {"team": insurance.pk, "reason": REASON, "seen_version": 1}
    page = page_of(client, "mia")
    assert page.post(address, {**form, "reason": "so"}).status_code == 422
    assert page.post(address, {**form, "team": place.team_id}).status_code == 422
    assert page.post(address, {**form, "seen_version": ""}).status_code == 422
    done = page.post(address, form, follow=True)
    assert "assistant-web belongs to Insurance now." in words(done)
    assert Service.objects.get().team == insurance
    assert Event.objects.get(kind="service.transferred").data["reason"] == REASON
    assert "handed the service to another team" in words(client.get(reverse("ledger")))
    found = mine(User.objects.get(pk=lena.pk), NOW)
    assert Item.objects.get(owner__username="mia").pk in {line.item.pk for line in found.ownerless.lines}
    assert page.get(address).status_code == 403
    assert page.post(address, form).status_code == 403


def test_whoever_is_second_is_told_who_saved_first(client: Client, place: Service, insurance: Team) -> None:
    jonas = make_member(place.team, "jonas")
    services.change_service(by=jonas, service=place, description="Theirs.", seen_version=1, now=NOW)
    address = reverse("service-transfer", args=["assistant-web"])
    before = everything()
    form = {"team": insurance.pk, "reason": REASON, "seen_version": 1}
    crossed = page_of(client, "mia").post(address, form)
    assert (crossed.status_code, everything()) == (409, before)
    assert "jonas changed the service." in words(crossed)
    assert REASON in words(crossed)
    assert client.post(address, {**form, "seen_version": 2}).status_code == 302


def test_what_is_archived_is_not_handed_over_and_is_found_in_its_list(
    client: Client, place: Service, insurance: Team
) -> None:
    page = page_of(client, "mia")
    assert "Nothing is archived" in words(page.get(reverse("archived")))
    archiving.archive_service(by=make_admin("root"), service_id=place.pk, reason=REASON, now=NOW)
    address = reverse("service-transfer", args=["assistant-web"])
    assert "This is archived" in words(page.get(address))
    assert page.post(address, {"team": insurance.pk, "reason": REASON, "seen_version": 2}).status_code == 422
    listed = words(page.get(reverse("archived")))
    assert "assistant-web Conversational" in listed
    assert f"by root: {REASON}" in listed
