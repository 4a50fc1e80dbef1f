"""What is answered where no view answers. These run in a thread of their own, which has to give its connection back.

Under ASGI Django draws them outside the request's thread, and closes connections only in that one: each thread that
ever drew such a page would keep a connection of the pool for good. ``middleware.Refusals`` draws what views raise.
"""

from typing import Any

from django.db import close_old_connections
from django.http import HttpRequest, HttpResponseBase
from django.views import defaults


def bad_request(request: HttpRequest, exception: Any) -> HttpResponseBase:
    """Answer 400."""
    return _given_back(defaults.bad_request(request, exception))


def permission_denied(request: HttpRequest, exception: Any) -> HttpResponseBase:
    """Answer 403."""
    return _given_back(defaults.permission_denied(request, exception))


def page_not_found(request: HttpRequest, exception: Any) -> HttpResponseBase:
    """Answer 404."""
    return _given_back(defaults.page_not_found(request, exception))


def _given_back(response: HttpResponseBase) -> HttpResponseBase:
    close_old_connections()
    return response
