"""Landings beside everything else that writes: each waits its turn, and no environment is left out of a question."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from readiness.actions import services
from readiness.actions.checklists import ChecklistCrossed, land, preview
from readiness.actions.items import Crossed
from readiness.models import Checklist, ChecklistVersion, Environment, Item, User
from readiness.rules.checklist_file import ChecklistFileError
from tests.checklist_texts import checklist, clause, entry, written
from tests.deeds import tick
from tests.factories import NOW, item_of, make_admin, make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.django_db(transaction=True)
SETTINGS = ("name", "kind", "build")


def at_once(*deeds: Callable[[], object]) -> list[str]:
    """Do each in a thread of its own, with a connection of its own, all from the same moment; return what broke."""
    ready, broken = Barrier(len(deeds)), []

    def do(deed: Callable[[], object]) -> None:
        try:
            ready.wait(20)
            deed()
        except Exception as error:  # noqa: BLE001 - told in the test, whose threads lose what they raise
            broken.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    threads = [Thread(target=do, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return broken


def test_of_two_landings_at_once_one_is_told_of_the_other() -> None:
    admins = [make_admin("ada"), make_admin("ben")]
    land(by=admins[0], text=written(checklist()), now=NOW)
    outcomes: list[str] = []

    def try_to_land(by: User) -> None:
        file = replace(checklist(entry(meaning=2), version=2), changes=f"By {by}.")
        try:
            land(by=by, text=written(file), seen=1, now=NOW)
            outcomes.append("landed")
        except ChecklistCrossed:
            outcomes.append("crossed")

    assert at_once(*(partial(try_to_land, by) for by in admins)) == []
    assert sorted(outcomes) == ["crossed", "landed"]
    assert ChecklistVersion.objects.filter(checklist__slug="release").count() == 2


def test_of_two_first_landings_at_once_one_is_told_of_the_other() -> None:
    admins = [make_admin("ada"), make_admin("ben")]
    outcomes: list[str] = []

    def try_to_land(by: User) -> None:
        try:
            land(by=by, text=written(replace(checklist(), changes=f"By {by}.")), seen=0, now=NOW)
            outcomes.append("landed")
        except (ChecklistCrossed, ChecklistFileError):
            outcomes.append("told")

    assert at_once(*(partial(try_to_land, by) for by in admins)) == []
    assert sorted(outcomes) == ["landed", "told"]


def test_ticks_previews_and_settings_beside_landings_throw_nobody_out() -> None:
    admin = make_admin()
    environment = make_environment(make_service(make_team()), "prod")
    mia = make_member(environment.service.team)
    land(by=admin, text=written(checklist(entry(), entry("licence"))), now=NOW)
    versions = [
        checklist(
            entry("readme", clause(), *(clause(f"more-{one}") for one in range(number)), meaning=number),
            entry("licence"),
            entry(f"new-{number}"),
            version=number,
        )
        for number in range(2, 8)
    ]

    def land_all() -> None:
        for file in versions:
            land(by=admin, text=written(file), now=NOW)

    def tick_all() -> None:
        for _ in range(20):
            for slug in ("licence", "readme"):
                with suppress(Crossed):
                    tick(mia, item_of(environment, slug))

    def preview_all() -> None:
        for _ in range(6):
            held = Checklist.objects.get(slug="release")
            with suppress(ChecklistFileError):
                preview(by=admin, text=written(replace(versions[-1], version=held.version + 1)), now=NOW)

    def change_all() -> None:
        for number in range(12):
            change(mia, environment, build=f"b{number}", kind="prod" if number % 2 else "staging")

    assert at_once(land_all, tick_all, tick_all, preview_all, change_all) == []
    assert Checklist.objects.get(slug="release").version == 7


def change(by: User, environment: Environment, **given: str) -> None:
    seen = Environment.objects.get(pk=environment.pk)
    names = services.EnvironmentSettings.__annotations__
    settings = {name: getattr(seen, name) for name in names}
    with suppress(services.EnvironmentCrossed):
        services.change_environment(
            by=by,
            environment_id=seen.pk,
            settings={**settings, **given},  # type: ignore[typeddict-item]
            seen_version=seen.version,
            now=NOW,
        )


def test_an_environment_that_is_added_while_a_version_lands_is_asked_what_it_adds() -> None:
    """Neither sees the other's rows before it commits, so one has to wait."""
    admin = make_admin()
    service = make_service(make_team())
    by = make_member(service.team)
    land(by=admin, text=written(checklist()), now=NOW)
    new = written(checklist(entry(), entry("licence"), version=2))
    landing = Thread(target=lambda: (land(by=admin, text=new, now=NOW), connection.close()))
    with transaction.atomic():
        environment = make_environment(service, "prod", by=by)
        landing.start()
        landing.join(1)
        assert landing.is_alive()
    landing.join(60)
    assert Item.objects.filter(environment=environment, entry__slug="licence").count() == 1


def test_an_environment_that_waited_for_a_landing_is_asked_what_it_added() -> None:
    admin = make_admin()
    service = make_service(make_team())
    by = make_member(service.team)
    land(by=admin, text=written(checklist()), now=NOW)
    adding = Thread(target=lambda: (make_environment(service, "prod", by=by), connection.close()))
    with transaction.atomic():
        land(by=admin, text=written(checklist(entry(), entry("licence"), version=2)), now=NOW)
        adding.start()
        adding.join(1)
        assert adding.is_alive()
    adding.join(60)
    assert Item.objects.filter(environment__service=service, entry__slug="licence").count() == 1
