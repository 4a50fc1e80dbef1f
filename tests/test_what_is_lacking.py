"""A probe that cannot look says what it lacks, where its finding would stand."""

import pytest
from django.test import Client

from readiness.models import Environment, User
from tests.factories import item_of, make_environment, make_member, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


@pytest.fixture
def environment() -> Environment:
    member = make_member(make_team(), "mia")
    return make_environment(make_service(member.teams.get(), by=member), by=member)


@pytest.fixture
def page(environment: Environment, client: Client) -> Client:
    client.force_login(User.objects.get(username="mia"), backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_sheet_says_which_setting_a_probe_waits_for(page: Client, environment: Environment) -> None:
    html = page.get(environment.get_absolute_url()).content.decode()
    assert "The environment has no stream route." in html
    assert "The environment has no Bastion URL. The environment has no key reference." in html
    assert "not looked at yet" not in html


def test_once_it_can_look_it_says_that_it_has_not_yet(page: Client, environment: Environment) -> None:
    Environment.objects.update(service_url="https://a.example.ca", stream_route="/stream")
    html = page.get(environment.get_absolute_url()).content.decode()
    assert "The environment has no stream route." not in html
    assert "not looked at yet" in html


def test_the_item_says_it_and_leads_to_the_settings(page: Client, environment: Environment) -> None:
    item = item_of(environment, "sse-not-buffered")
    address = f"{environment.get_absolute_url()}items/{item.entry.slug}/?tab=runs"
    html = page.get(address).content.decode()
    assert "The environment has no stream route." in html
    assert f"{environment.get_absolute_url()}edit/" in html
