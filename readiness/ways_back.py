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
    """Return the address of this page; of one that answers a form, the page about the same, since GET may not be let.

    That is the item, sheet or other thing that the address names, else the page at its first word, else the overview.
    """
    if request.method in ("GET", "HEAD"):
        return request.get_full_path()
    found = request.resolver_match
    named = found.kwargs if found else {}
    for word, (page, *needed) in _PAGES.items():
        if word in named:
            return reverse(page, args=[named[one] for one in needed])
    first = f"/{request.path.split('/')[1]}/"
    try:
        resolve(first)
    except Resolver404:
        return reverse("overview")
    return first
