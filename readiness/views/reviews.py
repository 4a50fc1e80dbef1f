"""Launch reviews: the list of them, planning and changing one, its page, its minutes, and closing it."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from readiness.actions import reviews as actions
from readiness.forms.reviews import MinutesForm, ReviewForm, rearranged, review_initial
from readiness.forms.services import resent
from readiness.models import Review
from readiness.rules.permissions import Refused, insist, launch_refusals
from readiness.selectors import reviews as selector
from readiness.selectors.meetings import ordered

from .access import MOST_DIGITS, Request
from .following import followed


@require_safe
@followed()
def launches(request: Request) -> HttpResponse:
    """Show reviews to come, launches by date, and reviews past."""
    now = timezone.now()
    context = {
        "now": now,
        "launches": selector.launches_page(now, request.GET.get("page", "")),
        "plan_refusals": launch_refusals(request.user.actor),
    }
    return render(request, "launches.html", context)


@require_http_methods(["GET", "POST"])
def plan(request: Request) -> HttpResponse:
    """Plan a review."""
    insist(launch_refusals(request.user.actor))
    if act := request.POST.get("do", ""):
        return _form(request, ReviewForm(initial=rearranged(request.POST, act)))
    form = ReviewForm(request.POST or None, initial={"chair": request.user.pk})
    problem: list[str] = []
    if request.method == "POST" and form.is_valid():
        try:
            review = actions.plan(by=request.user, now=timezone.now(), **_given(form))
        except Refused as refused:
            problem = refused.reasons
        else:
            messages.success(request, _("Planned. Its page is where it is held."))
            return redirect(review.get_absolute_url())
    return _form(request, form, problem=problem)


@require_http_methods(["GET", "POST"])
def change(request: Request, review: int) -> HttpResponse:
    """Change when a review is held, by whom, and on what."""
    found = find_review(review)
    insist(launch_refusals(request.user.actor) + actions.open_refusals(found))
    if act := request.POST.get("do", ""):
        return _form(request, ReviewForm(initial=rearranged(request.POST, act), review=found), found)
    form = ReviewForm(request.POST or None, initial=review_initial(found), review=found)
    problem: list[str] = []
    crossed: actions.ReviewCrossed | None = None
    if request.method == "POST" and form.is_valid():
        seen = form.cleaned_data["seen_version"] or 0
        try:
            saved = actions.change(
                by=request.user, review_id=found.pk, seen_version=seen, now=timezone.now(), **_given(form)
            )
        except actions.ReviewCrossed as other:
            crossed = other
            form.data = resent(form.data, seen_version=str(other.review.version))
        except Refused as refused:
            problem = refused.reasons
        else:
            messages.success(request, _("Saved."))
            return redirect(saved.get_absolute_url())
    return _form(request, form, find_review(review), problem=problem, crossed=crossed)


def _given(form: ReviewForm) -> dict[str, Any]:
    sent = form.cleaned_data
    return {
        "title": sent["title"],
        "starts_at": sent["starts_at"],
        "chair": sent["chair"],
        "environments": sent["agenda"],
        "attendees": list(sent["attendees"]),
        "quorum": sent["quorum"],
    }


def _form(
    request: Request,
    form: ReviewForm,
    review: Review | None = None,
    *,
    problem: list[str] | None = None,
    crossed: actions.ReviewCrossed | None = None,
) -> HttpResponse:
    status = 409 if crossed else 422 if form.errors or problem else 200
    context = {"form": form, "review": review, "problem": problem or [], "crossed": crossed}
    return render(request, "review_form.html", {"now": timezone.now(), **context}, status=status)


@require_safe
@followed()
def show(request: Request, review: int) -> HttpResponse:
    """Show a review with its agenda, who is there, and its minutes."""
    return _page(request, find_review(review))


@require_POST
def minutes(request: Request, review: int) -> HttpResponse:
    """Write the minutes."""
    found = find_review(review)
    insist(launch_refusals(request.user.actor))
    form = MinutesForm(request.POST)
    if not form.is_valid():
        return _page(request, found, form=form, status=422)
    written = form.cleaned_data
    try:
        actions.write_minutes(
            by=request.user,
            review_id=found.pk,
            minutes=written["minutes"],
            seen_version=written["seen_version"],
            now=timezone.now(),
        )
    except actions.ReviewCrossed as other:
        form.data = resent(form.data, seen_version=str(other.review.version))
        return _page(request, find_review(review), form=form, crossed=other, status=409)
    except Refused as refused:
        return _page(request, find_review(review), form=form, problem=refused.reasons, status=422)
    messages.success(request, _("The minutes are saved."))
    return redirect(found.get_absolute_url())


@require_POST
def close(request: Request, review: int) -> HttpResponse:
    """Close a review."""
    found = find_review(review)
    actions.close(by=request.user, review_id=found.pk, now=timezone.now())
    messages.success(request, _("Closed. What was decided and written stays as it is."))
    return redirect(found.get_absolute_url())


def find_review(number: int) -> Review:
    """Return the review that an address names."""
    return get_object_or_404(Review.objects.select_related("chair", "closed_by"), pk=min(number, 10**MOST_DIGITS))


def _page(
    request: Request,
    review: Review,
    *,
    form: MinutesForm | None = None,
    crossed: actions.ReviewCrossed | None = None,
    problem: list[str] | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    seen = {"minutes": review.minutes, "seen_version": review.version}
    shown = selector.review_page(review, now)
    context = {
        "now": now,
        "page": shown,
        "agenda": [place.item for place in ordered(shown.agenda)],
        "undecided": [str(one.line.environment) for one in shown.agenda if one.decided_here is None],
        "review": review,
        "minutes": form or MinutesForm(initial=seen),
        "write_refusals": launch_refusals(request.user.actor) or actions.open_refusals(review),
        "crossed": crossed,
        "problem": problem or [],
    }
    return render(request, "review.html", context, status=status)
