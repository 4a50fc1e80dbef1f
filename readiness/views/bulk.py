"""Doing one thing to several items of a sheet."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from readiness.actions import bulk as actions
from readiness.forms.bulk import BulkAssignForm, BulkLeaveOutForm, BulkTickForm
from readiness.forms.written import WrittenForm
from readiness.models import Environment
from readiness.rules.permissions import Refused, insist
from readiness.rules.texts import without_keys
from readiness.selectors.clauses import wanting_links
from readiness.selectors.sections import seen_in, seen_text
from readiness.selectors.sheets import ItemRow, SheetSection

from .access import Request, find_environment, refusals_to_change
from .sheets import sheet_context

ACTS = ("tick", "assign", "leave-out")
FIELDS = {"tick": ("summary", "links"), "assign": ("owner", "due_on"), "leave-out": ("reason",)}
NOT_WHOLE = gettext_lazy("This form was not whole. Look at the list, then send it again.")
NO_ACT = gettext_lazy("Nothing is done yet. Press the button of what you want to do with them.")


def _said(act: str, count: int) -> str:
    if act == "tick":
        said = ngettext("Ticked {n} item.", "Ticked {n} items.", count)
    elif act == "assign":
        said = ngettext(
            "Owner and due date of {n} item are saved.", "Owner and due date of {n} items are saved.", count
        )
    else:
        said = ngettext("Asked to leave out {n} item.", "Asked to leave out {n} items.", count)
    return said.format(n=count)


@require_http_methods(["GET", "HEAD", "POST"])
def several(request: Request, service: str, environment: str) -> HttpResponse:
    """Show the items to choose from, with what can be done to them; do it, and say what became of each."""
    found = find_environment(service, environment)
    insist(refusals_to_change(request, found.service))
    if request.method != "POST":
        chosen = set(request.GET.getlist("item"))
        return _show(request, found, chosen=chosen, act=request.GET.get("act", ""))
    written = [name for name in ACTS if any(request.POST.get(field) for field in FIELDS[name])]
    # Enter presses no button of an act, and of all fields it sends from those of owner and due date alone.
    act = request.POST.get("act", "") or ("assign" if written == ["assign"] else "")
    chosen = set(request.POST.getlist("item"))
    forms = _forms(found, act, request.POST)
    seen = seen_in(request.POST.get("seen", ""))
    if act not in ACTS or seen is None:
        problem = [str(NOT_WHOLE if act else NO_ACT)]
        opened, kept = act or next(iter(written), ""), _forms(found, initial=request.POST)
        return _show(request, found, chosen=chosen, act=opened, forms=kept, problem=problem, status=422)
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
    said = _said(act, count) if count else ""
    if not result.left:
        messages.success(request, said)
        return redirect(found.get_absolute_url())
    left = {item.entry.slug for item, _ in result.left}
    return _show(request, found, chosen=left, act=act, forms=forms, left=result.left, said=said, status=422)


def _to_choose(rows: Iterable[ItemRow]) -> list[ItemRow]:
    """Return the items that may be chosen: those that apply."""
    return [row for row in rows if row.item is not None and row.status]


def _apart(sections: Iterable[SheetSection], chosen: Collection[str]) -> list[tuple[SheetSection, list[ItemRow]]]:
    """Return the sections of a sheet with the items in them that may be chosen and are not, where there are any."""
    found = [(one, [row for row in _to_choose(one.rows) if row.entry.slug not in chosen]) for one in sections]
    return [(one, rows) for one, rows in found if rows]


def _carry_out(
    request: Request, environment: Environment, act: str, seen: Mapping[int, int], form: WrittenForm
) -> actions.Done:
    given = {"by": request.user, "environment": environment, "seen": seen, "now": timezone.now(), **form.cleaned_data}
    if act == "tick":
        return actions.tick(**given)
    if act == "assign":
        return actions.assign(**given)
    return actions.leave_out(**given)


def _forms(
    environment: Environment, act: str = "", sent: QueryDict | None = None, *, initial: QueryDict | None = None
) -> dict[str, WrittenForm]:
    """Return the form of each act: that of ``act`` with what was sent to it, or all with ``initial`` in them."""
    words = {name: without_keys(str(value)) for name, value in initial.items()} if initial else {}

    def given(name: str) -> dict[str, Any]:
        return {"data": sent if name == act else None, "initial": words, "auto_id": f"{name}_%s"}

    return {
        "tick": BulkTickForm(**given("tick")),
        "assign": BulkAssignForm(**given("assign"), service=environment.service.slug),
        "leave-out": BulkLeaveOutForm(**given("leave-out")),
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
    titles = {"tick": _("Tick them"), "assign": _("Say who owns them"), "leave-out": _("Ask to leave them out")}
    shown = forms or _forms(environment)
    rows = _to_choose(context["sheet"].rows)
    picked = [row for row in rows if row.entry.slug in chosen]
    wanting = wanting_links(row.entry.pk for row in rows)
    items = [row.item for row in context["sheet"].rows if row.item is not None]
    drawn = {
        "chosen": chosen,
        "picked": picked,
        "sections": _apart(context["sheet"].sections, chosen),
        "wanting": wanting,
        "wanted": any(row.entry.pk in wanting for row in picked),
        "opened_act": act if act in ACTS else "tick",
        "acts": [(name, titles[name], shown[name]) for name in ACTS],
        "seen": seen_text({item.pk: item.version for item in items}),
    }
    return render(request, "several.html", {**context, **more, **drawn}, status=status)
