"""Where a form that stands on every page leads back to."""

from django import template
from django.template.context import Context

from readiness import ways_back

register = template.Library()


@register.simple_tag(takes_context=True)
def way_back(context: Context) -> str:
    """Return the address of this page, or of the page about the same where this one answers a form."""
    return ways_back.way_back(context["request"])
