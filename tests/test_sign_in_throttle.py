"""Guessing a password has bounds, and none of them says who exists or shuts a colleague out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from readiness.management.commands.signin_link import signin_link
from readiness.models import User
from readiness.rules.throttling import (
    ADDRESS_LIMIT,
    BROWSER_LIMIT,
    KNOWN_BROWSER_FOR,
    NAME_LIMIT,
    PAIR_LIMIT,
    WINDOW,
    WRONG_LINK_LIMIT,
)
from tests.factories import PASSWORD, make_admin, make_person
from tests.reading import words
from tests.servers.site import LiveSite

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)
HERE, THERE = "203.0.113.7", "198.51.100.9"
WRONG, REFUSED, IN = 200, 429, 302


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def mia(db: None) -> User:
    return make_person("mia")


def guess(name: str = "mia", password: str = "wrong", *, address: str = HERE, client: Client | None = None) -> int:
    form = {"username": name, "password": password, "next": ""}
    return (client or Client()).post(reverse("sign-in"), form, REMOTE_ADDR=address).status_code


def guesses(times: int, name: str = "mia", *, address: str = HERE, client: Client | None = None) -> list[int]:
    return [guess(name, address=address, client=client) for _ in range(times)]


def address(number: int) -> str:
    return f"10.{number // 65536}.{number // 256 % 256}.{number % 256}"


def failing(times: int, name: str, where: str) -> None:
    """Failures written as the product writes them, without the work of a request for each."""
    AccessAttempt.objects.update_or_create(
        username=name, ip_address=where, user_agent="", defaults={"failures_since_start": times}
    )
    AccessAttempt.objects.filter(username=name, ip_address=where).update(attempt_time=datetime.now(UTC))


# --- the bounds, a millisecond either side ----------------------------------------------------------------------------


def test_one_name_from_one_address_is_refused_after_five_for_a_quarter_of_an_hour(
    mia: User, clock: time_machine.Traveller
) -> None:
    assert guesses(PAIR_LIMIT + 2) == [WRONG] * PAIR_LIMIT + [REFUSED] * 2
    assert guess(password=PASSWORD) == REFUSED
    clock.move_to(NOW + WINDOW - MS)
    assert guess(password=PASSWORD) == REFUSED
    clock.move_to(NOW + WINDOW)
    assert guess(password=PASSWORD) == IN


def test_trying_while_refused_makes_it_no_longer_and_writes_nothing(mia: User, clock: time_machine.Traveller) -> None:
    guesses(PAIR_LIMIT)
    before = list(AccessAttempt.objects.values())
    clock.move_to(NOW + WINDOW - MS)
    assert guesses(20) == [REFUSED] * 20
    assert list(AccessAttempt.objects.values()) == before
    clock.move_to(NOW + WINDOW)
    assert guess() == WRONG


def test_the_same_name_from_elsewhere_is_not_refused(mia: User, clock: time_machine.Traveller) -> None:
    guesses(PAIR_LIMIT + 1)
    assert guess(password=PASSWORD, address=THERE) == IN


def test_one_address_is_refused_after_fifty_whatever_the_name(mia: User, clock: time_machine.Traveller) -> None:
    for number in range(ADDRESS_LIMIT // PAIR_LIMIT - 1):
        failing(PAIR_LIMIT, f"nobody-{number}", HERE)
    failing(PAIR_LIMIT - 1, "another", HERE)
    assert guess("the-fiftieth") == WRONG
    assert guess("mia", PASSWORD) == REFUSED
    assert guess("mia", PASSWORD, address=THERE) == IN
    clock.move_to(NOW + WINDOW - MS)
    assert guess("mia", PASSWORD) == REFUSED
    clock.move_to(NOW + WINDOW)
    assert guess("mia", PASSWORD) == IN


def test_one_network_of_ipv6_is_one_address(mia: User, clock: time_machine.Traveller) -> None:
    assert [guess(address=f"2001:db8:1:2::{number:x}") for number in range(PAIR_LIMIT + 1)] == [WRONG] * 5 + [REFUSED]
    assert guess(address="2001:db8:1:3::1") == WRONG


def test_one_name_is_refused_after_fifty_wherever_from(mia: User, clock: time_machine.Traveller) -> None:
    for number in range(NAME_LIMIT // PAIR_LIMIT - 1):
        failing(PAIR_LIMIT, "mia", address(number))
    failing(PAIR_LIMIT - 1, "mia", address(100))
    assert guess(address=address(101)) == WRONG
    assert guess(password=PASSWORD, address=THERE) == REFUSED
    assert guess("jonas", address=THERE) == WRONG
    clock.move_to(NOW + WINDOW)
    assert guess(password=PASSWORD, address=THERE) == IN


def test_signing_in_forgets_the_failures_of_this_name_here_and_no_others(
    mia: User, clock: time_machine.Traveller
) -> None:
    guesses(PAIR_LIMIT - 1)
    guesses(PAIR_LIMIT - 1, "jonas")
    assert guess(password=PASSWORD) == IN
    assert guesses(PAIR_LIMIT + 1) == [WRONG] * PAIR_LIMIT + [REFUSED]
    assert guesses(2, "jonas") == [WRONG, REFUSED]


def test_somebody_with_an_account_of_their_own_wins_no_guesses_by_signing_in(
    mia: User, clock: time_machine.Traveller
) -> None:
    make_person("eve")
    for number in range(ADDRESS_LIMIT // PAIR_LIMIT):
        failing(PAIR_LIMIT, f"nobody-{number}", HERE)
    AccessAttempt.objects.filter(username="nobody-0").update(failures_since_start=PAIR_LIMIT - 2)
    assert guess("eve", PASSWORD) == IN
    assert guesses(3) == [WRONG, WRONG, REFUSED]
    assert guess("eve", PASSWORD) == REFUSED


# --- strangers shut nobody out ----------------------------------------------------------------------------------------


def test_a_browser_that_signed_in_before_is_not_shut_out_by_strangers(mia: User, clock: time_machine.Traveller) -> None:
    known = Client()
    assert guess(password=PASSWORD, client=known) == IN
    known.post(reverse("sign-out"))
    guesses(PAIR_LIMIT + 1)
    for number in range(NAME_LIMIT):
        failing(PAIR_LIMIT, "mia", address(number))
        failing(PAIR_LIMIT, f"nobody-{number}", HERE)

    assert guess(password=PASSWORD) == REFUSED, "For any other browser every bound is full."
    assert guess(client=known) == WRONG
    assert guess(password=PASSWORD, client=known) == IN


def test_a_known_browser_guesses_within_a_bound_of_its_own_wherever_it_goes(
    mia: User, clock: time_machine.Traveller
) -> None:
    known = Client()
    guess(password=PASSWORD, client=known)
    known.post(reverse("sign-out"))
    tried = [guess(address=address(number), client=known) for number in range(BROWSER_LIMIT + 1)]
    assert tried == [WRONG] * BROWSER_LIMIT + [REFUSED]
    assert guess(password=PASSWORD, client=known) == REFUSED
    assert guess(password=PASSWORD) == IN, "Its failures are nobody else's."
    clock.move_to(NOW + WINDOW)
    assert guess(password=PASSWORD, client=known) == IN


def test_a_browser_is_known_for_its_own_person_alone_and_for_ninety_days(
    mia: User, clock: time_machine.Traveller
) -> None:
    make_person("jonas")
    known = Client()
    guess(password=PASSWORD, client=known)
    known.post(reverse("sign-out"))
    failing(PAIR_LIMIT, "jonas", HERE)
    assert guess("jonas", PASSWORD, client=known) == REFUSED
    cookie = known.cookies[settings.KNOWN_BROWSER_COOKIE_NAME]
    assert "mia" not in cookie.value
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Lax")
    forged = Client()
    forged.cookies[settings.KNOWN_BROWSER_COOKIE_NAME] = cookie.value[:-1] + ("A" if cookie.value[-1] != "A" else "B")
    failing(PAIR_LIMIT, "mia", HERE)
    assert guess(password=PASSWORD, client=forged) == REFUSED
    clock.move_to(NOW + KNOWN_BROWSER_FOR + timedelta(seconds=2))
    failing(PAIR_LIMIT, "mia", HERE)
    assert guess(password=PASSWORD, client=known) == REFUSED


def test_a_sign_in_link_works_while_every_bound_is_full_and_makes_the_browser_known(
    mia: User, clock: time_machine.Traveller
) -> None:
    for number in range(NAME_LIMIT):
        failing(PAIR_LIMIT, "mia", address(number))
    guesses(PAIR_LIMIT + 1)
    browser = Client()
    token = signin_link(mia, base="").partition("sesame=")[2]
    assert browser.get(reverse("sign-in-link"), {"sesame": token}, REMOTE_ADDR=HERE).status_code == 200
    assert browser.post(reverse("sign-in-link"), {"token": token}, REMOTE_ADDR=HERE).status_code == IN
    browser.post(reverse("sign-out"))
    assert guess(password=PASSWORD, client=browser) == IN


def test_wrong_links_are_throttled_by_address_and_shut_no_password_out(
    mia: User, clock: time_machine.Traveller
) -> None:
    def follow(token: str, where: str = HERE) -> int:
        client = Client()
        asked = client.get(reverse("sign-in-link"), {"sesame": token}, REMOTE_ADDR=where).status_code
        assert client.post(reverse("sign-in-link"), {"token": token}, REMOTE_ADDR=where).status_code == asked
        return asked

    assert [follow("AAAA" * 10) for _ in range(WRONG_LINK_LIMIT // 2 + 1)] == [403] * (WRONG_LINK_LIMIT // 2) + [429]
    assert follow("AAAA" * 10, THERE) == 403
    assert AccessAttempt.objects.count() == 0, "It costs the database nothing."
    assert guess(password=PASSWORD) == IN
    clock.move_to(NOW + timedelta(minutes=15))
    assert follow("AAAA" * 10) == 403


def test_the_operator_lets_somebody_in_again_with_the_command_of_axes(
    mia: User, clock: time_machine.Traveller, capsys: pytest.CaptureFixture[str]
) -> None:
    guesses(PAIR_LIMIT)
    assert guess(password=PASSWORD) == REFUSED
    call_command("axes_reset_username", "mia")
    assert guess(password=PASSWORD) == IN


# --- what the answers say ---------------------------------------------------------------------------------------------


def test_the_refusal_is_our_page_with_the_wait_in_words_and_seconds(mia: User, clock: time_machine.Traveller) -> None:
    guesses(PAIR_LIMIT)
    clock.move_to(NOW + timedelta(minutes=3, seconds=1))
    client = Client()
    form = {"username": "mia", "password": PASSWORD, "next": "/services/new/"}
    response = client.post(reverse("sign-in"), form, REMOTE_ADDR=HERE)

    assert (response.status_code, response.headers["Retry-After"]) == (429, str(12 * 60 - 1))
    assert "Wait 12 minutes, then try again." in words(response)
    assert b"/sign-in/?next=%2Fservices%2Fnew%2F" in response.content
    assert "mia" not in words(response)
    assert PASSWORD not in response.content.decode()
    assert "no-store" in response.headers["Cache-Control"]
    clock.move_to(NOW + WINDOW - MS)
    response = client.post(reverse("sign-in"), form, REMOTE_ADDR=HERE)
    assert (response.headers["Retry-After"], "Wait 1 minute, then" in words(response)) == ("1", True)


def test_every_failure_says_the_same_and_is_refused_alike(mia: User, clock: time_machine.Traveller) -> None:
    make_person("left", is_active=False)
    User.objects.filter(pk=make_person("linkonly").pk).update(password="!")
    said: list[list[tuple[int, str]]] = []
    for name, password in [("mia", "wrong"), ("nobody", PASSWORD), ("left", PASSWORD), ("linkonly", "wrong")]:
        answers = [
            Client().post(reverse("sign-in"), {"username": name, "password": password}, REMOTE_ADDR=HERE)
            for _ in range(PAIR_LIMIT + 1)
        ]
        said.append([(answer.status_code, words(answer).replace(name, "")) for answer in answers])
    assert [status for status, _ in said[0]] == [WRONG] * PAIR_LIMIT + [REFUSED]
    assert said.count(said[0]) == len(said)


class CountingHasher(MD5PasswordHasher):
    """The tests' hasher, which notes how often it worked: that is what the time of an answer is."""

    worked = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.worked += 1
        return super().encode(password, salt)


