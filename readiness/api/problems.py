"""What the API answers where it does not do what was asked: application/problem+json (RFC 9457)."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, JsonResponse
from ninja import Field, Schema
from pydantic import ConfigDict, JsonValue

PROBLEM_JSON = "application/problem+json"

TITLES = {
    400: "The body is not JSON.",
    401: "A token is needed.",
    403: "This token may not do this.",
    404: "There is no such environment.",
    405: "This address takes another method.",
    409: "The environment is archived.",
    411: "The body has no length.",
    413: "The body is too large.",
    415: "The body is not application/json.",
    422: "A field cannot be taken.",
}
"""One title a status: programs may tell problems apart by the status alone."""


WRONG: dict[str, JsonValue] = {
    "title": TITLES[422],
    "status": 422,
    "detail": "environment: This field is missing.",
    "reasons": ["environment: This field is missing."],
    "fields": {"environment": ["This field is missing."]},
}


class Problem(Schema):
    """Why nothing was written."""

    model_config = ConfigDict(json_schema_extra={"examples": [WRONG]})

    title: str = Field(description="What kind of problem it is; the same for every answer with this status.")
    status: int = Field(description="The status of the answer.")
    detail: str = Field(description="What is wrong this time, in sentences for a person.")
    reasons: list[str] = Field(description="The same, one sentence each.")
    fields: dict[str, list[str]] = Field(
        default_factory=dict, description="For each field of the body that cannot be taken, why not."
    )


class Problematic(Exception):
    """Raised where the answer is a problem."""

    def __init__(self, status: int, *reasons: str) -> None:
        super().__init__(status)
        self.status = status
        self.reasons = reasons


def problem(
    status: int,
    reasons: Sequence[str],
    *,
    fields: Mapping[str, Sequence[str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JsonResponse:
    """Return a problem as an answer. 401 always says how to be let in."""
    said = Problem(
        title=TITLES[status],
        status=status,
        detail=" ".join(reasons),
        reasons=list(reasons),
        fields={name: list(why) for name, why in (fields or {}).items()},
    )
    challenge = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    more = {"Cache-Control": "no-store", **challenge, **(headers or {})}
    return JsonResponse(said.model_dump(), status=status, content_type=PROBLEM_JSON, headers=more)


def of(raised: Problematic, _request: HttpRequest | None = None) -> JsonResponse:
    """Return what was raised as an answer."""
    return problem(raised.status, raised.reasons)
