"""The overview page."""

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.enums.standing import Verdict
from readiness.enums.words import Kind
from readiness.rules.permissions import add_service_refusals
from readiness.selectors import overview as selector
from readiness.selectors.overview_filters import NOBODY, STATES, WINDOWS, Filters
from readiness.selectors.saved_filters import saved_filters
from readiness.selectors.waiting import waiting_for

from .access import Request, number_in
from .following import drawn, drawn_from

MOST_TEAMS = 50
MOST_LETTERS = 100
_CHOICES = {
    "kind": Kind.values,
    "window": list(WINDOWS),
    "verdict": [str(verdict) for verdict in Verdict],
    "status": list(STATES),
    "waiting": ["1"],
    "group": list(selector.GROUPINGS),
    "rows": ["all"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an address asks for. ``dropped`` is what it says that means nothing here."""

    filters: Filters = field(default_factory=Filters)
    grouping: str = "launch"
    all_rows: bool = False
    page: int = 1
    dropped: tuple[str, ...] = ()

    @property
    def grouping_words(self) -> str:
        """What the rows are grouped by."""
        return str(selector.GROUPINGS[self.grouping])

    @property
    def query(self) -> QueryDict:
        """The same as a query in one order, without the page and without what means nothing."""
        found = QueryDict(mutable=True)
        filters = self.filters
        found.setlist("kind", [kind for kind in Kind.values if kind in filters.kinds])
        found.setlist("team", sorted(filters.teams))
        single = {
            "window": filters.window,
            "verdict": filters.verdict,
            "entry": filters.entry,
            "status": filters.state,
            "owner": filters.owner,
            "waiting": "1" if filters.waiting else "",
            "q": filters.text,
            "group": self.grouping if self.grouping != "launch" else "",
            "rows": "all" if self.all_rows else "",
        }
        for name, value in single.items():
            if value:
                found[name] = value
        return found


@require_safe
def overview(request: Request) -> HttpResponse:
    """Show a page of the environments that the filters leave; to a page that is up to date already, answer nothing."""
    now = timezone.now()
    following = request.htmx and request.htmx.target == "overview-body"
    if following and _up_to_date(request.GET.get("since", ""), now):
        return HttpResponse(status=204)
    context = page_of(request, asked_by(request.GET), now)
    return render(request, "partials/overview_body.html" if following else "overview.html", context)


def page_of(request: Request, asked: Asked, now: datetime) -> dict[str, Any]:
    """Return what the page shows."""
    size = None if asked.all_rows else selector.ROWS
    shown = selector.overview(asked.filters, now, grouping=asked.grouping, page=asked.page, size=size)
    return {
        "now": now,
        "overview": shown,
        "filters": asked.filters,
        "asked": asked,
        "query": asked.query,
        "since": drawn(shown.seen, now),
        "kinds": Kind.values,
        "windows": WINDOWS,
        "states": STATES,
        "groupings": selector.GROUPINGS,
        "nobody": NOBODY,
        "saved": saved_filters(request.user),
        "add_refusals": add_service_refusals(request.user.actor),
        "waits_for_me": cache(lambda: waiting_for(request.user, now, (shown.seen, shown.seal))),
    }


def asked_by(query: QueryDict) -> Asked:
    """Read an address; words that mean nothing here are left out, and named."""
    dropped = [
        f"{name} {value[:40]}"
        for name, choices in _CHOICES.items()
        for value in query.getlist(name)
        if value and value not in choices
    ]
    window, verdict, state = (_one_of(query, name) for name in ("window", "verdict", "status"))
    return Asked(
        filters=Filters(
            kinds=frozenset(query.getlist("kind")) & frozenset(Kind.values),
            teams=frozenset(_clean(team) for team in query.getlist("team")[:MOST_TEAMS]) - {""},
            window=window,
            verdict=verdict,
            entry=_clean(query.get("entry", "")),
            state=state,
            owner=_clean(query.get("owner", "")),
            waiting=_one_of(query, "waiting") == "1",
            text=_clean(query.get("q", ""))[:MOST_LETTERS],
        ),
        grouping=_one_of(query, "group") or "launch",
        all_rows=_one_of(query, "rows") == "all",
        page=number_in(query.get("page", "")) or 1,
        dropped=tuple(dropped),
    )


def _one_of(query: QueryDict, name: str) -> str:
    value = query.get(name, "")
    return value if value in _CHOICES[name] else ""


def _clean(text: str) -> str:
    return text.replace("\0", "").strip()[:150]


def _up_to_date(since: str, now: datetime) -> bool:
    """Return whether neither an event nor time alone changed anything since a page was drawn."""
    seen = drawn_from(since)
    return seen is not None and selector.up_to_date(*seen, now)
