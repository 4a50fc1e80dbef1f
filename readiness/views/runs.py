"""Asking for probe runs, and watching one."""

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import runs as actions
from readiness.models import Clause, Entry, Environment, Item, Run
from readiness.observers import observers
from readiness.rules.permissions import Refused
from readiness.selectors.disablings import disabled_words, standing_disablings
from readiness.selectors.trails import run_page

from .access import Request, find_environment, find_item
from .following import asks_again, followed
from .items import changed
from .sheets import sheet_context


@require_POST
def run_all(request: Request, service: str, environment: str) -> HttpResponse:
    """Ask for a run of every probe that observes something on this sheet."""
    found = find_environment(service, environment)
    entries = [entry.pk for entry in Entry.objects.filter(retired_at=None) if entry.applies_to(found.kind)]
    probes = _installed(entries)
    if not probes:
        raise Refused([_("No probe is installed that could look at this environment.")])
    off = standing_disablings(found)
    looking = [probe for probe in probes if probe not in off] or probes
    runs = actions.ask(by=request.user, environment=found, probes=looking, now=timezone.now())
    left_out = [probe for probe in probes if probe not in looking]
    said = ngettext("{n} probes asked for.", "{n} probes asked for.", len(runs)).format(n=len(runs))
    messages.success(request, " ".join([said, *([_disabled(left_out)] if left_out else [])]))
    if not request.htmx:
        return redirect(found.get_absolute_url())
    context = sheet_context(request, found)
    rows = [row for row in context["sheet"].rows if row.probes]
    return render(request, "partials/live_update.html", {**context, "rows": rows})


def _disabled(probes: Sequence[str]) -> str:
    return _("Disabled, and so left out: {probes}.").format(probes=", ".join(probes))


def _installed(entries: Sequence[int]) -> list[str]:
    """Return the probes that observe a clause of these entries and are installed, each once."""
    known = observers()
    named = Clause.objects.filter(entry__in=entries, retired_at=None).order_by("entry", "position")
    return [probe for probe in dict.fromkeys(named.values_list("probe", flat=True)) if probe in known]


@require_POST
def run_item(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Ask for a run of each probe that observes this item."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    ask_of_item(request, found, item)
    return changed(request, found, item, tab="runs", said=_("Asked for. It starts within seconds."))


def ask_of_item(request: Request, environment: Environment, item: Item) -> None:
    """Ask for a run of each probe that observes an item and is not disabled. Raises ``Refused``."""
    probes = _installed([item.entry_id])
    if not probes:
        raise Refused([_("No probe is installed that could look at this item. A person can tick it.")])
    off = standing_disablings(environment)
    looking = [probe for probe in probes if probe not in off] or probes
    actions.ask(by=request.user, environment=environment, probes=looking, now=timezone.now())


@require_safe
@followed("service")
def run(request: Request, service: str, environment: str, entry: str, run: int) -> HttpResponse:
    """Show one run: its page, its facts as JSON, or to a panel that follows it what follows from its end."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    shown = get_object_or_404(Run.objects.select_related("asked_by", "environment"), pk=run, environment=found)
    context = {"run": shown, "environment": found, "entry": item.entry, "observer": observers().get(shown.probe)}
    alone = not request.htmx or asks_again(request)
    if alone and request.GET.get("form") == "json":
        return JsonResponse(shown.facts, json_dumps_params={"indent": 2, "ensure_ascii": False})
    if alone:
        return render(request, "run.html", {**context, "page": run_page(shown), "now": timezone.now()})
    if shown.is_open:
        return render(request, "partials/run.html", context)
    sheet = sheet_context(request, found)
    row = sheet["sheet"].row(item.entry.slug)
    off = [disabled_words(one) for one in row.disabled] if row and len(row.disabled) == len(row.probes) else []
    over = {"row": row, "over": True, "run_refusals": sheet["change_refusals"] or off}
    return render(request, "partials/run.html", {**sheet, **context, **over})
