"""The overview as a file: exactly what the page shows, on all pages."""

import json
from datetime import UTC, date, datetime
from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import override
from django.views.decorators.http import require_safe

from readiness.rules.cells import csv_text
from readiness.rules.spoken import ENGLISH
from readiness.selectors import overview as selector
from readiness.selectors.covering import uncovered
from readiness.selectors.kept import Row
from readiness.selectors.overview import Group, Overview
from readiness.templatetags.overview_words import address

from .access import Request
from .overview import Asked, asked_by

COLUMNS = (
    "group", "service", "description", "team", "environment", "kind", "verdict", "settled", "items", "left", "waived",
    "launch_on", "at_launch", "last_probe_at", "waits_for_reviewer", "decision", "decision_covers",
)  # fmt: skip


@require_safe
@override(ENGLISH)
def export(request: Request, form: str) -> HttpResponse:
    """Answer what the filters leave as CSV or JSON, in the order of the page."""
    now, asked = timezone.now(), asked_by(request.GET)
    shown = selector.overview(asked.filters, now, grouping=asked.grouping, size=None)
    text = as_csv(shown) if form == "csv" else as_json(shown, asked, now)
    kind = "text/csv; charset=utf-8" if form == "csv" else "application/json"
    name = f"overview-{timezone.localtime(now):%Y-%m-%d-%H%M}.{form}"
    return HttpResponse(text, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def as_csv(shown: Overview) -> str:
    """Return one line an environment, with a column for each entry, for spreadsheets: text stays text."""
    entries = [entry.slug for entry in shown.entries]
    lines = [[*COLUMNS, *entries]]
    for group in shown.groups:
        for row in group.rows:
            line, items = record(shown, group, row), items_of(group, row)
            lines.append([line[column] for column in COLUMNS] + [items.get(entry) for entry in entries])
    return csv_text(lines)


def as_json(shown: Overview, asked: Asked, now: datetime) -> str:
    """Return the same with the figures of the page and the address it is from. Instants are UTC."""
    return json.dumps(
        {
            "at": _instant(now),
            "address": address(asked.query),
            "figures": {str(verdict): count for verdict, count in shown.figures.items()},
            "items": {"all": shown.items, "settled": shown.settled, "verified": shown.observed},
            "environments": [
                {**record(shown, group, row), "items_by_entry": items_of(group, row)}
                for group in shown.groups
                for row in group.rows
            ],
        },
        ensure_ascii=False,
        indent=1,
    )


def record(shown: Overview, group: Group, row: Row) -> dict[str, Any]:
    """Return what the page says of an environment."""
    one, at_launch = row.environment, shown.at_launch.get(row.environment.pk)
    counted = row.tally_in(group.section)
    return {
        "group": group.heading,
        "service": one.service.slug,
        "description": one.service.description,
        "team": one.service.team.name,
        "environment": one.name,
        "kind": one.kind,
        "verdict": str(row.tally.verdict),
        "settled": counted.settled,
        "items": counted.total,
        "left": counted.left,
        "waived": counted.waived,
        "launch_on": _day(one.launch_on),
        "at_launch": str(at_launch.verdict) if at_launch else None,
        "last_probe_at": _instant(shown.last_runs.get(one.pk)),
        "waits_for_reviewer": row.waiting,
        "decision": str(row.under.kind) if row.under else None,
        "decision_covers": ("no" if uncovered(row) else "yes") if row.under and row.under.is_go else None,
    }


def items_of(group: Group, row: Row) -> dict[str, str]:
    """Return where each item that is shown stands, by entry; one that does not apply is left out."""
    return {
        entry.slug: str(row.statuses[entry.pk])
        for entry in row.entries
        if entry.pk in row.statuses and group.section in (None, entry.section_id)
    }


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _instant(instant: datetime | None) -> str | None:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if instant else None
