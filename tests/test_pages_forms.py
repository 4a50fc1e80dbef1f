"""What people type: bad input gets its sentence at its field, is kept in the form, and writes nothing."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import QuerySet
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.models import Environment, Item, Service, User
from readiness.rules.references import ReferencePolicy, TeamGrant
from tests.deeds import REASON, SUMMARY, everything
from tests.factories import (
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)
from tests.reading import at_field, value_of, words

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
KEY = "qbt_live_4fK2mXw9Zr7TqLp0"


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User, settings: Any) -> Environment:
    settings.KEY_REFERENCES = ReferencePolicy(
        teams={
            "conversational": TeamGrant(variable_prefixes=("CONV_",), folders=("/run/secrets/conv",)),
            "insurance": TeamGrant(variable_prefixes=("INS_",)),
        }
    )
    settings.ALLOWED_NETWORKS = ("10.7.0.0/16",)
    team = mia.teams.get()
    return make_environment(make_service(team, "assistant-web", by=mia), "prod", by=mia)


@pytest.fixture
def page(mia: User, client: Client) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


ENVIRONMENT = {
    "name": "prod",
    "kind": "prod",
    "service_url": "https://assistant.example.ca",
    "stream_route": "/stream/canary",
    "bastion_url": "https://api.example.ca/v1",
    "key_reference": "env:CONV_KEY",
    "spend_cap": "100",
    "spend_cap_currency": "CAD",
    "build": "9f2c41d",
}


def change(page: Client, prod: Environment, **given: Any) -> Any:
    """Send the environment's form, right but for what is given."""
    prod.refresh_from_db()
    form = {**ENVIRONMENT, "seen_version": prod.version, **given}
    return page.post(reverse("environment-change", args=["assistant-web", "prod"]), form)


BAD_SETTINGS = [
    ("service_url", "ftp://assistant.example.ca", "has to begin with https://"),
    ("service_url", "assistant.example.ca", "has to begin with https://"),
    ("service_url", "javascript:alert(1)", "has to begin with https://"),
    ("service_url", "https://", "has to begin with https://"),
    ("service_url", "https://[::1", "not an address"),
    ("service_url", "https://a.example.ca:99999", "not an address"),
    ("service_url", "https://mia:pw@a.example.ca", "user name or password"),
    ("service_url", "https://a.example.ca/?x=1", "without a query"),
    ("service_url", "http://169.254.169.254/latest/meta-data", "Probes do not connect to 169.254.169.254"),
    ("service_url", "http://127.0.0.1:8801", "names it with port 8801. Use a public address"),
    ("service_url", "http://2130706433", "Probes do not connect to 127.0.0.1"),
    ("service_url", "http://0x7f000001/", "Probes do not connect to 127.0.0.1"),
    ("service_url", "http://0177.0.0.1/", "Probes do not connect to 127.0.0.1"),
    ("service_url", "http://127.1", "Probes do not connect to 127.0.0.1"),
    ("service_url", "http://127。0。0。1/", "Probes do not connect to 127.0.0.1"),
    ("service_url", "http://a..b", "No such host can be looked up"),
    ("service_url", "http://-/", "No such host can be looked up"),
    ("service_url", "http://a.example.ca:0", "No such host can be looked up"),
    ("service_url", "http://[::1]", "Probes do not connect to ::1"),
    ("service_url", "http://[::ffff:169.254.169.254]", "Probes do not connect to"),
    ("service_url", "http://10.8.0.1", "Probes do not connect to 10.8.0.1"),
    ("bastion_url", "http://169.254.169.254/v1", "Probes do not connect to 169.254.169.254"),
    ("bastion_url", "api.example.ca/v1", "has to begin with https://"),
    ("stream_route", "//evil.example.com/x", "begins with one slash"),
    ("stream_route", "https://evil.example.com/", "begins with one slash"),
    ("stream_route", "/a?b", "without ?"),
    ("stream_route", "/a\\b", "without ?"),
    ("key_reference", "file:/proc/self/environ", "files below /run/secrets/conv only"),
    ("key_reference", "file:/run/secrets/conv/../ins/key", "without .. or doubled slashes"),
    ("key_reference", "file:/run/secrets/convention/key", "files below /run/secrets/conv only"),
    ("key_reference", "env:INS_KEY", "variables that begin with CONV_ only"),
    ("key_reference", "env:READINESS_SECRET_KEY", "variables that begin with CONV_ only"),
    ("key_reference", "env:CONV_KEY; cat", "comes the name of a variable"),
    ("key_reference", "vault:secret/x", "Write the reference as env:NAME or file:/path/to/key"),
    ("spend_cap", "0", "more than nothing"),
    ("spend_cap", "-5", "more than nothing"),
    ("spend_cap", "1e400", "Ensure that there are no more than"),
    ("spend_cap", "NaN", "Enter a number"),
    ("spend_cap_currency", "", "in which currency"),
    ("spend_cap_currency", "C4D", "three capital letters"),
    ("name", "Prod!", "lower-case letters"),
    ("name", "edit", "part of an address here"),
    ("name", "staging", "already has an environment of that name"),
    ("kind", "production", "Select a valid choice"),
    ("launch_on", "soon", "Enter a valid date"),
]
"""A field, what is typed into it, and what is said about that."""


