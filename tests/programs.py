"""Programs that call the API: a token made as admins make it, and answers checked against the OpenAPI document."""

import json
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.test import Client
from django.urls import reverse
from django.utils import timezone
from openapi_schema_validator import OAS31Validator

from readiness.actions import tokens
from readiness.api.document import document
from readiness.api.urls import api
from readiness.enums.words import TokenScope
from readiness.models import ApiToken, Environment, Team, User
from tests.factories import make_admin

BUILDS = "/api/v1/builds"


def make_token(
    name: str = "",
    *,
    team: Team | None = None,
    scopes: tuple[str, ...] = (TokenScope.WRITE_BUILDS,),
    last_day: date | None = None,
    by: User | None = None,
    now: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Return a token and its text, made by an admin (a new one unless told), for 30 days; the first is CI payments."""
    now = now or timezone.now()
    others = ApiToken.objects.filter(name__startswith="CI payments").count()
    name = name or ("CI payments" if others == 0 else f"CI payments {others + 1}")
    day = last_day or timezone.localdate(now) + timedelta(days=30)
    return tokens.make_token(by=by or make_admin(), name=name, scopes=scopes, team=team, last_day=day, now=now)


def assert_documented(status: int, headers: Any, body: bytes, *, path: str = BUILDS, method: str = "post") -> Any:
    """Return the JSON of an answer that the document describes, status, type and schema; AssertionError otherwise."""
    described = document(api)
    answer = described["paths"][path][method]["responses"][str(status)]
    ((media, content),) = answer["content"].items()
    assert headers["Content-Type"].partition(";")[0] == media
    schema = {**content["schema"], "components": described["components"]}
    said = json.loads(body)
    OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER).validate(said)
    for name in answer.get("headers", {}):
        assert name in headers
    return said


@dataclass
class Program:
    """A program with a token, over Django's client, with the checks against forged forms switched on."""

    text: str = ""
    client: Client = field(default_factory=lambda: Client(enforce_csrf_checks=True))

    def send(self, body: Any, **headers: str) -> Any:
        """Send a body: bytes as they are, everything else as JSON."""
        given = {"Authorization": f"Bearer {self.text}"} if self.text else {}
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = headers.pop("content_type", "application/json")
        return self.client.post(reverse("api-builds"), content, content_type=kind, headers={**given, **headers})

    def says(self, environment: Environment, build: str) -> tuple[int, Any]:
        """Say which build an environment runs; return the status and what was answered, which is documented."""
        service = environment.service.slug
        answer = self.send({"service": service, "environment": environment.name, "build": build})
        return answer.status_code, assert_documented(answer.status_code, answer.headers, answer.content)
