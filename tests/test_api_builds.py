"""``POST /api/v1/builds`` over HTTP: every status that its document names, and what each writes."""

import json
import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
import time_machine
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from openapi_spec_validator import OpenAPIV31SpecValidator

from readiness.actions import archiving, services, tokens
from readiness.api.document import document
from readiness.api.urls import api
from readiness.models import ApiToken, Deployment, Environment, Event
from tests.deeds import everything
from tests.factories import make_admin, make_environment, make_member, make_service, make_team
from tests.programs import BUILDS, Program, assert_documented, make_token
from tests.servers.site import LiveSite

pytestmark = pytest.mark.django_db
REASON = "It was replaced by another environment."


@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Payments"), "payments-assistant"), "prod")


@pytest.fixture
def program(prod: Environment) -> Program:
    return Program(make_token(team=prod.service.team)[1])


def written() -> tuple[Any, ...]:
    """What there is of all that a call could write."""
    return (*everything(), Deployment.objects.count(), *Environment.objects.values_list("build", "version"))


@pytest.fixture
def nothing_written(prod: Environment, program: Program) -> Iterator[None]:
    before = written()
    yield
    assert written() == before


def test_a_new_build_is_created_and_the_same_one_again_is_not(program: Program, prod: Environment) -> None:
    status, said = program.says(prod, "9f2c41d")
    prod.refresh_from_db()
    since = said.pop("since")
    assert (status, said) == (
        201,
        {"service": "payments-assistant", "environment": "prod", "build": "9f2c41d", "changed": True},
    )
    assert (prod.build, prod.version) == ("9f2c41d", 2)
    assert prod.build_since is not None
    assert prod.build_since.isoformat(timespec="milliseconds").replace("+00:00", "Z") == since

    before = written()
    status, again = program.says(prod, "9f2c41d")
    assert (status, again["changed"], again["since"]) == (200, False, since)
    assert written() == before


def test_who_said_it_is_in_the_ledger_and_beside_the_build(program: Program, prod: Environment) -> None:
    program.says(prod, "9f2c41d")
    event = Event.objects.order_by("-id").first()
    assert event is not None
    token = ApiToken.objects.get()
    assert (event.kind, event.actor, event.environment, event.data) == (
        "build.set",
        None,
        prod,
        {"from": "", "to": "9f2c41d", "token": token.pk, "token_name": "CI payments"},
    )
    assert list(Deployment.objects.values_list("build", "by", "token")) == [("9f2c41d", None, token.pk)]


def test_an_empty_build_says_that_nobody_knows(program: Program, prod: Environment) -> None:
    assert program.says(prod, "") == (
        200,
        {"service": "payments-assistant", "environment": "prod", "build": "", "since": None, "changed": False},
    )
    program.says(prod, "a")
    status, said = program.says(prod, "")
    assert (status, said["build"], said["changed"]) == (201, "", True)


# --- who is let in ----------------------------------------------------------------------------------------------------
def test_without_a_token_that_works_each_answer_is_the_same(prod: Environment) -> None:
    kept, text = make_token("kept")
    _, ended_text = make_token("ended", now=timezone.now() - timedelta(days=60))
    revoked, revoked_text = make_token("revoked")
    tokens.revoke_token(by=make_admin(), token_id=revoked.pk, now=timezone.now())
    before = written()
    answers = []
    shown = [
        "",
        "x",
        ended_text,
        revoked_text,
        text[:-1] + ("0" if text[-1] != "0" else "1"),
        f"rdy_{'a' * 8}_{'0' * 64}",
        kept.digest,
        text.upper(),
        f"{text} {text}",
        "rdy_é" + "0" * 70,
    ]
    for one in shown:
        answer = Program(one).send({"service": "payments-assistant", "environment": "prod", "build": "b"})
        answers.append((answer.status_code, answer.content, answer.headers["WWW-Authenticate"]))
        assert_documented(401, answer.headers, answer.content)
    assert set(answers) == {(401, answers[0][1], "Bearer")}
    assert written() == before
    assert not ApiToken.objects.exclude(last_used_at=None).exists()


