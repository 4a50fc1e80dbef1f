"""How long somebody stays signed in, where a session ends, and that none is kept for ever."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from readiness.actions.housekeeping import MOST_AT_ONCE, tidy
from readiness.management.commands.signin_link import signin_link
from readiness.models import User
from readiness.rules.sessions import IDLE, LONGEST, RENEWED_EVERY, ends_at, renewed_end
from readiness.rules.throttling import WINDOW
from tests.factories import PASSWORD, make_admin, make_person
from tests.servers.processes import RunningProduct
from tests.servers.waiting import eventually

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mia(db: None) -> User:
    return make_person("mia")


def signed_in(name: str = "mia") -> Client:
    client = Client()
    assert client.post(reverse("sign-in"), {"username": name, "password": PASSWORD}).status_code == 302
    return client


def signed_in_by_link(person: User) -> Client:
    client = Client()
    person.refresh_from_db()
    token = signin_link(person, base="").partition("sesame=")[2]
    assert client.post(reverse("sign-in-link"), {"token": token}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get(reverse("overview")).status_code == 200


def test_a_session_that_nobody_uses_ends_after_twelve_hours(mia: User, clock: time_machine.Traveller) -> None:
    used, left = signed_in(), signed_in()
    clock.move_to(NOW + IDLE - MS)
    assert is_in(used)
    clock.move_to(NOW + IDLE)
    assert (is_in(used), is_in(left)) == (True, False)
    clock.move_to(NOW + IDLE - MS + IDLE)
    assert not is_in(used)


def test_a_session_ends_after_fourteen_days_however_much_it_is_used(mia: User, clock: time_machine.Traveller) -> None:
    client = signed_in()
    for day in range(14):
        for hour in (0, 9, 18):
            clock.move_to(NOW + timedelta(days=day, hours=hour))
            assert is_in(client), (day, hour)
    clock.move_to(NOW + LONGEST - MS)
    assert is_in(client)
    clock.move_to(NOW + LONGEST)
    assert not is_in(client)


def test_a_session_is_written_again_once_a_quarter_of_an_hour_at_most(mia: User, clock: time_machine.Traveller) -> None:
    client = signed_in()

    def written() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert is_in(client)
        return sum(query["sql"].startswith("UPDATE") for query in queries)

    clock.move_to(NOW + RENEWED_EVERY - MS)
    assert written() == 0
    clock.move_to(NOW + RENEWED_EVERY)
    assert (written(), written()) == (1, 0)
    assert Session.objects.get().expire_date == NOW + RENEWED_EVERY + IDLE


@given(st.timedeltas(timedelta(0), LONGEST + IDLE), st.timedeltas(timedelta(0), LONGEST + IDLE))
def test_a_session_never_outlives_its_longest_and_never_gets_shorter(first: timedelta, second: timedelta) -> None:
    end = ends_at(signed_in_at=NOW, now=NOW + first)
    assert end <= NOW + LONGEST
    new = renewed_end(signed_in_at=NOW, end=end, now=NOW + second)
    assert new is None or end + RENEWED_EVERY <= new <= NOW + LONGEST


def test_signing_in_gives_a_new_session_and_its_cookie_is_out_of_reach_of_scripts(mia: User) -> None:
    client = Client()
    planted = client.session
    planted["planted"] = "by somebody else"
    planted.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = planted.session_key or ""
    response = client.post(reverse("sign-in"), {"username": "mia", "password": PASSWORD})
    cookie = response.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie.value != planted.session_key
    assert not Session.objects.filter(session_key=planted.session_key).exists()
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "Lax", "/", "")
    assert IDLE.total_seconds() - 5 <= int(cookie["max-age"]) <= IDLE.total_seconds()


def test_whoever_is_made_inactive_is_out_at_once_however_they_came_in(mia: User) -> None:
    clients = [signed_in(), signed_in_by_link(mia)]
    assert [is_in(client) for client in clients] == [True, True]
    User.objects.filter(pk=mia.pk).update(is_active=False)
    assert [is_in(client) for client in clients] == [False, False]


def test_a_password_that_an_admin_sets_ends_every_session_of_its_person(mia: User) -> None:
    make_admin("root")
    clients, admin = [signed_in(), signed_in_by_link(mia)], signed_in("root")
    new = "correct horse battery"
    sent = {"password1": new, "password2": new, "usable_password": "true"}
    assert admin.post(f"/admin/readiness/user/{mia.pk}/password/", sent).status_code == 302
    assert [is_in(client) for client in (*clients, admin)] == [False, False, True]


def test_signing_out_ends_the_session_in_the_database_too(mia: User) -> None:
    client = signed_in()
    client.post(reverse("sign-out"))
    assert Session.objects.count() == 0


def test_each_sign_in_clears_what_has_ended_and_nothing_else(mia: User, clock: time_machine.Traveller) -> None:
    for _ in range(3):
        signed_in()
    clock.move_to(NOW + IDLE - MS)
    signed_in()
    assert Session.objects.count() == 4
    clock.move_to(NOW + IDLE)
    signed_in()
    assert Session.objects.count() == 2


def test_cleaning_up_takes_so_many_at_a_time(db: None) -> None:
    Session.objects.bulk_create(
        Session(session_key=f"s{number}", session_data="", expire_date=NOW) for number in range(MOST_AT_ONCE + 3)
    )
    assert [tidy(now=NOW) for _ in range(3)] == [MOST_AT_ONCE, 3, 0]


def test_a_visit_without_a_session_reads_and_writes_none(db: None) -> None:
    client = Client()
    client.cookies[settings.SESSION_COOKIE_NAME] = "stale"
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/healthz").status_code == 200
    assert len(queries) == 0


def test_the_scheduler_clears_what_has_ended(running_product: RunningProduct) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=1)
    Session.objects.create(session_key="ended", session_data="", expire_date=long_ago)
    Session.objects.create(session_key="stands", session_data="", expire_date=long_ago + timedelta(days=2))
    AccessAttempt.objects.create(username="mia", ip_address="203.0.113.7", user_agent="", failures_since_start=1)
    AccessAttempt.objects.update(attempt_time=datetime.now(UTC) - WINDOW)
    running_product.start_scheduler()
    eventually(lambda: not Session.objects.filter(session_key="ended").exists(), 60, what="the session is gone")
    eventually(lambda: not AccessAttempt.objects.exists(), 60, what="the failure is gone")
    assert Session.objects.filter(session_key="stands").exists()
