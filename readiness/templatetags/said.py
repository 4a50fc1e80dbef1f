"""What people wrote, drawn: line breaks stay, and addresses that could be kept as evidence become links."""

import re

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from readiness.rules.texts import link_refusals

from .readiness_words import short_link

register = template.Library()

_ADDRESS = re.compile(r"https?://[^\s<>\"“”]+")
_AFTER = ".,;:!?)]}'\N{RIGHT SINGLE QUOTATION MARK}"


@register.filter
def with_links(text: str) -> SafeString:
    """Return a text with its http and https addresses as links; everything else is escaped."""
    parts: list[str] = []
    end = 0
    for found in _ADDRESS.finditer(text):
        address = found.group().rstrip(_AFTER)
        parts += [conditional_escape(text[end : found.start()]), _linked(address)]
        end = found.start() + len(address)
    parts.append(conditional_escape(text[end:]))
    return mark_safe("".join(parts))  # noqa: S308  Every part is escaped above.


def _linked(address: str) -> str:
    if link_refusals(address):
        return conditional_escape(address)
    return format_html(
        '<a href="{0}" title="{0}" rel="noopener noreferrer nofollow">{1} ↗</a>', address, short_link(address)
    )
