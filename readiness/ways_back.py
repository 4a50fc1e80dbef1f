"""Where what stands on every page, or before it, leads back to."""

from django.http import HttpRequest
from django.urls import Resolver404, resolve, reverse

_PAGES = {
    "entry": ("item", "service", "environment", "entry"),
    "environment": ("sheet", "service", "environment"),
    "service": ("service", "service"),
    "probe": ("probe", "probe"),
    "review": ("review", "review"),
    "checklist": ("checklist", "checklist"),
}
"""What an address names, the narrowest first, and the page of it with what that needs."""


def way_back(request: HttpRequest) -> str:
    """Return the address of this page; of one that answers a form, the page about the same: GET may not do."""
    return request.get_full_path() if request.method in ("GET", "HEAD") else page_about(request)


def page_about(request: HttpRequest) -> str:
    """Return the address of the page about the same as one that only answers a form.

    That is the item, sheet or other thing that the address names, else the page at its first word, else the overview.
    """
    found = request.resolver_match
    named = found.kwargs if found else {}
    for word, (page, *needed) in _PAGES.items():
        if word in named:
            return reverse(page, args=[named[one] for one in needed])
    first = f"/{request.path.split('/')[1]}/"
    if first == request.path:
        return reverse("overview")
    try:
        resolve(first)
    except Resolver404:
        return reverse("overview")
    return first
