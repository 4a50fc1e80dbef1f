"""Importing services: a file, what it would change, and the confirmation of exactly that."""

import csv
import io

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from readiness.actions.importing import ImportCrossed, import_file
from readiness.forms.importing import ImportServicesForm
from readiness.rules.import_file import TEMPLATE, ImportFile, ImportFileError, read
from readiness.rules.permissions import Refused, add_service_refusals, insist
from readiness.selectors.importing import plan

from .access import Request

CROSSED = gettext_lazy(
    "Something changed since the preview, here or in the file. This is what the import would do now."
)


@require_http_methods(["GET", "POST"])
def import_(request: Request) -> HttpResponse:
    """Take a file, show what it would change, and change it where that is confirmed."""
    insist(add_service_refusals(request.user.actor))
    form = ImportServicesForm(request.POST or None, request.FILES or None)
    if request.method != "POST":
        return _editor(request, form)
    if not form.is_valid():
        return _editor(request, form, status=422)
    step = request.POST.get("step", "preview")
    if step == "edit":
        return _editor(request, form)
    text = form.cleaned_data["text"]
    try:
        file = read(text)
    except ImportFileError as error:
        return _editor(request, form, faults=error.problems, status=422)
    return _confirm(request, text, file) if step == "import" else _preview(request, text, file)


@require_safe
def template(_request: Request) -> HttpResponse:
    """Give the file to begin with: the columns, and nothing below them."""
    text = io.StringIO(newline="")
    csv.writer(text).writerow(TEMPLATE)
    headers = {"Content-Disposition": 'attachment; filename="services.csv"'}
    return HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _confirm(request: Request, text: str, file: ImportFile) -> HttpResponse:
    digest = request.POST.get("digest", "")
    try:
        done = import_file(by=request.user, file=file, digest=digest, now=timezone.now())
    except ImportCrossed:
        return _preview(request, text, file, note=str(CROSSED))
    except Refused as refused:  # A rule that the preview does not know refused something: nothing was written.
        return _preview(request, text, file, note=" ".join(refused.reasons))
    counts = done.counts
    messages.success(
        request,
        _("Imported: {new} new, {changed} changed, {same} as before.").format(
            new=counts["new"], changed=counts["changed"], same=counts["same"]
        ),
    )
    return redirect("overview")


def _preview(request: Request, text: str, file: ImportFile, *, note: str = "") -> HttpResponse:
    found = plan(file, request.user.actor)
    context = {"plan": found, "text": text, "note": note}
    return render(request, "import_preview.html", context, status=409 if note else 200)


def _editor(
    request: Request, form: ImportServicesForm, *, faults: tuple[str, ...] = (), status: int = 200
) -> HttpResponse:
    context = {"form": form, "faults": faults, "columns": TEMPLATE}
    return render(request, "import_form.html", context, status=status)
