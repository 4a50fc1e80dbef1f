"""One item: shown as a page or as a panel of its sheet, and what people do to it."""

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import items as actions
from readiness.actions.retiring import retire as retire_fail
from readiness.enums.standing import Status
from readiness.forms.comments import CommentForm
from readiness.forms.items import AssignForm, DecideForm, ReasonForm, SeenForm, TakeBackForm, TickForm, WaiverForm
from readiness.models import Disabling, Environment, Item, NotApplicable, Service, User, Waiver
from readiness.rules.permissions import (
    Refused,
    comment_refusals,
    decide_refusals,
    end_waiver_refusals,
    insist,
    retire_refusals,
)
from readiness.rules.waivers import ask_not_applicable_refusals, ask_refusals
from readiness.selectors.disablings import disabled_words
from readiness.selectors.items import ItemDetail, item_detail

from .access import Request, find_environment, find_item, refusals_to_change
from .crossings import Crossing, crossed_item
from .following import asks_again, followed
from .sheets import sheet_context

Act = Callable[[Item, SeenForm], str]
"""What is done with a form about an item, and what to say when it worked."""

TABS = ("evidence", "runs", "waiver", "comments", "history", "why")


@require_safe
@followed("service")
def detail(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Show one item: a page by itself, or the panel below its line on the sheet."""
    found = find_environment(service, environment)
    item = find_item(found, entry)
    return show(request, found, item, tab=request.GET.get("tab", ""))


def show(
    request: Request,
    environment: Environment,
    item: Item,
    *,
    tab: str = "",
    bound: dict[str, forms.Form] | None = None,
    crossing: Crossing | None = None,
    problem: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render the item, with a form that was sent and not accepted in place of an empty one."""
    now = timezone.now()
    shown = item_detail(environment, item, now)
    context: dict[str, Any] = {
        "now": now,
        "environment": environment,
        "detail": shown,
        "tab": tab if tab in TABS else _first_tab(shown),
        "forms": {**empty_forms(shown, now, by=request.user), **(bound or {})},
        "refusals": refusals_of(request, shown, now),
        "crossing": crossing,
        "problem": problem or [],
    }
    if request.htmx and not asks_again(request):
        return render(request, "partials/item_detail.html", context, status=status)
    return render(request, "item.html", {**sheet_context(request, environment), **context}, status=status)


def _first_tab(shown: ItemDetail) -> str:
    if shown.request is not None:
        return "waiver"
    return "runs" if shown.probes else "evidence"


def request_key(asked: Waiver | NotApplicable) -> str:
    """Return how a form names a request."""
    return f"{'waiver' if isinstance(asked, Waiver) else 'not-applicable'}-{asked.pk}"


def ids(item: Item, name: str) -> str:
    """Return the pattern of a form's ids: more than one item may stand open on a page."""
    return f"{item.entry.slug}_{name}_%s"


def empty_forms(shown: ItemDetail, now: datetime, *, by: User) -> dict[str, forms.Form]:
    """Return every form of an item, empty; a word of this person that lacks a link is in that of a tick."""
    item = shown.item
    words = [one.unsupported.summary for one in shown.clauses if one.unsupported and one.unsupported.by_id == by.pk]
    seen = {"seen_version": item.version}
    waiting = {**seen, "request": request_key(shown.request)} if shown.request else seen
    stands = shown.request or shown.standing_waiver or shown.standing_not_applicable
    return {
        "tick": TickForm(initial={**seen, "summary": next(iter(words), "")}, auto_id=ids(item, "tick")),
        "take_back": TakeBackForm(initial=seen, auto_id=ids(item, "take_back")),
        "assign": AssignForm(
            initial={**seen, "owner": item.owner_id, "due_on": item.due_on},
            service=item.service.slug,
            auto_id=ids(item, "assign"),
        ),
        "waiver": WaiverForm(initial=seen, now=now, auto_id=ids(item, "waiver")),
        "not_applicable": ReasonForm(initial=seen, auto_id=ids(item, "not_applicable")),
        "decide": DecideForm(initial=waiting, auto_id=ids(item, "decide")),
        "decide_batch": DecideForm(
            initial={**seen, "request": ",".join(request_key(one) for one in shown.batch)},
            auto_id=ids(item, "decide_batch"),
        ),
        "comment": CommentForm(auto_id=ids(item, "comment")),
        "retire": ReasonForm(initial=seen, auto_id=ids(item, "retire")),
        "end": ReasonForm(
            initial={**seen, "request": request_key(stands)} if stands else seen, auto_id=ids(item, "end")
        ),
    }


def refusals_of(request: Request, shown: ItemDetail, now: datetime) -> dict[str, list[str]]:
    """Return why this person may not do each thing now; the actions raise the same."""
    item, actor, team = shown.item, request.user.actor, shown.item.service.team
    change = refusals_to_change(request, item.service) or actions.live_refusals(item)
    waiting, left_out = shown.request is not None, shown.status is Status.NOT_APPLICABLE
    live = actions.live_refusals(item)
    off: list[str] = [] if shown.looking or not shown.probes else [disabled_words(one) for one in _disabled(shown)]
    return {
        "change": change,
        "run": change or off,
        "comment": comment_refusals(actor) or live,
        "retire": retire_refusals(actor) or live,
        "waiver": change or ask_refusals(met=shown.status.met, waiting=waiting, not_applicable=left_out),
        "not_applicable": change
        or ask_not_applicable_refusals(
            failing=item.failing_since is not None and item.failing_since <= now,
            waiting=waiting,
            standing=left_out,
        ),
        "decide": (decide_refusals(actor, asked_by_id=shown.request.asked_by_id) if shown.request else []) or live,
        "end": end_waiver_refusals(actor, team_id=team.pk, team=team.name) or live,
    }


def _disabled(shown: ItemDetail) -> list[Disabling]:
    return [shown.disabled[probe.slug] for probe in shown.probes if probe.slug in shown.disabled]


def changed(request: Request, environment: Environment, item: Item, *, tab: str, said: str) -> HttpResponse:
    """Answer a change: the panel with the parts of the sheet that follow from it, or the item's page."""
    messages.success(request, said)
    if not request.htmx:
        address = reverse("item", args=[environment.service.slug, environment.name, item.entry.slug])
        return redirect(f"{address}?tab={tab}")
    item = find_item(environment, item.entry.slug)
    now = timezone.now()
    shown = item_detail(environment, item, now)
    context = sheet_context(request, environment)
    return render(
        request,
        "partials/item_changed.html",
        {
            **context,
            "detail": shown,
            "tab": tab,
            "forms": empty_forms(shown, now, by=request.user),
            "refusals": refusals_of(request, shown, now),
            "row": context["sheet"].row(item.entry.slug),
        },
    )


def submit(
    request: Request,
    address: tuple[str, str, str],
    *,
    name: str,
    tab: str,
    form: Callable[..., SeenForm],
    act: Act,
    refusals: Callable[[Request, Service], list[str]] = refusals_to_change,
) -> HttpResponse:
    """Take a form about an item through its rules and its action; whatever refuses is shown where it belongs.

    ``form`` takes what was sent and the pattern of its ids; ``act`` returns what to say when it worked. What was typed
    is kept in every other case, and nothing is written.
    ``refusals`` says who may do this at all; raises ``Refused`` for everybody else, whatever they typed.
    """
    environment = find_environment(*address[:2])
    item = find_item(environment, address[2])
    insist(refusals(request, item.service))
    sent = form(request.POST, auto_id=ids(item, name))
    if not sent.is_valid():
        return show(request, environment, item, tab=tab, bound={name: sent}, status=422)
    try:
        said = act(item, sent)
    except actions.Crossed:
        item = find_item(environment, address[2])
        crossing = crossed_item(item, sent)
        return show(request, environment, item, tab=tab, bound={name: sent}, crossing=crossing, status=409)
    except Refused as refused:
        item = find_item(environment, address[2])
        return show(request, environment, item, tab=tab, bound={name: sent}, problem=refused.reasons, status=422)
    return changed(request, environment, item, tab=tab, said=said)


@require_POST
def tick(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Record a person's word."""
    return submit(
        request,
        (service, environment, entry),
        name="tick",
        tab="evidence",
        form=TickForm,
        act=ticking(request),
    )


def ticking(request: Request) -> Act:
    """Return what ticks an item for whoever asks."""

    def act(item: Item, form: SeenForm) -> str:
        written = actions.tick(by=request.user, item_id=item.pk, now=timezone.now(), **form.cleaned_data)
        if all(evidence.supported for evidence in written):
            return _("Ticked.")
        return _("Kept, but it does not count yet: this entry wants a link to the evidence.")

    return act


@require_POST
def take_back(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Take a tick back."""

    def act(item: Item, form: SeenForm) -> str:
        actions.take_back(by=request.user, item_id=item.pk, now=timezone.now(), **form.cleaned_data)
        return _("The tick was taken back.")

    return submit(
        request,
        (service, environment, entry),
        name="take_back",
        tab="evidence",
        form=TakeBackForm,
        act=act,
    )


@require_POST
def retire(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Retire the fail of a probe that is disabled."""

    def act(item: Item, form: SeenForm) -> str:
        sent = form.cleaned_data
        retire_fail(
            by=request.user,
            item_id=item.pk,
            reason=sent["reason"],
            seen_version=sent["seen_version"],
            now=timezone.now(),
        )
        return _("The fail is retired. Nothing is met by that.")

    return submit(
        request,
        (service, environment, entry),
        name="retire",
        tab="runs",
        form=ReasonForm,
        act=act,
        refusals=lambda sent, _: retire_refusals(sent.user.actor),
    )


@require_POST
def assign(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Set owner and due date."""

    def act(item: Item, form: SeenForm) -> str:
        actions.assign(by=request.user, item_id=item.pk, now=timezone.now(), **form.cleaned_data)
        return _("Owner and due date are saved.")

    return submit(
        request,
        (service, environment, entry),
        name="assign",
        tab="evidence",
        form=partial(AssignForm, service=service),
        act=act,
    )
