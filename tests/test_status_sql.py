"""The status of lists, which the database computes, is the status that the rules compute."""

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from readiness.enums.standing import Status
from readiness.models import Environment, Item
from readiness.rules.status import ItemFacts, status_at
from readiness.selectors.status_sql import status_expression
from tests.factories import item_of, make_environment

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
STATES = 2000
STEPS = (timedelta(microseconds=1), timedelta(milliseconds=1), timedelta(seconds=1), timedelta(days=1))
INSTANTS = [NOON, *(NOON + sign * step for step in STEPS for sign in (1, -1))]

pytestmark = pytest.mark.django_db


def random_facts(random: Random) -> ItemFacts:
    """Facts around noon; every other one is missing, and a waiver has both its bounds in order or none."""
    found = {name: random.choice(INSTANTS) if random.random() < 0.5 else None for name in ItemFacts.names()}
    waived = sorted(random.sample(INSTANTS, 2)) if random.random() < 0.5 else [None, None]
    return ItemFacts(**{**found, "waived_from": waived[0], "waived_until": waived[1]})


@pytest.fixture
def places() -> list[Environment]:
    """As many environments as there are states, each to be given one item."""
    service = make_environment().service
    made = [
        Environment(service=service, name=f"copy-{number}", kind="prod", settings_changed_at=NOON)
        for number in range(STATES)
    ]
    return Environment.objects.bulk_create(made)


def save(places: list[Environment], states: list[ItemFacts]) -> dict[int, ItemFacts]:
    """Save each state as a row; return the states by row."""
    Item.objects.filter(environment__in=places).delete()
    entry = item_of(make_environment(), "spend-cap").entry
    rows = [
        Item(entry=entry, service=place.service, environment=place, **{n: getattr(one, n) for n in ItemFacts.names()})
        for place, one in zip(places, states, strict=True)
    ]
    return {row.pk: one for row, one in zip(Item.objects.bulk_create(rows), states, strict=True)}


def test_the_database_and_the_rules_agree_on_random_states(places: list[Environment]) -> None:
    reached: set[Status] = set()

    @settings(max_examples=4, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(seed=st.integers(0, 2**32))
    def compare(seed: int) -> None:
        random = Random(seed)
        saved = save(places, [random_facts(random) for _ in places])
        for at in INSTANTS:
            stored = Item.objects.filter(environment__in=places).annotate(status=status_expression(at))
            ours = {identity: status_at(known, at) for identity, known in saved.items()}
            assert dict(stored.values_list("pk", "status")) == {one: str(status) for one, status in ours.items()}
            reached.update(ours.values())

    compare()
    assert reached == set(Status)


def test_no_fact_at_all_reads_open_in_the_database_too(places: list[Environment]) -> None:
    save(places, [ItemFacts()] * STATES)
    stored = Item.objects.filter(environment__in=places).annotate(status=status_expression(NOON))

    assert set(stored.values_list("status", flat=True)) == {"open"}


def test_a_row_gives_its_facts_back_to_the_microsecond(places: list[Environment]) -> None:
    random = Random(1)
    saved = save(places, [random_facts(random) for _ in places])

    assert {item.pk: item.facts for item in Item.objects.filter(pk__in=saved)} == saved
