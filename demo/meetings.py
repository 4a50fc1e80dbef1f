"""The demo's launch reviews: one that was held, with each kind of decision, and one to be held today."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from functools import partial

from django.utils import timezone

from readiness.actions import decisions, reviews
from readiness.enums.words import DecisionKind
from readiness.models import Environment, Item, Review, User
from readiness.selectors.standing import verdict

HELD, TO_COME = "Launches of the week", "Launch review"
ROOM = ("ada", "sam", "mia", "lena", "priya", "sofia", "noor")
AGENDA_TO_COME = ("assistant-web", "ticket-triage", "voice-notes", "document-search")

WAITS: dict[str, str] = {
    "spend-cap": "The cap is set; the billing document shows it from tonight on, and the probe reads it there.",
    "sse-not-buffered": "The new route goes live tonight. The probe watches it from then on, before anybody reads it.",
    "data-residency": "The renewed agreement is with legal; the text in force already names Canadian hosting.",
}

MINUTES = """claims-summary: go. Two waivers until the audit store has moved and the wording is translated.
document-search: go, once the probes have seen the cap and the stream.
assistant-web: go with conditions. Proxy buffering was seen on the new CDN last week; Mia watches it.
ticket-triage: no-go. Bastion refuses its key, and no drill was held yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was decided on the production of a service, and who did not agree."""

    service: str
    kind: DecisionKind
    note: str = ""
    dissents: Mapping[str, str] = field(default_factory=dict)


DECIDED = (
    Verdict(service="claims-summary", kind=DecisionKind.GO, note="Both waivers end before the first audit."),
    Verdict(
        service="document-search",
        kind=DecisionKind.GO_WITH_CONDITIONS,
        note="All that is left is for the probes to see.",
    ),
    Verdict(
        service="assistant-web",
        kind=DecisionKind.GO_WITH_CONDITIONS,
        note="The date is public. We look at it again in the next review.",
        dissents={"sam": "The CDN held the stream back twice last week, and nobody knows yet why it stopped."},
    ),
    Verdict(service="ticket-triage", kind=DecisionKind.NO_GO, note="Its key is refused, and no drill was held."),
)

Step = tuple[datetime, Callable[..., object]]


def review_steps(people: Mapping[str, User], now: datetime) -> list[Step]:
    """Return what was done about reviews, each with when: yesterday one was held, soon is the next."""
    held = _at_ten(now, days=-1)
    steps: list[Step] = [
        (held - timedelta(days=3), partial(_plan, HELD, held, [one.service for one in DECIDED], people)),
        (now - timedelta(hours=6), partial(_plan, TO_COME, _soon(now), AGENDA_TO_COME, people)),
    ]
    for minutes, one in enumerate(DECIDED, start=1):
        steps.append((held + timedelta(minutes=6 * minutes), partial(_decide, one, people)))
    over = held + timedelta(minutes=40)
    return [
        *steps,
        (over, partial(_write, people["ada"])),
        (over + timedelta(minutes=5), partial(_close, people["ada"])),
    ]


def _at_ten(now: datetime, *, days: int) -> datetime:
    day = timezone.localdate(now) + timedelta(days=days)
    return datetime.combine(day, time(10), tzinfo=timezone.get_current_timezone())


def _soon(now: datetime) -> datetime:
    """Return the next half hour, so that the review can be held at the first look at the demo."""
    return now.replace(minute=30 * (now.minute // 30), second=0, microsecond=0) + timedelta(minutes=30)


def _plan(
    title: str, starts_at: datetime, agenda: list[str] | tuple[str, ...], people: Mapping[str, User], *, now: datetime
) -> None:
    reviews.plan(
        by=people["ada"],
        title=title,
        starts_at=starts_at,
        chair=people["ada"],
        environments=[_production(service) for service in agenda],
        attendees=[people[name] for name in ROOM],
        now=now,
    )


def _production(service: str) -> Environment:
    return Environment.objects.select_related("service__team").get(service__slug=service, name="prod")


def _held() -> Review:
    return Review.objects.get(title=HELD)


def _decide(one: Verdict, people: Mapping[str, User], *, now: datetime) -> None:
    environment = _production(one.service)
    decisions.decide(
        by=people["ada"],
        review_id=_held().pk,
        environment_id=environment.pk,
        kind=one.kind,
        note=one.note,
        dissents=[decisions.NewDissent(by=people[name], reason=why) for name, why in one.dissents.items()],
        conditions=_conditions(environment, now) if one.kind == DecisionKind.GO_WITH_CONDITIONS else [],
        seen_decision=None,
        now=now,
    )


def _conditions(environment: Environment, now: datetime) -> list[decisions.NewCondition]:
    standing = verdict(environment, at=now, now=now)
    left: list[Item] = [one.item for one in standing.items if not one.status.settled] if standing else []
    until = timezone.localdate(now) + timedelta(days=14)
    return [
        decisions.NewCondition(item_id=item.pk, reason=WAITS[item.entry.slug], owner=item.owner, until=until)
        for item in left
        if item.owner is not None
    ]


def _write(by: User, *, now: datetime) -> None:
    review = _held()
    reviews.write_minutes(by=by, review_id=review.pk, minutes=MINUTES, seen_version=review.version, now=now)


def _close(by: User, *, now: datetime) -> None:
    reviews.close(by=by, review_id=_held().pk, now=now)
