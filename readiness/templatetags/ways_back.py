"""Where a form that stands on every page leads back to."""

from django import template
from django.http import HttpRequest
from django.template.context import Context
from django.urls import Resolver404, resolve, reverse

register = template.Library()

_PAGES = {
    "entry": ("item", "service", "environment", "entry"),
    "environment": ("sheet", "service", "environment"),
    "service": ("service", "service"),
    "probe": ("probe", "probe"),
    "review": ("review", "review"),
    "checklist": ("checklist", "checklist"),
}
"""What an address names, the narrowest first, and the page of it with what that needs."""


@register.simple_tag(takes_context=True)
def way_back(context: Context) -> str:
    """Return the address of this page; of one that answers a form, the page about the same, since GET may not be let.

    That is the item, sheet or other thing that the address names, else the page at its first word, else the overview.
    """
    request: HttpRequest = context["request"]
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
