"""A review while it is held: its page, what keeps it up to date, and what leads through it."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from readiness.actions import meetings as actions
from readiness.actions.reviews import open_refusals
from readiness.forms.items import DecideForm, TickForm, WaiverForm
from readiness.forms.meetings import MeetingDecisionForm, NoteForm, PersonForm
from readiness.models import AgendaLine, Decision, Environment, Item, NotApplicable, Review, User, Waiver
from readiness.rules import meetings as rules
from readiness.rules.decisions import Unsettled, go_refusals, go_with_conditions_refusals
from readiness.rules.permissions import Refused, archived_refusals, decide_refusals, insist, launch_refusals
from readiness.rules.waivers import ask_refusals
from readiness.selectors.disablings import disabled_words
from readiness.selectors.following import moved_by_time, moved_in_review, newest_event
from readiness.selectors.meetings import Meeting, Place, meeting, order_of, people_to_name
from readiness.selectors.room import room_of
from readiness.selectors.sheets import ItemRow, open_runs

from .access import Request, number_in, refusals_to_change
from .following import drawn, drawn_from
from .items import ids, request_key
from .reviews import find_review
from .sheets import runs_token


@dataclass(slots=True, kw_only=True)
class Answer:
    """What the page shows beside itself, of what was sent and not taken: the form as it was typed, and why.

    ``items`` are forms of items, by item and name.
    """

    decision: MeetingDecisionForm | None = None
    note: NoteForm | None = None
    items: dict[tuple[int, str], forms.Form] = field(default_factory=dict)
    crossed: Decision | None = None
    problem: list[str] = field(default_factory=list)
    status: int = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSettle:
    """One item that is not settled, with what can be done about it on the spot, or why not."""

    row: ItemRow
    step: str
    asked: Waiver | NotApplicable | None
    forms: dict[str, forms.Form]
    refusals: dict[str, list[str]]


@require_safe
def show(request: Request, review: int) -> HttpResponse:
    """Show a review as it is held, with one line of its agenda open."""
    return page(request, find_review(review), line=_looked_at(request.GET.get("line", "")))


@require_safe
def live(request: Request, review: int) -> HttpResponse:
    """Answer the parts of the page anew, or nothing where neither an event nor time changed any of them."""
    found, line = find_review(review), _looked_at(request.GET.get("line", ""))
    seen, now = drawn_from(request.GET.get("since", "")), timezone.now()
    if seen is not None and not moved_in_review(found, seen[0]) and not moved_by_time(seen[1], now):
        place = Environment.objects.filter(pk=line or found.line_id or 0).first()
        runs = runs_token(open_runs(place)) if place else ""
        if request.GET.get("here") == room_of(found, now).token and request.GET.get("runs") == runs:
            return HttpResponse(status=204)
    return page(request, found, line=line)


@require_POST
def open_(request: Request, review: int) -> HttpResponse:
    """Open the meeting."""
    found = find_review(review)
    insist(launch_refusals(request.user.actor))
    now = timezone.now()
    actions.open_meeting(by=request.user, review_id=found.pk, order=order_of(found, now), now=now)
    messages.success(request, _("The meeting is open. Everybody's page goes where the chair goes."))
    return done(request, found)


@require_POST
def go_to(request: Request, review: int) -> HttpResponse:
    """Let the room look at a line of the agenda."""
    found = find_review(review)
    insist(rules.lead_refusals(request.user.actor, chair_id=found.chair_id, chair=str(found.chair)))
    line = get_object_or_404(AgendaLine, review=found, environment=number_in(request.POST.get("line", "")) or 0)
    actions.go_to(by=request.user, review_id=found.pk, environment_id=line.environment_id, now=timezone.now())
    return done(request, found, follow=True)


@require_POST
def take_chair(request: Request, review: int) -> HttpResponse:
    """Take the chair."""
    found = find_review(review)
    insist(rules.take_chair_refusals(request.user.actor, chair_id=found.chair_id))
    seen = number_in(request.POST.get("chair", "")) or 0
    actions.take_chair(by=request.user, review_id=found.pk, seen_chair=seen, now=timezone.now())
    messages.success(request, _("You have the chair."))
    return done(request, found, follow=True)


@require_POST
def here(request: Request, review: int) -> HttpResponse:
    """Keep that somebody is in the room: their page says so now and then, or they press a button."""
    found, now = find_review(review), timezone.now()
    insist(rules.come_refusals(request.user.actor))
    do = request.POST.get("do", "")
    if do == "come":
        actions.come(by=request.user, review_id=found.pk, now=now)
    elif do == "leave":
        actions.leave(by=request.user, review_id=found.pk, person=request.user, now=now)
    else:
        actions.beat(by=request.user, review_id=found.pk, now=now)
        return HttpResponse(status=204)
    return done(request, found)


@require_POST
def people(request: Request, review: int) -> HttpResponse:
    """Say who is in the room, and who is not any more."""
    found, now = find_review(review), timezone.now()
    insist(rules.lead_refusals(request.user.actor, chair_id=found.chair_id, chair=str(found.chair)))
    form = PersonForm(request.POST)
    if not form.is_valid():
        return page(request, found, line=looked_at(request), answer=Answer(problem=[_("Choose somebody.")], status=422))
    person: User = form.cleaned_data["person"]
    act = actions.leave if request.POST.get("do") == "out" else actions.name_person
    act(by=request.user, review_id=found.pk, person=person, now=now)
    return done(request, found)


@require_POST
def note(request: Request, review: int) -> HttpResponse:
    """Write a note into the minutes."""
    found = find_review(review)
    insist(rules.note_refusals(request.user.actor) + written_by_refusals(request))
    form = NoteForm(request.POST)
    if not form.is_valid():
        return page(request, found, line=looked_at(request), answer=Answer(note=form, status=422))
    sent = form.cleaned_data
    try:
        actions.write_note(
            by=request.user,
            review_id=found.pk,
            environment_id=sent["line"],
            text=sent["text"],
            key=sent["key"] or uuid4().hex,
            now=timezone.now(),
        )
    except Refused as refused:
        answer = Answer(note=form, problem=refused.reasons, status=422)
        return page(request, find_review(review), line=looked_at(request), answer=answer)
    return done(request, found)


def written_by_refusals(request: Request) -> list[str]:
    """Return why what one person wrote is not taken as another's: a page may outlive its session, and send again."""
    if request.POST.get("person", "") in ("", str(request.user.pk)):
        return []
    return [_("Somebody else was signed in here when this was written. Nothing of it was saved.")]


