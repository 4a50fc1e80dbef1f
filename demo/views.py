"""Act as somebody else, in the demo and only there."""

from django.contrib.auth import login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from readiness.models import User
from readiness.views.access import number_in


@require_POST
def act_as(request: HttpRequest) -> HttpResponse:
    """Sign in as the chosen person, and stay on the page."""
    chosen = request.POST.get("person", "")
    person = get_object_or_404(User, pk=number_in(chosen), is_active=True)
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    back = request.POST.get("next", "")
    return redirect(back if url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}) else "overview")
