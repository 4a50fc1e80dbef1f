"""Entries against services or teams: which item is missing most."""

import csv
import io

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import archiving
from readiness.enums.words import Judgement
from readiness.models import Environment, Team, User
from readiness.selectors.heat_map import MOST_SERVICES, Cell, Filters, HeatMap, heat_map
from tests.deeds import REASON, after, observe, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.django_db

QUERIES = 12
"""How many queries the page costs, those of the session and the person included; two less where teams are drawn."""


@pytest.fixture
def search() -> Team:
    return make_team("Search")


@pytest.fixture
def mia(search: Team) -> User:
    return make_member(search, "mia")


@pytest.fixture
def prod(search: Team, mia: User) -> Environment:
    return make_environment(make_service(search, "assistant", by=mia), "prod", by=mia)


def cell(found: HeatMap, entry: str, column: str) -> Cell:
    row = next(row for row in found.rows if row.entry.slug == entry)
    return next(cell for place, cell in row.cells if place.slug == column)


def test_a_cell_says_on_how_many_sheets_an_item_is_settled_and_where_it_fails(
    search: Team, mia: User, prod: Environment
) -> None:
    staging = make_environment(prod.service, "staging", kind="staging", by=mia)
    gone = make_environment(prod.service, "gone", by=mia)
    archiving.archive_environment(by=mia, environment_id=gone.pk, reason=REASON, now=NOW)
    other = make_environment(make_service(make_team(), "batch"), "prod")
    tick(mia, item_of(prod, "alerts"))
    tick(mia, item_of(prod, "model-choice-documented"))
    observe(staging, "spend-cap", now=NOW, cap_matches=Judgement.FAIL)

    found = heat_map(Filters(), NOW)

    assert [(column.slug, column.team) for column in found.columns] == [
        ("assistant", search.slug),
        ("batch", other.service.team.slug),
    ]
    assert (found.by_team, found.services) == (False, 2)
    assert cell(found, "alerts", "assistant") == Cell(total=2, settled=1, sheet=staging)
    assert cell(found, "alerts", "batch") == Cell(total=1, sheet=other)
    assert cell(found, "spend-cap", "assistant") == Cell(total=2, failing=1)
    service_wide = item_of(prod, "model-choice-documented").environment is None
    assert service_wide, "It is one item, and on both sheets."
    assert cell(found, "model-choice-documented", "assistant") == Cell(total=2, settled=2)
    assert [row.entry.section_id for row in found.rows] == sorted(row.entry.section_id for row in found.rows)

    only = heat_map(Filters(kinds=frozenset({"staging"}), team=search.slug), NOW)
    assert [column.slug for column in only.columns] == ["assistant"]
    assert cell(only, "alerts", "assistant") == Cell(total=1, sheet=staging)
    assert heat_map(Filters(team="none"), NOW).rows == []
    assert cell(heat_map(Filters(), after(days=400)), "alerts", "assistant").settled == 0


@pytest.mark.parametrize(
    ("settled", "percent", "tone"), [(0, 0, 4), (1, 0, 4), (25, 12, 4), (50, 25, 3), (199, 99, 1), (200, 100, 0)]
)
def test_a_hundred_percent_means_all_and_the_shade_follows_what_is_missing(
    settled: int, percent: int, tone: int
) -> None:
    one = Cell(total=200, settled=settled)
    assert (one.percent, one.tone, one.missing) == (percent, tone, 200 - settled)


def test_what_is_missing_most_may_come_first(mia: User, prod: Environment) -> None:
    for slug in ("key-in-secrets-manager", "separate-keys"):
        tick(mia, item_of(prod, slug))
    found = heat_map(Filters(missing_first=True), NOW)
    assert [group.section for group in found.groups] == [None]
    missing = [row.whole.missing for row in found.rows]
    assert missing == sorted(missing, reverse=True)
    assert {row.entry.slug for row in found.rows[-2:]} == {"key-in-secrets-manager", "separate-keys"}


def test_many_services_stand_by_team_and_a_team_opens(
    client: Client, search: Team, mia: User, prod: Environment
) -> None:
    other = make_team("Batch")
    for number in range(MOST_SERVICES):
        make_environment(make_service(other, f"batch-{number:02}"), "prod")
    found = heat_map(Filters(), NOW)
    assert (found.by_team, [column.slug for column in found.columns]) == (True, ["batch", "search"])
    assert cell(found, "alerts", "batch") == Cell(total=MOST_SERVICES)
    assert len(heat_map(Filters(team="batch"), NOW).columns) == MOST_SERVICES

    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    page = client.get(reverse("heat-map"), {"kind": "prod"}).content.decode()
    assert "?kind=prod&amp;team=search" in page, "A team is opened for its services."
    assert "/?entry=alerts&amp;team=batch&amp;kind=prod" in page


@pytest.mark.only_on("postgresql")
def test_it_costs_the_same_with_one_service_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, mia: User, prod: Environment
) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("heat-map")
    with django_assert_num_queries(QUERIES):
        page = client.get(address).content.decode()
    assert prod.get_absolute_url() + "#item-alerts" in page
    for number in range(29):
        make_environment(make_service(mia.teams.get(), f"more-{number:02}", by=mia), "prod", by=mia)
    with django_assert_num_queries(QUERIES + 1):  # Whether what waited still does.
        assert client.get(address, {"team": "search"}).content.decode().count('class="h-place"') == 30
    with django_assert_num_queries(QUERIES - 2):
        client.get(address)


@pytest.mark.only_on("sqlite")
def test_the_file_holds_each_cell_and_no_formula(client: Client, mia: User, prod: Environment) -> None:
    Environment.objects.filter(pk=prod.pk).update(added_at=timezone.now())
    tick(mia, item_of(prod, "alerts"), now=timezone.now())
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("heat-map"), {"format": "csv", "kind": ["prod", "nonsense"], "team": "search\0"})
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="heat-map-')
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 26
    alerts = next(row for row in rows if row["settled"] == "1")
    assert list(alerts.values())[2:] == ["search", "assistant", "1", "1", "0", "0", "100"]


@pytest.mark.only_on("sqlite")
def test_an_empty_map_says_what_fills_it(client: Client, mia: User) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    assert "No environment yet" in client.get(reverse("heat-map")).content.decode()
    assert "The filters leave none" in client.get(reverse("heat-map"), {"kind": "dev"}).content.decode()
