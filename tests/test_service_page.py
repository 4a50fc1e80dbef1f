"""A service's page: its environments with their verdicts."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories import make_environment, make_member, make_service, make_team

QUERIES = 10
"""How many queries the page costs, those of the session and the person included."""


@pytest.mark.django_db
@pytest.mark.parametrize("environments", [1, 5])
def test_it_costs_the_same_with_one_environment_and_with_five(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, environments: int
) -> None:
    service = make_service(make_team())
    client.force_login(make_member(service.team), backend="django.contrib.auth.backends.ModelBackend")
    made = [make_environment(service) for _ in range(environments)]

    with django_assert_num_queries(QUERIES):
        page = client.get(reverse("service", args=[service.slug]))

    assert all(environment.get_absolute_url() in page.content.decode() for environment in made)
