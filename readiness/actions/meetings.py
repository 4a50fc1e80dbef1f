"""A review while it is held: opened, led from line to line, decided in, and written down as it happens."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils.translation import gettext as _

from readiness.enums.words import DecisionKind
from readiness.models import Decision, MeetingNote, Presence, Review, User
from readiness.rules import meetings as rules
from readiness.rules.permissions import Refused, insist, launch_refusals
from readiness.selectors.decisions import decided_lines, sent_with

from . import decisions, ledger
from .decisions import NewCondition, NewDissent
from .reviews import lock_review, open_refusals


@transaction.atomic
def open_meeting(*, by: User, review_id: int, order: Sequence[int], now: datetime) -> Review:
    """Open the meeting of a review, on the first line of ``order`` that is not decided in it."""
    review = lock_review(review_id)
    insist(launch_refusals(by.actor) + open_refusals(review))
    if review.opened_at is not None:
        return review
    review.opened_at, review.opened_by = now, by
    review.line_id = rules.next_line(_on_agenda(review, order), decided_lines(review), 0)
    review.line_since = now if review.line_id else None
    review.save(update_fields=["opened_at", "opened_by", "line", "line_since"])
    with ledger.at_the_end():
        _record("review.opened", review, by=by, now=now, line=review.line_id)
        _see(review, by, now=now)
    return review


@transaction.atomic
def go_to(*, by: User, review_id: int, environment_id: int, now: datetime) -> Review:
    """Let the room look at a line of the agenda. The chair alone does this."""
    review = _held(review_id, by=by)
    insist(_lead_refusals(review, by))
    if not review.agenda.filter(environment=environment_id).exists():
        raise Refused([_("This is not on the agenda of this review.")])
    with ledger.at_the_end():
        _see(review, by, now=now)
        _look_at(review, environment_id, by=by, now=now)
    return review


@transaction.atomic
def take_chair(*, by: User, review_id: int, seen_chair: int, now: datetime) -> Review:
    """Take the chair from whoever had it when this person looked: of two at once, the second is told by whom."""
    review = _held(review_id, by=by)
    insist(rules.take_chair_refusals(by.actor, chair_id=review.chair_id))
    if review.chair_id != seen_chair:
        raise Refused(
            [_("{chair} took the chair meanwhile. Take it from them if they are away.").format(chair=review.chair)]
        )
    before, review.chair = review.chair, by
    review.version += 1  # A form that shows who had it before would give it back.
    review.save(update_fields=["chair", "version"])
    with ledger.at_the_end():
        _see(review, by, now=now)
        _record("review.chair-taken", review, by=by, now=now, before=str(before), before_id=before.pk)
    return review


def decide(
    *,
    by: User,
    review_id: int,
    environment_id: int,
    kind: DecisionKind,
    note: str,
    dissents: Sequence[NewDissent],
    conditions: Sequence[NewCondition],
    seen_decision: int | None,
    key: str,
    order: Sequence[int],
    now: datetime,
) -> tuple[Decision, int | None]:
    """Decide in a meeting, and return the decision with the line that comes next; None where that was the last one.

    The room goes on to that line where it looks at the one that was decided. Whoever decides is in the room from then,
    whatever comes of it. What is sent twice with one ``key`` is decided once. Raises as ``decisions.decide`` does.
    """
    insist(rules.held_refusals(opened_at=Review.objects.values_list("opened_at", flat=True).get(pk=review_id)))
    be_there(by=by, review_id=review_id, now=now)
    sent = sent_with(key, by=by, review_id=review_id)
    with transaction.atomic(), ledger.at_the_end():
        decision = decisions.decide(
            by=by,
            review_id=review_id,
            environment_id=environment_id,
            kind=kind,
            note=note,
            dissents=dissents,
            conditions=conditions,
            seen_decision=seen_decision,
            key=key,
            now=now,
        )
        review = lock_review(review_id)
        after = rules.next_line(_on_agenda(review, order), decided_lines(review), environment_id)
        if decision != sent and review.line_id == environment_id and after is not None:
            _look_at(review, after, by=by, now=now)
    return decision, after


@transaction.atomic
def write_note(
    *, by: User, review_id: int, environment_id: int | None, text: str, key: str, now: datetime
) -> MeetingNote:
    """Write a note about a line of the agenda, or about none.

    One that is sent twice with one ``key`` is kept once, though the review was closed since.
    """
    insist(rules.note_refusals(by.actor) + rules.note_text_refusals(text))
    sent = MeetingNote.objects.filter(review=lock_review(review_id), by=by, key=key).first()
    if sent is not None:
        return sent
    review = _held(review_id, by=by)
    if environment_id is not None and not review.agenda.filter(environment=environment_id).exists():
        raise Refused([_("This is not on the agenda of this review.")])
    note = MeetingNote.objects.create(
        review=review, environment_id=environment_id, by=by, at=now, text=text.strip(), key=key
    )
    with ledger.at_the_end():
        _see(review, by, now=now)
        line = review.agenda.select_related("environment__service").filter(environment=environment_id).first()
        environment = line.environment if line else None
        ledger.record(
            "review.noted",
            by=by,
            at=now,
            service=environment.service if environment else None,
            environment=environment,
            data={"review": review.pk, "title": review.title, "note": note.pk, "text": note.text},
        )
    return note


def beat(*, by: User, review_id: int, now: datetime) -> None:
    """Keep that somebody's page of the meeting is open. The first time is an event; who was taken out stays out."""
    heard = Presence.objects.filter(review=review_id, user=by)
    latest = Greatest(F("seen_at"), Value(now))  # Another process may have a later clock.
    if not (heard.filter(gone_at=None, review__closed_at=None).update(seen_at=latest) or heard.exists()):
        be_there(by=by, review_id=review_id, now=now)


