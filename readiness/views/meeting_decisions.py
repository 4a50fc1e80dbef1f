"""A decision in a meeting: made on the line that is open, after which the next one opens by itself."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from readiness.actions import meetings as actions
from readiness.actions.decisions import DecisionCrossed, NewCondition, NewDissent
from readiness.forms.meetings import MeetingDecisionForm
from readiness.forms.reviews import typed
from readiness.forms.services import resent
from readiness.models import Decision, Environment, Review
from readiness.rules.permissions import Refused, insist, launch_refusals
from readiness.selectors.launches import launch_lines
from readiness.selectors.meetings import decided_with, order_of
from readiness.selectors.reviews import environments_to_show

from .access import Request, number_in
from .decisions import MOST_DISSENTS, kind_of
from .meetings import Answer, done, looked_at, page, written_by_refusals
from .reviews import find_review


@require_POST
def decide(request: Request, review: int) -> HttpResponse:
    """Decide on a line of the agenda."""
    found = find_review(review)
    insist(launch_refusals(request.user.actor) + written_by_refusals(request))
    named = number_in(request.POST.get("line", "")) or 0
    place = get_object_or_404(environments_to_show(), pk=named, agenda_lines__review=found)
    rows = min(number_in(request.POST.get("dissents", "")) or 0, MOST_DISSENTS)
    if "kind" not in request.POST:
        more = min(rows + (request.POST.get("do") == "more"), MOST_DISSENTS)
        known = {**typed(request.POST), "dissents": more}
        left = launch_lines([place], timezone.now())[place.pk].left
        form = MeetingDecisionForm(initial=known, environment=place, left=left, dissents=more, now=timezone.now())
        return _again(request, found, place, Answer(decision=form))
    kind = kind_of(request.POST["kind"])
    key, now = request.POST.get("key", "").replace("\0", ""), timezone.now()
    before = decided_with(key, by=request.user, review=found, environment_id=place.pk, at=now)
    if before is not None:  # Its answer never arrived. The sheet may have moved since, and the review be closed.
        return _made(request, found, place, *before)
    form = _form(request, place, rows)
    if not form.decide(kind):
        return _again(request, found, place, Answer(decision=form, status=422))
    try:
        decision, after = actions.decide(
            by=request.user,
            review_id=found.pk,
            environment_id=place.pk,
            kind=kind,
            note=form.cleaned_data["note"],
            dissents=[NewDissent(by=by, reason=reason) for by, reason in form.given_dissents()],
            conditions=[NewCondition(**one) for one in form.given_conditions()],
            seen_decision=form.cleaned_data["seen_decision"],
            key=form.cleaned_data["key"],
            order=order_of(found, now),
            now=now,
        )
    except DecisionCrossed as other:
        sent = resent(request.POST, seen_decision=str(other.decision.pk), key="")
        form = _form(request, place, rows, sent)
        form.decide(kind)
        return _again(request, found, place, Answer(decision=form, crossed=other.decision, status=409))
    except Refused as refused:
        form = _form(request, place, rows)  # Other items may be unsettled by now.
        form.decide(kind)
        return _again(request, found, place, Answer(decision=form, problem=refused.reasons, status=422))
    return _made(request, found, place, decision, after)


def _made(request: Request, review: Review, place: Environment, decision: Decision, after: int | None) -> HttpResponse:
    """Say what was decided, and go on to the line that comes next where this page looks at a line of its own."""
    said = _("{decision} for {place}, on a snapshot of its sheet.")
    messages.success(request, said.format(decision=decision.get_kind_display(), place=place))
    return done(request, review, line=after if looked_at(request) else None)


def _form(request: Request, place: Environment, rows: int, sent: object = None) -> MeetingDecisionForm:
    now = timezone.now()
    left = launch_lines([place], now)[place.pk].left
    return MeetingDecisionForm(sent or request.POST, environment=place, left=left, dissents=rows, now=now)


def _again(request: Request, review: Review, place: Environment, answer: Answer) -> HttpResponse:
    """Show the line that was to be decided, whatever the room looks at by now."""
    fresh = find_review(review.pk)
    look = looked_at(request) or (None if fresh.line_id == place.pk else place.pk)
    return page(request, fresh, line=look, answer=answer)
