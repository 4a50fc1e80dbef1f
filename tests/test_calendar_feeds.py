"""Calendar addresses: who makes and revokes them, when they work, and that a token is shown once and kept nowhere."""

import io
import logging
import re
from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions.calendar_feeds import make_feed, revoke_feed
from readiness.actions.ledger import record
from readiness.models import CalendarFeed, Event, Membership, Team, User
from readiness.rules.permissions import Refused
from readiness.rules.throttling import FEED_LIMIT, WRONG_FEED_LIMIT, quarter_of
from readiness.selectors import fleet
from readiness.selectors.histories import lines
from tests.calendars import Subscriber, subscriber
from tests.deeds import forbidden_by, refused
from tests.factories import NOW, make_admin, make_environment, make_member, make_person, make_service, make_team
from tests.reading import words
from tests.test_canary_key import assert_clean, encodings, every_row

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]
SPELLED = re.compile(r"rdy_[a-z]{8}_[0-9a-f]{64}")


@pytest.fixture
def search() -> Team:
    return make_team("Search")


@pytest.fixture
def mia(search: Team) -> User:
    return make_member(search, "mia")


@pytest.fixture
def page(client: Client, mia: User) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


def make(by: User, team: Team | None = None, *, replaces: str = "", now: Any = NOW) -> tuple[CalendarFeed, str]:
    return make_feed(by=by, team=team, replaces=replaces, language="en-ca", now=now)


# --- made, replaced, revoked ------------------------------------------------------------------------------------------
def test_making_replacing_and_revoking_are_events_that_never_hold_the_token(search: Team, mia: User) -> None:
    first, text = make(mia, search)
    second, other = make(mia, search, replaces=first.prefix, now=NOW + timedelta(hours=1))
    revoke_feed(by=mia, feed_id=second.pk, now=NOW + timedelta(hours=2))
    made, replaced, revoked = Event.objects.filter(kind__startswith="calendar.").order_by("id")
    about = {"feed": first.pk, "prefix": first.prefix, "team": "search"}
    assert (made.actor, made.at, made.data) == (mia, NOW, {**about, "language": "en-ca", "replaces": None})
    assert replaced.data["replaces"] == first.prefix
    assert revoked.data == {"feed": second.pk, "prefix": second.prefix, "team": "search"}
    first.refresh_from_db()
    assert (first.revoked_by, first.revoked_at) == (mia, NOW + timedelta(hours=1))
    said = [(line.what, line.detail) for line in lines(Event.objects.filter(kind__startswith="calendar."))]
    assert said[0] == ("revoked a calendar address", f"rdy_{second.prefix}_…")
    assert said[2][0] == "made a calendar address"
    kept = repr(list(CalendarFeed.objects.values())) + repr(list(Event.objects.values()))
    for one in (text, other):
        assert SPELLED.fullmatch(one)
        assert one.split("_")[2] not in kept


def test_a_page_that_showed_an_address_and_is_loaded_again_ends_nothing(page: Client, mia: User) -> None:
    address = reverse("feed-make")
    assert "Make an address" in page.get(address).content.decode()
    shown = page.post(address, {"replaces": ""})
    (text,) = set(SPELLED.findall(shown.content.decode()))
    assert (shown.status_code, "no-store" in shown.headers["Cache-Control"]) == (201, True)
    again = page.post(address, {"replaces": ""})
    assert again.status_code == 409
    assert f"An address was made meanwhile: rdy_{text.split('_')[1]}_" in again.content.decode()
    assert Client().get(reverse("calendar-file", args=[text])).status_code == 200
    form = page.get(address).content.decode()
    assert "Replace the address?" in form
    replaced = page.post(address, {"replaces": re.findall(r'name="replaces"\s+value="([a-z]*)"', form)[0]})
    assert replaced.status_code == 201
    assert Client().get(reverse("calendar-file", args=[text])).status_code == 404
    assert page.post(address, {"replaces": "gonegone"}).status_code == 409


