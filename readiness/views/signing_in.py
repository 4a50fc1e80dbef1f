"""Signing in and out. A link shows a button; only its POST signs in."""

from datetime import datetime
from math import ceil
from typing import Any, cast
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe
from sesame.backends import ModelBackend as Links

from readiness import known_browsers, throttle
from readiness.models import User
from readiness.rules.permissions import insist, keep_people_refusals

SPENT = gettext_lazy(
    "This link was used already, or it is older than a day. Print a new one with: manage.py signin_link USERNAME"
)


class SignIn(LoginView):
    """Name and password; what is wrong about them is never said."""

    template_name = "sign_in.html"
    redirect_authenticated_user = True

    def get_redirect_url(self) -> str:  # type: ignore[override]
        """Return where somebody wanted to go; never here, where who is signed in would be sent for ever."""
        asked: str = super().get_redirect_url()
        return "" if urlsplit(asked).path == self.request.path else asked

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Sign in, and know this browser again."""
        response = super().form_valid(form)
        known_browsers.remember(response, name=form.get_user().get_username())
        return response


sign_in = SignIn.as_view()


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_link(request: HttpRequest) -> HttpResponse:
    """Show who the link signs in and one button; the button's POST signs in."""
    if request.method == "GET" and request.user.is_authenticated and "sesame" not in request.GET:
        return redirect("overview")
    address, now = throttle.address_of(request), timezone.now()
    again_at = throttle.links_refused_until(address, now=now)
    if again_at is not None:
        return _wait(request, again_at, now)
    token = request.POST.get("token", "") if request.method == "POST" else request.GET.get("sesame", "")
    # The backend itself: through authenticate() a wrong link would count as a wrong password.
    user = cast("User | None", Links().authenticate(request, sesame=token))
    if user is None:
        if token:
            throttle.count_wrong_link(address, now=now)
        return render(request, "sign_in_link.html", {"problem": SPENT}, status=403)
    if request.method == "GET":
        return render(request, "sign_in_link.html", {"token": token, "name": str(user)})
    login(request, user, backend="sesame.backends.ModelBackend")
    response = redirect("overview")
    known_browsers.remember(response, name=user.get_username())
    return response


def wait(request: HttpRequest, _response: HttpResponse, _credentials: Any) -> HttpResponse:
    """Answer a guess that was refused, wherever it was made. django-axes calls this."""
    return _wait(request, request.guess_again_at, request.axes_attempt_time)  # type: ignore[attr-defined]


def _wait(request: HttpRequest, again_at: datetime, now: datetime) -> HttpResponse:
    """Say how long to wait, and nothing about whether the person exists."""
    wait_s = max(1, ceil((again_at - now).total_seconds()))
    asked = request.POST.get("next") or request.GET.get("next") or ""
    back = f"{reverse('sign-in')}?{urlencode({'next': asked})}" if asked else reverse("sign-in")
    context = {"minutes": ceil(wait_s / 60), "back": back}
    response = render(request, "sign_in_wait.html", context, status=429)
    response["Retry-After"] = str(wait_s)
    return response


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign-in")


@login_not_required
@never_cache
@require_safe
def admin_door(request: HttpRequest) -> HttpResponse:
    """Stand where the admin's own sign-in was: there is one door, and it is counted."""
    asked = request.GET.get("next", "")
    local = url_has_allowed_host_and_scheme(asked, {request.get_host()}, require_https=request.is_secure())
    leads_to = asked if local and urlsplit(asked).path != request.path else reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect(f"{reverse('sign-in')}?{urlencode({'next': leads_to})}")
    insist(keep_people_refusals(request.user.actor))
    return redirect(leads_to)
