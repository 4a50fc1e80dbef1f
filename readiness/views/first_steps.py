"""Putting the first steps of a new installation away. Where they stand is told on the overview."""

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness.selectors.first_steps import put_away_cookie

from .access import Request

KEPT_S = 365 * 86_400


@require_POST
def put_away(request: Request) -> HttpResponse:
    """Show the first steps no more in this browser. Nothing is written here."""
    messages.success(request, _("Put away. The steps themselves are all on their own pages."))
    answer = redirect("overview")
    answer.set_cookie(
        put_away_cookie(), "1", max_age=KEPT_S, httponly=True, samesite="Lax", secure=settings.SESSION_COOKIE_SECURE
    )
    return answer
