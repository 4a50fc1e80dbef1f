"""A refusal anywhere below a view becomes a page with its reasons, and what browsers may do with an answer is said."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.deprecation import MiddlewareMixin
from django.views import defaults

from readiness.rules.permissions import Refused
from readiness.ways_back import page_about, way_back

PERMISSIONS = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer",
        "autoplay",
        "camera",
        "display-capture",
        "encrypted-media",
        "geolocation",
        "gyroscope",
        "magnetometer",
        "microphone",
        "midi",
        "payment",
        "publickey-credentials-get",
        "screen-wake-lock",
        "usb",
    )
)
"""What a browser offers pages and no page here asks for."""


class Headers(MiddlewareMixin):
    """Say with every answer, files included, what browsers may do with it, beside what Django and django-csp say."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        """Add the headers."""
        response["Permissions-Policy"] = PERMISSIONS
        response["Cross-Origin-Resource-Policy"] = "same-origin"
        return response


class Private(MiddlewareMixin):
    """Let nobody but the reader's own browser keep a page, and have it ask again; files are answered before this."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:  # noqa: ARG002
        """Say so where the view says nothing of its own."""
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "private, no-cache, no-store"
        return response


class SignedIn(LoginRequiredMiddleware):
    """Ask whoever is not signed in to do that first, and lead to a page then: an address of a form takes no GET."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:  # noqa: ARG002
        """Lead to the sign-in."""
        return redirect_to_login(way_back(request))


class Refusals:
    """Answer 403 with the reasons where a rule refused and the view did not show it at a form itself.

    Whoever opens the address of a form in a browser is told so on a page, with the way back; programs get 405 alone.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Pass the request on."""
        if self.is_async:
            return self.__acall__(request)
        return self._told(request, cast("HttpResponseBase", self.get_response(request)))

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; a page is drawn in its thread."""
        response = await cast("Awaitable[HttpResponseBase]", self.get_response(request))
        return await sync_to_async(self._told)(request, response) if response.status_code == 405 else response

    @staticmethod
    def _told(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Return the page for an address that takes no GET where a browser opened it; any other answer as it is."""
        opened = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        if not (opened and isinstance(response, HttpResponseNotAllowed)) or request.headers.get("HX-Request"):
            return response
        page = render(request, "405.html", {"way_back": page_about(request)}, status=405)
        page.headers["Allow"] = response.headers["Allow"]
        return page

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Turn a refusal, and what is not there, into its page, in the thread of the request; leave the rest alone."""
        if isinstance(exception, Http404):
            return defaults.page_not_found(request, exception)
        if isinstance(exception, PermissionDenied):
            return defaults.permission_denied(request, exception)
        if isinstance(exception, Refused):
            return render(request, "refused.html", {"reasons": exception.reasons}, status=403)
        return None
