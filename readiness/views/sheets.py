"""The sheet of one environment, and what keeps it up to date."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from django.db.models import Q
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.models import Environment, Event, Run, User
from readiness.rules.permissions import archived_refusals
from readiness.selectors.archived import archived
from readiness.selectors.builds import BuildLine, builds_of
from readiness.selectors.following import moved_by_time, moved_on_sheet, newest_event
from readiness.selectors.histories import Line
from readiness.selectors.reviews import Launch, launch_of
from readiness.selectors.sheets import ItemRow, Sheet, open_runs
from readiness.selectors.sheets import sheet as select_sheet
from readiness.selectors.visits import news

from .access import Request, find_environment, number_in, refusals_to_change
from .following import drawn, drawn_from


@require_safe
def sheet(request: Request, service: str, environment: str) -> HttpResponse:
    """Show an environment with all its items."""
    found = find_environment(service, environment)
    return render(request, "sheet.html", {**sheet_context(request, found), "news": news(found, request.user)})


class SheetContext(TypedDict):
    """What the sheet and each part of it needs. The tokens say which events, runs and statuses a page shows."""

    now: datetime
    sheet: Sheet
    environment: Environment
    change_refusals: list[str]
    archived: Line | None
    may_restore: bool
    builds: list[BuildLine]
    launch: Launch
    since: int
    drawn: str
    runs_token: str
    state_token: str


def sheet_context(request: Request, environment: Environment) -> SheetContext:
    """Return what the sheet and each part of it needs."""
    since, now = newest_event(), timezone.now()
    shown = select_sheet(environment, now)
    launch = launch_of(shown.standing)
    return {
        "now": now,
        "sheet": shown,
        "environment": environment,
        "change_refusals": refusals_to_change(request, environment.service)
        or archived_refusals(environment.archived_since),
        "archived": archived(environment),
        "may_restore": not refusals_to_change(request, environment.service),
        "builds": builds_of(environment),
        "launch": launch,
        "since": since,
        "drawn": drawn(since, now),
        "runs_token": runs_token(shown.open_runs),
        "state_token": "".join(letter(row) for row in shown.rows) + _covering(launch),
    }


def runs_token(open_runs: Sequence[Run]) -> str:
    """Return a short text that changes whenever a run of this sheet is queued, starts or ends."""
    return ".".join(f"{run.pk}{run.state[0]}{run.attempts}" for run in open_runs)


@require_safe
def live(request: Request, service: str, environment: str) -> HttpResponse:
    """Answer what changed on a sheet since an event, by an event, a run or time alone, or nothing.

    ``since`` is the newest event when the sheet was drawn; where ``drawn`` says when that was too, a sheet that is up
    to date is told so in a few queries.
    """
    found = find_environment(service, environment)
    since, at = number_in(request.GET.get("since", "")) or 0, drawn_from(request.GET.get("drawn", ""))
    seen_runs, seen_state = request.GET.get("runs", ""), request.GET.get("state", "")
    if at is not None and runs_token(open_runs(found)) == seen_runs and _still(found, *at):
        return HttpResponse(status=204)
    changed, acted = _changed(found, since, request.user)
    context = sheet_context(request, found)
    moved = seen_state not in ("", context["state_token"])
    if not changed and context["runs_token"] == seen_runs and not moved:
        return HttpResponse(status=204)
    every = context["sheet"].rows
    rows = [
        row
        for row, seen in zip(every, seen_state.ljust(len(every)), strict=False)
        if _touched(row, changed, seen_runs) or seen not in (" ", letter(row))
    ]
    return render(request, "partials/live_update.html", {**context, "rows": rows, "acted": acted})


def _still(environment: Environment, since: int, at: datetime) -> bool:
    """Return whether neither an event nor time alone may have changed a sheet."""
    return not moved_on_sheet(environment, since) and not moved_by_time(at, timezone.now(), environment)


def letter(row: ItemRow) -> str:
    """Return the first letter of an item's status, each of which is another; a dash where the entry does not apply."""
    return row.status[0] if row.status else "-"


def _covering(launch: Launch) -> str:
    """Return a letter more where a decision stands: whether it covers may turn by time alone."""
    return "" if launch.coverage is None else "c" if launch.coverage.covers else "n"


def _changed(environment: Environment, since: int, user: User) -> tuple[set[int], bool]:
    """Return the items that something happened to since an event, 0 for none of them, and whether it was the user."""
    everywhere = Q(environment=None, service=None, kind__in=("probe.disabled", "probe.enabled"))
    events = Event.objects.filter(id__gt=since).filter(
        Q(environment=environment) | Q(environment=None, service=environment.service) | everywhere
    )
    found = list(events.values_list("item_id", "actor_id"))
    return {item or 0 for item, _actor in found}, any(actor == user.pk for _item, actor in found)


def _touched(row: ItemRow, changed: set[int], seen_runs: str) -> bool:
    if row.item is None:
        return False
    about_the_whole = 0 in changed  # Such as a probe that was disabled, or enabled again.
    return row.item.pk in changed or (bool(row.probes) and (about_the_whole or bool(row.open_run) or bool(seen_runs)))
