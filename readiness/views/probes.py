"""The probes: what each is, and where it is switched off."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import probes as actions
from readiness.forms.probes import DisableForm
from readiness.models import Disabling
from readiness.rules.permissions import Refused, insist, switch_probe_refusals
from readiness.selectors.probe_history import probe_history
from readiness.selectors.probes import ProbeLine, probe_line, probes_page

from .access import Request
from .following import followed


@require_safe
@followed()
def show(request: Request) -> HttpResponse:
    """Show every probe."""
    return _page(request)


@require_safe
def history(request: Request, probe: str) -> HttpResponse:
    """Show what one probe did lately."""
    now = timezone.now()
    found = probe_history(probe, now)
    if found is None:
        raise Http404
    return render(request, "probe.html", {"now": now, "history": found})


@require_POST
def disable(request: Request, probe: str) -> HttpResponse:
    """Disable a probe, everywhere or in one environment."""
    insist(switch_probe_refusals(request.user.actor))
    if probe_line(probe) is None:
        raise Http404
    form = DisableForm(request.POST, auto_id=f"{probe}_%s")
    if not form.is_valid():
        return _page(request, opened=probe, form=form, status=422)
    where = form.cleaned_data["environment"]
    try:
        actions.disable(
            by=request.user,
            probe=probe,
            environment_id=where.pk if where else None,
            reason=form.cleaned_data["reason"],
            now=timezone.now(),
        )
    except Refused as refused:
        form.add_error(None, " ".join(refused.reasons))
        return _page(request, opened=probe, form=form, status=422)
    said = _("{probe} is disabled in {environment}.") if where else _("{probe} is disabled everywhere.")
    messages.success(request, said.format(probe=probe, environment=where))
    return redirect(f"{reverse('probes')}#{probe}")


@require_POST
def enable(request: Request, disabling: int) -> HttpResponse:
    """Enable a probe again where it was disabled."""
    insist(switch_probe_refusals(request.user.actor))
    found = get_object_or_404(Disabling.objects.select_related("environment__service"), pk=disabling)
    actions.enable(by=request.user, disabling_id=found.pk, now=timezone.now())
    said = (
        _("{probe} is enabled again in {environment}. It looks within seconds.")
        if found.environment
        else _("{probe} is enabled again everywhere. It looks within seconds.")
    )
    messages.success(request, said.format(probe=found.probe, environment=found.environment))
    return redirect(f"{reverse('probes')}#{found.probe}")


def _page(request: Request, *, opened: str = "", form: DisableForm | None = None, status: int = 200) -> HttpResponse:
    page = probes_page()

    def shown(line: ProbeLine) -> DisableForm:
        return form if form is not None and line.slug == opened else DisableForm(auto_id=f"{line.slug}_%s")

    context = {
        "now": timezone.now(),
        "lines": [(line, shown(line)) for line in page.lines],
        "environments": page.environments,
        "switch_refusals": switch_probe_refusals(request.user.actor),
    }
    return render(request, "probes.html", context, status=status)