@pytest.mark.parametrize("form", ["environment-add", "environment-change"])
def test_a_bad_setting_is_told_at_its_field_and_not_saved(page: Client, prod: Environment, form: str) -> None:
    make_environment(prod.service, "staging", kind="staging")
    prod.refresh_from_db()
    args = ["assistant-web"] if form == "environment-add" else ["assistant-web", "prod"]
    name = "dev" if form == "environment-add" else "prod"
    before = everything(), list(Environment.objects.order_by("pk").values())

    for field, typed, says in BAD_SETTINGS:
        sent = {**ENVIRONMENT, "name": name, "seen_version": prod.version, field: typed}
        response = page.post(reverse(form, args=args), sent)

        assert response.status_code == 422, (field, typed)
        assert says in at_field(response, f"id_{field}"), (field, typed)
        assert (everything(), list(Environment.objects.order_by("pk").values())) == before, (field, typed)
        if field not in ("key_reference", "kind"):
            assert value_of(response, f"id_{field}") == typed
        assert value_of(response, "id_build") == "9f2c41d", (field, typed)


@pytest.mark.parametrize("field", ["key_reference", "billing_name", "build", "service_url", "bastion_url"])
def test_a_pasted_key_is_neither_kept_nor_shown_again(page: Client, prod: Environment, field: str) -> None:
    before = everything()
    for typed in (
        KEY, f"env:{KEY}", f"  {KEY} ", f"file:/tmp/{KEY}", KEY + "x" * 400, f"Bearer {KEY}", f"{KEY}\nCONV_KEY"
    ):  # fmt: skip
        response = change(page, prod, **{field: typed})

        assert response.status_code == 422, typed
        assert KEY not in response.content.decode(), typed
        assert "looks like a key itself" in at_field(response, f"id_{field}"), typed
    assert everything() == before


def test_what_is_no_reference_may_be_a_key_and_is_not_shown_again(page: Client, prod: Environment) -> None:
    response = change(page, prod, key_reference="sk-proj-0123456789abcdef")

    assert response.status_code == 422
    assert "sk-proj" not in response.content.decode()


@pytest.mark.parametrize("url", ["https://assistant.example.ca", "http://10.7.0.9:8080", "https://8.8.8.8/x/"])
def test_a_public_or_allowed_address_is_saved(page: Client, prod: Environment, url: str) -> None:
    assert change(page, prod, service_url=url).status_code == 302
    prod.refresh_from_db()
    assert prod.service_url == url.rstrip("/")


def test_of_two_people_who_change_settings_the_second_keeps_what_they_typed(page: Client, prod: Environment) -> None:
    prod.refresh_from_db()
    seen = prod.version
    assert change(page, prod, build="first").status_code == 302
    before = everything()

    response = change(page, prod, build="second", seen_version=seen)

    assert response.status_code == 409
    assert "mia saved these settings while you were writing" in words(response)
    assert value_of(response, "id_build") == "second"
    assert everything() == before
    prod.refresh_from_db()
    assert (prod.build, value_of(response, "id_seen_version")) == ("first", str(prod.version))
    assert change(page, prod, build="second", seen_version=value_of(response, "id_seen_version")).status_code == 302


@pytest.mark.parametrize(
    ("slug", "says"),
    [
        ("Assistant Web", "lower-case letters"),
        ("-a", "lower-case letters"),
        ("new", "part of an address here"),
        ("assistant-web", "There is a service of this name already"),
        ("", "required"),
        ("a" * 61, "at most 60 characters"),
        ("café", "lower-case letters"),
    ],
)
def test_a_bad_name_of_a_service_is_told_at_its_field(page: Client, prod: Environment, slug: str, says: str) -> None:
    response = page.post(
        reverse("service-add"), {"team": prod.service.team_id, "slug": slug, "description": "Kept as typed."}
    )

    assert response.status_code == 422
    assert says in at_field(response, "id_slug")
    assert value_of(response, "id_description") == "Kept as typed."
    assert Service.objects.count() == 1


def test_a_service_cannot_be_added_to_somebody_elses_team(page: Client, prod: Environment) -> None:
    other = make_team()
    response = page.post(reverse("service-add"), {"team": other.pk, "slug": "theirs"})

    assert (response.status_code, Service.objects.count()) == (422, 1)


