"""Asking for probe runs, and watching one."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import runs as actions
from readiness.models import Clause, Entry, Environment, Run
from readiness.observers import observers
from readiness.rules.permissions import Refused

from .access import Request, find_environment, find_item
from .items import changed
from .sheets import sheet_context


@require_POST
def run_all(request: Request, service: str, environment: str) -> HttpResponse:
    """Ask for a run of every probe that observes something on this sheet."""
    found = find_environment(service, environment)
    known = observers()
    probes = [probe for probe in _probes(found) if probe in known]
    if not probes:
        raise Refused(["No probe is installed that could look at this environment."])
    runs = actions.ask(by=request.user, environment=found, probes=probes, now=timezone.now())
    messages.success(request, f"{len(runs)} probes asked for.")
    if not request.htmx:
        return redirect(found.get_absolute_url())
    context = sheet_context(request, found)
    rows = [row for section in context["sheet"].sections for row in section.rows if row.probes]  # type: ignore[attr-defined]
    return render(request, "partials/live_update.html", {**context, "rows": rows})


def _probes(environment: Environment) -> list[str]:
    entries = [entry.pk for entry in Entry.objects.filter(retired_at=None) if entry.applies_to(environment.kind)]
    named = Clause.objects.filter(entry__in=entries, retired_at=None).exclude(probe="").order_by("entry", "position")
    return list(dict.fromkeys(named.values_list("probe", flat=True)))


@require_POST
def run_item(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Ask for a run of each probe that observes this item."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    known = observers()
    named = (
        Clause.objects.filter(entry=item.entry, retired_at=None).order_by("position").values_list("probe", flat=True)
    )
    probes = [probe for probe in dict.fromkeys(named) if probe in known]
    if not probes:
        raise Refused(["No probe is installed that could look at this item. A person can tick it."])
    actions.ask(by=request.user, environment=found, probes=probes, now=timezone.now())
    return changed(request, found, item, tab="runs", said="Asked for. It starts within seconds.")


@require_safe
def run(request: Request, service: str, environment: str, entry: str, run: int) -> HttpResponse:
    """Show one run; to a panel that follows it, with the parts of the sheet that follow from its end."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    shown = get_object_or_404(Run.objects.select_related("asked_by"), pk=run, environment=found)
    context = {"run": shown, "environment": found, "entry": item.entry, "observer": observers().get(shown.probe)}
    if not request.htmx:
        address = reverse("item", args=[found.service.slug, found.name, item.entry.slug])
        return redirect(f"{address}?tab=runs")
    if shown.is_open:
        return render(request, "partials/run.html", context)
    sheet = sheet_context(request, found)
    row = sheet["sheet"].row(item.entry.slug)  # type: ignore[attr-defined]
    return render(request, "partials/run.html", {**sheet, **context, "row": row, "over": True})