@transaction.atomic
def be_there(*, by: User, review_id: int, now: datetime) -> None:
    """Keep that somebody is in the room who does something there; nothing where no meeting is held."""
    review = lock_review(review_id)
    if review.opened_at is None or review.closed_at is not None:
        return
    insist(rules.come_refusals(by.actor))
    with ledger.at_the_end():
        _see(review, by, now=now)


@transaction.atomic
def come(*, by: User, review_id: int, now: datetime) -> Presence:
    """Say that one is in the room, until one leaves."""
    insist(rules.come_refusals(by.actor))
    review = _held(review_id, by=by)
    with ledger.at_the_end():
        found = _see(review, by, now=now)
        if not found.named:
            found.named = True
            found.save(update_fields=["named"])
    return found


@transaction.atomic
def name_person(*, by: User, review_id: int, person: User, now: datetime) -> Presence:
    """Say that somebody is in the room, with or without a page of their own. The chair does this."""
    review = _held(review_id, by=by)
    insist(_lead_refusals(review, by))
    if not person.is_active:
        raise Refused([_("{person} has left. Choose somebody who is here.").format(person=person)])
    found = Presence.objects.filter(review=review, user=person).first()
    if found is not None and found.gone_at is None and found.named:
        return found
    found = _enter(review, person, now=now, named=True)
    with ledger.at_the_end():
        _see(review, by, now=now)
        _record("review.person-named", review, by=by, now=now, person=str(person), person_id=person.pk)
    return found


@transaction.atomic
def leave(*, by: User, review_id: int, person: User, now: datetime) -> None:
    """Take somebody out of the room: oneself, or as the chair anybody. Who leaves by themselves was there.

    Who was not to be there, or has left already, is left as they are.
    """
    review = _held(review_id, by=by)
    if person.pk != by.pk:
        insist(_lead_refusals(review, by))
    there = Presence.objects.filter(review=review, user=person).first()
    was_named = review.attendees.filter(pk=person.pk).exists()
    if not was_named if there is None else there.gone_at is not None:
        return
    if there is not None:
        there.gone_at, there.named = max(now, there.came_at), False
        there.save(update_fields=["gone_at", "named"])
    if person.pk != by.pk or there is None:
        review.attendees.remove(person)
    _record("review.person-left", review, by=by, now=now, person=str(person), person_id=person.pk)


def _held(review_id: int, *, by: User) -> Review:
    """Lock and return a review whose meeting is open."""
    insist(rules.come_refusals(by.actor))
    review = lock_review(review_id)
    insist(open_refusals(review) or rules.held_refusals(opened_at=review.opened_at))
    return review


def _lead_refusals(review: Review, by: User) -> list[str]:
    return rules.lead_refusals(by.actor, chair_id=review.chair_id, chair=str(review.chair))


def _on_agenda(review: Review, order: Sequence[int]) -> list[int]:
    """Return what is on the agenda now, in an order that was read before it was locked."""
    known = set(review.agenda.values_list("environment_id", flat=True))
    return [one for one in order if one in known]


def _look_at(review: Review, environment_id: int, *, by: User, now: datetime) -> None:
    if review.line_id == environment_id:
        return
    before, review.line_id, review.line_since = review.line_id, environment_id, now
    review.save(update_fields=["line", "line_since"])
    _record("review.line-opened", review, by=by, now=now, line=environment_id, before=before)


def _see(review: Review, person: User, *, now: datetime) -> Presence:
    """Keep that somebody is there who does something; the first time, and after they left, is an event."""
    there = Presence.objects.filter(review=review, user=person, gone_at=None).first()
    if there is not None:
        there.seen_at = max(now, there.seen_at)
        there.save(update_fields=["seen_at"])
        return there
    found = _enter(review, person, now=now, named=False)
    _record("review.joined", review, by=person, now=now, person=str(person), person_id=person.pk)
    return found


def _enter(review: Review, person: User, *, now: datetime, named: bool) -> Presence:
    found, _ = Presence.objects.update_or_create(
        review=review,
        user=person,
        defaults={"seen_at": now, "gone_at": None, "named": named},
        create_defaults={"came_at": now, "seen_at": now, "named": named},
    )
    review.attendees.add(person)
    return found


def _record(kind: str, review: Review, *, by: User, now: datetime, **data: Any) -> None:
    ledger.record(kind, by=by, at=now, data={"review": review.pk, "title": review.title, **data})
