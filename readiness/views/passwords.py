"""Changing one's own password."""

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.views import PasswordChangeView
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from readiness.actions.passwords import change_own_password
from readiness.forms.passwords import OwnPasswordForm
from readiness.models import User


class OwnPassword(PasswordChangeView):
    """Ask for the old password and twice for the new one; who is signed in elsewhere is signed out there."""

    template_name = "password.html"
    form_class = OwnPasswordForm
    request: Any

    def get_form_kwargs(self) -> dict[str, Any]:
        """Give the form the request, under which its guesses are counted."""
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: OwnPasswordForm) -> HttpResponse:  # type: ignore[override]
        """Change it and stay signed in here, under a new session key."""
        user: User = form.user
        change_own_password(by=user, password=form.cleaned_data["new_password1"], now=timezone.now())
        update_session_auth_hash(self.request, user)
        messages.success(
            self.request, _("Your password is changed. Wherever else you were signed in, you no longer are.")
        )
        return redirect("overview")

    def form_invalid(self, form: OwnPasswordForm) -> HttpResponse:  # type: ignore[override]
        """Show the form again."""
        return self.render_to_response(self.get_context_data(form=form), status=422)


own_password = OwnPassword.as_view()
