"""The sheet of one environment, and what keeps it up to date."""

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.models import Environment, Event
from readiness.selectors.sheets import ItemRow, Sheet
from readiness.selectors.sheets import sheet as select_sheet

from .access import MOST_DIGITS, Request, find_environment, newest_event, refusals_to_change


@require_safe
def sheet(request: Request, service: str, environment: str) -> HttpResponse:
    """Show an environment with all its items."""
    found = find_environment(service, environment)
    return render(request, "sheet.html", sheet_context(request, found))


def sheet_context(request: Request, environment: Environment) -> dict[str, object]:
    """Return what the sheet and each part of it needs."""
    since, now = newest_event(), timezone.now()
    shown = select_sheet(environment, now)
    return {
        "now": now,
        "sheet": shown,
        "environment": environment,
        "change_refusals": refusals_to_change(request, environment.service),
        "since": since,
        "runs_token": runs_token(shown),
        "state_token": state_token(shown),
    }


def runs_token(shown: Sheet) -> str:
    """Return a short text that changes whenever a run of this sheet is queued, starts or ends."""
    return ".".join(f"{run.pk}{run.state[0]}{run.attempts}" for run in shown.open_runs)


@require_safe
def live(request: Request, service: str, environment: str) -> HttpResponse:
    """Answer what changed on a sheet since an event, or nothing."""
    found = find_environment(service, environment)
    since = _number(request.GET.get("since", ""))
    seen_runs = request.GET.get("runs", "")
    changed = _changed(found, since)
    context = sheet_context(request, found)
    if not changed and context["runs_token"] == seen_runs and not _ended(context, request):
        return HttpResponse(status=204)
    shown = context["sheet"]
    if not isinstance(shown, Sheet):
        raise TypeError("The context of a sheet holds the sheet.")
    every = [row for section in shown.sections for row in section.rows]
    seen_state = request.GET.get("state", "").ljust(len(every))
    rows = [
        row
        for row, seen in zip(every, seen_state, strict=False)
        if _touched(row, changed, seen_runs) or seen not in (" ", letter(row))
    ]
    return render(request, "partials/live_update.html", {**context, "rows": rows})


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else 0


def _ended(context: dict[str, object], request: Request) -> bool:
    """Return whether time alone moved the verdict or an item since the page was drawn."""
    shown = context["sheet"]
    return isinstance(shown, Sheet) and request.GET.get("state", "") not in ("", state_token(shown))


def state_token(shown: Sheet) -> str:
    """Return one letter an item, so that a page can say which statuses it shows."""
    return "".join(letter(row) for section in shown.sections for row in section.rows)


def letter(row: ItemRow) -> str:
    """Return the first letter of an item's status, each of which is another; a dash where the entry does not apply."""
    return row.status[0] if row.status else "-"


def _changed(environment: Environment, since: int) -> set[int]:
    events = Event.objects.filter(id__gt=since).filter(
        Q(environment=environment) | Q(environment=None, service=environment.service)
    )
    return {item_id or 0 for item_id in events.values_list("item_id", flat=True)}


def _touched(row: ItemRow, changed: set[int], seen_runs: str) -> bool:
    if row.item is None:
        return False
    return row.item.pk in changed or (bool(row.probes) and (bool(row.open_run) or bool(seen_runs)))
