"""API tokens: who makes and revokes them, how long they work, and that their text is shown once and kept nowhere."""

import re
from datetime import UTC, date, datetime, timedelta
from threading import Thread
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import tokens
from readiness.models import ApiToken, Event, User
from readiness.rules import tokens as rules
from readiness.selectors.tokens import token_shown, tokens_listed
from tests.deeds import forbidden_by, refused
from tests.factories import (
    NOW,
    make_admin,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.programs import Program, make_token
from tests.reading import at_field, value_of, words

pytestmark = pytest.mark.django_db
SPELLED = re.compile(r"rdy_[a-z]{8}_[0-9a-f]{64}")


@pytest.fixture
def admin() -> User:
    return make_admin("root")


@pytest.fixture
def page(client: Client, admin: User) -> Client:
    client.force_login(admin, backend="django.contrib.auth.backends.ModelBackend")
    return client


def form(**changed: Any) -> dict[str, Any]:
    day = timezone.localdate() + timedelta(days=30)
    return {"name": "CI payments", "team": "", "scopes": ["builds:write"], "last_day": day.isoformat(), **changed}


# --- what is kept -----------------------------------------------------------------------------------------------------
def test_only_a_hash_of_a_token_is_kept(admin: User) -> None:
    token, text = make_token(by=admin)
    assert SPELLED.fullmatch(text)
    assert text.split("_")[1] == token.prefix
    kept = repr(list(ApiToken.objects.values())) + repr(list(Event.objects.values()))
    assert text.split("_")[2] not in kept
    assert token.digest == rules.digest_of(text)
    assert token_shown(text, timezone.now()) == token


def test_no_two_tokens_are_alike() -> None:
    texts = [make_token(f"CI {number}")[1] for number in range(50)]
    assert len({text.split("_")[1] for text in texts}) == len({text.split("_")[2] for text in texts}) == 50


def test_a_form_that_is_sent_twice_makes_no_second_token_of_the_name(admin: User) -> None:
    """A page that shows a new token and is loaded again sends its form again."""
    first, _ = make_token(by=admin, now=NOW)
    with refused(f"A token of this name works already: rdy_{first.prefix}_"):
        make_token(first.name, by=admin, now=NOW + timedelta(seconds=1))

    tokens.revoke_token(by=admin, token_id=first.pk, now=NOW + timedelta(seconds=2))
    assert make_token(first.name, by=admin, now=NOW + timedelta(seconds=3))[0].pk != first.pk
    assert ApiToken.objects.filter(name=first.name).count() == 2


def test_making_and_revoking_are_events(admin: User) -> None:
    team = make_team("Payments")
    token, _ = make_token(by=admin, team=team, last_day=date(2026, 3, 31), now=NOW)
    tokens.revoke_token(by=admin, token_id=token.pk, now=NOW + timedelta(days=1))
    made, revoked = Event.objects.filter(kind__startswith="token.").order_by("id")
    assert (made.actor, made.at, made.data) == (
        admin,
        NOW,
        {
            "token": token.pk,
            "name": "CI payments",
            "prefix": token.prefix,
            "scopes": ["builds:write"],
            "team": "payments",
            "expires_at": "2026-04-01T00:00:00+00:00",
        },
    )
    assert (revoked.actor, revoked.kind) == (admin, "token.revoked")
    assert revoked.data == {"token": token.pk, "name": "CI payments", "prefix": token.prefix}


@pytest.mark.parametrize("make", [make_person, make_reviewer, lambda: make_member(make_team())])
def test_only_admins_keep_tokens(make: Any) -> None:
    token, _ = make_token()
    by = make()
    with refused("Only admins keep API tokens."):
        make_token(by=by)
    with refused("Only admins keep API tokens."):
        tokens.revoke_token(by=by, token_id=token.pk, now=timezone.now())
    assert ApiToken.objects.get().works_at(timezone.now())


def test_an_admin_who_left_keeps_none(admin: User) -> None:
    admin.is_active = False
    admin.save()
    with refused("Only admins"):
        make_token(by=User.objects.get(pk=admin.pk))


def test_a_token_without_an_end_or_with_half_a_revocation_cannot_be_stored(admin: User) -> None:
    token, _ = make_token(by=admin)
    with forbidden_by("expires_at"):
        ApiToken.objects.filter(pk=token.pk).update(expires_at=None)
    with forbidden_by("token_ends_after_it_was_made"):
        ApiToken.objects.filter(pk=token.pk).update(expires_at=token.created_at)
    with forbidden_by("token_revoked_by_whom_and_when"):
        ApiToken.objects.filter(pk=token.pk).update(revoked_at=timezone.now())


# --- how long it works ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("zone", ["UTC", "America/Toronto", "Pacific/Kiritimati"])
@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_a_token_works_at_most_366_days(zone: str, hour: int) -> None:
    where = ZoneInfo(zone)
    for day in range(0, 366, 61):
        now = datetime(2027, 1, 1, hour, 30, tzinfo=UTC) + timedelta(days=day)
        last = rules.last_day(now, where)
        assert rules.last_day_refusals(last, now=now, zone=where) == []
        assert rules.last_day_refusals(last + timedelta(days=1), now=now, zone=where)
        end = datetime.combine(last + timedelta(days=1), datetime.min.time(), tzinfo=where)
        assert timedelta(days=364) < end - now <= timedelta(days=366)


def test_a_token_may_end_today_but_not_yesterday(admin: User) -> None:
    today = timezone.localdate(NOW)
    assert make_token(by=admin, last_day=today, now=NOW)[0].works_at(NOW)
    with refused("This day has passed."):
        make_token(by=admin, last_day=today - timedelta(days=1), now=NOW)
    with refused("at most 366 days"):
        make_token(by=admin, last_day=today + timedelta(days=366), now=NOW)


def test_what_has_ended_or_is_revoked_is_not_revoked_again(admin: User) -> None:
    ended, _ = make_token(by=admin, last_day=NOW.date(), now=NOW)
    with refused("has ended by itself"):
        tokens.revoke_token(by=admin, token_id=ended.pk, now=ended.expires_at)
    token, _ = make_token(by=admin)
    tokens.revoke_token(by=admin, token_id=token.pk, now=timezone.now())
    with refused("revoked already"):
        tokens.revoke_token(by=admin, token_id=token.pk, now=timezone.now())


@pytest.mark.django_db(transaction=True)
def test_a_call_that_waits_for_a_revocation_is_not_let_through() -> None:
    prod = make_environment()
    token, text = make_token()
    Program(text).says(prod, "before")
    answers: list[int] = []

    def call() -> None:
        answers.append(Program(text).says(prod, "after")[0])
        connection.close()

    calling = Thread(target=call)
    with transaction.atomic():
        tokens.revoke_token(by=make_admin(), token_id=token.pk, now=timezone.now())
        calling.start()
        calling.join(1)
        assert calling.is_alive()
    calling.join(60)
    prod.refresh_from_db()
    assert (answers, prod.build) == ([401], "before")


# --- pages ------------------------------------------------------------------------------------------------------------
def test_the_answer_to_the_form_shows_the_token_once_and_nobody_keeps_it(page: Client) -> None:
    team = make_team("Payments")
    make_service(team, "payments-assistant")
    answer = page.post(reverse("token-make"), form(team=team.pk))
    assert answer.status_code == 201
    assert "Location" not in answer.headers
    assert "no-store" in answer.headers["Cache-Control"]
    (text,) = set(SPELLED.findall(answer.content.decode()))
    said = words(answer)
    assert "It may say which build an environment runs, of the services of Payments" in said
    assert 'Authorization: Bearer $READINESS_TOKEN"' in said
    assert '"service": "payments-assistant"' in said
    assert "http://testserver/api/v1/builds" in said

    token = ApiToken.objects.get()
    assert token.digest == rules.digest_of(text)
    for address in (
        reverse("tokens"),
        reverse("token-make"),
        reverse("token-revoke", args=[token.pk]),
        "/",
        "/ledger/",
    ):
        shown = page.get(address)
        assert shown.status_code == 200
        assert text[13:] not in shown.content.decode()
    sessions = [repr(one.get_decoded()) + one.session_data for one in Session.objects.all()]
    assert text not in "".join(sessions) + repr(page.cookies)


def test_everybody_reads_which_tokens_there_are(client: Client, admin: User) -> None:
    now = timezone.now()
    team = make_team("Payments")
    make_token("works", by=admin, team=team)
    make_token("ended", by=admin, now=now - timedelta(days=60))
    revoked, _ = make_token("stopped", by=admin)
    tokens.revoke_token(by=admin, token_id=revoked.pk, now=now)
    assert [(line.token.name, line.state) for line in tokens_listed(now)] == [
        ("works", "works"),
        ("stopped", "revoked"),
        ("ended", "ended"),
    ]
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(reverse("tokens"))
    said = words(answer)
    for part in (
        "say which build an environment runs",
        "Payments",
        "every team",
        "never",
        "Only admins keep API tokens. Ask one of them.",
    ):
        assert part in said
    assert "Revoke" not in said
    for token in ApiToken.objects.all():
        assert f"rdy_{token.prefix}_…" in said
        assert token.digest not in answer.content.decode()


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"name": ""}, "id_name", "This field is required."),
        ({"name": "x" * 81}, "id_name", "at most 80"),
        ({"name": "qbt_live_4fK2mXw9Zr7TqLp0"}, "id_name", "what looks like a key"),
        ({"name": f"rdy_abcdefgh_{'0' * 64}"}, "id_name", "what looks like a key"),
        ({"scopes": []}, "id_scopes", "This field is required."),
        ({"scopes": ["everything"]}, "id_scopes", "Select a valid choice"),
        ({"team": "999999"}, "id_team", "Select a valid choice"),
        ({"last_day": ""}, "id_last_day", "This field is required."),
        ({"last_day": "soon"}, "id_last_day", "Enter a valid date."),
        ({"last_day": "2020-01-01"}, "id_last_day", "This day has passed."),
        ({"last_day": "2099-01-01"}, "id_last_day", "at most 366 days"),
    ],
)
def test_what_cannot_be_taken_is_said_at_its_field(page: Client, changed: Any, field: str, said: str) -> None:
    answer = page.post(reverse("token-make"), form(**changed))
    assert answer.status_code == 422
    assert said in at_field(answer, field)
    assert "qbt_live" not in answer.content.decode()
    assert "rdy_abcdefgh" not in answer.content.decode()
    assert not ApiToken.objects.exists()