def looked_at(request: Request) -> int | None:
    """Return the line that the page that sent this looks at on its own; None where it follows the chair."""
    return _looked_at(request.POST.get("look", ""))


def _looked_at(text: str) -> int | None:
    return number_in(text)


def done(request: Request, review: Review, *, follow: bool = False, line: int | None = None) -> HttpResponse:
    """Answer what was done: the parts of the page anew, or the way back to it.

    ``follow`` brings whoever looked at a line on their own to the room's, ``line`` to another one.
    """
    look = None if follow else line or looked_at(request)
    address = reverse("meeting", args=[review.pk]) + (f"?line={look}" if look else "")
    if not request.htmx:
        return redirect(address)
    answer = page(request, find_review(review.pk), line=look)
    answer["HX-Replace-Url"] = address
    return answer


def page(request: Request, review: Review, *, line: int | None, answer: Answer | None = None) -> HttpResponse:
    """Render the meeting, or for htmx its parts."""
    answer = answer or Answer()
    newest, now = newest_event(), timezone.now()
    shown = meeting(review, now, line=line)
    actor = request.user.actor
    context: dict[str, Any] = {
        "now": now,
        "since": drawn(newest, now),
        "review": review,
        "meeting": shown,
        "look": "" if shown.followed else shown.shown.environment.pk if shown.shown else "",
        "runs_token": runs_token(shown.sheet.open_runs) if shown.sheet else "",
        "leads": not rules.lead_refusals(actor, chair_id=review.chair_id, chair=str(review.chair)),
        "chair_refusals": rules.take_chair_refusals(actor, chair_id=review.chair_id),
        "write_refusals": launch_refusals(actor) or open_refusals(review),
        "open_refusals": open_refusals(review),
        "held": review.opened_at is not None and review.closed_at is None,
        "problem": answer.problem,
        "crossed": answer.crossed,
        "note": answer.note or NoteForm(initial={"line": shown.shown.environment.pk if shown.shown else None}),
        "people": people_to_name(shown.room),
        "beside": bool(request.htmx) and request.htmx.target != "meeting-live",
        **_line_context(request, shown, answer, now),
    }
    template = "partials/meeting_update.html" if request.htmx else "meeting.html"
    return render(request, template, context, status=answer.status)