def test_every_failure_costs_the_same_work(mia: User, settings: object) -> None:
    settings.PASSWORD_HASHERS = ["tests.test_sign_in_throttle.CountingHasher"]  # type: ignore[attr-defined]
    make_person("left", is_active=False)
    User.objects.filter(pk=make_person("linkonly").pk).update(password="!")
    work = {}
    for name in ("mia", "nobody", "left", "linkonly"):
        before = CountingHasher.worked
        assert guess(name) == WRONG
        work[name] = CountingHasher.worked - before
    assert work == dict.fromkeys(work, 1)
    guesses(PAIR_LIMIT)
    guesses(PAIR_LIMIT, "nobody")
    before = CountingHasher.worked
    assert (guess(), guess("nobody")) == (REFUSED, REFUSED)
    assert CountingHasher.worked == before


def test_a_person_who_left_is_answered_like_nobody_even_with_the_right_password(mia: User) -> None:
    User.objects.filter(pk=mia.pk).update(is_active=False)
    assert guess(password=PASSWORD) == WRONG


# --- one door ---------------------------------------------------------------------------------------------------------


def test_the_admin_has_no_door_of_its_own(db: None) -> None:
    admin, reader = make_admin("root"), make_person("reader")
    stranger = Client()
    response = stranger.get("/admin/login/", {"next": "/admin/readiness/user/"})
    assert response.headers["Location"] == "/sign-in/?next=%2Fadmin%2Freadiness%2Fuser%2F"
    assert stranger.get("/admin/login/", {"next": "https://evil.example.com/"}).headers["Location"] == (
        "/sign-in/?next=%2Fadmin%2F"
    )
    posted = stranger.post("/admin/login/", {"username": "root", "password": PASSWORD})
    assert (posted.status_code, "_auth_user_id" in stranger.session) == (405, False)

    signed_in = Client()
    form = {"username": "root", "password": PASSWORD, "next": "/admin/readiness/user/"}
    assert signed_in.post(reverse("sign-in"), form).headers["Location"] == "/admin/readiness/user/"
    assert signed_in.get("/admin/login/").headers["Location"] == "/admin/"
    assert signed_in.session["_auth_user_id"] == str(admin.pk)
    other = Client()
    other.force_login(reader, backend="django.contrib.auth.backends.ModelBackend")
    turned_away = other.get("/admin/", follow=True)
    assert turned_away.status_code == 403
    assert "Only admins keep people, teams and billing sources." in words(turned_away)


