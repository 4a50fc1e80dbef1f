"""The first steps of a new installation: in order, checked off by the data, with who may where the reader may not."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.enums.words import Judgement
from readiness.models import Environment, Membership, User
from readiness.rules.references import ReferencePolicy, TeamGrant
from readiness.selectors.first_steps import FirstStep, first_steps
from tests.deeds import observe, tick
from tests.factories import item_of, make_admin, make_environment, make_person, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def shown(client: Client) -> str:
    """The card of first steps, or nothing."""
    page = client.get(reverse("overview")).content.decode()
    found = re.search(r'<section class="card first-steps".*?</section>', page, re.DOTALL)
    return found[0] if found else ""


def test_each_step_is_checked_off_by_what_is_there(
    django_assert_num_queries: DjangoAssertNumQueries, settings: Any
) -> None:
    admin = make_admin()
    client = signed_in(admin)
    done: list[FirstStep] = []

    def now_done(step: FirstStep) -> str:
        done.append(step)
        assert first_steps(admin).done == frozenset(done)
        return shown(client)

    assert first_steps(admin).done == frozenset()
    assert reverse("admin:readiness_team_add") in shown(client)
    assert "No service yet" not in client.get(reverse("overview")).content.decode(), "The steps say it."
    team = make_team()
    assert f"Put people into {team}" in now_done(FirstStep.TEAM)
    Membership.objects.create(user=admin, team=team)
    assert reverse("import") in now_done(FirstStep.PEOPLE)
    service = make_service(team, "assistant", by=admin, now=timezone.now())
    card = now_done(FirstStep.SERVICE)
    assert reverse("environment-add", args=["assistant"]) in card
    assert "may not refer to any key yet" in card, "Whoever cannot do it says who can."
    settings.KEY_REFERENCES = ReferencePolicy(teams={team.slug: TeamGrant(folders=("/run/keys",))})
    assert "may not refer to any key yet" not in shown(client)
    prod = make_environment(service, "prod", by=admin, now=timezone.now())
    assert "Give assistant/prod its key reference" in shown(client)
    Environment.objects.filter(pk=prod.pk).update(key_reference="env:SEARCH_KEY")
    assert prod.get_absolute_url() in now_done(FirstStep.ENVIRONMENT)
    observe(prod, "spend-cap", now=timezone.now(), cap_matches=Judgement.PASS)
    now_done(FirstStep.PROBES)
    with django_assert_num_queries(4):
        first_steps(admin)
    tick(admin, item_of(prod, "alerts"), now=timezone.now())
    assert now_done(FirstStep.TICK) == ""
    with django_assert_num_queries(1):
        assert first_steps(admin).over


def test_who_may_not_is_told_who_may() -> None:
    team = make_team("Search")
    client = signed_in(make_person())
    card = shown(client)
    assert "Only admins keep people, teams and billing sources. Ask one of them." in card
    assert "you are in none" in card
    make_environment(make_service(team, now=timezone.now()), now=timezone.now())
    assert "Only members of Search change this." in shown(client)
    assert reverse("service-add") not in card


def test_they_may_be_put_away_in_one_browser() -> None:
    admin = make_admin()
    client = signed_in(admin)
    answer = client.post(reverse("first-steps-put-away"))
    assert answer.headers["Location"] == reverse("overview")
    assert shown(client) == ""
    assert "No service yet" in client.get(reverse("overview")).content.decode()
    assert shown(signed_in(admin)) != ""


def test_an_installation_that_is_in_use_is_not_asked_about() -> None:
    client = signed_in(make_admin())
    service = make_service(make_team(), now=timezone.now())
    for _ in range(3):
        make_environment(service, now=timezone.now())
    assert shown(client) != ""
    make_environment(service, now=timezone.now())
    assert shown(client) == ""
