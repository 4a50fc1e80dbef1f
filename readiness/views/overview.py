"""The overview page."""

import re
from datetime import UTC, datetime, timedelta

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.enums.standing import Verdict
from readiness.enums.words import Kind
from readiness.rules.permissions import add_service_refusals
from readiness.selectors import overview as selector

from .access import Request, newest_event

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@require_safe
def overview(request: Request) -> HttpResponse:
    """Show every live environment that the filters leave; to a page that is up to date already, answer nothing."""
    newest, now = newest_event(), timezone.now()
    following = request.htmx and request.htmx.target == "overview-body"
    if following and _up_to_date(request.GET.get("since", ""), newest, now):
        return HttpResponse(status=204)
    filters = _filters(request.GET)
    context = {
        "now": now,
        "overview": selector.overview(filters, now),
        "filters": filters,
        "since": f"{newest}-{(now - EPOCH) // timedelta(microseconds=1)}",
        "kinds": Kind.values,
        "add_refusals": add_service_refusals(request.user.actor),
    }
    return render(request, "partials/overview_body.html" if following else "overview.html", context)


def _up_to_date(since: str, newest: int, now: datetime) -> bool:
    """Return whether neither an event nor time alone changed anything since a page was drawn.

    ``since`` is what that page was given: the newest event, and the microsecond in Unix time.
    """
    seen = re.fullmatch(r"([0-9]{1,18})-([0-9]{1,16})", since)
    if seen is None or int(seen[1]) != newest:
        return False
    return not selector.moved_by_time(EPOCH + timedelta(microseconds=int(seen[2])), now)


def _filters(query: QueryDict) -> selector.Filters:
    """Read filters from the address; words that mean nothing here are left out."""
    verdict = query.get("verdict", "")
    return selector.Filters(
        kinds=frozenset(query.getlist("kind")) & frozenset(Kind.values),
        team=query.get("team", "").replace("\0", ""),
        verdict=verdict if verdict in list(Verdict) else "",
        waiting=query.get("waiting") == "1",
        text=query.get("q", "").strip()[:100].replace("\0", ""),
    )
