"""What every request is at an instant, for lists: the twin of ``rules.waivers.state_at`` in SQL."""

from datetime import datetime
from typing import Any

from django.db.models import Case, CharField, DateTimeField, F, Q, QuerySet, Value, When

from readiness.enums.standing import RequestState
from readiness.models import NotApplicable, Waiver
from readiness.rules.waivers import RENEWED, Course

WAIVER, NOT_APPLICABLE = "waiver", "not-applicable"
KINDS = (WAIVER, NOT_APPLICABLE)
MODELS: dict[str, type[Waiver] | type[NotApplicable]] = {WAIVER: Waiver, NOT_APPLICABLE: NotApplicable}


def course_of(request: Waiver | NotApplicable) -> Course:
    """Return how a request went, as ``rules.waivers.state_at`` takes it. Its item is joined."""
    item = request.item
    if isinstance(request, Waiver):
        until: datetime | None = request.until
    else:
        falls = [one for one in (item.failing_since, item.not_applicable_until) if one is not None]
        until = min(falls, default=None) if request.standing else None
    return Course(
        granted=request.granted,
        until=until,
        ended_at=request.ended_at,
        by_person=request.ended_by_id is not None,
        renewed=isinstance(request, Waiver) and request.end_reason == RENEWED,
    )


def with_state(kind: str, at: datetime) -> QuerySet[Any]:
    """Return every request of a kind with ``state`` and ``over_at`` at an instant: the twin of ``state_at``.

    ``over_at`` is when it is over or was: None where nothing known ends it.
    """
    rows = MODELS[kind].objects.annotate(closes=F("until") if kind == WAIVER else _falls(at))
    cases = [
        (Q(granted=None, ended_at=None), RequestState.WAITING),
        (Q(granted=None), RequestState.WITHDRAWN),
        (Q(granted=False), RequestState.REFUSED),
        (Q(ended_at=None) & (Q(closes=None) | Q(closes__gt=at)), RequestState.HOLDING),
        (Q(ended_at=None), RequestState.ENDED),
        (Q(ended_by__isnull=False), RequestState.REVOKED),
    ]
    if kind == WAIVER:
        cases.append((Q(end_reason=RENEWED, ended_at__lt=F("closes")), RequestState.RENEWED))
    state = Case(
        *(When(condition, then=Value(str(word))) for condition, word in cases),
        default=Value(str(RequestState.ENDED)),
        output_field=CharField(),
    )
    over_at = Case(
        When(ended_at__isnull=False, then=F("ended_at")),
        When(granted=False, then=F("decided_at")),
        default=F("closes"),
        output_field=DateTimeField(null=True),
    )
    return rows.annotate(state=state, over_at=over_at)


def _falls(at: datetime) -> Case:
    """Return when a "not applicable" that stands fell by the clock alone, nobody having written it down yet."""
    failed = Q(item__failing_since__lte=at)
    return Case(
        When(failed & Q(item__not_applicable_until__lt=F("item__failing_since")), then=F("item__not_applicable_until")),
        When(failed, then=F("item__failing_since")),
        When(item__not_applicable_until__lte=at, then=F("item__not_applicable_until")),
        default=None,
        output_field=DateTimeField(null=True),
    )
