"""Asking for a waiver or for "not applicable", and answering."""

from datetime import datetime
from functools import partial

from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness.actions import requests as actions
from readiness.enums.words import Stance
from readiness.forms.items import DecideForm, ReasonForm, SeenForm, WaiverForm
from readiness.models import Item, NotApplicable, Service, Waiver
from readiness.rules.permissions import end_waiver_refusals, review_refusals

from .access import Request, number_in
from .items import Act, request_key, submit
from .mine import decided


@require_POST
def ask_waiver(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Ask that an item may wait."""
    now = timezone.now()
    return submit(
        request,
        (service, environment, entry),
        name="waiver",
        tab="waiver",
        form=partial(WaiverForm, now=now),
        act=asking_to_wait(request, now),
    )


def asking_to_wait(request: Request, now: datetime) -> Act:
    """Return what asks for a waiver of an item."""

    def act(item: Item, form: SeenForm) -> str:
        asked = form.cleaned_data
        actions.ask_waiver(
            by=request.user,
            item_id=item.pk,
            stance=Stance(asked["stance"]),
            reason=asked["reason"],
            until_day=asked["until"],
            seen_version=asked["seen_version"],
            now=now,
        )
        return _("Asked. A reviewer will grant or refuse it.")

    return act


@require_POST
def ask_not_applicable(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Ask that an item be left out."""

    def act(item: Item, form: SeenForm) -> str:
        actions.ask_not_applicable(
            by=request.user,
            item_id=item.pk,
            reason=form.cleaned_data["reason"],
            seen_version=form.cleaned_data["seen_version"],
            now=timezone.now(),
        )
        return _("Asked. A reviewer will grant or refuse it.")

    return submit(
        request,
        (service, environment, entry),
        name="not_applicable",
        tab="waiver",
        form=ReasonForm,
        act=act,
    )


@require_POST
def decide(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Grant or refuse what was asked."""
    return submit(
        request,
        (service, environment, entry),
        name="decide",
        tab="waiver",
        form=DecideForm,
        act=answering(request),
        refusals=refusals_to_answer,
    )


def answering(request: Request) -> Act:
    """Return what grants or refuses the request about an item that a form names."""

    def act(item: Item, form: SeenForm) -> str:
        answer = form.cleaned_data
        grant = answer["answer"] == "grant"
        actions.decide(
            by=request.user,
            request=named_request(item, answer["request"]),
            grant=grant,
            note=answer["note"],
            seen_version=answer["seen_version"],
            now=timezone.now(),
        )
        return _("Granted.") if grant else _("Refused.")

    return act


def refusals_to_answer(request: Request, _service: Service) -> list[str]:
    """Return why this person may not answer what is asked of reviewers."""
    return review_refusals(request.user.actor)


@require_POST
def decide_batch(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Grant or refuse everything that was asked together with a request of this item."""

    def act(item: Item, form: SeenForm) -> str:
        answer = form.cleaned_data
        keys = answer["request"].split(",")
        if not any(asked == request_key(one) for one in item.notapplicables.exclude(batch="") for asked in keys):
            raise Http404
        return decided(request, keys, grant=answer["answer"] == "grant", note=answer["note"])

    return submit(
        request,
        (service, environment, entry),
        name="decide_batch",
        tab="waiver",
        form=DecideForm,
        act=act,
        refusals=refusals_to_answer,
    )


@require_POST
def end(request: Request, service: str, environment: str, entry: str) -> HttpResponse:
    """Withdraw a request, or end early what was granted."""

    def act(item: Item, form: SeenForm) -> str:
        sent = form.cleaned_data
        asked = named_request(item, sent["request"])
        waited = asked.waiting
        actions.end(
            by=request.user,
            request=asked,
            reason=sent["reason"],
            seen_version=sent["seen_version"],
            now=timezone.now(),
        )
        return _("Withdrawn.") if waited else _("Ended.")

    return submit(
        request,
        (service, environment, entry),
        name="end",
        tab="waiver",
        form=ReasonForm,
        act=act,
        refusals=refusals_to_end,
    )


def refusals_to_end(request: Request, service: Service) -> list[str]:
    """Return why this person may not withdraw a request or end what was granted."""
    return end_waiver_refusals(request.user.actor, team_id=service.team_id, team=service.team.name)


def named_request(item: Item, key: str) -> Waiver | NotApplicable:
    """Return the request of this item that a form names."""
    kind, _, number = key.rpartition("-")
    pk = number_in(number)
    if pk is not None and kind == "waiver":
        return get_object_or_404(Waiver.objects.select_related("item", "decided_by"), item=item, pk=pk)
    if pk is not None and kind == "not-applicable":
        return get_object_or_404(NotApplicable.objects.select_related("item", "decided_by"), item=item, pk=pk)
    raise Http404
