"""Leaving a whole section of a sheet out."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from readiness.actions import batches
from readiness.forms.requests import LeaveOutForm
from readiness.models import Environment, Section
from readiness.rules.permissions import Refused, insist
from readiness.selectors.sections import seen_in

from .access import Request, find_environment, refusals_to_change
from .sheets import sheet_context

NOT_WHOLE = gettext_lazy("This form was not whole. Look at the list, then send it again.")


@require_POST
def leave_out(request: Request, service: str, environment: str, section: int) -> HttpResponse:
    """Ask that every item of a section be left out, for one reason."""
    found = find_environment(service, environment)
    chosen = get_object_or_404(Section, pk=section)
    insist(refusals_to_change(request, found.service))
    form = LeaveOutForm(request.POST, auto_id=f"leave-out-{chosen.pk}_%s")
    if not form.is_valid():
        return _show(request, found, chosen, form, [], 422)
    seen = seen_in(form.cleaned_data["seen"])
    if seen is None:
        return _show(request, found, chosen, form, [str(NOT_WHOLE)], 422)
    try:
        asked = batches.ask_section(
            by=request.user,
            environment=found,
            section=chosen,
            reason=form.cleaned_data["reason"],
            seen=seen,
            now=timezone.now(),
        )
    except batches.SectionCrossed as crossed:
        said = [
            *crossed.said,
            _("Nothing was asked. Look at the list as it is now, then ask again if you still want to."),
        ]
        return _show(request, found, chosen, form, said, 409)
    except Refused as refused:
        return _show(request, found, chosen, form, refused.reasons, 422)
    words = ngettext(
        "Asked to leave out {n} item of {section}. A reviewer will grant or refuse it.",
        "Asked to leave out {n} items of {section}. A reviewer will grant or refuse it.",
        len(asked),
    )
    messages.success(request, words.format(n=len(asked), section=chosen.name))
    return redirect(f"{found.get_absolute_url()}#section-{chosen.slug}")


def _show(
    request: Request, environment: Environment, section: Section, form: LeaveOutForm, problem: list[str], status: int
) -> HttpResponse:
    """Render the sheet with the form as it was sent, on top of what is saved."""
    sent = {"section": section.pk, "form": form, "problem": problem}
    return render(request, "sheet.html", {**sheet_context(request, environment), "leaving_out": sent}, status=status)