def send(page: Client, item: Item, name: str, **given: Any) -> Any:
    item.refresh_from_db()
    form = {"seen_version": item.version, **given}
    return page.post(reverse(name, args=["assistant-web", "prod", item.entry.slug]), form)


@pytest.mark.parametrize("htmx", [False, True])
@pytest.mark.parametrize(
    ("name", "form", "field", "typed", "says"),
    [
        ("item-tick", "tick", "links", "javascript:alert(document.cookie)", "not a link that can be kept"),
        ("item-tick", "tick", "links", "https://a.example.ca\nfile:///etc/passwd", "not a link that can be kept"),
        ("item-tick", "tick", "summary", "ok", "Say in a few words"),
        ("item-tick", "tick", "summary", "", "required"),
        ("item-take-back", "take_back", "summary", "no", "Say in a few words"),
        ("ask-waiver", "waiver", "reason", "abc", "at least 15 letters"),
        ("ask-waiver", "waiver", "until", "yesterday", "This day has passed"),
        ("ask-waiver", "waiver", "until", "in two years", "at most 90 days"),
        ("ask-waiver", "waiver", "until", "some day", "Enter a valid date"),
        ("ask-waiver", "waiver", "stance", "because", "Select a valid choice"),
        ("ask-not-applicable", "not_applicable", "reason", "abc", "at least 15 letters"),
        ("item-assign", "assign", "owner", "0", "Select a valid choice"),
        ("item-assign", "assign", "due_on", "31/31/2026", "Enter a valid date"),
    ],
)
def test_a_bad_word_about_an_item_is_told_at_its_field_and_not_saved(
    page: Client, prod: Environment, name: str, form: str, field: str, typed: str, says: str, htmx: bool
) -> None:
    item = item_of(prod, "spend-cap")
    if name == "item-take-back":
        send(page, item, "item-tick", summary=SUMMARY)
    today = timezone.localdate()
    days = {"yesterday": today - timedelta(days=1), "in two years": today + timedelta(days=730)}
    typed = days[typed].isoformat() if typed in days else typed
    right = {"summary": SUMMARY, "reason": REASON, "stance": "accept-risk", "until": today.isoformat()}
    before = everything()
    item.refresh_from_db()

    response = page.post(
        reverse(name, args=["assistant-web", "prod", "spend-cap"]),
        {"seen_version": item.version, **right, field: typed},
        headers={"HX-Request": "true"} if htmx else {},
    )

    assert response.status_code == 422
    assert says in at_field(response, f"spend-cap_{form}_{field}")
    assert everything() == before
    if field in ("links", "summary", "reason", "until", "due_on"):
        assert value_of(response, f"spend-cap_{form}_{field}").split() == typed.split()
    if field != "reason" and name == "ask-waiver":
        assert value_of(response, "spend-cap_waiver_reason") == REASON, "What was right is kept as well."
    assert ("<html" in response.content.decode()) is not htmx


def test_of_two_people_who_save_an_item_the_second_sees_who_was_first_and_keeps_their_words(
    page: Client, prod: Environment
) -> None:
    item = item_of(prod, "spend-cap")
    other = make_member(prod.service.team, "jonas")
    first = Client()
    first.force_login(other, backend="django.contrib.auth.backends.ModelBackend")
    assert send(first, item, "item-tick", summary=SUMMARY).status_code == 302
    before = everything()

    mine = {"summary": "I looked as well, yesterday.", "links": "https://docs.example.ca/mine"}
    response = send(page, item, "item-tick", **{**mine, "seen_version": item.version - 1 or 1})

    assert response.status_code == 409
    assert "jonas saved this item while you were writing" in words(response)
    assert value_of(response, "spend-cap_tick_summary") == mine["summary"]
    assert value_of(response, "spend-cap_tick_links") == mine["links"]
    assert everything() == before
    item.refresh_from_db()
    assert send(page, item, "item-tick", **mine).status_code == 302


def test_an_answer_that_came_too_late_is_told_and_the_note_is_kept(page: Client, prod: Environment) -> None:
    item = item_of(prod, "spend-cap")
    until = timezone.localdate().isoformat()
    send(page, item, "ask-waiver", stance="accept-risk", reason=REASON, until=until)
    waiver = item.waivers.get()
    reviewers = [Client(), Client()]
    for one in reviewers:
        one.force_login(make_reviewer(), backend="django.contrib.auth.backends.ModelBackend")
    answer = {"request": f"waiver-{waiver.pk}", "answer": "refuse", "note": REASON}
    assert send(reviewers[0], item, "decide", **answer).status_code == 302
    before = everything()

    response = send(reviewers[1], item, "decide", **answer)

    assert (response.status_code, everything()) == (422, before)
    assert "has refused this already" in words(response)


