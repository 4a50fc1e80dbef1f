"""Addresses of the overview with something changed, and its filters in words."""

from functools import lru_cache
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from readiness.selectors.overview import Overview
from readiness.selectors.overview_filters import MISSING, NOBODY, WINDOWS, Filters

from .readiness_words import status_word, verdict_word

register = template.Library()
_CHOSEN = mark_safe(" selected")

PARAMETERS = {
    "kinds": "kind",
    "teams": "team",
    "state": "status",
    "text": "q",
}
"""Filters whose name in an address is another one."""


def address(query: QueryDict) -> str:
    """Return the address of the overview with a query."""
    return _address(_pairs(query))


Pairs = list[tuple[str, str]]


def _address(pairs: Pairs) -> str:
    return reverse("overview") + (f"?{urlencode(pairs)}" if pairs else "")


def _pairs(query: QueryDict) -> Pairs:
    return [(name, str(value)) for name, values in query.lists() for value in values]


@register.simple_tag(takes_context=True)
def changed(context: Context, **changes: object) -> str:
    """Return the address with other values; None and nothing leave one out. It is that of the first page."""
    kept = [pair for pair in _pairs(context["query"]) if pair[0] not in changes]
    return _address(kept + [(name, str(value)) for name, value in changes.items() if value not in (None, "")])


@register.simple_tag(takes_context=True)
def toggled(context: Context, name: str, value: str) -> str:
    """Return the address with a value more, or less where it is there already, of those that may be several."""
    held = _pairs(context["query"])
    pair = name, value
    return _address([one for one in held if one != pair] if pair in held else [*held, pair])


@register.simple_tag(takes_context=True)
def without(context: Context, filter_name: str) -> str:
    """Return the address without a filter."""
    dropped = PARAMETERS.get(filter_name, filter_name)
    return _address([pair for pair in _pairs(context["query"]) if pair[0] != dropped])


@register.simple_tag(takes_context=True)
def kept_fields(context: Context, *but: str) -> Pairs:
    """Return names and values of the address that a form carries along, but for those that it asks for itself."""
    return [pair for pair in _pairs(context["query"]) if pair[0] not in but]


@register.simple_tag(takes_context=True)
def query_text(context: Context) -> str:
    """Return the query of the address as it is saved."""
    return urlencode(_pairs(context["query"]))


@register.simple_tag
def people_options(overview: Overview, chosen: str) -> SafeString:
    """Draw everybody who owns an item as options of a choice."""
    return _options(tuple(overview.people), chosen)


@lru_cache(maxsize=16)
def _options(people: tuple[tuple[str, str], ...], chosen: str) -> SafeString:
    return format_html_join(
        "",
        '<option value="{}"{}>{}</option>',
        ((username, _CHOSEN if username == chosen else "", name) for username, name in people),
    )


@register.filter
def window_words(window: str) -> str:
    """Return a launch window in words."""
    return str(WINDOWS.get(window) or _("Any launch date"))


@register.filter
def state_words(state: str) -> str:
    """Return where an item may stand, in words."""
    return _("unsettled") if state in ("", MISSING) else status_word(state)  # type: ignore[arg-type]


@register.simple_tag(takes_context=True)
def filter_words(context: Context, filter_name: str) -> str:
    """Return one of the filters in words: "Launching within a week", "owner Mia Roy"."""
    filters: Filters = context["filters"]
    overview: Overview = context["overview"]
    if filter_name == "kinds":
        return ", ".join(sorted(filters.kinds))
    if filter_name == "teams":
        names = {team.slug: team.name for team in overview.teams}
        return ", ".join(sorted(names.get(team, team) for team in filters.teams))
    if filter_name == "entry":
        return next((one.title for one in overview.entries if one.slug == filters.entry), filters.entry)
    if filter_name == "owner":
        return owner_words(overview, filters.owner)
    words = {
        "window": window_words(filters.window),
        "verdict": verdict_word(filters.verdict),
        "state": state_words(filters.state),
        "waiting": _("waiting for a reviewer"),
        "text": _("“{text}”").format(text=filters.text),
    }
    return words[filter_name]


def owner_words(overview: Overview, owner: str) -> str:
    """Return an owner in words, by user name."""
    if owner == NOBODY:
        return _("owned by nobody")
    return _("owned by {person}").format(person=dict(overview.people).get(owner, owner))
