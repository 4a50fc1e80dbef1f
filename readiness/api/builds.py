"""``POST /api/v1/builds``: a program says which build an environment runs."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from ninja import Body, Field, Router, Schema, Status
from pydantic import AfterValidator, ConfigDict, JsonValue

from readiness.actions.builds import set_build
from readiness.enums.words import TokenScope
from readiness.models import ApiToken, Environment, Service
from readiness.rules.environments import MOST_BUILD, build_refusals
from readiness.rules.permissions import insist
from readiness.rules.tokens import scope_refusals, team_refusals

from .problems import Problem, Problematic

router = Router()

NAME = r"^[a-z0-9][a-z0-9-]*$"
ASKED: dict[str, JsonValue] = {"service": "payments-assistant", "environment": "prod", "build": "9f2c41d"}
RUNS: dict[str, JsonValue] = {**ASKED, "since": "2026-11-12T09:30:00Z", "changed": True}


def _named_well(build: str) -> str:
    if reasons := build_refusals(build):
        raise ValueError(" ".join(reasons))
    return build


class BuildSaid(Schema):
    """Which build runs where."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [ASKED]})

    service: str = Field(pattern=NAME, max_length=60, description="The service's name, as in its address.")
    environment: str = Field(pattern=NAME, max_length=40, description="The environment's name, as in its address.")
    build: Annotated[str, AfterValidator(_named_well)] = Field(
        max_length=MOST_BUILD,
        description="What runs now: a commit or an image digest, one line. Empty says that nobody knows.",
    )


class BuildRuns(Schema):
    """What the environment runs, as it is known now."""

    model_config = ConfigDict(json_schema_extra={"examples": [RUNS]})

    service: str
    environment: str
    build: str
    since: datetime | None = Field(description="When it was first said; null where no build was ever known.")
    changed: bool = Field(description="Whether it is another build than before. The same one again changes nothing.")


SAYS: dict[int, str] = {
    201: "The environment runs another build from now on.",
    200: "The environment ran this build already. Nothing was written.",
    400: "The body is not JSON.",
    401: "No token, or one that is unknown, has ended or was revoked: the same answer for each.",
    403: "The token lacks the scope `builds:write`, or the service belongs to another team than the token. Then the "
    "answer does not depend on whether that service has an environment of this name.",
    404: "There is no service of this name, or it has no environment of this name.",
    409: "The environment, or its whole service, is archived.",
    411: "The body came without a Content-Length.",
    413: "The body is larger than 16 KiB.",
    415: "The Content-Type is not application/json.",
    422: "A field is missing, unknown or cannot be taken; `fields` names it.",
}
CHALLENGE = {"WWW-Authenticate": {"schema": {"type": "string", "const": "Bearer"}}}
DOCUMENTED: dict[str, Any] = {
    "responses": {
        status: {"description": said, **({"headers": CHALLENGE} if status == 401 else {})}
        for status, said in SAYS.items()
    }
}


@router.post(
    "/builds",
    url_name="api-builds",
    operation_id="sayBuild",
    summary="Say which build an environment runs",
    tags=["Builds"],
    response={status: BuildRuns if status < 400 else Problem for status in SAYS},
    openapi_extra=DOCUMENTED,
)
def say_build(request: HttpRequest, said: Body[BuildSaid]) -> Status[Any]:
    """Say it after each deployment, and as often as you like.

    What probes observed of another build no longer counts from then on; what they observed of this one counts again.
    Needs the scope `builds:write`.
    """
    token: ApiToken = request.auth  # type: ignore[attr-defined]
    insist(scope_refusals(token.scopes, needed=TokenScope.WRITE_BUILDS))
    service = Service.objects.select_related("team").filter(slug=said.service).first()
    if service is None:
        raise Problematic(404, _("There is no service {service}.").format(service=said.service))
    insist(team_refusals(token.team_id, team_id=service.team_id, team=service.team.name))
    environment = Environment.objects.filter(service=service, name=said.environment).values_list("pk", flat=True)
    if not environment:
        raise Problematic(
            404,
            _("{service} has no environment {environment}.").format(service=said.service, environment=said.environment),
        )
    runs = set_build(by=token, environment_id=environment[0], build=said.build, now=timezone.now())
    answer = BuildRuns(
        service=said.service,
        environment=said.environment,
        build=runs.build,
        since=runs.since,
        changed=runs.changed,
    )
    return Status(201 if runs.changed else 200, answer)
