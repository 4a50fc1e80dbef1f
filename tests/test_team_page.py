"""A team's page: its services and people, what comes up, and what nobody looks after."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving, items
from readiness.enums.standing import Verdict
from readiness.models import Environment, Team, User
from readiness.selectors.teams import team_page
from tests.deeds import REASON, after, ask, decide, settle, tick, version
from tests.factories import (
    NOW,
    item_of,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.reading import words

pytestmark = pytest.mark.django_db
QUERIES = 21
"""How many queries the page costs, those of the session and the person included."""


@pytest.fixture
def search() -> Team:
    return make_team("Search")


@pytest.fixture
def mia(search: Team) -> User:
    return make_member(search, "mia")


@pytest.fixture
def prod(search: Team, mia: User) -> Environment:
    launch = NOW.date() + timedelta(days=9)
    return make_environment(make_service(search, "assistant", by=mia), "prod", by=mia, launch_on=launch)


def own(by: User, environment: Environment, entry: str, owner: User, *, days: int = 30) -> None:
    item = item_of(environment, entry)
    due = NOW.date() + timedelta(days=days)
    items.assign(by=by, item_id=item.pk, owner=owner, due_on=due, seen_version=version(item), now=NOW)


def test_it_tells_what_a_team_has_who_owns_what_and_what_comes_up(search: Team, mia: User, prod: Environment) -> None:
    jon, gone = make_member(search, "jon"), make_member(search, "gone")
    dev = make_environment(prod.service, "dev", kind="dev", by=mia)
    make_service(search, "idea", by=mia)
    make_environment(make_service(make_team()), "other")
    old = make_service(search, "old", by=mia)
    make_environment(old, by=mia)
    archiving.archive_service(by=mia, service_id=old.pk, reason=REASON, now=NOW)
    settle(dev, mia)
    for entry in ("alerts", "dashboards", "separate-keys"):
        own(mia, prod, entry, jon, days=1 if entry == "alerts" else 30)
    own(mia, prod, "spend-cap", gone)
    tick(jon, item_of(prod, "separate-keys"))
    User.objects.filter(pk=gone.pk).update(is_active=False)
    waiver = decide(make_reviewer(), ask(mia, item_of(prod, "store-false"), days=5))

    page = team_page(search, after(days=2))

    assert [(one.service.slug, [line.environment.name for line in one.lines]) for one in page.services] == [
        ("assistant", ["dev", "prod"]),
        ("idea", []),
    ]
    assert [(one.person.username, one.owned, one.left, one.overdue) for one in page.members] == [
        ("jon", 3, 2, 1),
        ("mia", 0, 0, 0),
    ]
    titles = {one.item.entry_id for one in page.ownerless}
    assert item_of(prod, "spend-cap").entry_id in titles, "Its owner has left."
    assert item_of(prod, "alerts").entry_id not in titles
    assert len(page.ownerless) == len({one.item.pk for one in page.ownerless})
    assert [line.environment for line in page.launches] == [prod]
    assert page.waivers == [waiver]
    assert [one.slug for one in page.checklists] == ["bastion"]
    assert page.figures == {
        Verdict.READY: 1,
        Verdict.READY_WITH_WAIVERS: 0,
        Verdict.NOT_READY: 1,
        Verdict.REGRESSED: 0,
    }
    assert team_page(search, after(days=6)).waivers == [], "It has ended."


@pytest.mark.only_on("postgresql")
def test_it_costs_the_same_with_one_service_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, search: Team, mia: User
) -> None:
    launch = timezone.localdate() + timedelta(days=9)

    def add(number: int) -> None:
        service = make_service(search, f"service-{number:02}", by=mia, now=timezone.now())
        place = make_environment(service, "prod", by=mia, launch_on=launch, now=timezone.now())
        decide(make_reviewer(), ask(mia, item_of(place, "store-false"), days=3, now=timezone.now()), now=timezone.now())

    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("team", args=[search.slug])
    add(0)
    with django_assert_num_queries(QUERIES):
        client.get(address)
    for number in range(1, 30):
        add(number)
        make_member(search)
    with django_assert_num_queries(QUERIES + 1):  # Whether what waited still does.
        page = client.get(address).content.decode()
    assert page.count('class="strip"') == 30


@pytest.mark.only_on("sqlite")
def test_ways_lead_from_the_team_to_its_services_and_back(client: Client, mia: User, prod: Environment) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    team = reverse("team", args=["search"])
    for address in (reverse("service", args=["assistant"]), prod.get_absolute_url()):
        assert f'href="{team}">Search</a>' in client.get(address).content.decode()
    page = client.get(team).content.decode()
    for way in (
        "/?team=search",
        "/heat-map/?team=search",
        reverse("service", args=["assistant"]),
        prod.get_absolute_url(),
        reverse("checklist", args=["bastion"]),
    ):
        assert f'href="{way}"' in page
    assert client.get(reverse("team", args=["nobody"])).status_code == 404


@pytest.mark.only_on("sqlite")
def test_a_new_team_says_what_it_lacks(client: Client) -> None:
    make_team("Fresh")
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    said = words(client.get(reverse("team", args=["fresh"])))
    assert "Whoever is in Fresh adds its services." in said
    assert "Nobody is in this team" in said
