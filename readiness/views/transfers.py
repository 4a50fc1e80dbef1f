"""Handing a service to another team: what follows is shown for the team that is chosen, then it is done at once."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from readiness.actions import services as actions
from readiness.forms.transfers import TransferForm
from readiness.models import Service, Team
from readiness.rules.permissions import Refused, archived_refusals, insist
from readiness.selectors.crossings import service_since
from readiness.selectors.transfers import effects

from .access import Request, find_service, refusals_to_change


@require_http_methods(["GET", "POST"])
def transfer(request: Request, service: str) -> HttpResponse:
    """Say what handing a service to a team brings about, and do it."""
    found = find_service(service)
    insist(refusals_to_change(request, found))
    if request.method == "GET":
        to = request.GET.get("to", "").replace("\0", "")
        return _page(request, found, _form(found, Team.objects.filter(slug=to).first()))
    form = TransferForm(request.POST, service=found)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    sent = form.cleaned_data
    try:
        actions.transfer_service(by=request.user, service=found, now=timezone.now(), **sent)
    except actions.ServiceCrossed as other:
        said = [
            _("{person} {what}.").format(person=one.line.who, what=one.line.what)
            for one in service_since(other.service, sent["seen_version"]).saved
        ]
        anew = _form(other.service, sent["team"], reason=sent["reason"])
        return _page(request, find_service(service), anew, crossed=said, status=409)
    except Refused as refused:
        form.add_error(None, " ".join(refused.reasons))
        return _page(request, found, form, status=422)
    messages.success(request, _("{found} belongs to {sent} now.").format(found=found, sent=sent["team"]))
    return redirect("service", found.slug)


def _form(service: Service, team: Team | None, *, reason: str = "") -> TransferForm:
    return TransferForm(service=service, initial={"team": team, "reason": reason, "seen_version": service.version})


def _page(
    request: Request, service: Service, form: TransferForm, *, crossed: list[str] | None = None, status: int = 200
) -> HttpResponse:
    team = form.cleaned_data.get("team") if form.is_bound else form.initial["team"]
    team = team if team is not None and team.pk != service.team_id else None
    context = {
        "service": service,
        "form": form,
        "to": team,
        "teams": Team.objects.exclude(pk=service.team_id),
        "effects": effects(service, team, timezone.now()) if team else None,
        "refusals": archived_refusals(service.archived_at),
        "crossed": crossed,
    }
    return render(request, "transfer.html", context, status=status)
