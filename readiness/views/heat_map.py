"""The heat map: entries against services or teams, as a page and as a file."""

from collections.abc import Sequence

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import override
from django.views.decorators.http import require_safe

from readiness.enums.words import Kind
from readiness.rules.cells import csv_text
from readiness.rules.spoken import ENGLISH
from readiness.selectors import heat_map as selector
from readiness.selectors.heat_map import Filters, HeatMap

from .access import Request
from .following import followed

HEADINGS = ("section", "item", "team", "service", "environments", "settled", "missing", "failing", "settled percent")


@require_safe
@followed()
def heat_map(request: Request) -> HttpResponse:
    """Show which item is missing where; with ``format=csv`` the same as a file, one line a cell."""
    now, filters = timezone.now(), filters_in(request.GET)
    found = selector.heat_map(filters, now)
    if request.GET.get("format") == "csv":
        named = f"{timezone.localtime(now):%Y-%m-%d-%H%M}"
        return HttpResponse(
            as_csv(found),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="heat-map-{named}.csv"'},
        )
    context = {
        "now": now,
        "map": found,
        "filters": filters,
        "kinds": Kind.values,
        "asked": urlencode([("kind", kind) for kind in sorted(filters.kinds)]),
        "narrow": len(found.columns) <= 6,
    }
    return render(request, "heat_map.html", context)


def filters_in(query: QueryDict) -> Filters:
    """Read filters from the address; words that mean nothing here are left out."""
    return Filters(
        kinds=frozenset(query.getlist("kind")) & frozenset(Kind.values),
        team=query.get("team", "").replace("\0", "").strip()[:60],
        missing_first=query.get("sort") == "missing",
    )


@override(ENGLISH)
def as_csv(found: HeatMap) -> str:
    """Return the cells as a file that spreadsheets open, in the order of the page."""
    lines: list[Sequence[object]] = [HEADINGS]
    for row in found.rows:
        for column, cell in row.cells:
            if cell.total:
                service = "" if found.by_team else column.slug
                words = (row.entry.section.name, row.entry.title, column.team, service)
                lines.append((*words, cell.total, cell.settled, cell.missing, cell.failing, cell.percent))
    return csv_text(lines)
