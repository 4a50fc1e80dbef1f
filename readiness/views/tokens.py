"""API tokens: everybody reads which there are, admins make and revoke them."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from readiness.actions import tokens as actions
from readiness.forms.tokens import TokenForm
from readiness.models import ApiToken, Service
from readiness.rules.permissions import insist, keep_tokens_refusals
from readiness.rules.tokens import may_words, revoke_refusals
from readiness.selectors.tokens import tokens_listed

from .access import MOST_DIGITS, Request


@require_safe
def listed(request: Request) -> HttpResponse:
    """List every token, without its secret, which nobody has but the program."""
    now = timezone.now()
    context = {"now": now, "tokens": tokens_listed(now), "refusals": keep_tokens_refusals(request.user.actor)}
    return render(request, "tokens.html", context)


@never_cache
@require_http_methods(["GET", "POST"])
def make(request: Request) -> HttpResponse:
    """Make a token. The answer to the form is the one place that ever shows it: no address leads there again."""
    insist(keep_tokens_refusals(request.user.actor))
    now = timezone.now()
    form = TokenForm(request.POST or None, now=now)
    if request.method == "POST" and form.is_valid():
        token, text = actions.make_token(by=request.user, now=now, **form.cleaned_data)
        owned = Service.objects.filter(team=token.team) if token.team else Service.objects.all()
        shown = {"now": now, "token": token, "text": text, "may": may_words(token.scopes)}
        example = owned.filter(archived_at=None).first()
        return render(request, "token_made.html", {**shown, "example": example}, status=201)
    return render(request, "token_form.html", {"form": form}, status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def revoke(request: Request, token: int) -> HttpResponse:
    """Ask whether a token is to be revoked, and revoke it."""
    insist(keep_tokens_refusals(request.user.actor))
    if token >= 10**MOST_DIGITS:
        raise Http404
    found = get_object_or_404(ApiToken.objects.select_related("team", "created_by"), pk=token)
    now = timezone.now()
    if request.method == "POST":
        actions.revoke_token(by=request.user, token_id=found.pk, now=now)
        messages.success(request, _("{found} is revoked: from this moment on it lets nobody in.").format(found=found))
        return redirect("tokens")
    reasons = revoke_refusals(expires_at=found.expires_at, revoked_at=found.revoked_at, at=now)
    return render(request, "token_revoke.html", {"now": now, "token": found, "reasons": reasons})
