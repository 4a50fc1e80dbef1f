"""Changing one's own password: who has a session has not thereby got the password."""

import pytest
from django.test import Client
from django.urls import reverse

from readiness.management.commands.signin_link import signin_link
from readiness.models import Event, User
from readiness.rules.throttling import PAIR_LIMIT
from tests.factories import PASSWORD, make_admin, make_person
from tests.reading import at_field, words

NEW = "correct horse battery"
pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


@pytest.fixture
def mia() -> User:
    return make_person("mia", first_name="Mia", last_name="Keller", email="mia.keller@example.ca")


def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


def change(client: Client, old: str = PASSWORD, new: str = NEW, again: str = "") -> object:
    form = {"old_password": old, "new_password1": new, "new_password2": again or new}
    return client.post(reverse("password"), form)


def test_a_password_is_changed_here_and_every_other_session_ends(mia: User) -> None:
    here, there = signed_in(mia), signed_in(mia)
    key = here.session.session_key
    response = here.post(
        reverse("password"), {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}, follow=True
    )

    mia.refresh_from_db()
    assert mia.check_password(NEW)
    assert response.redirect_chain == [(reverse("overview"), 302)]
    assert "Your password is changed." in words(response)
    assert here.session.session_key != key
    assert there.get(reverse("overview")).status_code == 302
    assert Client().post(reverse("sign-in"), {"username": "mia", "password": NEW}).status_code == 302
    assert Client().post(reverse("sign-in"), {"username": "mia", "password": PASSWORD}).status_code == 200


def test_it_is_an_event_without_the_password(mia: User) -> None:
    before = Event.objects.count()
    change(signed_in(mia))
    event = Event.objects.order_by("-id")[0]
    assert Event.objects.count() == before + 1
    assert (event.kind, event.actor, event.data["id"]) == ("user.changed", mia, mia.pk)
    assert NEW not in event.text
    assert PASSWORD not in event.text


def test_a_sign_in_link_that_was_printed_before_no_longer_works(mia: User) -> None:
    token = signin_link(mia, base="").partition("sesame=")[2]
    change(signed_in(mia))
    assert Client().get(reverse("sign-in-link"), {"sesame": token}).status_code == 403


def test_a_wrong_old_password_is_told_at_its_field_and_changes_nothing(mia: User) -> None:
    response = change(signed_in(mia), old="wrong")
    assert response.status_code == 422  # type: ignore[attr-defined]
    assert at_field(response, "id_old_password") == "This is not your password."
    mia.refresh_from_db()
    assert mia.check_password(PASSWORD)


def test_whoever_found_an_open_session_does_not_guess_the_password_in_it(mia: User) -> None:
    client = signed_in(mia)
    codes = [change(client, old=f"wrong-{number}").status_code for number in range(PAIR_LIMIT + 1)]  # type: ignore[attr-defined]
    assert codes == [422] * PAIR_LIMIT + [429]
    refused = change(client)
    assert refused.status_code == 429  # type: ignore[attr-defined]
    assert "Wait 15 minutes, then try again." in words(refused)
    mia.refresh_from_db()
    assert mia.check_password(PASSWORD)


def test_a_right_old_password_counts_as_no_guess(mia: User) -> None:
    client = signed_in(mia)
    codes = [change(client, new="short").status_code for _ in range(PAIR_LIMIT + 2)]  # type: ignore[attr-defined]
    assert codes == [422] * (PAIR_LIMIT + 2)
    assert change(client).status_code == 302  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("new", "again", "told"),
    [
        ("elevenchars", "elevenchars", "at least 12 characters"),
        ("mia.keller@example.ca", "mia.keller@example.ca", "too similar to the email"),
        ("q1w2e3r4t5y6", "q1w2e3r4t5y6", "too common"),
        (NEW, "correct horse bettery", "match"),
    ],
)
def test_a_new_password_that_will_not_do_is_told_at_its_field(mia: User, new: str, again: str, told: str) -> None:
    response = change(signed_in(mia), new=new, again=again)
    assert response.status_code == 422  # type: ignore[attr-defined]
    assert told in at_field(response, "id_new_password2")
    assert new not in response.content.decode()  # type: ignore[attr-defined]


def test_the_way_there_is_in_ones_own_menu(mia: User) -> None:
    html = signed_in(mia).get(reverse("overview")).content.decode()
    assert f'<a href="{reverse("password")}">Change password</a>' in html


def test_the_admin_has_no_other_page_for_it() -> None:
    client = signed_in(make_admin())
    assert client.get("/admin/password_change/").headers["Location"] == reverse("password")
