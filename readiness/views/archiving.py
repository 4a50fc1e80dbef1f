"""Archiving environments and services, and bringing them back, from the pages where they are changed."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import archiving as actions
from readiness.forms.archiving import ArchiveForm
from readiness.models import User
from readiness.rules.permissions import Refused, insist
from readiness.selectors.archived import archived_services

from . import environments, services
from .access import Request, find_environment, find_service, refusals_to_change


class Act(Protocol):
    """Archives or restores what was found, for a reason."""

    def __call__(self, *, by: User, reason: str, now: datetime) -> object:
        """Do it."""


@require_safe
def listed(request: Request) -> HttpResponse:
    """Show the services that are archived, by whom and why."""
    return render(request, "archived.html", {"now": timezone.now(), "services": archived_services()})


@require_POST
def archive_environment(request: Request, service: str, environment: str) -> HttpResponse:
    """Archive an environment."""
    return _environment(request, service, environment, actions.archive_environment, _("{what} is archived."))


@require_POST
def restore_environment(request: Request, service: str, environment: str) -> HttpResponse:
    """Bring an archived environment back."""
    return _environment(request, service, environment, actions.restore_environment, _("{what} is back."))


@require_POST
def archive_service(request: Request, service: str) -> HttpResponse:
    """Archive a service with all its environments."""
    return _service(request, service, actions.archive_service, _("{what} is archived."))


@require_POST
def restore_service(request: Request, service: str) -> HttpResponse:
    """Bring an archived service back."""
    return _service(request, service, actions.restore_service, _("{what} is back."))


def _environment(
    request: Request, service: str, environment: str, act: Callable[..., object], said: str
) -> HttpResponse:
    found = find_environment(service, environment)
    insist(refusals_to_change(request, found.service))
    form = ArchiveForm(request.POST)
    if _done(request, form, lambda **given: act(environment_id=found.pk, **given)):
        messages.success(request, said.format(what=found))
        return redirect(found.get_absolute_url())
    return environments.form_page(request, find_environment(service, environment), archiving=form, status=422)


def _service(request: Request, service: str, act: Callable[..., object], said: str) -> HttpResponse:
    found = find_service(service)
    insist(refusals_to_change(request, found))
    form = ArchiveForm(request.POST)
    if _done(request, form, lambda **given: act(service_id=found.pk, **given)):
        messages.success(request, said.format(what=found))
        return redirect("service", found.slug)
    return services.form_page(request, find_service(service), archiving=form, status=422)


def _done(request: Request, form: ArchiveForm, act: Act) -> bool:
    """Take a form through its rules and its action; what refuses is put into it."""
    if not form.is_valid():
        return False
    try:
        act(by=request.user, reason=form.cleaned_data["reason"], now=timezone.now())
    except Refused as refused:
        form.add_error(None, " ".join(refused.reasons))
        return False
    return True