@pytest.mark.parametrize("scheme", ["Basic", "Token", "", "Bearer:"])
def test_a_token_under_another_scheme_is_none(scheme: str, prod: Environment, caplog: Any, settings: Any) -> None:
    settings.DEBUG = True
    caplog.set_level(logging.DEBUG)
    text = make_token()[1]
    body = {"service": "payments-assistant", "environment": "prod", "build": "b"}
    answer = Program().send(body, Authorization=f"{scheme} {text}".strip())
    assert answer.status_code == 401
    assert text not in caplog.text


def test_a_session_is_no_token(prod: Environment, nothing_written: None) -> None:
    """So nothing that another page makes a browser send can say anything."""
    client = Client()
    client.force_login(make_admin(), backend="django.contrib.auth.backends.ModelBackend")
    answer = Program(client=client).send({"service": "payments-assistant", "environment": "prod", "build": "b"})
    assert answer.status_code == 401


def test_a_program_gets_no_cookie_and_nobody_keeps_the_answer(program: Program, prod: Environment) -> None:
    for text in (program.text, ""):
        answer = Program(text).send({"service": "payments-assistant", "environment": "prod", "build": "b"})
        assert not answer.cookies
        assert answer.headers["Cache-Control"] == "no-store"
        assert not [name for name in answer.headers if name.startswith("Access-Control")]
    assert not Session.objects.exists()


def test_a_token_stops_at_its_end_and_not_before(prod: Environment) -> None:
    token, text = make_token()
    with time_machine.travel(token.expires_at - timedelta(milliseconds=1), tick=False):
        assert Program(text).says(prod, "last")[0] == 201
    with time_machine.travel(token.expires_at, tick=False):
        assert Program(text).says(prod, "late")[0] == 401
    prod.refresh_from_db()
    assert prod.build == "last"


def test_a_revoked_token_stops_at_that_instant(program: Program, prod: Environment) -> None:
    assert program.says(prod, "a")[0] == 201
    tokens.revoke_token(by=make_admin(), token_id=ApiToken.objects.get().pk, now=timezone.now())
    assert program.says(prod, "b")[0] == 401
    assert program.says(prod, "a")[0] == 401


def test_when_it_was_last_used_is_written_once_a_minute(program: Program, prod: Environment) -> None:
    start = timezone.now()
    seen = []
    for seconds in (0, 30, 59, 60, 100):
        with time_machine.travel(start + timedelta(seconds=seconds), tick=False):
            program.says(prod, "a")
        used = ApiToken.objects.get().last_used_at
        assert used is not None
        seen.append(round((used - start).total_seconds()))
    assert seen == [0, 0, 0, 60, 60]


# --- what it may speak of ---------------------------------------------------------------------------------------------
def test_another_teams_service_is_refused_whether_it_has_that_environment_or_not(program: Program) -> None:
    others = make_environment(make_service(make_team("Insurance"), "claims"), "prod")
    before = written()
    status, said = program.says(others, "b")
    assert status == 403
    assert said["reasons"] == [
        "This token speaks of another team's services, not of Insurance's. Ask an admin for one that does."
    ]
    none = program.send({"service": "claims", "environment": "no-such", "build": "b"})
    assert (none.status_code, none.json()) == (403, said)
    assert written() == before


def test_a_service_that_was_handed_over_goes_with_its_new_team(program: Program, prod: Environment) -> None:
    insurance = make_team("Insurance")
    theirs = Program(make_token("CI claims", team=insurance)[1])
    assert (program.says(prod, "a")[0], theirs.says(prod, "b")[0]) == (201, 403)
    services.transfer_service(
        by=make_admin(), service=prod.service, team=insurance, reason=REASON, now=timezone.now(), **_seen(prod)
    )
    assert (program.says(prod, "c")[0], theirs.says(prod, "d")[0]) == (403, 201)


def _seen(prod: Environment) -> dict[str, int]:
    prod.service.refresh_from_db()
    return {"seen_version": prod.service.version}


def test_a_token_without_a_team_speaks_of_all(prod: Environment) -> None:
    anybodys = Program(make_token()[1])
    assert anybodys.says(prod, "a")[0] == 201
    assert anybodys.says(make_environment(), "a")[0] == 201


def test_a_token_without_the_scope_learns_nothing(program: Program, nothing_written: None) -> None:
    ApiToken.objects.update(scopes=["something:else"])
    for service in ("payments-assistant", "no-such"):
        answer = program.send({"service": service, "environment": "prod", "build": "b"})
        said = assert_documented(403, answer.headers, answer.content)
        assert said["reasons"] == ["This token lacks the scope builds:write. Ask an admin for one that has it."]


