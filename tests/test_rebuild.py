"""``manage.py rebuild``: what the rows say is what they are folded from, and whoever changed one is found out."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from readiness.actions import builds, probes, retiring
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import Clause, Environment, Event, Item, User
from readiness.rules.status import ItemFacts
from tests.deeds import (
    REASON,
    after,
    ask,
    ask_to_leave_out,
    configure,
    decide,
    observe,
    status,
    take_back,
    tick,
    version,
)
from tests.factories import NOW, item_of, make_admin, make_environment, make_member, make_reviewer
from tests.observed import observe_bound

pytestmark = pytest.mark.django_db
LATER = after(minutes=30)


@pytest.fixture
def prod() -> Environment:
    return make_environment()


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team)


@pytest.fixture
def lived(prod: Environment, mia: User) -> Environment:
    """An environment about which everything was said and done once."""
    ada = make_reviewer()
    staging = make_environment(prod.service, kind="staging", by=mia)
    tick(mia, item_of(prod, "logs-redacted"))
    take_back(mia, item_of(prod, "logs-redacted"), now=after(minutes=2))
    observe(prod, "spend-cap", now=after(minutes=3), cap_matches=Judgement.PASS)
    for minutes in (4, 5):
        observe(prod, "spend-cap", now=after(minutes=minutes), cap_matches=Judgement.FAIL)
    decide(ada, ask(mia, item_of(prod, "alerts"), now=after(minutes=6)), now=after(minutes=7))
    decide(ada, ask_to_leave_out(mia, item_of(prod, "sse-not-buffered"), now=after(minutes=6)), now=after(minutes=7))
    for place in (staging, prod):
        builds.set_build(by=mia, environment_id=place.pk, build="one", now=after(minutes=8))
    observe_bound(item_of(staging, "store-false"), now=after(minutes=9), build="one")
    tick(mia, item_of(prod, "model-choice-documented"), now=after(minutes=10))
    return prod


def rebuild(*arguments: str) -> tuple[str, bool]:
    """What the command prints, and whether it found nothing to complain of."""
    out = StringIO()
    try:
        call_command("rebuild", *arguments, stdout=out)
    except CommandError:
        return out.getvalue(), False
    return out.getvalue(), True


@contextmanager
def nothing_written() -> Iterator[None]:
    before = [row(item) for item in Item.objects.order_by("pk")], Event.objects.count()
    yield
    assert ([row(item) for item in Item.objects.order_by("pk")], Event.objects.count()) == before


def row(item: Item) -> tuple[Any, ...]:
    return (item.pk, item.version, item.facts, item.standing)


def test_a_rebuild_of_what_the_product_wrote_finds_nothing(lived: Environment) -> None:
    with nothing_written():
        said, well = rebuild()

    assert well, said
    assert said == f"{Item.objects.count()} items recomputed, 0 different.\n"


@pytest.mark.only_on("postgresql")
@pytest.mark.parametrize("fact", [*ItemFacts.names(), "standing"])
def test_any_fact_that_was_changed_is_found_and_corrected(lived: Environment, fact: str) -> None:
    item = item_of(lived, "store-false")
    before = row(Item.objects.get(pk=item.pk))
    forgeries: dict[str, dict[str, Any]] = {
        "standing": {"standing": []},
        "waived_from": {"waived_from": NOW, "waived_until": after(days=9)},
        "waived_until": {"waived_from": NOW, "waived_until": after(days=9)},
    }
    Item.objects.filter(pk=item.pk).update(**forgeries.get(fact, {fact: after(days=9)}))

    with nothing_written():
        said, well = rebuild()
    assert not well
    assert f"{lived.service.slug}/{lived.name} store-false {fact}: row " in said

    said, well = rebuild("--write")
    assert well
    assert said.endswith(", 1 corrected.\n")
    assert row(Item.objects.get(pk=item.pk)) == before


def test_a_green_that_somebody_wrote_into_the_row_does_not_survive(prod: Environment) -> None:
    item = item_of(prod, "alerts")
    Item.objects.filter(pk=item.pk).update(observed_until=after(days=900), settled_until=after(days=900))
    assert status(item, LATER) is Status.VERIFIED

    assert rebuild("--write", "--service", prod.service.slug)[1]
    assert status(item, LATER) is Status.OPEN


def test_items_that_an_old_version_folded_are_found_by_themselves(lived: Environment) -> None:
    Item.objects.filter(service=lived.service).update(standing=[])
    told = Item.objects.filter(evidence__isnull=False).distinct().count() + 1  # And what production takes over.

    said, well = rebuild("--missing", "--write")
    assert (well, said.splitlines()[-1]) == (True, f"{told} items recomputed, {told} corrected.")
    assert rebuild("--missing") == ("0 items recomputed, 0 different.\n", True)


def test_a_service_that_is_not_there_is_said_so() -> None:
    with pytest.raises(CommandError, match="There is no service 'moon'"):
        call_command("rebuild", "--service", "moon")


def test_when_an_item_was_first_met_is_found_again_to_the_microsecond(lived: Environment) -> None:
    item = item_of(lived, "store-false")
    first = Item.objects.get(pk=item.pk).first_met_at
    assert first == after(minutes=9)
    for wrong in (None, first - timedelta(microseconds=1), first + timedelta(microseconds=1)):
        Item.objects.filter(pk=item.pk).update(first_met_at=wrong)
        assert rebuild("--write")[1]
        assert Item.objects.get(pk=item.pk).first_met_at == first


def first_met(item: Item) -> object:
    return Item.objects.get(pk=item.pk).first_met_at


def test_an_item_first_met_where_a_fail_was_retired_is_found_again(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=Judgement.FAIL)
    tick(mia, item, now=after(minutes=2))
    probes.disable(by=make_admin(), probe="spend-cap", environment_id=prod.pk, reason=REASON, now=after(minutes=3))
    retiring.retire(
        by=make_reviewer(),
        item_id=item.pk,
        reason=REASON,
        seen_version=version(item),
        now=after(minutes=4),
    )

    assert first_met(item) == after(minutes=4)
    assert rebuild() == (f"{Item.objects.count()} items recomputed, 0 different.\n", True)


def test_an_item_first_met_where_a_pass_lifted_the_fail_against_a_tick_is_found_again(
    prod: Environment, mia: User
) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=Judgement.FAIL)
    tick(mia, item, now=after(minutes=2))
    observe(prod, "spend-cap", now=after(minutes=3), cap_matches=Judgement.PASS)

    assert first_met(item) == after(minutes=3)
    assert rebuild()[1]


def test_a_tick_in_another_environment_does_not_hide_when_productions_item_was_first_met(
    prod: Environment, mia: User
) -> None:
    staging = make_environment(prod.service, kind="staging", by=mia)
    for place in (staging, prod):
        builds.set_build(by=mia, environment_id=place.pk, build="one", now=NOW)
        tick(mia, item_of(place, "store-false"), now=NOW if place == staging else after(minutes=1))

    assert first_met(item_of(prod, "store-false")) == after(minutes=1)
    assert rebuild()[1]


def test_a_tick_without_its_link_does_not_hide_when_an_item_was_first_met(prod: Environment, mia: User) -> None:
    clause = Clause.objects.filter(tick_needs_link=True).select_related("entry")[0]
    item = item_of(prod, clause.entry.slug)
    tick(mia, item, links=(), now=NOW)
    tick(mia, item, now=after(minutes=1))

    assert first_met(item) == after(minutes=1)
    assert rebuild()[1]


def test_an_item_first_met_on_a_second_build_is_found_again(prod: Environment) -> None:
    item = item_of(prod, "store-false")
    one, two = item.entry.clauses.filter(retired_at=None)
    for minutes, build, clause in ((1, "one", one), (3, "two", two), (4, "two", one)):
        prod.refresh_from_db()
        if prod.build != build:
            builds.set_build(by=make_member(prod.service.team), environment_id=prod.pk, build=build, now=NOW)
            prod.refresh_from_db()
        said = {clause.slug.replace("-", "_"): Judgement.PASS}
        observe(prod, clause.probe, now=after(minutes=minutes), **said)

    assert first_met(item) == after(minutes=4)
    assert rebuild()[1]


def test_an_item_first_met_because_its_environment_became_production_is_found_again(
    prod: Environment, mia: User
) -> None:
    staging, other = (make_environment(prod.service, kind="staging", build="one", by=mia) for _ in range(2))
    observe_bound(item_of(staging, "store-false"), now=after(minutes=1), build="one")
    item = item_of(other, "store-false")
    assert first_met(item) is None
    configure(mia, other, kind="prod", now=after(minutes=2))

    assert first_met(item) == after(minutes=2)
    assert rebuild()[1]


def test_a_clock_that_was_read_before_a_wait_does_not_date_what_was_met_before_it_was(
    prod: Environment, mia: User
) -> None:
    """Two clauses pass at once: who waited for the item's lock comes with an earlier clock than what came before."""
    item = item_of(prod, "sse-not-buffered")
    for now, clause in ((after(minutes=2), "stream-not-held"), (after(minutes=1), "stream-not-compressed")):
        observe(prod, "proxy-buffering", now=now, **{clause.replace("-", "_"): Judgement.PASS})
    observe(prod, "proxy-buffering", now=after(seconds=90), stream_not_cached=Judgement.PASS)

    assert Item.objects.get(pk=item.pk).first_met_at == after(minutes=2)
    assert rebuild()[1]


