"""Signing in and out. A link shows a button; only its POST signs in."""

from typing import cast

import sesame.utils
from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from readiness.models import User

SPENT = "This link was used already, or it is older than a day. Print a new one with: manage.py signin_link USERNAME"

sign_in = LoginView.as_view(template_name="sign_in.html", redirect_authenticated_user=True)


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def sign_in_link(request: HttpRequest) -> HttpResponse:
    """Show who the link signs in and one button; the button's POST signs in."""
    if request.method == "GET" and request.user.is_authenticated and "sesame" not in request.GET:
        return redirect("overview")
    token = request.POST.get("token", "") if request.method == "POST" else request.GET.get("sesame", "")
    user = cast("User | None", sesame.utils.get_user(token, update_last_login=False))
    if user is None:
        return render(request, "sign_in_link.html", {"problem": SPENT}, status=403)
    if request.method == "GET":
        return render(request, "sign_in_link.html", {"token": token, "name": str(user)})
    login(request, user, backend="sesame.backends.ModelBackend")
    return redirect("overview")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session."""
    logout(request)
    return redirect("sign-in")
