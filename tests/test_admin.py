"""What admins keep: each change is an event, in the transaction of the change."""

import pytest
from django.test import Client

from readiness.models import Event, User
from tests.factories import make_admin, make_person, make_team

NEW = "correct horse battery"


@pytest.fixture
def admin(client: Client) -> User:
    found = make_admin("root")
    client.force_login(found, backend="django.contrib.auth.backends.ModelBackend")
    return found


@pytest.mark.django_db(transaction=True)
def test_a_password_that_is_set_is_an_event_without_the_password(admin: User, client: Client) -> None:
    """With real transactions: Django's own page has none here, and an event without one is refused."""
    person = make_person("otto")
    sent = {"password1": NEW, "password2": NEW, "usable_password": "true"}

    assert client.post(f"/admin/readiness/user/{person.pk}/password/", sent).status_code == 302

    person.refresh_from_db()
    event = Event.objects.get(actor=admin)
    assert person.check_password(NEW)
    assert (event.kind, event.data["name"]) == ("user.changed", "otto")
    assert NEW not in event.text


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("role", ["is_reviewer", "is_auditor"])
def test_a_person_who_is_given_a_role_is_an_event(admin: User, client: Client, role: str) -> None:
    person = make_person("otto")
    sent = {
        "username": "otto",
        "is_active": "on",
        role: "on",
        "date_joined_0": "2026-01-02",
        "date_joined_1": "9:00",
    }

    assert client.post(f"/admin/readiness/user/{person.pk}/change/", sent).status_code == 302

    person.refresh_from_db()
    assert getattr(person, role)
    assert [event.kind for event in Event.objects.filter(actor=admin)] == ["user.changed"]


@pytest.mark.django_db
def test_nothing_is_deleted(admin: User, client: Client) -> None:
    team, person = make_team(), make_person()

    for address in (f"team/{team.pk}", f"user/{person.pk}"):
        assert client.post(f"/admin/readiness/{address}/delete/", {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=person.pk).exists()
