"""The tests' own servers are what they say they are."""

import pytest
from django.db import connection

from readiness.models import Checklist, Entry, Item
from tests.factories import item_of, make_environment

pytestmark = pytest.mark.django_db


@pytest.mark.only_on("postgresql")
def test_the_database_is_a_real_postgresql_with_the_pool_of_production() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version(), current_user, rolsuper FROM pg_roles WHERE rolname = current_user")
        version, user, is_superuser = cursor.fetchone()
    assert version.startswith("PostgreSQL ")
    assert (user, is_superuser) == ("readiness", False)
    assert connection.pool is not None


@pytest.mark.only_on("sqlite")
def test_the_database_is_a_file_that_readers_and_a_writer_share() -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        assert cursor.fetchone() == ("wal",)
    assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_the_database_is_the_one_that_this_process_was_given(test_database: str) -> None:
    assert connection.vendor == test_database


def test_the_shipped_checklist_is_there() -> None:
    assert Checklist.objects.get().slug == "bastion"
    assert Entry.objects.filter(retired_at=None).count() == 26


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("time", [1, 2])
def test_a_test_that_empties_the_tables_leaves_the_checklist_to_the_next(time: int) -> None:
    assert Checklist.objects.get().slug == "bastion"


def test_an_environment_comes_with_the_items_of_its_kind_and_of_its_service() -> None:
    environment = make_environment(kind="prod")
    answered = {item.entry.slug for item in Item.objects.filter(service=environment.service)}
    assert answered == {entry.slug for entry in Entry.objects.all() if entry.applies_to("prod")}
    assert item_of(environment, min(answered)).service == environment.service