@pytest.mark.parametrize(("service", "environment"), [("no-such", "prod"), ("payments-assistant", "no-such")])
def test_what_is_not_there_is_not_found(
    program: Program, nothing_written: None, service: str, environment: str
) -> None:
    answer = program.send({"service": service, "environment": environment, "build": "b"})
    assert answer.status_code == 404
    assert "no-such" in assert_documented(404, answer.headers, answer.content)["detail"]


def test_what_is_archived_is_a_conflict(program: Program, prod: Environment) -> None:
    member = make_member(prod.service.team)
    archiving.archive_environment(by=member, environment_id=prod.pk, reason=REASON, now=timezone.now())
    before = written()
    status, said = program.says(prod, "b")
    assert (status, said["reasons"]) == (
        409,
        ["This is archived: it can be read, and nothing more is written about it."],
    )
    archiving.restore_environment(by=member, environment_id=prod.pk, reason=REASON, now=timezone.now())
    archiving.archive_service(by=member, service_id=prod.service_id, reason=REASON, now=timezone.now())
    assert program.says(prod, "b")[0] == 409
    assert written()[-2:] != before
    assert not Deployment.objects.exists()


# --- what is sent -----------------------------------------------------------------------------------------------------
GOOD = {"service": "payments-assistant", "environment": "prod", "build": "b"}


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        pytest.param({}, ["build", "environment", "service"], id="nothing"),
        pytest.param({**GOOD, "build": None}, ["build"], id="null"),
        pytest.param({**GOOD, "build": 7}, ["build"], id="a number"),
        pytest.param({**GOOD, "build": "x" * 101}, ["build"], id="too long"),
        pytest.param({**GOOD, "build": " b"}, ["build"], id="spaces around"),
        pytest.param({**GOOD, "build": "a\nb"}, ["build"], id="two lines"),
        pytest.param({**GOOD, "build": "a\0b"}, ["build"], id="a NUL"),
        pytest.param({**GOOD, "build": "\ud800"}, ["build"], id="half a character"),
        pytest.param({**GOOD, "build": "qbt_live_4fK2mXw9Zr7TqLp0"}, ["build"], id="a key"),
        pytest.param({**GOOD, "build": f"rdy_abcdefgh_{'0' * 64}"}, ["build"], id="a token"),
        pytest.param({**GOOD, "service": "Payments Assistant"}, ["service"], id="not a name"),
        pytest.param({**GOOD, "service": "\ud800"}, ["service"], id="half a character as a name"),
        pytest.param({**GOOD, "environment": "p" * 41}, ["environment"], id="a name too long"),
        pytest.param({**GOOD, "environment": ["prod"]}, ["environment"], id="a list"),
        pytest.param({**GOOD, "enviroment": "prod"}, ["enviroment"], id="a field that is not there"),
        pytest.param([GOOD], ["body"], id="a list of them"),
        pytest.param("text", ["body"], id="text"),
        pytest.param(None, ["body"], id="JSON's null"),
    ],
)
def test_a_field_that_cannot_be_taken_is_named(
    program: Program, nothing_written: None, body: Any, fields: list[str]
) -> None:
    answer = program.send(json.dumps(body).encode())
    assert answer.status_code == 422
    said = assert_documented(422, answer.headers, answer.content)
    assert sorted(said["fields"]) == fields
    assert all(reason[0].isupper() and reason.endswith(".") for why in said["fields"].values() for reason in why)
    assert "qbt_live" not in answer.content.decode()
    assert "rdy_abcdefgh" not in answer.content.decode()


@pytest.mark.parametrize("body", [b"{", b"service=a", b"\xff\xfe{}", b"[" * 10_000, b'{"build": "b",}'])
def test_what_is_not_json_is_told_so(program: Program, nothing_written: None, body: bytes) -> None:
    answer = program.send(body)
    assert answer.status_code == 400
    assert_documented(400, answer.headers, answer.content)


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"])
def test_what_does_not_say_that_it_is_json_is_not_read(program: Program, nothing_written: None, kind: str) -> None:
    """A form on another page can send these without asking; JSON it cannot."""
    answer = program.send(GOOD, content_type=kind)
    assert answer.status_code == 415
    assert_documented(415, answer.headers, answer.content)