def test_a_tick_elsewhere_by_a_later_clock_does_not_date_what_production_met_by_itself(
    prod: Environment, mia: User
) -> None:
    """Only what probes saw is taken over, so the later tick in staging changes nothing about production."""
    staging = make_environment(prod.service, kind="staging", by=mia)
    tick(mia, item_of(staging, "commit-after-clean-end"), now=after(minutes=2))
    tick(mia, item_of(prod, "commit-after-clean-end"), now=after(minutes=1))

    assert first_met(item_of(prod, "commit-after-clean-end")) == after(minutes=1)
    assert rebuild()[1]


def test_a_build_that_was_said_by_a_later_clock_dates_what_it_was_met_with(prod: Environment, mia: User) -> None:
    """Who saw it pass came with an earlier clock than whoever said meanwhile what runs there."""
    for build, now in (("zero", NOW), ("one", after(minutes=2))):
        builds.set_build(by=mia, environment_id=prod.pk, build=build, now=now)
    observe_bound(item_of(prod, "store-false"), build="one", now=after(minutes=1))

    assert first_met(item_of(prod, "store-false")) == after(minutes=2)
    assert rebuild()[1]


def test_what_production_takes_over_is_folded_again_after_an_upgrade_too(lived: Environment) -> None:
    borrowed = item_of(lived, "store-false")
    assert not borrowed.evidence.exists()
    Item.objects.filter(pk=borrowed.pk).update(standing=[])

    assert rebuild("--missing", "--write")[0].splitlines()[-1].endswith(", 1 corrected.")
    assert status(borrowed, LATER) is Status.VERIFIED
