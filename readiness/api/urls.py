"""The addresses of the API, and what every answer of it has in common."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase, JsonResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from readiness.actions.builds import TokenEnded
from readiness.rules.permissions import Archived, Refused

from . import builds
from .access import LET_IN_BY, Bearer, caller
from .document import document
from .problems import Problematic, of, problem

MOST_BODY_BYTES = 16 * 1024

api = NinjaAPI(
    title="Readiness",
    version="1",
    description="What programs say to Readiness. Errors are application/problem+json (RFC 9457).",
    urls_namespace="api",
    openapi_url=None,
    docs_url=None,
    auth=Bearer(),
)
api.add_router("", builds.router)


@api.exception_handler(Problematic)
def _problematic(_request: HttpRequest, raised: Problematic) -> HttpResponse:
    return of(raised)


@api.exception_handler(TokenEnded)
def _ended(_request: HttpRequest, _raised: TokenEnded) -> HttpResponse:
    return problem(401, [str(LET_IN_BY)])


@api.exception_handler(Archived)
def _archived(_request: HttpRequest, raised: Archived) -> HttpResponse:
    return problem(409, raised.reasons)


@api.exception_handler(Refused)
def _refused(_request: HttpRequest, raised: Refused) -> HttpResponse:
    return problem(403, raised.reasons)


@api.exception_handler(HttpError)
def _unreadable(_request: HttpRequest, raised: HttpError) -> HttpResponse:
    """Answer 400: ninja raises nothing else here than that a body cannot be read."""
    return problem(raised.status_code, [_("The body cannot be read as JSON in UTF-8.")])


@api.exception_handler(ValidationError)
def _invalid(_request: HttpRequest, raised: ValidationError) -> HttpResponse:
    fields: dict[str, list[str]] = {}
    for error in raised.errors:
        name = str(error["loc"][2]) if len(error["loc"]) > 2 else "body"
        fields.setdefault(name, []).append(_words(error))
    return problem(
        422,
        [_("{field}: {reason}").format(field=name, reason=why) for name, reasons in fields.items() for why in reasons],
        fields=fields,
    )


_SAID = {
    "missing": gettext_lazy("This field is missing."),
    "extra_forbidden": gettext_lazy("There is no such field."),
    "string_type": gettext_lazy("Send text."),
    "string_pattern_mismatch": gettext_lazy(
        "Use the name as it is in its address: lower-case letters, digits and hyphens."
    ),
    "model_attributes_type": gettext_lazy("Send a JSON object."),
}


def _words(error: dict[str, Any]) -> str:
    if error["type"] == "value_error":
        return str(error["ctx"]["error"])
    if error["type"] == "string_too_long":
        return _("At most {most} characters.").format(most=error["ctx"]["max_length"])
    return str(_SAID.get(error["type"]) or f"{error['msg']}.")


@api.exception_handler(Exception)
def _broke(_request: HttpRequest, raised: Exception) -> HttpResponse:
    """Leave what is ours to Django, which logs it once; ninja would show it to the caller in debug mode."""
    raise raised


View = Callable[..., HttpResponseBase]


def _guarded(view: View, *methods: str) -> View:
    """Return a view for programs: no sign-in page, no body that is too large, nothing kept by anybody."""

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponseBase:
        if request.method not in methods:
            allowed = ", ".join(methods)
            return problem(405, [_("Use {methods} here.").format(methods=allowed)], headers={"Allow": allowed})
        if request.headers.get("Transfer-Encoding"):
            return problem(411, [_("Send the body with its Content-Length, not in chunks.")])
        length = request.headers.get("Content-Length") or "0"
        if not length.isdecimal() or len(length) > 9 or int(length) > MOST_BODY_BYTES:
            return problem(413, [_("A body has at most {most} bytes.").format(most=MOST_BODY_BYTES)])
        response = view(request)
        response["Cache-Control"] = "no-store"
        return response

    return guarded


def openapi(request: HttpRequest) -> HttpResponse:
    """Answer the OpenAPI document, to whoever is signed in or shows a token."""
    if not request.user.is_authenticated and caller(request, timezone.now()) is None:
        return problem(401, [str(LET_IN_BY)])
    return JsonResponse(document(api))


_views: dict[str | None, Any] = {one.name: one.callback for one in api.urls[0] if isinstance(one, URLPattern)}

urlpatterns = [
    path("builds", _guarded(_views["api-builds"], "POST"), name="api-builds"),
    path("openapi.json", _guarded(openapi, "GET", "HEAD"), name="api-document"),
]