def test_only_members_have_the_address_of_a_team_and_nobody_revokes_what_is_anothers_own(
    page: Client, search: Team, mia: User
) -> None:
    own, _ = make(mia)
    with refused("Only members of Search subscribe to its calendar."):
        make(make_admin(), search)
    outsider, colleague = make_member(make_team()), make_member(search, "noa")
    theirs, _ = make(colleague, search)
    with refused("Only whoever made an address of their own revokes it."):
        revoke_feed(by=make_admin(), feed_id=own.pk, now=NOW)
    with refused("Only members of Search revoke"):
        revoke_feed(by=outsider, feed_id=theirs.pk, now=NOW)
    shown = words(page.get(reverse("feeds")))
    assert f"rdy_{own.prefix}_…" in shown
    assert "noa has an address too" in shown
    assert page.get(reverse("feed-make"), {"team": "none"}).status_code == 404
    assert page.get(reverse("feed-make"), {"team": outsider.teams.get().slug}).status_code == 403
    revoke = reverse("feed-revoke", args=[theirs.pk])
    assert "Revoke this address?" in page.get(revoke).content.decode()
    assert page.post(revoke).status_code == 302
    assert "This address is revoked already." in page.get(revoke).content.decode()
    assert page.post(revoke).status_code == 403
    assert page.get(reverse("feed-revoke", args=[10**30])).status_code == 404
    assert "noa has" not in page.get(reverse("feeds")).content.decode()


