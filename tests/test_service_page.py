"""A service's page: its environments with their verdicts, what is left in each, and who has to do with it."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import items
from readiness.enums.words import Judgement
from readiness.models import User
from readiness.selectors.services import service_page
from tests.deeds import after, observe, settle, version
from tests.factories import NOW, item_of, make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.django_db
QUERIES = 17
"""How many queries the page costs, those of the session and the person included."""


@pytest.mark.only_on("postgresql")
def test_it_costs_the_same_with_one_environment_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    service = make_service(make_team())
    client.force_login(make_member(service.team), backend="django.contrib.auth.backends.ModelBackend")
    launch = timezone.localdate() + timedelta(days=5)
    made = [make_environment(service, launch_on=launch)]
    with django_assert_num_queries(QUERIES):
        client.get(reverse("service", args=[service.slug]))
    made += [make_environment(service, launch_on=launch) for _ in range(29)]
    with django_assert_num_queries(QUERIES + 1):  # Whether what waited still does.
        page = client.get(reverse("service", args=[service.slug])).content.decode()
    assert all(environment.get_absolute_url() in page for environment in made)


def test_it_says_what_is_left_who_has_it_and_how_the_launch_will_be() -> None:
    team = make_team()
    mia, gone = make_member(team, "mia"), make_member(team, "gone")
    service = make_service(team, by=mia)
    launch = NOW.date() + timedelta(days=9)
    prod = make_environment(service, "prod", by=mia, launch_on=launch)
    dev = make_environment(service, "dev", kind="dev", by=mia)
    settle(dev, mia)
    settle(prod, mia, but=("alerts", "dashboards", "store-false"))
    for entry, owner in (("alerts", mia), ("dashboards", gone)):
        item = item_of(prod, entry)
        items.assign(by=mia, item_id=item.pk, owner=owner, due_on=None, seen_version=version(item), now=NOW)
    User.objects.filter(pk=gone.pk).update(is_active=False)

    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    for minute in (0, 2):
        observe(prod, "spend-cap", now=after(hours=1, minutes=minute), cap_matches=Judgement.FAIL)

    page = service_page(service, after(hours=2))

    assert [(line.environment.name, len(line.left)) for line in page.lines] == [("dev", 0), ("prod", 4)]
    assert page.lines[1].left[0].entry.slug == "spend-cap", "What fails comes first."
    assert [(str(load.person), load.here, load.count) for load in page.loads] == [
        ("gone", False, 1),
        ("mia", True, 1),
        ("None", False, 2),
    ]
    assert page.left == 4
    assert [line.at_launch is not None for line in page.lines] == [False, True]
    assert page.happened[0].what == "saw it fail:"