def test_json_may_say_its_character_set(program: Program, prod: Environment) -> None:
    assert program.send(GOOD, content_type="application/json; charset=utf-8").status_code == 201


@pytest.mark.parametrize("size", [16 * 1024 + 1, 3_000_000])
def test_a_body_that_is_too_large_is_not_read(program: Program, nothing_written: None, size: int) -> None:
    answer = program.send(json.dumps(GOOD).encode().ljust(size))
    assert answer.status_code == 413
    assert_documented(413, answer.headers, answer.content)


def test_a_body_of_just_the_most_is_read(program: Program) -> None:
    assert program.send(json.dumps(GOOD).encode().ljust(16 * 1024)).status_code == 201


@pytest.mark.parametrize("method", ["get", "head", "put", "patch", "delete", "options"])
def test_other_methods_are_told_which_to_use(program: Program, nothing_written: None, method: str) -> None:
    answer = getattr(Client(), method)(BUILDS, headers={"Authorization": f"Bearer {program.text}"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.django_db(transaction=True)
def test_the_running_server_answers_alike(live_site: LiveSite, prod: Environment) -> None:
    text = make_token(team=prod.service.team)[1]
    with httpx.Client(base_url=live_site.url, headers={"Authorization": f"Bearer {text}"}, timeout=120) as http:
        first, again = (http.post(BUILDS, json=GOOD) for _ in range(2))
        assert (first.status_code, again.status_code) == (201, 200)
        for answer in (first, again):
            assert_documented(answer.status_code, answer.headers, answer.content)

        def in_chunks() -> Iterator[bytes]:
            yield json.dumps(GOOD).encode()

        answers = {
            411: http.post(BUILDS, content=in_chunks(), headers={"Content-Type": "application/json"}),
            413: http.post(BUILDS, content=b" " * 20_000, headers={"Content-Type": "application/json"}),
            415: http.post(BUILDS, data=GOOD),
            400: http.post(BUILDS, headers={"Content-Type": "application/json"}),
            422: http.post(BUILDS, json={}),
            404: http.post(BUILDS, json={**GOOD, "service": "none"}),
        }
        for status, answer in answers.items():
            assert answer.status_code == status
            assert_documented(status, answer.headers, answer.content)
    stranger = httpx.post(f"{live_site.url}{BUILDS}", json=GOOD, follow_redirects=False)
    assert (stranger.status_code, stranger.headers["www-authenticate"]) == (401, "Bearer")


# --- the document -----------------------------------------------------------------------------------------------------
def test_the_document_is_valid_and_names_every_status_that_is_tested_here() -> None:
    described = document(api)
    OpenAPIV31SpecValidator(described).validate()
    assert list(described["paths"]) == [BUILDS]
    operation = described["paths"][BUILDS]["post"]
    tested = {"200", "201", "400", "401", "403", "404", "409", "411", "413", "415", "422"}
    assert set(operation["responses"]) == tested
    assert operation["security"] == [{"Bearer": []}]
    assert described["components"]["securitySchemes"]["Bearer"] == {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "rdy_<8 letters>_<64 hexadecimal digits>",
        "description": "A token made by an admin under API tokens. Sessions of browsers are not taken.",
    }


def test_the_examples_of_the_document_are_what_it_describes() -> None:
    from openapi_schema_validator import OAS31Validator

    described = document(api)
    for name, schema in described["components"]["schemas"].items():
        assert schema["examples"], name
        for example in schema["examples"]:
            OAS31Validator({**schema, "components": described["components"]}).validate(example)


def test_the_document_is_for_whoever_is_signed_in_or_shows_a_token(program: Program, client: Client) -> None:
    stranger = client.get("/api/v1/openapi.json")
    assert (stranger.status_code, stranger.headers["WWW-Authenticate"]) == (401, "Bearer")
    shown = client.get("/api/v1/openapi.json", headers={"Authorization": f"Bearer {program.text}"})
    assert shown.json() == document(api)
    assert ApiToken.objects.get().last_used_at is None, "Reading writes nothing."
    client.force_login(make_member(make_team()), backend="django.contrib.auth.backends.ModelBackend")
    assert client.get("/api/v1/openapi.json").json() == document(api)
    assert client.post("/api/v1/openapi.json").status_code == 405
