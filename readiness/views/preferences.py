"""What a person sets for themselves: single keys, the language of pages, and how far they have read a sheet."""

from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness import languages
from readiness.actions import preferences as actions

from .access import Request, find_environment, number_in


@require_POST
def keys(request: Request) -> HttpResponse:
    """Switch single keys off or on, and go back to where the person was."""
    off = request.POST.get("keys") == "off"
    actions.switch_keys(by=request.user, off=off)
    messages.success(
        request, _("Single keys are switched off for you.") if off else _("Single keys are switched on for you.")
    )
    return _back(request)


@login_not_required
@require_POST
def language(request: HttpRequest) -> HttpResponse:
    """Choose the language of pages, for this browser and for whoever is signed in, and go back to the same page."""
    chosen, answer = request.POST.get("language", ""), _back(request)
    if not languages.is_offered(chosen):
        return answer
    if request.user.is_authenticated:
        actions.choose_language(by=request.user, language=chosen)
    languages.remember(answer, chosen)
    return answer


def _back(request: HttpRequest) -> HttpResponse:
    """Lead to where somebody was."""
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return HttpResponseRedirect(back if ours and back.startswith("/") else reverse("overview"))


@require_POST
def seen(request: Request, service: str, environment: str) -> HttpResponse:
    """Keep that the person has read what changed on a sheet."""
    found = find_environment(service, environment)
    newest = number_in(request.POST.get("seen", ""))
    if newest is not None:
        actions.mark_seen(by=request.user, environment=found, seen=newest, now=timezone.now())
    if request.htmx:
        return render(request, "partials/since.html", {"environment": found, "since": newest or 0})
    return redirect(found.get_absolute_url())