# --- what it costs and leaves -----------------------------------------------------------------------------------------


def test_the_table_is_bounded_and_old_failures_go_with_the_next(mia: User, clock: time_machine.Traveller) -> None:
    for number in range(ADDRESS_LIMIT + 20):
        guess(f"nobody-{number}")
    assert AccessAttempt.objects.count() == ADDRESS_LIMIT
    clock.move_to(NOW + WINDOW)
    guess("one-more")
    assert [row.username for row in AccessAttempt.objects.all()] == ["one-more"]
    assert AccessLog.objects.count() == 0


def test_nothing_that_was_typed_is_kept_but_the_name(mia: User) -> None:
    Client(headers={"User-Agent": "Firefox 9"}).post(
        reverse("sign-in"), {"username": "mia", "password": "hunter2hunter"}
    )
    (row,) = AccessAttempt.objects.values()
    row.pop("attempt_time")
    row.pop("id")
    assert row == {
        "username": "mia",
        "ip_address": "127.0.0.1",
        "user_agent": "",
        "http_accept": "",
        "path_info": "",
        "get_data": "",
        "post_data": "",
        "failures_since_start": 1,
    }


def test_a_refused_guess_is_one_query(mia: User, django_assert_num_queries: object) -> None:
    guesses(PAIR_LIMIT)
    with django_assert_num_queries(1):  # type: ignore[operator]
        assert guess() == REFUSED


