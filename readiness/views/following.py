"""Pages that follow the ledger without a live part of their own: the whole page is asked for again, and swapped."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from readiness.selectors.following import moved_by_time, newest_event

from .access import Following, Request

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAGE = "page"
"""The id of the part that is swapped: all of ``main``."""


def drawn(newest: int, now: datetime) -> str:
    """Return what a page is told that it was drawn from: the newest event, and the microsecond in Unix time."""
    return f"{newest}-{(now - EPOCH) // timedelta(microseconds=1)}"


def drawn_from(since: str) -> tuple[int, datetime] | None:
    """Return the event and the instant that a page was drawn from; None where it says nothing of use."""
    seen = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,16})", since)
    return (int(seen[1]), EPOCH + timedelta(microseconds=int(seen[2]))) if seen else None


def up_to_date(since: str, newest: int, now: datetime) -> bool:
    """Return whether neither an event nor time alone changed anything since a page was drawn."""
    seen = drawn_from(since)
    return seen is not None and seen[0] == newest and not moved_by_time(seen[1], now)


def asks_again(request: Request) -> bool:
    """Return whether a page that is open asks for itself."""
    return bool(request.htmx) and request.htmx.target == PAGE


def followed(what: str = "*") -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Let the page of a view follow the ledger: ``*`` all of it, else the part of the address that names a service.

    The newest event is read before the page is, so that nothing falls between. A page that is up to date gets a 204.
    """

    def wrap(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(view)
        def seen(request: Request, *arguments: Any, **named: Any) -> HttpResponseBase:
            newest, now = newest_event(), timezone.now()
            if asks_again(request):
                given = request.GET.copy()
                if up_to_date("".join(given.pop("since", [])), newest, now):
                    return HttpResponse(status=204)
                request.GET = given  # type: ignore[assignment]  # The page's own links carry on what was asked for.
            about = what if what == "*" else named[what]
            request.following = Following(what=about, since=drawn(newest, now))
            return view(request, *arguments, **named)

        return seen

    return wrap
