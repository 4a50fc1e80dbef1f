"""A sheet at any instant: replayed in the past, forecast in the future."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from readiness.forms.instants import InstantForm
from readiness.selectors.standing import verdict

from .access import Request, find_environment


@require_safe
def sheet_at(request: Request, service: str, environment: str) -> HttpResponse:
    """Show where an environment stood or will stand; without an instant, how it stands now."""
    found, now = find_environment(service, environment), timezone.now()
    asked = "at" in request.GET
    form = InstantForm(request.GET if asked else None, added_at=found.added_at, now=now, initial={"at": now})
    wrong = asked and not form.is_valid()
    at = form.cleaned_data["at"] if asked and not wrong else now
    standing = None if wrong else verdict(found, at=at, now=now)
    context = {"environment": found, "form": form, "standing": standing, "at": at, "now": now, "wrong": wrong}
    return render(request, "sheet_at.html", context, status=422 if wrong else 200)