def test_markup_that_people_type_is_shown_and_not_run(page: Client, prod: Environment) -> None:
    item = item_of(prod, "spend-cap")
    send(page, item, "item-tick", summary="<script>alert('seen')</script> it is fine")
    html = page.get(reverse("item", args=["assistant-web", "prod", "spend-cap"])).content.decode()

    assert "<script>alert" not in html
    assert "&lt;script&gt;alert" in html


def test_a_refused_cap_is_not_asked_for_at_its_currency(page: Client, prod: Environment) -> None:
    response = change(page, prod, spend_cap="NaN", spend_cap_currency="CAD")

    assert at_field(response, "id_spend_cap") == "Enter a number."
    assert at_field(response, "id_spend_cap_currency") == ""


def test_what_is_added_twice_at_the_same_moment_is_told_at_its_name(
    page: Client, prod: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other request was committed after the form looked and before the action wrote."""
    monkeypatch.setattr(QuerySet, "exists", lambda self: False)
    service = {"team": prod.service.team_id, "slug": "assistant-web"}
    again = page.post(reverse("service-add"), service)
    prod_again = page.post(reverse("environment-add", args=["assistant-web"]), {"name": "prod", "kind": "prod"})
    staging = make_environment(prod.service, "staging", kind="staging")
    renamed = {"name": "prod", "kind": "staging", "seen_version": staging.version}
    renamed_to_it = page.post(reverse("environment-change", args=["assistant-web", "staging"]), renamed)

    assert (again.status_code, prod_again.status_code, renamed_to_it.status_code) == (422, 422, 422)
    assert "There is a service of this name already" in at_field(again, "id_slug")
    assert "already has an environment of that name" in at_field(prod_again, "id_name")
    assert "already has an environment of that name" in at_field(renamed_to_it, "id_name")


def test_an_admin_without_any_team_is_told_to_add_one_first(client: Client) -> None:
    client.force_login(make_admin(), backend="django.contrib.auth.backends.ModelBackend")
    empty = client.get(reverse("service-add"))
    assert "there is none yet" in words(empty)
    assert reverse("admin:readiness_team_add") in empty.content.decode()
    make_team()
    assert "there is none yet" not in words(client.get(reverse("service-add")))


def test_a_page_from_before_one_signed_in_anew_says_what_to_do(mia: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    response = strict.post(reverse("service-add"), {"slug": "x"})

    assert response.status_code == 403
    assert "Nothing was saved." in words(response)
    assert "data-reasons" in response.content.decode(), "A script shows these words where a part was asked for."


def test_what_was_written_for_a_request_that_another_made_first_is_shown(page: Client, prod: Environment) -> None:
    item = item_of(prod, "store-false")
    until = (timezone.localdate() + timedelta(days=5)).isoformat()
    sent = {"seen_version": item.version, "stance": "accept-risk", "until": until, "reason": REASON}
    address = reverse("ask-waiver", args=["assistant-web", "prod", "store-false"])
    assert page.post(address, sent).status_code == 302

    crossed = page.post(address, {**sent, "reason": "Mine, which took me half an hour."})
    too_late = page.post(address, {**sent, "seen_version": item.version + 1, "reason": "Mine, which took an hour."})
    leave_out = page.post(
        reverse("ask-not-applicable", args=["assistant-web", "prod", "store-false"]),
        {"seen_version": item.version, "reason": "Mine, which took a whole day."},
    )

    assert (crossed.status_code, too_late.status_code, leave_out.status_code) == (409, 422, 409)
    assert "Mine, which took me half an hour." in words(crossed)
    assert "Mine, which took an hour." in words(too_late)
    assert "Mine, which took a whole day." in words(leave_out)


def test_a_word_that_lacks_its_link_is_kept_in_the_form_for_whoever_gave_it(page: Client, prod: Environment) -> None:
    address = reverse("item", args=["assistant-web", "prod", "alerts"]) + "?tab=evidence"
    wanted = "Links to evidence needed for it to count"
    assert wanted in words(page.get(address))
    assert "Links to evidence optional" in words(page.get(address.replace("alerts", "store-false")))
    tick = reverse("item-tick", args=["assistant-web", "prod", "alerts"])
    form = {"seen_version": item_of(prod, "alerts").version, "summary": SUMMARY, "links": ""}
    panel = page.post(tick, form, headers={"HX-Request": "true"})
    assert "Kept, but it does not count yet" in words(panel)
    for answer in (panel, page.get(address)):
        assert (value_of(answer, "alerts_tick_summary"), wanted in words(answer)) == (SUMMARY, True)
    page.force_login(make_member(prod.service.team, "jo"), backend="django.contrib.auth.backends.ModelBackend")
    assert value_of(page.get(address), "alerts_tick_summary") == "", "The word is another's."
