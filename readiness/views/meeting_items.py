"""What is settled on the spot in a meeting: ticked, run again, asked for, granted and refused, without leaving it."""

from collections.abc import Callable
from functools import partial

from django.contrib import messages
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness.actions.items import Crossed
from readiness.actions.meetings import be_there
from readiness.forms.items import DecideForm, SeenForm, TickForm, WaiverForm
from readiness.forms.services import resent
from readiness.models import Service
from readiness.rules.permissions import Refused, insist

from .access import Request, find_environment, find_item, refusals_to_change
from .items import Act, ids, ticking
from .meetings import Answer, done, looked_at, page
from .requests import answering, asking_to_wait, refusals_to_answer
from .reviews import find_review
from .runs import ask_of_item


@require_POST
def tick(request: Request, review: int, service: str, environment: str, entry: str) -> HttpResponse:
    """Record a person's word."""
    return _submit(request, review, (service, environment, entry), "tick", TickForm, ticking(request))


@require_POST
def ask_waiver(request: Request, review: int, service: str, environment: str, entry: str) -> HttpResponse:
    """Ask that an item may wait."""
    now, place = timezone.now(), (service, environment, entry)
    return _submit(request, review, place, "waiver", partial(WaiverForm, now=now), asking_to_wait(request, now))


@require_POST
def answer(request: Request, review: int, service: str, environment: str, entry: str) -> HttpResponse:
    """Grant or refuse what was asked."""
    place = (service, environment, entry)
    return _submit(request, review, place, "answer", DecideForm, answering(request), refusals_to_answer)


@require_POST
def run(request: Request, review: int, service: str, environment: str, entry: str) -> HttpResponse:
    """Ask for a run of each probe that observes an item."""
    found, place = find_review(review), find_environment(service, environment)
    ask_of_item(request, place, find_item(place, entry))
    be_there(by=request.user, review_id=found.pk, now=timezone.now())
    messages.success(request, _("Asked for. It starts within seconds."))
    return done(request, found)


def _submit(
    request: Request,
    review: int,
    address: tuple[str, str, str],
    name: str,
    form: Callable[..., SeenForm],
    act: Act,
    refusals: Callable[[Request, Service], list[str]] = refusals_to_change,
) -> HttpResponse:
    """Take a form about an item; whatever refuses is shown at its line, and what was typed stays."""
    found, place = find_review(review), find_environment(*address[:2])
    item = find_item(place, address[2])
    insist(refusals(request, item.service))
    sent = form(request.POST, auto_id=ids(item, name))
    shown = looked_at(request) or (None if found.line_id == place.pk else place.pk)
    if not sent.is_valid():
        return page(request, found, line=shown, answer=Answer(items={(item.pk, name): sent}, status=422))
    be_there(by=request.user, review_id=found.pk, now=timezone.now())
    try:
        said = act(item, sent)
    except Crossed as crossed:
        fresh = find_item(place, address[2])
        again = form(resent(request.POST, seen_version=str(fresh.version)), auto_id=ids(item, name))
        again.is_valid()
        why = _("{by} saved “{title}” meanwhile. What you typed is not saved yet: look at it, then send it again.")
        problem = [why.format(by=crossed.by, title=fresh.entry.title)]
        return page(
            request, found, line=shown, answer=Answer(items={(item.pk, name): again}, problem=problem, status=409)
        )
    except Refused as refused:
        kept = Answer(items={(item.pk, name): sent}, problem=refused.reasons, status=422)
        return page(request, found, line=shown, answer=kept)
    messages.success(request, said)
    return done(request, found)