def test_one_address_works_for_a_person_and_one_for_each_member_of_a_team(search: Team, mia: User) -> None:
    make(mia)
    make(mia, search)
    make(make_member(search), search)
    for name, team in (("feed_one_works_for_a_person", None), ("feed_one_works_for_a_member", search)):
        with forbidden_by(name):
            CalendarFeed.objects.create(prefix="x", digest="x", team=team, made_by=mia, made_at=NOW, language="en")
    with forbidden_by("feed_revoked_by_whom_and_when"):
        CalendarFeed.objects.filter(team=None).update(revoked_at=NOW)
    with forbidden_by("feed_speaks_a_language"):
        CalendarFeed.objects.filter(team=None).update(language="")


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_of_two_forms_at_once_one_makes_an_address(mia: User) -> None:
    outcomes: list[str] = []

    def send() -> None:
        try:
            make(User.objects.get(pk=mia.pk))
            outcomes.append("made")
        except Refused as other:
            outcomes.append(other.reasons[0][:27])
        finally:
            connection.close()

    threads = [Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["An address was made meanwhi"] * 3 + ["made"]


def test_making_one_leaves_what_is_kept_of_services_as_it_is(mia: User) -> None:
    make_environment(make_service(mia.teams.get(), by=mia))
    before = fleet.fleet(NOW)
    make(mia)
    assert fleet.fleet(NOW).services == before.services
    with transaction.atomic():
        record("team.changed", by=None, at=NOW)
    assert fleet.fleet(NOW).services != before.services


# --- fetched ----------------------------------------------------------------------------------------------------------
def test_a_program_needs_no_session_and_gets_304_until_something_changes(search: Team, mia: User) -> None:
    program = subscriber(mia)
    first = program.fetch()
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert first.headers["Cache-Control"] == "private, no-cache"
    assert first.headers["Content-Language"] == "en-ca"
    assert not first.cookies
    assert program.client.head(program.address).content == b""
    tag = first.headers["ETag"]
    same = program.fetch(if_none_match=tag)
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", tag)
    today = timezone.localdate()
    make_environment(make_service(search, "assistant", by=mia), "prod", launch_on=today, by=mia, now=timezone.now())
    changed = program.fetch(if_none_match=tag)
    assert changed.status_code == 200
    assert changed.headers["ETag"] != tag
    assert Session.objects.count() == 0
    for method in ("post", "put", "delete"):
        assert getattr(program.client, method)(program.address).status_code == 405


def test_it_ends_when_it_is_revoked_when_its_maker_leaves_and_when_they_leave_the_team(search: Team, mia: User) -> None:
    own, teams = subscriber(mia), subscriber(mia, search)

    def found() -> tuple[int, int]:
        return own.fetch().status_code, teams.fetch().status_code

    assert found() == (200, 200)
    Membership.objects.filter(user=mia).delete()
    assert found() == (200, 404)
    Membership.objects.create(user=mia, team=search)
    User.objects.filter(pk=mia.pk).update(is_active=False)
    assert found() == (404, 404)
    User.objects.filter(pk=mia.pk).update(is_active=True)
    assert found() == (200, 200)
    revoke_feed(by=mia, feed_id=own.feed.pk, now=timezone.now())
    assert found() == (404, 200)


def test_a_wrong_token_is_a_plain_404_like_one_that_was_revoked(mia: User) -> None:
    program = subscriber(mia)
    prefix, secret = program.text.split("_")[1:]
    wrong = [f"rdy_{prefix}_{'0' * 64}", f"rdy_{'a' * 8}_{secret}", f"{program.text}x", "x", "٣" * 90, "a" * 9000]
    revoke_feed(by=mia, feed_id=program.feed.pk, now=timezone.now())
    answers = [Client().get(reverse("calendar-file", args=[text])) for text in (*wrong, program.text)]
    assert {(answer.status_code, answer.content) for answer in answers} == {(404, b"There is no such calendar.\n")}
    assert {answer.headers["Content-Type"] for answer in answers} == {"text/plain; charset=utf-8"}
    said = program.client.get(program.address, headers={"Accept-Language": "fr-CA"})
    assert (said.status_code, said.content.decode()) == (404, "Ce calendrier n’existe pas.\n")


def test_who_asks_too_often_is_told_when_to_ask_again(mia: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("readiness.throttle.FEED_LIMIT", 2)
    monkeypatch.setattr("readiness.throttle.WRONG_FEED_LIMIT", 2)
    assert WRONG_FEED_LIMIT > FEED_LIMIT >= 4 * 12, "Every five minutes from four programs is no crime."
    monkeypatch.setattr(timezone, "now", lambda: NOW)
    first, second = subscriber(mia), subscriber(make_member(make_team()))
    assert [first.fetch().status_code for _ in range(3)] == [200, 200, 429]
    assert second.fetch().status_code == 200, "Each calendar has a bound of its own."
    refused_one = first.fetch()
    assert refused_one.headers["Retry-After"] == str(int((quarter_of(NOW)[1] - NOW).total_seconds()))
    unknown = Subscriber(first.feed, f"rdy_{'a' * 8}_{'0' * 64}")
    assert [unknown.fetch().status_code for _ in range(3)] == [404, 404, 429]
    assert second.fetch().status_code == 200, "What works goes on working where others asked for what is none."
    assert unknown.client.get(unknown.address, REMOTE_ADDR="203.0.113.9").status_code == 404
    monkeypatch.setattr(timezone, "now", lambda: quarter_of(NOW)[1])
    assert (first.fetch().status_code, unknown.fetch().status_code) == (200, 404)


def test_the_token_is_in_no_log_no_row_and_no_other_page(
    page: Client, search: Team, mia: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    logged = io.StringIO()
    (handler,) = (one for one in logging.getLogger().handlers if type(one) is logging.StreamHandler)
    monkeypatch.setattr(handler, "stream", logged)
    shown = page.post(reverse("feed-make"), {"team": search.slug, "replaces": ""})
    (text,) = set(SPELLED.findall(shown.content.decode()))
    needles = [(text, form) for form in encodings(text.split("_")[2])]
    right = Subscriber(CalendarFeed.objects.get(), text)
    assert (right.fetch().status_code, right.client.post(right.address).status_code) == (200, 405)
    for address in ("/calendar/", "/calendar/feeds/new/", "/ledger/", f"/teams/{search.slug}/", right.address):
        assert_clean(address[:20], page.get(address).content, needles)
    for where, rows in every_row():
        assert_clean(where, rows, needles)
    for address in (f"{right.address}x", right.address.removesuffix(".ics"), f"/nowhere/?from={text}"):
        answer = Client().get(address)
        assert answer.status_code == 404
        assert_clean("a page not found", answer.content + repr(answer.headers).encode(), needles)
    said = logged.getvalue()
    assert said.count("/calendar/feeds/rdy_***") >= 8, "Two lines a request, and one more for what is refused."
    assert_clean("the log", said.encode(), needles)
    with pytest.raises(AssertionError):
        assert_clean("the one page that shows it", shown.content, needles)


def test_who_is_in_no_team_has_a_calendar_of_their_own(client: Client) -> None:
    noor = make_person("noor")
    client.force_login(noor, backend="django.contrib.auth.backends.ModelBackend")
    assert "You are in no team." in client.get(reverse("feeds")).content.decode()
    assert subscriber(noor).events() == {}
