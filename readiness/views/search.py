"""Search over everything: a page, and what the field in the bar offers while somebody types."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.rules.searching import cleaned
from readiness.selectors import search as selector

from .access import Request

OFFERED = 4
SHOWN = 6


@require_safe
def search(request: Request) -> HttpResponse:
    """Show what matches what was typed; to the field in the bar, only the best of each kind."""
    now, text = timezone.now(), cleaned(request.GET.get("q", ""))
    only = request.GET.get("kind", "")
    only = only if only in set(selector.Kind) else ""
    offering = request.htmx and request.htmx.target == "find-results"
    most = OFFERED if offering else selector.MOST if only else SHOWN
    context = {
        "now": now,
        "find": text,
        "only": only,
        "found": selector.search(text, now, most=most, only=only),
        "most": selector.MOST,
    }
    return render(request, "partials/search_options.html" if offering else "search.html", context)
