"""Decisions of launch reviews: made on what is not settled, and kept with what they were made on."""

from dataclasses import dataclass, field

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from readiness.actions import decisions as actions
from readiness.actions.reviews import open_refusals
from readiness.enums.words import DecisionKind
from readiness.forms.reviews import DecisionForm, typed
from readiness.forms.services import resent
from readiness.models import Decision, Environment, Review
from readiness.rules.decisions import Unsettled, go_refusals, go_with_conditions_refusals
from readiness.rules.meetings import quorum_refusals
from readiness.rules.permissions import Refused, archived_refusals, insist, launch_refusals
from readiness.selectors import reviews as selector
from readiness.selectors.launches import LaunchLine, launch_lines
from readiness.selectors.room import people_here
from readiness.selectors.standing import Standing, verdict

from .access import MOST_DIGITS, Request
from .following import followed
from .reviews import find_review

MOST_DISSENTS = 50


@dataclass(slots=True, kw_only=True)
class _Answer:
    """What the page says about a decision that was sent and not made."""

    problem: list[str] = field(default_factory=list)
    crossed: Decision | None = None
    status: int = 200


@require_http_methods(["GET", "POST"])
def decide(request: Request, review: int, service: str, environment: str) -> HttpResponse:
    """Show what is not settled on a sheet, and decide on it."""
    found = find_review(review)
    places = selector.environments_to_show()
    place = get_object_or_404(places, service__slug=service, name=environment, agenda_lines__review=found)
    now = timezone.now()
    standing = verdict(place, at=now, now=now)
    line = launch_lines([place], now)[place.pk]
    rows = min(_number(request.POST.get("dissents", "0")), MOST_DISSENTS)
    if request.method != "POST":
        seen = {"seen_decision": line.decision.pk if line.decision else None, "dissents": 0}
        form = DecisionForm(initial=seen, left=line.left, dissents=0, now=now)
        return _page(request, found, place, line, standing, form)
    insist(launch_refusals(request.user.actor))
    if "kind" not in request.POST:
        more = min(rows + (request.POST.get("do") == "more"), MOST_DISSENTS)
        known = {**typed(request.POST), "dissents": more}
        form = DecisionForm(initial=known, left=line.left, dissents=more, now=now)
        return _page(request, found, place, line, standing, form)
    kind = kind_of(request.POST["kind"])
    form = DecisionForm(request.POST, left=line.left, dissents=rows, now=now)
    if not form.decide(kind):
        return _page(request, found, place, line, standing, form, _Answer(status=422))
    answer = _Answer()
    try:
        decision = actions.decide(
            by=request.user,
            review_id=found.pk,
            environment_id=place.pk,
            kind=kind,
            note=form.cleaned_data["note"],
            dissents=[actions.NewDissent(by=by, reason=reason) for by, reason in form.given_dissents()],
            conditions=[actions.NewCondition(**one) for one in form.given_conditions()],
            seen_decision=form.cleaned_data["seen_decision"],
            now=now,
        )
    except actions.DecisionCrossed as other:
        form.data = resent(form.data, seen_decision=str(other.decision.pk))
        answer = _Answer(crossed=other.decision, status=409)
    except Refused as refused:
        answer = _Answer(problem=refused.reasons, status=422)
    else:
        messages.success(
            request,
            _("{decision} for {place}, on a snapshot of its sheet.").format(
                decision=decision.get_kind_display(), place=place
            ),
        )
        return redirect(decision.get_absolute_url())
    now = timezone.now()
    line = launch_lines([place], now)[place.pk]
    form = DecisionForm(form.data, left=line.left, dissents=rows, now=now)  # Other items may be unsettled by now.
    form.decide(kind)
    return _page(request, find_review(review), place, line, verdict(place, at=now, now=now), form, answer)


def _page(
    request: Request,
    review: Review,
    environment: Environment,
    line: LaunchLine,
    standing: Standing | None,
    form: DecisionForm,
    answer: _Answer | None = None,
) -> HttpResponse:
    answer = answer or _Answer()
    unsettled = [Unsettled(item=one.item.pk, title=one.entry.title, status=one.status) for one in line.left]
    counted = line.tally.total if line.tally else 0
    context = {
        "now": timezone.now(),
        "review": review,
        "environment": environment,
        "line": line,
        "standing": standing,
        "form": form,
        "refusals": launch_refusals(request.user.actor)
        or open_refusals(review)
        or archived_refusals(environment.service.archived_at, environment.archived_at)
        or quorum_refusals(review.quorum, len(people_here(review, timezone.now())) if review.quorum else 0),
        "go_refusals": go_refusals(unsettled, counted=counted),
        "conditional_refusals": go_with_conditions_refusals(unsettled, counted=counted),
        "problem": answer.problem,
        "crossed": answer.crossed,
    }
    return render(request, "decide.html", context, status=answer.status)


@require_safe
@followed()
def decision(request: Request, decision: int) -> HttpResponse:
    """Show what was decided, on which snapshot, and whether it still covers."""
    found = Decision.objects.select_related("by", "review", "environment__service__team")
    shown = get_object_or_404(found, pk=min(decision, 10**MOST_DIGITS))
    now = timezone.now()
    return render(request, "decision.html", {"now": now, "page": selector.decision_page(shown, now)})


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else 0


def kind_of(word: str) -> DecisionKind:
    """Return the kind of decision that a form names."""
    if word not in DecisionKind.values:
        raise Http404
    return DecisionKind(word)
