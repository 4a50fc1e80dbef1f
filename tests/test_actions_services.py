"""Services and environments: added and changed by their team, with the items that they answer."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from readiness.actions import services
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import Entry, Environment, Event, Item, Service, Team, User
from readiness.rules.environments import EnvironmentSettings
from tests.deeds import REASON, after, observe, refused, status
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_person,
    make_service,
    make_team,
)

PASS, FAIL = Judgement.PASS, Judgement.FAIL
STREAM = {"stream_not_held": PASS, "stream_not_compressed": PASS, "stream_not_cached": PASS}
pytestmark = pytest.mark.django_db


@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Conversational"), "assistant"), "prod", build="one")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


def change(by: User, environment: Environment, *, seen: int = 0, now: Any = NOW, **given: Any) -> Environment:
    environment.refresh_from_db()
    settings = {name: getattr(environment, name) for name in EnvironmentSettings.__annotations__}
    return services.change_environment(
        by=by,
        environment_id=environment.pk,
        settings={**settings, **given},  # type: ignore[typeddict-item]
        seen_version=seen or environment.version,
        now=now,
    )


@pytest.mark.parametrize(("kind", "items"), [("prod", 26), ("staging", 26), ("dev", 9)])
def test_an_environment_has_one_item_for_each_entry_that_applies(kind: str, items: int) -> None:
    environment = make_environment(kind=kind)
    applying = [entry for entry in Entry.objects.all() if entry.applies_to(kind)]

    assert len(applying) == items
    found = Item.objects.filter(service=environment.service)
    assert sorted(found.values_list("entry", flat=True)) == sorted(entry.pk for entry in applying)
    assert set(found.filter(environment=None).values_list("entry__scope", flat=True)) == {"service"}


def test_a_second_environment_shares_the_items_of_its_service(prod: Environment) -> None:
    shared = item_of(prod, "separate-keys")
    staging = make_environment(prod.service, "staging", kind="staging")

    assert item_of(staging, "separate-keys") == shared
    assert item_of(staging, "spend-cap") != item_of(prod, "spend-cap")


def test_the_database_keeps_one_item_an_entry(prod: Environment) -> None:
    for slug in ("spend-cap", "separate-keys"):
        item = item_of(prod, slug)
        with pytest.raises(IntegrityError), transaction.atomic():
            Item.objects.create(entry=item.entry, service=item.service, environment=item.environment)
    with pytest.raises(IntegrityError), transaction.atomic():
        Item.objects.filter(pk=item_of(prod, "spend-cap").pk).update(waived_from=NOW, waived_until=NOW)


def hand_over(by: User, service: Service, team: Team, *, reason: str = REASON, seen: int = 0) -> Service:
    """Transfer a service as the page does: with the version that was seen, the newest unless told."""
    version = Service.objects.values_list("version", flat=True).get(pk=service.pk)
    return services.transfer_service(
        by=by, service=service, team=team, reason=reason, seen_version=seen or version, now=NOW
    )


def test_only_the_team_adds_and_changes(prod: Environment) -> None:
    team = prod.service.team
    for person in (make_person(), make_member(make_team()), make_person(is_reviewer=True)):
        with refused("Only members of Conversational"):
            services.add_service(by=person, team=team, slug="x", description="", now=NOW)
        with refused("Only members of Conversational"):
            make_environment(prod.service, "more", by=person)
        with refused("Only members of Conversational"):
            change(person, prod, build="two")
        with refused("Only members of Conversational"):
            services.change_service(by=person, service=prod.service, description="x", seen_version=1, now=NOW)
        with refused("Only members of Conversational"):
            hand_over(person, prod.service, make_team())
    change(make_admin(), prod, build="two")


def test_a_service_is_handed_over_at_once_by_its_team_and_for_a_reason(prod: Environment, mia: User) -> None:
    other = make_team("Insurance")
    with refused("Say why in a sentence"):
        hand_over(mia, prod.service, other, reason="so")
    with refused("It belongs to Conversational already."):
        hand_over(mia, prod.service, prod.service.team)
    hand_over(mia, prod.service, other)

    assert Service.objects.get().team == other
    event = Event.objects.latest("id")
    handed = {"from": {"team": "conversational"}, "to": {"team": "insurance"}, "reason": REASON}
    assert (event.kind, event.data) == ("service.transferred", handed)
    with refused("Only members of Insurance"):
        hand_over(mia, prod.service, make_team())
    with refused("Only members of Insurance"):
        change(mia, prod, build="two")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"service_url": "http://169.254.169.254"}, "Probes do not connect to 169.254.169.254"),
        ({"bastion_url": "http://2130706433/v1"}, "Probes do not connect to 127.0.0.1"),
        ({"key_reference": "file:/proc/self/environ"}, "may not refer to any files"),
        ({"key_reference": "env:PATH"}, "may not refer to any variables"),
        ({"stream_route": "//x"}, "begins with one slash"),
        ({"stream_route": "/x"}, "so give that as well"),
        ({"spend_cap": 5}, "in which currency"),
        ({"spend_cap_currency": "CAD"}, "Give the cap's amount"),
    ],
)
def test_the_action_refuses_what_the_form_refuses(prod: Environment, mia: User, given: Any, says: str) -> None:
    with refused(says):
        change(mia, prod, **given)
    with refused(says):
        make_environment(prod.service, "more", by=mia, **given)


def test_of_two_changes_to_one_version_the_second_writes_nothing(prod: Environment, mia: User) -> None:
    change(mia, prod, build="two")
    before = Event.objects.count()
    with pytest.raises(services.EnvironmentCrossed) as crossed:
        change(mia, prod, build="three", seen=1)
    assert (crossed.value.environment.version, Event.objects.count()) == (2, before)
    prod.refresh_from_db()
    assert prod.build == "two"


def test_a_change_says_from_what_to_what_and_the_same_again_is_none(prod: Environment, mia: User) -> None:
    change(mia, prod, build="two", now=after(hours=1))
    assert Event.objects.latest("id").data == {"from": {"build": "one"}, "to": {"build": "two"}}
    prod.refresh_from_db()
    assert (prod.version, prod.settings_changed_at, prod.build_since) == (2, after(hours=1), after(hours=1))
    before = Event.objects.count()
    change(mia, prod, build="two", now=after(hours=2))
    prod.refresh_from_db()
    assert (prod.version, prod.settings_changed_at, Event.objects.count()) == (2, after(hours=1), before)


def test_another_build_ends_what_was_seen_of_the_one_before_and_a_rollback_revives_it(
    prod: Environment, mia: User
) -> None:
    stream = item_of(prod, "sse-not-buffered")
    Entry.objects.filter(pk=stream.entry_id).update(build_bound=True)
    observe(prod, "proxy-buffering", now=NOW, **STREAM)
    assert status(stream, NOW) is Status.VERIFIED

    change(mia, prod, build="two", now=after(minutes=1))
    assert status(stream, after(minutes=1)) is Status.STALE
    change(mia, prod, build="one", now=after(minutes=2))
    assert status(stream, after(minutes=2)) is Status.VERIFIED


def test_a_rollback_does_not_lift_a_fail(prod: Environment, mia: User) -> None:
    stream = item_of(prod, "sse-not-buffered")
    Entry.objects.filter(pk=stream.entry_id).update(build_bound=True)
    observe(prod, "proxy-buffering", now=NOW, **STREAM)
    change(mia, prod, build="two", now=after(minutes=1))
    prod.refresh_from_db()
    observe(prod, "proxy-buffering", now=after(minutes=2), **{**STREAM, "stream_not_held": FAIL})
    assert status(stream, after(minutes=2)) is Status.FAILING

    change(mia, prod, build="one", now=after(minutes=3))
    assert status(stream, after(minutes=3)) is Status.FAILING
    prod.refresh_from_db()
    observe(prod, "proxy-buffering", now=after(minutes=4), **STREAM)
    assert status(stream, after(minutes=4)) is Status.VERIFIED


def test_another_kind_asks_for_the_items_that_it_has_more(mia: User, prod: Environment) -> None:
    dev = make_environment(prod.service, "dev", kind="dev", by=mia)
    before = dev.items.count()
    change(mia, dev, kind="staging")

    assert dev.items.count() > before


@pytest.mark.parametrize("whole_service", [False, True])
def test_what_is_archived_is_not_changed(prod: Environment, mia: User, whole_service: bool) -> None:
    archived = prod.service if whole_service else prod
    type(archived).objects.filter(pk=archived.pk).update(archived_at=NOW)
    with refused("This is archived"):
        change(mia, prod, build="two")
    prod.service.refresh_from_db()
    if whole_service:
        with refused("This is archived"):
            make_environment(prod.service, "more", by=mia)
