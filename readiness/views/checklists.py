"""Checklists: read by everyone; previewed and landed by admins."""

import hashlib
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from readiness.actions import checklists as actions
from readiness.forms.checklists import ChecklistForm, ImportForm
from readiness.models import Checklist, ChecklistVersion, Team
from readiness.rules.checklist_file import ChecklistFileError, parse
from readiness.rules.permissions import change_checklist_refusals, insist
from readiness.selectors import checklists as selector

from .access import Request, number_in


@require_safe
def listed(request: Request) -> HttpResponse:
    """Show every checklist."""
    context = {"lines": selector.checklists(), "change_refusals": change_checklist_refusals(request.user.actor)}
    return render(request, "checklists.html", context)


@require_safe
def show(request: Request, checklist: str) -> HttpResponse:
    """Show what a checklist asks, and its versions."""
    now = timezone.now()
    context = {
        "now": now,
        "page": selector.checklist_page(_find(checklist), now),
        "change_refusals": change_checklist_refusals(request.user.actor),
    }
    return render(request, "checklist.html", context)


@require_safe
def version(_request: Request, checklist: str, number: str) -> HttpResponse:
    """Show the file of a version, word for word."""
    found = get_object_or_404(ChecklistVersion, checklist__slug=checklist, version=number_in(number))
    headers = {"Content-Disposition": f'inline; filename="{checklist}-{found.version}.toml"'}
    return HttpResponse(found.text, content_type="text/plain; charset=utf-8", headers=headers)


@require_http_methods(["GET", "POST"])
def change(request: Request, checklist: str) -> HttpResponse:
    """Write the next version of a checklist, preview it, land it."""
    insist(change_checklist_refusals(request.user.actor))
    found = _find(checklist)
    form = ChecklistForm(request.POST or None, request.FILES or None, initial={"text": selector.next_text(found)})
    return _work(request, form, found)


@require_http_methods(["GET", "POST"])
def import_(request: Request) -> HttpResponse:
    """Import a checklist that is not here yet, or a version of one that is."""
    insist(change_checklist_refusals(request.user.actor))
    return _work(request, ImportForm(request.POST or None, request.FILES or None), None)


def _find(slug: str) -> Checklist:
    return get_object_or_404(Checklist.objects.select_related("team"), slug=slug)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    """What is wrong with what was sent, in words for the page."""

    faults: tuple[str, ...] = ()
    note: str = ""
    status: int = 200


def _work(request: Request, form: ChecklistForm, checklist: Checklist | None) -> HttpResponse:
    if request.method != "POST":
        return _editor(request, form, checklist, _Answer())
    if not form.is_valid():
        return _editor(request, form, checklist, _Answer(status=422))
    step = request.POST.get("step", "preview")
    if step == "edit":
        return _editor(request, form, checklist, _Answer())
    text, team = form.cleaned_data["text"], form.cleaned_data.get("team")
    try:
        _insist_on_the_same(text, checklist)
        if step == "land":
            return _land(request, checklist, text, team)
        return _preview(request, checklist, text, team)
    except ChecklistFileError as error:
        return _editor(request, form, checklist, _Answer(faults=error.problems, status=422))
    except actions.ChecklistCrossed as other:
        return _editor(request, form, other.checklist, _Answer(note=_crossed(other), status=409))


def _insist_on_the_same(text: str, checklist: Checklist | None) -> None:
    named = parse(text).slug
    if checklist is not None and named != checklist.slug:
        raise ChecklistFileError(
            [
                _("checklist: 'slug' is {named!r}, and this page is about {slug!r}: import another checklist").format(
                    named=named, slug=checklist.slug
                )
            ]
        )


def _crossed(other: actions.ChecklistCrossed) -> str:
    return f"{other} " + _(
        "Yours is not landed and is kept below. Look at what theirs changed, take it over into yours, "
        "count 'version' up to {version}, and preview again."
    ).format(version=other.checklist.version + 1)


def _preview(
    request: Request, checklist: Checklist | None, text: str, team: Team | None, note: str = ""
) -> HttpResponse:
    found = actions.preview(by=request.user, text=text, team=team, now=timezone.now())
    if found is None:
        after = parse(text).version + 1
        raise ChecklistFileError(
            [_("checklist: exactly this has landed: count 'version' up to {after} for a new one").format(after=after)]
        )
    context = {
        "now": found.at,
        "preview": found,
        "checklist": checklist,
        "text": text,
        "team": team,
        "seen": found.seen,
        "digest": digest(text, team, found.seen),
        "unknown_probes": selector.unknown_probes(found.file, held=selector.version_file(checklist)),
        "note": note,
    }
    return render(request, "checklist_preview.html", context, status=409 if note else 200)


def _land(request: Request, checklist: Checklist | None, text: str, team: Team | None) -> HttpResponse:
    seen = number_in(request.POST.get("seen", ""))
    if seen is None or request.POST.get("digest", "") != digest(text, team, seen):
        note = _("This is not the text that was previewed. This is what it would do; land it if that is what you want.")
        return _preview(request, checklist, text, team, note)
    landed = actions.land(by=request.user, text=text, team=team, seen=seen, now=timezone.now())
    file = parse(text)
    said = (
        _("Version {version} of {name} is landed.") if landed else _("Version {version} of {name} had landed already.")
    )
    messages.success(request, said.format(version=file.version, name=file.name))
    return redirect("checklist", file.slug)


def digest(text: str, team: Team | None, seen: int) -> str:
    """Return what ties a landing to its preview: the text, whose it is, and the version that was held then."""
    return hashlib.sha256(f"{seen}\n{team.pk if team else ''}\n{text}".encode()).hexdigest()


def _editor(request: Request, form: ChecklistForm, checklist: Checklist | None, answer: _Answer) -> HttpResponse:
    context = {
        "form": form,
        "checklist": checklist,
        "held": selector.newest_version(checklist) if checklist else None,
        "faults": answer.faults,
        "note": answer.note,
    }
    return render(request, "checklist_form.html", context, status=answer.status)
