"""Environments: added and changed by their team."""

from dataclasses import replace
from decimal import Decimal

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from readiness.actions import services as actions
from readiness.actions.archiving import WITH_SERVICE
from readiness.forms.archiving import ArchiveForm
from readiness.forms.services import ENVIRONMENT_TAKEN, EnvironmentForm
from readiness.models import Environment
from readiness.rules.permissions import Refused, archived_refusals, insist
from readiness.selectors.archived import archived
from readiness.selectors.builds import builds_of
from readiness.selectors.crossings import environment_since

from .access import Request, find_environment, find_service, number_in, refusals_to_change
from .crossings import Crossing, crossed_settings


@require_http_methods(["GET", "POST"])
def add(request: Request, service: str) -> HttpResponse:
    """Add an environment to a service."""
    found = find_service(service)
    insist(refusals_to_change(request, found))
    form = EnvironmentForm(request.POST or None, service=found)
    if request.method == "POST" and form.is_valid():
        try:
            environment = actions.add_environment(
                by=request.user, service=found, settings=form.settings(), now=timezone.now()
            )
        except IntegrityError:  # Sent twice, or by two people, at the same moment.
            form.add_error("name", ENVIRONMENT_TAKEN)
        else:
            messages.success(
                request,
                _("{environment} is added. Probes look within seconds at what its settings name.").format(
                    environment=environment
                ),
            )
            return redirect(environment.get_absolute_url())
    context = {"form": form, "service": found, "environment": None}
    return render(request, "environment_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def change(request: Request, service: str, environment: str) -> HttpResponse:
    """Change an environment's settings."""
    found = _named(request, service, environment)
    insist(refusals_to_change(request, found.service))
    form = EnvironmentForm(
        request.POST or None, service=found.service, instance=found, initial={"seen_version": found.version}
    )
    crossing = None
    if request.method == "POST" and form.is_valid():
        try:
            saved = actions.change_environment(
                by=request.user,
                environment_id=found.pk,
                settings=form.settings(),
                seen_version=form.cleaned_data["seen_version"] or 0,
                now=timezone.now(),
            )
        except actions.EnvironmentCrossed as other:
            crossing = _crossing(form, find_environment(service, other.environment.name))
        except IntegrityError:
            form.add_error("name", ENVIRONMENT_TAKEN)
        except Refused as refused:  # It was archived while this person wrote: what they wrote stays.
            form.add_error(None, " ".join(refused.reasons))
        else:
            messages.success(request, _("Saved. Probes look again within seconds at what the settings name."))
            return redirect(saved.get_absolute_url())
    saved = find_environment(service, Environment.objects.values_list("name", flat=True).get(pk=found.pk))
    return form_page(
        request, saved, form=form, crossing=crossing, status=409 if crossing else 422 if form.errors else 200
    )


def form_page(
    request: Request,
    environment: Environment,
    *,
    form: EnvironmentForm | None = None,
    archiving: ArchiveForm | None = None,
    crossing: Crossing | None = None,
    status: int = 200,
) -> HttpResponse:
    """Show the page where an environment is changed and archived, with a form that was not accepted as it was sent."""
    seen = {"seen_version": environment.version}
    context = {
        "form": form or EnvironmentForm(service=environment.service, instance=environment, initial=seen),
        "service": environment.service,
        "environment": environment,
        "builds": builds_of(environment),
        "archiving": archiving or ArchiveForm(),
        "archived": archived(environment),
        "archived_reasons": archived_refusals(environment.archived_since),
        "with_service": [WITH_SERVICE] if environment.service.archived_at else [],
        "crossing": crossing,
    }
    return render(request, "environment_form.html", context, status=status)


def _named(request: Request, service: str, environment: str) -> Environment:
    """Return the environment that an address names, or that a form means which was open while it was renamed."""
    named = Environment.objects.filter(service__slug=service, name=environment)
    pk = number_in(request.POST.get("environment_id", ""))
    if pk is None or named.exists():
        return find_environment(service, environment)
    return find_environment(service, get_object_or_404(Environment, service__slug=service, pk=pk).name)


def _crossing(form: EnvironmentForm, saved: Environment) -> Crossing:
    """Return what others saved of these settings, beside what was typed."""
    since = environment_since(saved, form.cleaned_data["seen_version"] or 0)
    before = {name.removesuffix("_id"): value for name, value in since.before.items()}
    if before.get("spend_cap"):
        before["spend_cap"] = Decimal(before["spend_cap"])
    last = {name.removesuffix("_id"): line for name, line in since.last.items()}
    return crossed_settings(
        form,
        EnvironmentForm(service=saved.service, instance=saved),
        replace(since, before=before, last=last),
        said=_("{people} saved these settings while you were writing."),
        version=saved.version,
    )
