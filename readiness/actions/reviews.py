"""Launch reviews: planned, changed, minuted and closed."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readiness.models import AgendaLine, Environment, Event, Review, User
from readiness.rules.permissions import insist, launch_refusals
from readiness.rules.texts import unkept

from . import ledger

WRITTEN = ("review.planned", "review.changed", "review.minutes-written", "review.chair-taken")
CLOSED = gettext_noop("This review is closed: it can be read, and nothing more is written in it.")


class ReviewCrossed(Exception):
    """Somebody else saved the review first. Nothing was written."""

    def __init__(self, review: Review, *, by: str) -> None:
        super().__init__(_("{by} saved this review first.").format(by=by))
        self.review = review
        self.by = by


@transaction.atomic
def plan(
    *,
    by: User,
    title: str,
    starts_at: datetime,
    chair: User,
    environments: Sequence[Environment],
    attendees: Sequence[User],
    quorum: int | None = None,
    now: datetime,
) -> Review:
    """Plan a review with an agenda, in the order given."""
    insist(launch_refusals(by.actor))
    insist(_agenda_refusals(environments, now_on=()) + _people_refusals(chair, attendees) + unkept(title))
    review = Review.objects.create(title=title, starts_at=starts_at, chair=chair, quorum=quorum, planned_at=now)
    _write_agenda(review, environments)
    review.attendees.set(attendees)
    ledger.record("review.planned", by=by, at=now, data={"review": review.pk, "to": _as_json(review)})
    return review


@transaction.atomic
def change(
    *,
    by: User,
    review_id: int,
    title: str,
    starts_at: datetime,
    chair: User,
    environments: Sequence[Environment],
    attendees: Sequence[User],
    quorum: int | None = None,
    seen_version: int,
    now: datetime,
) -> Review:
    """Change a review. What was decided in it stays on its agenda, and who is in its room stays named.

    Raises ``ReviewCrossed``.
    """
    review = _to_write(review_id, by=by, seen_version=seen_version)
    now_on = [line.environment for line in review.agenda.select_related("environment__service")]
    insist(_agenda_refusals(environments, now_on=now_on) + _people_refusals(chair, attendees, review) + unkept(title))
    kept = {environment.pk for environment in environments}
    decided = Environment.objects.filter(decisions__review=review).exclude(pk__in=kept).distinct()
    gone = decided.select_related("service")
    insist([_("{place} was decided on in this review, so it stays on its agenda.").format(place=one) for one in gone])
    before = _as_json(review)
    review.title, review.starts_at, review.chair, review.quorum = title, starts_at, chair, quorum
    _write_agenda(review, environments)
    there = User.objects.filter(presences__review=review, presences__gone_at=None)
    review.attendees.set({*attendees, *there})
    after = _as_json(review)
    if before == after:
        return review
    if review.line_id not in kept:
        review.line, review.line_since = None, None
    review.version += 1
    review.save(update_fields=["title", "starts_at", "chair", "quorum", "line", "line_since", "version"])
    changed = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    data = {"from": {name: before.get(name) for name in changed}, "to": {name: after.get(name) for name in changed}}
    ledger.record("review.changed", by=by, at=now, data={"review": review.pk, "title": title, **data})
    return review


@transaction.atomic
def write_minutes(*, by: User, review_id: int, minutes: str, seen_version: int, now: datetime) -> Review:
    """Write what was said. Raises ``ReviewCrossed`` where somebody saved meanwhile; their text is in it."""
    insist(unkept(minutes))
    review = _to_write(review_id, by=by, seen_version=seen_version)
    if review.minutes == minutes:
        return review
    before, review.minutes = review.minutes, minutes
    review.version += 1
    review.save(update_fields=["minutes", "version"])
    data = {"review": review.pk, "title": review.title, "from": before, "to": minutes}
    ledger.record("review.minutes-written", by=by, at=now, data=data)
    return review


@transaction.atomic
def close(*, by: User, review_id: int, now: datetime) -> Review:
    """Close a review: from here on it is only read."""
    review = lock_review(review_id)
    insist(launch_refusals(by.actor) + open_refusals(review))
    review.closed_at, review.closed_by = now, by
    review.save(update_fields=["closed_at", "closed_by"])
    ledger.record("review.closed", by=by, at=now, data={"review": review.pk, "title": review.title})
    return review


def open_refusals(review: Review) -> list[str]:
    """Return why nothing may be written in this review any more."""
    return [_(CLOSED)] if review.closed_at is not None else []


def lock_review(review_id: int) -> Review:
    """Return a review, locked after the items and the environment of whoever locks these too."""
    found = Review.objects.select_for_update(of=("self",), no_key=True).select_related("chair")
    return found.get(pk=review_id)


def _to_write(review_id: int, *, by: User, seen_version: int) -> Review:
    review = lock_review(review_id)
    insist(launch_refusals(by.actor) + open_refusals(review))
    if review.version != seen_version:
        raise ReviewCrossed(review, by=_last_writer(review))
    return review


def _last_writer(review: Review) -> str:
    """Return who wrote last in a review, as the ledger says."""
    written = Event.objects.filter(kind__in=WRITTEN).select_related("actor").order_by("-id")[:200]
    return next((str(event.actor) for event in written if event.data.get("review") == review.pk), _("Somebody"))


def _agenda_refusals(environments: Sequence[Environment], *, now_on: Sequence[Environment]) -> list[str]:
    """Return why this cannot be the agenda; what is on it already may have been archived since."""
    kept = {environment.pk for environment in now_on}
    found = [
        _("{place} is archived. Leave it out, or have it brought back.").format(place=one)
        for one in environments
        if one.pk not in kept and (one.archived_at is not None or one.service.archived_at is not None)
    ]
    if len({one.pk for one in environments}) < len(environments):
        found.append(_("An environment is on the agenda twice. Name it once."))
    if not environments:
        found.append(_("A review needs something to look at: put at least one environment on its agenda."))
    return found


def _people_refusals(chair: User, attendees: Sequence[User], review: Review | None = None) -> list[str]:
    known = {review.chair_id, *review.attendees.values_list("pk", flat=True)} if review else set()
    gone = [one for one in dict.fromkeys([chair, *attendees]) if not one.is_active and one.pk not in known]
    return [_("{person} has left. Choose somebody who is here.").format(person=one) for one in gone]


def _write_agenda(review: Review, environments: Sequence[Environment]) -> None:
    lines = {line.environment_id: line for line in review.agenda.all()}
    for line in lines.values():
        if line.environment_id not in {one.pk for one in environments}:
            line.delete()
    for position, environment in enumerate(environments):
        if environment.pk not in lines:
            AgendaLine.objects.create(review=review, environment=environment, position=position)
        elif lines[environment.pk].position != position:
            lines[environment.pk].position = position
            lines[environment.pk].save(update_fields=["position"])


def _as_json(review: Review) -> dict[str, Any]:
    agenda = review.agenda.select_related("environment__service")
    return {
        "title": review.title,
        "starts_at": review.starts_at.isoformat(),
        "chair": str(review.chair),
        "agenda": [str(line.environment) for line in agenda],
        "attendees": [str(person) for person in review.attendees.order_by("pk")],
        **({"quorum": review.quorum} if review.quorum else {}),
    }
