"""Saving and deleting overviews that a person comes back to."""

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness.actions import saved_filters as actions
from readiness.forms.saved_filters import SavedFilterForm
from readiness.selectors.saved_filters import saved_filters
from readiness.templatetags.overview_words import address

from .access import MOST_DIGITS, Request
from .overview import Asked, asked_by, page_of

MOST_LETTERS = 5000


@require_POST
def save(request: Request) -> HttpResponse:
    """Save the overview that was shown under a name, and show it again; with 422 where the name will not do."""
    asked, now = _shown(request), timezone.now()
    query = asked.query.urlencode()
    held = {one.name for one in saved_filters(request.user)}
    form = SavedFilterForm(request.POST, query=query, held=held)
    if not form.is_valid():
        return render(request, "overview.html", {**page_of(request, asked, now), "save_form": form}, status=422)
    saved = actions.save(by=request.user, name=form.cleaned_data["name"], query=query, now=now)
    messages.success(request, _("Saved as “{name}”.").format(name=saved.name))
    return redirect(address(asked.query))


@require_POST
def delete(request: Request, filter_id: int) -> HttpResponse:
    """Delete one of one's own, and show the overview again."""
    if len(str(filter_id)) > MOST_DIGITS or not actions.delete(by=request.user, filter_id=filter_id):
        raise Http404
    messages.success(request, _("Deleted."))
    return redirect(address(_shown(request).query))


def _shown(request: Request) -> Asked:
    """Return what the form says was shown: only what means something here, so that nothing else is kept."""
    return asked_by(QueryDict(request.POST.get("query", "")[:MOST_LETTERS].replace("\0", "")))
