"""What a sheet remembers of a person: how far they have read it, and whether it hears single keys."""

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import comments, preferences
from readiness.enums.words import Judgement
from readiness.models import Environment, Event, User, Visit
from readiness.selectors.following import newest_event
from readiness.selectors.sheets import sheet
from readiness.selectors.visits import news
from tests.deeds import claimed, everything, observe, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), by=mia), "prod", by=mia)


def test_a_person_is_told_what_others_changed_since_they_were_last_here(mia: User, prod: Environment) -> None:
    jonas, stranger = make_member(prod.service.team, "jonas"), make_person()
    assert news(prod, mia) is None, "A first visit has nothing to compare with."
    preferences.mark_seen(by=mia, environment=prod, seen=newest_event(), now=NOW)
    assert news(prod, mia) is None

    tick(mia, item_of(prod, "spend-cap"))
    tick(jonas, item_of(prod, "store-false"))
    tick(jonas, item_of(make_environment(prod.service, "dev", by=mia, kind="dev"), "spend-cap"))
    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    observe(prod, "spend-cap", now=NOW + timedelta(hours=1), cap_matches=Judgement.PASS)
    told = news(prod, mia)
    assert told is not None
    assert (told.since, told.count, told.more) == (NOW, 2, 0)
    assert [(line.who, line.what, line.entry) for line in told.lines] == [
        ("A probe", "verified", "spend-cap"),
        ("jonas", "ticked", "store-false"),
    ]
    assert news(prod, stranger) is None

    preferences.mark_seen(by=mia, environment=prod, seen=10**12, now=NOW + timedelta(hours=2))
    preferences.mark_seen(by=mia, environment=prod, seen=1, now=NOW + timedelta(hours=3))
    assert Visit.objects.get().seen == newest_event(), "Neither beyond the newest event nor back."
    assert news(prod, mia) is None


def test_seen_is_a_post_and_reading_writes_nothing(client: Client, mia: User, prod: Environment) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    address = reverse("sheet-seen", args=[prod.service.slug, prod.name])
    assert "changes since" not in client.get(prod.get_absolute_url()).content.decode()
    assert not Visit.objects.exists()
    assert client.post(address, {"seen": "1"}).status_code == 302
    tick(make_member(prod.service.team, "jonas"), item_of(prod, "spend-cap"), now=timezone.now())
    html = client.get(prod.get_absolute_url()).content.decode()
    assert "since you were last here" in html
    assert 'href="#item-spend-cap"' in html
    before = everything()
    swapped = client.post(address, {"seen": newest_event()}, headers={"HX-Request": "true"}).content.decode()
    assert "since you were last here" not in swapped
    assert everything() == before, "What somebody has read is their own affair."
    assert client.post(address, {"seen": "\0"}).status_code == 302


def test_keys_are_switched_off_and_on_for_one_person(client: Client, mia: User) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    events = Event.objects.count()
    for sent, off in (("off", True), ("on", False)):
        answer = client.post("/keys/", {"keys": sent, "next": "/ledger/"})
        assert answer.headers["Location"] == "/ledger/"
        mia.refresh_from_db()
        assert mia.keys_off is off
        assert ('data-keys="off"' in client.get("/").content.decode()) is off
    assert client.post("/keys/", {"keys": "on", "next": "//evil.example/"}).headers["Location"] == "/"
    assert Event.objects.count() == events


def test_switches_and_the_sign_in_lead_from_an_address_of_a_form_to_a_page(
    client: Client, mia: User, prod: Environment
) -> None:
    item = f"{prod.get_absolute_url()}items/spend-cap/"
    said = comments.add(by=make_member(prod.service.team), item_id=item_of(prod, "spend-cap").pk, text="Why?", now=NOW)
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    for address, status, back in (
        (f"{item}tick/", 422, item),
        (f"{item}comments/{said.pk}/remove/", 403, item),
        (f"{prod.get_absolute_url()}several/", 422, prod.get_absolute_url()),
        (f"/services/{prod.service.slug}/edit/archive/", 422, f"/services/{prod.service.slug}/"),
        ("/probes/spend-cap/disable/", 403, "/probes/spend-cap/"),
        ("/probes/disabled/1/enable/", 403, "/probes/"),
        ("/my-items/answer/", 403, "/my-items/"),
        ("/filters/save/", 422, "/"),
    ):
        answer = client.post(address, {})
        found = re.findall(r'name="next" value="([^"]*)"', answer.content.decode())
        assert (answer.status_code, set(found)) == (status, {back}), address
        assert client.get(back).status_code == 200
        signed_out = Client().post(address, {})
        assert signed_out.headers["Location"] == f"/sign-in/?{urlencode({'next': back}, safe='/')}"
    html = client.get("/ledger/", {"kind": "item.ticked"}).content.decode()
    assert 'name="next" value="/ledger/?kind=item.ticked"' in html


def test_the_banner_counts_the_runs_that_were_asked_for_together(mia: User, prod: Environment) -> None:
    assert sheet(prod, NOW).progress is None
    observe(prod, "spend-cap", now=NOW - timedelta(minutes=1), cap_matches=Judgement.PASS)
    claimed(prod, "key-validity", now=NOW)
    assert (now_at := sheet(prod, NOW).progress) is not None
    assert (now_at.done, now_at.total) == (0, 1)
    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    assert (now_at := sheet(prod, NOW).progress) is not None
    assert (now_at.done, now_at.total) == (1, 2)
