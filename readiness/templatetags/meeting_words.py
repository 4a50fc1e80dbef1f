"""Words for a review while it is held: the time of a line of its minutes, and how long the room is on a launch."""

from datetime import datetime

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from readiness.rules.spoken import clock

from .date_words import exact_words
from .readiness_words import now_of

register = template.Library()


@register.simple_tag
def time_of(instant: datetime) -> SafeString:
    """Draw the time of day of an instant, with the exact one on hover."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        instant.isoformat(timespec="seconds"),
        exact_words(instant),
        clock(timezone.localtime(instant)),
    )


@register.simple_tag(takes_context=True)
def minutes_on(context: Context, since: datetime | None) -> str:
    """Say how many whole minutes the room has been on a launch: "6 min on this launch". meeting.js counts on."""
    if since is None:
        return ""
    now = now_of(context)
    minutes = max(0, int((now - since).total_seconds() // 60))
    drawn = format_html(
        '<span data-minutes data-since="{}" data-now="{}">{}</span>',
        since.isoformat(timespec="milliseconds"),
        now.isoformat(timespec="milliseconds"),
        minutes,
    )
    return mark_safe(_("{minutes} min on this launch").format(minutes=drawn))  # noqa: S308  # A number, drawn above.
