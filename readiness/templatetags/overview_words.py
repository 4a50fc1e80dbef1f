"""Addresses of the overview with something changed, and its filters in words."""

from collections.abc import Collection, Sequence
from functools import lru_cache
from urllib.parse import urlencode

from django import template
from django.http import QueryDict
from django.template.context import Context
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from readiness.selectors.overview import Overview
from readiness.selectors.overview_filters import MISSING, NOBODY, WINDOWS, Filters

from .readiness_words import status_word, verdict_word

register = template.Library()
_CHOSEN = mark_safe(" selected")
_CURRENT = mark_safe(' aria-current="true"')

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
    return _toggled(_pairs(context["query"]), name, value)


def _toggled(held: Sequence[tuple[str, str]], name: str, value: str) -> str:
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


@register.simple_tag(takes_context=True)
def team_choices(context: Context, overview: Overview, chosen: Collection[str]) -> SafeString:
    """Draw every team as a link that takes it in, or leaves it out where it is in."""
    teams = tuple((team.slug, team.name) for team in overview.teams)
    return _team_choices(tuple(_pairs(context["query"])), teams, frozenset(chosen), get_language())


@lru_cache(maxsize=16)
def _team_choices(
    held: tuple[tuple[str, str], ...], teams: tuple[tuple[str, str], ...], chosen: frozenset[str], _language: str | None
) -> SafeString:
    said = format_html('<span class="unseen">, {}</span>', _("chosen"))
    return format_html_join(
        "\n",
        '<li><a id="team-{}" href="{}"{}>{}{}</a></li>',
        (
            (
                slug,
                _toggled(held, "team", slug),
                _CURRENT if slug in chosen else "",
                name,
                said if slug in chosen else "",
            )
            for slug, name in teams
        ),
    )


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
