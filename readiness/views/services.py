"""Services: shown, added, changed."""

from typing import Any

from django.contrib import messages
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from readiness.actions import services as actions
from readiness.forms.archiving import ArchiveForm
from readiness.forms.services import NAME_TAKEN, ServiceForm
from readiness.models import Service, Team
from readiness.rules.permissions import Refused, add_service_refusals, archived_refusals, insist
from readiness.selectors.archived import archived_environments, archived_service
from readiness.selectors.crossings import service_since
from readiness.selectors.services import service_page

from .access import Request, find_service, refusals_to_change
from .crossings import Crossing, crossed_settings
from .following import followed


@require_safe
@followed("service")
def show(request: Request, service: str) -> HttpResponse:
    """Show a service with its environments."""
    found = find_service(service)
    context = {
        "service": found,
        "change_refusals": refusals_to_change(request, found),
        "add_refusals": refusals_to_change(request, found) or archived_refusals(found.archived_at),
        "archived": archived_service(found),
        "archived_environments": archived_environments(found),
    }
    now = timezone.now()
    return render(request, "service.html", {**context, "now": now, "page": service_page(found, now)})


@require_http_methods(["GET", "POST"])
def add(request: Request) -> HttpResponse:
    """Add a service to one of one's teams."""
    insist(add_service_refusals(request.user.actor))
    form = ServiceForm(request.POST or None, teams=_teams(request))
    if request.method == "POST" and form.is_valid():
        try:
            service = actions.add_service(by=request.user, now=timezone.now(), **form.cleaned_data)
        except IntegrityError:  # Sent twice, or by two people, at the same moment.
            form.add_error("slug", NAME_TAKEN)
        else:
            messages.success(request, _("{service} is added. Say now where it runs.").format(service=service))
            return redirect("environment-add", service.slug)
    context = {"form": form, "service": None, "no_team": not _teams(request).exists()}
    return render(request, "service_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def change(request: Request, service: str) -> HttpResponse:
    """Change a service's description."""
    found = find_service(service)
    insist(refusals_to_change(request, found))
    form = ServiceForm(request.POST or None, service=found, initial=_initial(found))
    crossing = None
    if request.method == "POST" and form.is_valid():
        sent = {**form.cleaned_data, "seen_version": form.cleaned_data["seen_version"] or 0}
        try:
            actions.change_service(by=request.user, service=found, now=timezone.now(), **sent)
        except actions.ServiceCrossed:
            crossing = _crossing(form, find_service(service))
        except Refused as refused:  # It was archived or handed over while this person wrote: what they wrote stays.
            form.add_error(None, " ".join(refused.reasons))
        else:
            messages.success(request, _("Saved."))
            return redirect("service", found.slug)
    status = 409 if crossing else 422 if form.errors else 200
    return form_page(request, find_service(service), form=form, crossing=crossing, status=status)


def form_page(
    request: Request,
    service: Service,
    *,
    form: ServiceForm | None = None,
    archiving: ArchiveForm | None = None,
    crossing: Crossing | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the page where a service is changed and archived, with a form that was not accepted as it was sent."""
    context = {
        "form": form or ServiceForm(service=service, initial=_initial(service)),
        "service": service,
        "archiving": archiving or ArchiveForm(),
        "archived": archived_service(service),
        "archived_reasons": archived_refusals(service.archived_at),
        "crossing": crossing,
    }
    return render(request, "service_form.html", context, status=status)


def _initial(service: Service) -> dict[str, Any]:
    return {"description": service.description, "seen_version": service.version}


def _crossing(form: ServiceForm, saved: Service) -> Crossing:
    """Return what others saved of a service, beside what was typed."""
    since = service_since(saved, form.cleaned_data["seen_version"] or 0)
    now = ServiceForm(service=saved, initial=_initial(saved))
    return crossed_settings(
        form, now, since, said=_("{people} saved this service while you were writing."), version=saved.version
    )


def _teams(request: Request) -> QuerySet[Team]:
    if request.user.actor.is_admin:
        return Team.objects.all()
    return Team.objects.filter(pk__in=request.user.actor.teams)
