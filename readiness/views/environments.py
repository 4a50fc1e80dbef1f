"""Environments: added and changed by their team."""

from django.contrib import messages
from django.db import IntegrityError
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from readiness.actions import services as actions
from readiness.forms.services import ENVIRONMENT_TAKEN, EnvironmentForm, resent
from readiness.rules.permissions import insist

from .access import Request, find_environment, find_service, refusals_to_change


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
            messages.success(request, f"{environment} is added. Probes look within seconds at what its settings name.")
            return redirect(environment.get_absolute_url())
    context = {"form": form, "service": found, "environment": None}
    return render(request, "environment_form.html", context, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def change(request: Request, service: str, environment: str) -> HttpResponse:
    """Change an environment's settings."""
    found = find_environment(service, environment)
    insist(refusals_to_change(request, found.service))
    form = EnvironmentForm(
        request.POST or None, service=found.service, instance=found, initial={"seen_version": found.version}
    )
    crossed = ""
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
            crossed = f"{other.by} saved these settings while you were writing. Save again to replace them with yours."
            form.data = resent(form.data, seen_version=str(other.environment.version))
        except IntegrityError:
            form.add_error("name", ENVIRONMENT_TAKEN)
        else:
            messages.success(request, "Saved. Probes look again within seconds at what the settings name.")
            return redirect(saved.get_absolute_url())
    context = {"form": form, "service": found.service, "environment": find_environment(service, environment)}
    status = 409 if crossed else 422 if form.errors else 200
    return render(request, "environment_form.html", {**context, "crossed": crossed}, status=status)
