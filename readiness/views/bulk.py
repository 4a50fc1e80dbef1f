"""Doing one thing to several items of a sheet."""

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from readiness.actions import bulk as actions
from readiness.forms.bulk import BulkAssignForm, BulkLeaveOutForm, BulkTickForm
from readiness.forms.written import WrittenForm
from readiness.models import Environment
from readiness.rules.permissions import Refused, insist
from readiness.selectors.sections import seen_in, seen_text

from .access import Request, find_environment, refusals_to_change
from .sheets import sheet_context

ACTS = ("tick", "assign", "leave-out")
SAID = {"tick": "Ticked {}.", "assign": "Owner and due date of {} are saved.", "leave-out": "Asked to leave out {}."}
NOT_WHOLE = "This form was not whole. Look at the list, then send it again."


@require_http_methods(["GET", "HEAD", "POST"])
def several(request: Request, service: str, environment: str) -> HttpResponse:
    """Show the items to choose from, with what can be done to them; do it, and say what became of each."""
    found = find_environment(service, environment)
    insist(refusals_to_change(request, found.service))
    if request.method != "POST":
        chosen = set(request.GET.getlist("item"))
        return _show(request, found, chosen=chosen, act=request.GET.get("act", ""))
    act = request.POST.get("act", "")
    chosen = set(request.POST.getlist("item"))
    forms = _forms(found, act, request.POST)
    seen = seen_in(request.POST.get("seen", ""))
    if act not in ACTS or seen is None:
        return _show(request, found, chosen=chosen, act=act, problem=[NOT_WHOLE], status=422)
    form = forms[act]
    if not form.is_valid():
        return _show(request, found, chosen=chosen, act=act, forms=forms, status=422)
    rows = sheet_context(request, found)["sheet"].rows
    wanted = {row.item.pk for row in rows if row.item is not None and row.entry.slug in chosen}
    try:
        result = _carry_out(request, found, act, {pk: seen[pk] for pk in wanted if pk in seen}, form)
    except Refused as refused:
        return _show(request, found, chosen=chosen, act=act, forms=forms, problem=refused.reasons, status=422)
    count = len(result.done)
    said = SAID[act].format("1 item" if count == 1 else f"{count} items") if count else ""
    if not result.left:
        messages.success(request, said)
        return redirect(found.get_absolute_url())
    left = {item.entry.slug for item, _ in result.left}
    return _show(request, found, chosen=left, act=act, forms=forms, left=result.left, said=said, status=422)


def _carry_out(
    request: Request, environment: Environment, act: str, seen: Mapping[int, int], form: WrittenForm
) -> actions.Done:
    given = {"by": request.user, "environment": environment, "seen": seen, "now": timezone.now(), **form.cleaned_data}
    if act == "tick":
        return actions.tick(**given)
    if act == "assign":
        return actions.assign(**given)
    return actions.leave_out(**given)


def _forms(environment: Environment, act: str = "", sent: Any = None) -> dict[str, WrittenForm]:
    def bound(name: str) -> Any:
        return sent if name == act else None

    return {
        "tick": BulkTickForm(bound("tick"), auto_id="tick_%s"),
        "assign": BulkAssignForm(bound("assign"), service=environment.service.slug, auto_id="assign_%s"),
        "leave-out": BulkLeaveOutForm(bound("leave-out"), auto_id="leave-out_%s"),
    }


def _show(
    request: Request,
    environment: Environment,
    *,
    chosen: set[str],
    act: str = "",
    forms: dict[str, WrittenForm] | None = None,
    status: int = 200,
    **more: Any,
) -> HttpResponse:
    context = sheet_context(request, environment)
    titles = {"tick": "Tick them", "assign": "Say who owns them", "leave-out": "Ask to leave them out"}
    shown = forms or _forms(environment)
    items = [row.item for row in context["sheet"].rows if row.item is not None]
    drawn = {
        "chosen": chosen,
        "opened_act": act if act in ACTS else "tick",
        "acts": [(name, titles[name], shown[name]) for name in ACTS],
        "seen": seen_text({item.pk: item.version for item in items}),
    }
    return render(request, "several.html", {**context, **more, **drawn}, status=status)