def test_a_form_that_is_opened_ends_in_90_days(page: Client) -> None:
    answer = page.get(reverse("token-make"))
    assert value_of(answer, "id_last_day") == (timezone.localdate() + timedelta(days=90)).isoformat()
    assert "no-store" in answer.headers["Cache-Control"]


def test_revoking_asks_first(page: Client, admin: User) -> None:
    token, _ = make_token("<b>CI</b>", by=admin)
    address = reverse("token-revoke", args=[token.pk])
    asked = page.get(address)
    assert "Revoke <b>CI</b>?" in words(asked).replace("  ", " ") or "&lt;b&gt;CI&lt;/b&gt;" in asked.content.decode()
    assert ApiToken.objects.get().revoked_at is None
    done = page.post(address, follow=True)
    assert "is revoked: from this moment on it lets nobody in." in words(done)
    assert ApiToken.objects.get().revoked_by == admin
    again = page.post(address)
    assert again.status_code == 403
    assert "revoked already" in words(again)
    assert "revoked already" in words(page.get(address))
    assert page.get(reverse("token-revoke", args=[0])).status_code == 404
    assert page.post("/tokens/99999999999999999999999/revoke/").status_code == 404


def test_the_page_of_a_new_token_that_is_loaded_again_says_so_at_the_name(page: Client) -> None:
    sent = form()
    assert page.post(reverse("token-make"), sent).status_code == 201

    again = page.post(reverse("token-make"), sent)
    assert (again.status_code, "A token of this name works already" in at_field(again, "id_name")) == (422, True)
    assert ApiToken.objects.count() == 1
