"""What people and probes do, in one line each, for tests of what follows from it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from readiness.actions import decisions, items, requests, reviews, runs, services
from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind, Judgement, RunReason, Stance
from readiness.models import (
    Comment,
    Decision,
    Environment,
    Event,
    Evidence,
    Item,
    NotApplicable,
    Review,
    Run,
    User,
    Waiver,
)
from readiness.rules.environments import EnvironmentSettings
from readiness.rules.findings import Finding
from readiness.rules.permissions import Refused
from readiness.rules.status import status_at
from tests.factories import NOW

REASON = "The audit store moves to the new cluster next week."
SUMMARY = "Looked at it on the dashboard, and it holds."
LEASE = timedelta(seconds=60)


def after(**span: float) -> datetime:
    """The instant so long after the factories' own."""
    return NOW + timedelta(**span)


def version(item: Item) -> int:
    return Item.objects.values_list("version", flat=True).get(pk=item.pk)


def status(item: Item, at: datetime) -> Status:
    return status_at(Item.objects.get(pk=item.pk).facts, at)


def tick(
    by: User, item: Item, *, links: Sequence[str] = ("https://docs.example.ca/a",), now: datetime = NOW
) -> list[Evidence]:
    return items.tick(by=by, item_id=item.pk, summary=SUMMARY, links=links, seen_version=version(item), now=now)


def take_back(by: User, item: Item, *, now: datetime = NOW) -> list[Evidence]:
    return items.take_back(by=by, item_id=item.pk, summary=SUMMARY, seen_version=version(item), now=now)


def ask(
    by: User, item: Item, *, days: int = 30, until: date | None = None, now: datetime = NOW, **given: Any
) -> Waiver:
    words: dict[str, Any] = {"stance": Stance.ACCEPT_RISK, "reason": REASON, "seen_version": version(item), **given}
    until_day = until or timezone.localdate(now) + timedelta(days=days)
    return requests.ask_waiver(by=by, item_id=item.pk, until_day=until_day, now=now, **words)


def ask_to_leave_out(by: User, item: Item, *, reason: str = REASON, now: datetime = NOW) -> NotApplicable:
    return requests.ask_not_applicable(by=by, item_id=item.pk, reason=reason, seen_version=version(item), now=now)


def decide(by: User, request: Any, *, grant: bool = True, note: str = "", now: datetime = NOW) -> Any:
    return requests.decide(by=by, request=request, grant=grant, note=note, now=now)


def end(by: User, request: Any, *, reason: str = REASON, now: datetime = NOW) -> Any:
    return requests.end(by=by, request=request, reason=reason, now=now)


def on_sheet(environment: Environment) -> list[Item]:
    """Every item that the environment's sheet shows."""
    either = Q(environment=environment) | Q(environment=None)
    items = Item.objects.filter(either, service=environment.service).select_related("entry").order_by("pk")
    return [item for item in items if item.entry.applies_to(environment.kind)]


def configure(by: User, environment: Environment, *, now: datetime = NOW, **settings: Any) -> Environment:
    """Change some settings of an environment and leave the others as they are."""
    held = Environment.objects.get(pk=environment.pk)
    given: Any = {name: settings.get(name, getattr(held, name)) for name in EnvironmentSettings.__annotations__}
    return services.change_environment(
        by=by, environment_id=held.pk, settings=given, seen_version=held.version, now=now
    )


def settle(environment: Environment, by: User, *, but: Sequence[str] = (), now: datetime = NOW) -> None:
    """Tick everything on a sheet, but for some entries."""
    for item in on_sheet(environment):
        if item.entry.slug not in but:
            tick(by, item, now=now)


def plan_review(*environments: Environment, by: User, now: datetime = NOW, **given: Any) -> Review:
    words: dict[str, Any] = {"title": "Launches", "starts_at": now, "chair": by, "attendees": [], **given}
    return reviews.plan(by=by, environments=environments, now=now, **words)


def decide_on(
    environment: Environment,
    by: User,
    kind: DecisionKind = DecisionKind.NO_GO,
    *,
    review: Review | None = None,
    conditions: Sequence[decisions.NewCondition] = (),
    now: datetime = NOW,
    **given: Any,
) -> Decision:
    """Decide in a review (one of its own unless told), knowing what stands."""
    review = review or plan_review(environment, by=by, now=now)
    stands = Decision.objects.filter(environment=environment).values_list("pk", flat=True).first()
    words: dict[str, Any] = {"note": "", "dissents": [], "seen_decision": stands, **given}
    return decisions.decide(
        by=by,
        review_id=review.pk,
        environment_id=environment.pk,
        kind=kind,
        conditions=conditions,
        now=now,
        **words,
    )


def finding(clause: str, judgement: Judgement) -> Finding:
    return Finding(clause=clause, judgement=judgement, code="probe.said", sentence=f"{clause}: {judgement}.")


def claimed(environment: Environment, probe: str, *, now: datetime = NOW) -> Run:
    """A run of a probe, claimed: one that waits, or else a new one."""
    waiting = Run.objects.filter(environment=environment, probe=probe, state="queued").first()
    run = waiting or runs.plan(
        environment_id=environment.pk, probe=probe, reason=RunReason.SCHEDULED, due_at=now, now=now
    )
    assert run is not None
    taken = runs.claim(run_id=run.pk, lease=LEASE, now=now)
    assert taken is not None
    return taken


def finish(run: Run, *, now: datetime, build: str = "", **said: Judgement) -> bool:
    """Finish a run with a judgement on each clause, ``_`` standing for a hyphen."""
    found = [finding(clause.replace("_", "-"), judgement) for clause, judgement in said.items()]
    return runs.finish(
        run=run, facts={"saw": 1}, findings=found, probe_version=1, build=build, observed_at=now, now=now
    )


def observe(environment: Environment, probe: str, *, now: datetime, **said: Judgement) -> Run:
    """Carry out one run of a probe at an instant."""
    run = claimed(environment, probe, now=now)
    assert finish(run, now=now, build=environment.build, **said)
    run.refresh_from_db()
    return run


def everything() -> tuple[int, ...]:
    """How many rows there are of what people and probes write."""
    return tuple(
        kind.objects.count() for kind in (Event, Evidence, Waiver, NotApplicable, Run, Review, Decision, Comment)
    ) + tuple(Item.objects.order_by("pk").values_list("version", flat=True))


@contextmanager
def refused(*words: str) -> Iterator[None]:
    """Expect a refusal with these words in it, and nothing written."""
    before = everything()
    with pytest.raises(Refused) as caught:
        yield
    assert all(isinstance(reason, str) and reason for reason in caught.value.reasons)
    for some in words:
        assert some in str(caught.value)
    assert everything() == before


@contextmanager
def forbidden_by(constraint: str) -> Iterator[None]:
    """Expect the database to refuse a row, by the constraint of this name (SQLite names columns for some)."""
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        yield
    said = str(caught.value)
    assert constraint in said or "UNIQUE constraint failed" in said or "NOT NULL" in said