def _line_context(request: Request, shown: Meeting, answer: Answer, now: datetime) -> dict[str, Any]:
    """Return what the line that is open needs: its items with what can be done, and the decision."""
    place, review = shown.shown, shown.review
    if place is None:
        return {}
    line, actor = place.item.line, request.user.actor
    unsettled = [Unsettled(item=one.item.pk, title=one.entry.title, status=one.status) for one in line.left]
    counted = line.tally.total if line.tally else 0
    quorum = rules.quorum_refusals(review.quorum, len(shown.room.here))
    service = place.environment.service
    return {
        "place": place,
        "line": line,
        "environment": place.environment,
        "to_settle": to_settle(request, shown, place, answer, now),
        "change_refusals": refusals_to_change(request, service),
        "decision_form": answer.decision or empty_decision(place, now),
        "decide_refusals": launch_refusals(actor)
        or open_refusals(review)
        or archived_refusals(service.archived_at, place.environment.archived_at)
        or rules.held_refusals(opened_at=review.opened_at)
        or quorum,
        "go_refusals": go_refusals(unsettled, counted=counted),
        "conditional_refusals": go_with_conditions_refusals(unsettled, counted=counted),
    }


def empty_decision(place: Place, now: datetime, *, dissents: int = 1) -> MeetingDecisionForm:
    """Return the form of a decision on a line, as far as it can be filled in."""
    line = place.item.line
    seen = {"seen_decision": line.decision.pk if line.decision else None}
    return MeetingDecisionForm(initial=seen, environment=place.environment, left=line.left, dissents=dissents, now=now)


def to_settle(request: Request, shown: Meeting, place: Place, answer: Answer, now: datetime) -> list[ToSettle]:
    """Return the items of a line that are not settled, each with what this person can do about it."""
    if shown.sheet is None:
        return []
    change = refusals_to_change(request, place.environment.service)
    steps = {one.item.pk: one.step.sentence for one in shown.sheet.standing.blockers}
    found = []
    for row in shown.to_settle:
        item = row.item
        if item is None:
            continue
        item.entry = row.entry  # It is at hand, and every form asks for it.
        asked = next((one for one in (row.waiver, row.not_applicable) if one is not None and one.waiting), None)
        off: list[str] = [disabled_words(one) for one in row.disabled] if len(row.disabled) == len(row.probes) else []
        found.append(
            ToSettle(
                row=row,
                step=steps.get(item.pk, ""),
                asked=asked,
                forms={**(_item_forms(item, asked, now) if asked or not change else {}), **_sent(item, answer)},
                refusals={
                    "run": change or off,
                    "tick": change,
                    "waiver": change or ask_refusals(met=False, waiting=asked is not None, not_applicable=False),
                    "answer": decide_refusals(request.user.actor, asked_by_id=asked.asked_by_id) if asked else [],
                },
            )
        )
    return found


def _item_forms(item: Item, asked: Waiver | NotApplicable | None, now: datetime) -> dict[str, forms.Form]:
    seen: dict[str, Any] = {"seen_version": item.version}
    named = {**seen, "request": request_key(asked)} if asked else seen
    return {
        "tick": TickForm(initial=seen, auto_id=ids(item, "tick")),
        "waiver": WaiverForm(initial=seen, now=now, auto_id=ids(item, "waiver")),
        "answer": DecideForm(initial=named, auto_id=ids(item, "answer")),
    }


def _sent(item: Item, answer: Answer) -> dict[str, forms.Form]:
    return {name: form for (key, name), form in answer.items.items() if key == item.pk}
