"""The overview page."""

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from readiness.enums.standing import Verdict
from readiness.enums.words import Kind
from readiness.rules.permissions import add_service_refusals
from readiness.selectors import overview as selector

from .access import Request, newest_event


@require_GET
def overview(request: Request) -> HttpResponse:
    """Show every live environment that the filters leave; to a page that is up to date already, answer nothing."""
    newest = newest_event()
    following = request.htmx and request.htmx.target == "overview-body"
    if following and request.GET.get("since") == str(newest):
        return HttpResponse(status=204)
    filters = _filters(request.GET)
    now = timezone.now()
    context = {
        "now": now,
        "overview": selector.overview(filters, now),
        "filters": filters,
        "since": newest,
        "kinds": Kind.values,
        "add_refusals": add_service_refusals(request.user.actor),
    }
    return render(request, "partials/overview_body.html" if following else "overview.html", context)


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