def test_of_many_guesses_at_once_no_more_than_five_are_looked_at(transactional_db: None, live_site: LiveSite) -> None:
    make_person("mia")

    def at_once(number: int) -> int:
        with httpx.Client(base_url=live_site.url, timeout=180) as http:
            http.get("/sign-in/")
            form = {"username": "mia", "password": f"wrong-{number}", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            return http.post("/sign-in/", data=form).status_code

    with ThreadPoolExecutor(24) as pool:
        codes = list(pool.map(at_once, range(48)))
    assert set(codes) <= {WRONG, REFUSED}
    assert 1 <= codes.count(WRONG) <= PAIR_LIMIT
    (row,) = AccessAttempt.objects.filter(username="mia")
    assert row.failures_since_start >= PAIR_LIMIT


def test_of_many_names_at_once_one_address_gets_no_more_than_its_bound(
    transactional_db: None, live_site: LiveSite
) -> None:
    for number in range(ADDRESS_LIMIT // PAIR_LIMIT - 1):
        failing(PAIR_LIMIT, f"nobody-{number}", "127.0.0.1")

    def at_once(number: int) -> int:
        with httpx.Client(base_url=live_site.url, timeout=180) as http:
            http.get("/sign-in/")
            form = {"username": f"a{number}", "password": "wrong", "csrfmiddlewaretoken": http.cookies["csrftoken"]}
            return http.post("/sign-in/", data=form).status_code

    with ThreadPoolExecutor(24) as pool:
        codes = list(pool.map(at_once, range(24)))
    assert set(codes) <= {WRONG, REFUSED}
    assert codes.count(WRONG) <= PAIR_LIMIT


@pytest.mark.parametrize("asked", ["/sign-in/", "/sign-in/?next=/sign-in/", "http://testserver/sign-in/"])
def test_who_is_signed_in_is_not_sent_to_the_door_again(db: None, asked: str) -> None:
    make_person("mia")
    client = Client()
    form = {"username": "mia", "password": PASSWORD, "next": asked}
    assert client.post(reverse("sign-in"), form).headers["Location"] == "/"
    assert client.get(reverse("sign-in"), {"next": asked}).headers["Location"] == "/"


def test_nobody_goes_round_and_round_at_the_door_of_the_admin(db: None) -> None:
    """Django's own admin asks for staff, ours for an admin: who was one without the other had an endless redirect."""
    client = Client()
    client.force_login(
        make_person("root", is_superuser=True, is_staff=False), backend="django.contrib.auth.backends.ModelBackend"
    )
    assert client.get("/admin/").status_code == 200
    assert client.get("/admin/readiness/user/").status_code == 200
    assert client.get("/admin/login/", {"next": "/admin/login/?next=/admin/"}).headers["Location"] == "/admin/"

    client.force_login(make_person("clerk", is_staff=True), backend="django.contrib.auth.backends.ModelBackend")
    turned_away = client.get("/admin/", follow=True)
    assert turned_away.status_code == 403
    assert "Only admins keep people, teams and billing sources." in words(turned_away)
