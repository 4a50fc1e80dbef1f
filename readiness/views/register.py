"""The register of all waivers and all that was left out, as a page and as a file."""

from collections.abc import Iterable
from datetime import datetime
from itertools import chain

from django.http import HttpResponse, QueryDict
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_safe

from readiness.rules.cells import csv_text
from readiness.rules.spoken import ENGLISH
from readiness.selectors import register as selector
from readiness.selectors.register import Filters, Line
from readiness.selectors.request_states import KINDS

from .access import Request, number_in
from .following import followed

HEADINGS = (
    "kind", "service", "environment", "team", "item", "now", "stance", "reason", "clauses", "asked by", "asked at",
    "answered by", "answered at", "note", "until", "ended at", "ended by", "why it ended",
)  # fmt: skip


@require_safe
@followed()
def register(request: Request) -> HttpResponse:
    """Show one page of what the filters leave; with ``format=csv`` all of it, as a file."""
    now, filters = timezone.now(), filters_in(request.GET)
    if request.GET.get("format") == "csv":
        named = f"{timezone.localtime(now):%Y-%m-%d-%H%M}"
        return HttpResponse(
            as_csv(selector.every_line(filters, now)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="waivers-{named}.csv"'},
        )
    context = {
        "now": now,
        "page": selector.register(filters, number_in(request.GET.get("page", "")) or 1, now),
        "chosen": filters,
        "filtered": filters != Filters(newest=filters.newest),
        "choices": selector.choices(),
    }
    return render(request, "waivers.html", context)


def filters_in(query: QueryDict) -> Filters:
    """Read filters from the address; words that mean nothing here are left out."""

    def word(name: str) -> str:
        return query.get(name, "").replace("\0", "").strip()[:150]

    state, kind = word("state"), word("kind")
    return Filters(
        state=state if state in selector.STATES else "",
        kind=kind if kind in KINDS else "",
        team=word("team"),
        service=word("service"),
        entry=word("entry"),
        person=word("person"),
        text=word("q")[:100],
        newest=word("sort") == "asked",
    )


@override(ENGLISH)
def as_csv(lines: Iterable[Line]) -> str:
    """Return lines as a file that spreadsheets open."""
    return csv_text(chain([HEADINGS], map(_cells, lines)))


def _cells(line: Line) -> list[str]:
    asked = line.request
    item = asked.item
    return [
        line.kind.replace("-", " "),
        item.service.slug,
        item.environment.name if item.environment else "",
        item.service.team.name,
        item.entry.title,
        str(line.state),
        asked.get_stance_display() if hasattr(asked, "get_stance_display") else "",
        asked.reason,
        " ".join(line.clauses),
        str(asked.asked_by),
        _instant(asked.asked_at),
        str(asked.decided_by or ""),
        _instant(asked.decided_at),
        asked.decision_note,
        _instant(getattr(asked, "until", None)),
        _instant(asked.ended_at),
        str(asked.ended_by or ""),
        asked.end_reason,
    ]


def _instant(instant: datetime | None) -> str:
    return timezone.localtime(instant).isoformat(timespec="seconds") if instant else ""
