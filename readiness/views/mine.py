"""What waits for me: one's own list, answers to requests on it, and taking what nobody owns."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import batches, ownership, requests
from readiness.actions.items import Crossed
from readiness.forms.items import SeenForm
from readiness.forms.requests import AnswerForm
from readiness.models import Environment, NotApplicable, Waiver
from readiness.rules.permissions import Refused, insist, review_refusals
from readiness.selectors import mine as selector
from readiness.selectors.mine import ToAnswer

from .access import Request, find_environment, find_item, number_in, refusals_to_change
from .following import followed

KINDS: dict[str, type[Waiver] | type[NotApplicable]] = {"waiver": Waiver, "not-applicable": NotApplicable}


@require_safe
@followed()
def mine(request: Request) -> HttpResponse:
    """Show what waits for this person, or with ``launch`` (a service, a slash, an environment) only what is on it."""
    return show(request, launch=_launch(request.GET.get("launch", "")))


def _launch(text: str) -> Environment | None:
    """Return the environment that an address names; None, which is everything, where it names none."""
    service, _, name = text.replace("\0", "").partition("/")
    live = Environment.objects.filter(archived_at=None, service__archived_at=None).select_related("service")
    return live.filter(service__slug=service, name=name).first() if name else None


def show(
    request: Request,
    *,
    launch: Environment | None = None,
    problem: list[str] | None = None,
    sent: AnswerForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the list, with an answer that was sent and not accepted in place of an empty one."""
    now = timezone.now()
    shown = selector.mine(request.user, now, launch)
    keys = str(sent["requests"].value() or "") if sent is not None else ""
    answers = [(line, sent if sent is not None and line.keys == keys else _empty(line)) for line in shown.answers.lines]
    kept = sent is None or any(form is sent for _, form in answers)
    context: dict[str, Any] = {
        "now": now,
        "mine": shown,
        "launch": launch,
        "answers": answers,
        "problem": problem or [],
        "unkept": "" if kept or sent is None else sent["note"].value(),
    }
    return render(request, "my_items.html", context, status=status)


def _empty(line: ToAnswer) -> AnswerForm:
    return AnswerForm(initial={"requests": line.keys}, auto_id=f"{line.name}_%s")


@require_POST
def answer(request: Request) -> HttpResponse:
    """Grant or refuse one request, or all of a batch that the page showed."""
    insist(review_refusals(request.user.actor))
    named = str(request.POST.get("requests", "")).partition(",")[0]
    form = AnswerForm(request.POST, auto_id=f"{named}_%s")
    if not form.is_valid():
        return show(request, sent=form, status=422)
    grant, note = form.cleaned_data["answer"] == "grant", form.cleaned_data["note"]
    try:
        said = decided(request, form.cleaned_data["requests"].split(","), grant=grant, note=note)
    except Refused as refused:
        return show(request, problem=refused.reasons, sent=form, status=422)
    messages.success(request, said)
    return redirect("my-items")


def decided(request: Request, keys: list[str], *, grant: bool, note: str) -> str:
    """Answer the requests that these keys name, and say what became of them. Raises ``Refused`` where none could be."""
    kinds = {key.rpartition("-")[0] for key in keys}
    numbers = [number_in(key.rpartition("-")[2]) for key in keys]
    known = [number for number in numbers if number is not None]
    if len(kinds) != 1 or not kinds <= set(KINDS) or len(known) != len(numbers):
        raise Http404
    now, kind = timezone.now(), KINDS[kinds.pop()]
    if len(known) == 1:
        one: Any = get_object_or_404(kind.objects.select_related("item", "decided_by"), pk=known[0])
        requests.decide(by=request.user, request=one, grant=grant, note=note, now=now)
        return _("Granted.") if grant else _("Refused.")
    if kind is Waiver:
        raise Http404
    result = batches.decide_batch(by=request.user, requests=known, grant=grant, note=note, now=now)
    left = [
        _("Left as it was, “{title}”: {reasons}").format(title=item.entry.title, reasons=" ".join(reasons))
        for item, reasons in result.left
    ]
    asked, answered = len(result.answered) + len(result.left), len(result.answered)
    said = (
        ngettext("{n} of {asked} granted.", "{n} of {asked} granted.", answered)
        if grant
        else ngettext("{n} of {asked} refused.", "{n} of {asked} refused.", answered)
    )
    return " ".join([said.format(n=answered, asked=asked), *left])


@require_POST
def take(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Make this person the owner of an item that nobody owns."""
    item = find_item(find_environment(service, environment), entry)
    insist(refusals_to_change(request, item.service))
    form = SeenForm(request.POST)
    if not form.is_valid():
        return show(request, problem=[_("This form was not whole. Press the button again.")], status=422)
    seen = form.cleaned_data["seen_version"]
    try:
        ownership.take(by=request.user, item_id=item.pk, seen_version=seen, now=timezone.now())
    except Crossed as crossed:
        said = _("{by} saved “{title}” meanwhile.").format(by=crossed.by, title=item.entry.title)
        return show(request, problem=[said, _("Look at it as it is now, then take it if you want to.")], status=409)
    except Refused as refused:
        return show(request, problem=refused.reasons, status=422)
    messages.success(request, _("“{title}” is yours.").format(title=item.entry.title))
    return redirect("my-items")
