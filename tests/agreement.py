"""What the rows say held against what the ledger says: no change without its event, no event without its change."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.db.models import Model

from readiness.enums.words import Outcome
from readiness.models import (
    ApiToken,
    Condition,
    Decision,
    Deployment,
    Disabling,
    Environment,
    Event,
    Evidence,
    Item,
    NotApplicable,
    Review,
    User,
    Waiver,
)
from readiness.selectors.crossings import OF_AN_ENVIRONMENT, written_about


def disagreements() -> list[str]:
    """Return every row without its event, and every event without its row, in words."""
    told: dict[str, list[Event]] = {}
    for event in Event.objects.order_by("id"):
        told.setdefault(event.kind, []).append(event)
    return [
        *_of_evidence(told),
        *(line for kind in (Waiver, NotApplicable) for line in _of_requests(told, kind)),
        *_of_builds(told),
        *_of_decisions(told),
        *_of_others(told),
        *_of_versions(),
    ]


def _differ(what: str, rows: Counter[Any], events: Counter[Any]) -> Iterator[str]:
    yield from (f"{what}: a row without its event: {one}" for one in rows - events)
    yield from (f"{what}: an event without its row: {one}" for one in events - rows)


def _of_evidence(told: dict[str, list[Event]]) -> Iterator[str]:
    by_people = Evidence.objects.filter(by__isnull=False)
    for outcome, kind in ((Outcome.PASS, "item.ticked"), (Outcome.RETIRED, "item.fail-retired")):
        rows = by_people.filter(outcome=outcome).values_list("item", "by", "pk", "clause", "summary")
        events = Counter(
            (event.item_id, event.actor_id, pk, clause, event.data.get("summary", event.data.get("reason")))
            for event in told.get(kind, ())
            for pk, clause in zip(event.data["evidence"], event.data["clauses"], strict=True)
        )
        yield from _differ(kind, Counter(rows), events)
    taken = by_people.filter(outcome=Outcome.WITHDRAWN).values_list("item", "by", "clause", "summary", "recorded_at")
    events = Counter(
        (event.item_id, event.actor_id, clause, event.data["summary"], event.at)
        for event in told.get("item.tick-taken-back", ())
        for clause in event.data["clauses"]
    )
    yield from _differ("item.tick-taken-back", Counter(taken), events)


def _of_requests(told: dict[str, list[Event]], kind: type[Waiver] | type[NotApplicable]) -> Iterator[str]:
    word = "waiver" if kind is Waiver else "not-applicable"
    rows: Counter[Any] = Counter()
    for asked in kind.objects.all():
        rows[(f"{word}.asked", asked.pk, asked.item_id, asked.asked_by_id)] += 1
        if asked.decided_at is not None:
            answer = "granted" if asked.granted else "refused"
            rows[(f"{word}.{answer}", asked.pk, asked.item_id, asked.decided_by_id)] += 1
        if asked.ended_at is not None and asked.ended_by_id is not None:
            end = "withdrawn" if asked.decided_at is None else "ended"
            rows[(f"{word}.{end}", asked.pk, asked.item_id, asked.ended_by_id)] += 1
        elif asked.ended_at is not None:
            rows[("by itself", asked.pk, asked.item_id, None)] += 1
    events: Counter[Any] = Counter()
    for step in ("asked", "granted", "refused", "withdrawn", "ended", "fell"):
        for event in told.get(f"{word}.{step}", ()):
            said = "by itself" if step == "fell" else event.kind
            events[(said, event.data["request"], event.item_id, event.actor_id)] += 1
            if event.data.get("renews"):
                events[("by itself", event.data["renews"], event.item_id, None)] += 1
    yield from _differ(word, rows, events)


def _of_builds(told: dict[str, list[Event]]) -> Iterator[str]:
    rows = Counter(Deployment.objects.values_list("environment", "build", "by", "token"))
    events = Counter(
        (event.environment_id, event.data["to"], event.actor_id, event.data.get("token"))
        for event in told.get("build.set", ())
    )
    for kind, after in (("environment.added", "settings"), ("environment.changed", "to")):
        for event in told.get(kind, ()):
            build = event.data[after].get("build")
            if build or (build is not None and kind == "environment.changed"):
                events[(event.environment_id, build, event.actor_id, None)] += 1
    yield from _differ("build", rows, events)
    for environment in Environment.objects.all():
        last = Deployment.objects.filter(environment=environment).order_by("at", "id").last()
        if environment.build != (last.build if last else ""):
            yield f"{environment} runs {environment.build!r}, and the last deployment is {last}"


def _of_decisions(told: dict[str, list[Event]]) -> Iterator[str]:
    def columns(one: Decision) -> tuple[Any, ...]:
        conditions = tuple(sorted(Condition.objects.filter(decision=one).values_list("item", flat=True)))
        dissents = tuple(sorted(one.dissents.values_list("by", flat=True)))
        sealed = hashlib.sha256(one.snapshot.encode()).hexdigest()
        return (one.pk, one.review_id, one.environment_id, one.kind, one.by_id, sealed, conditions, dissents)

    events = Counter(
        (
            event.data["decision"],
            event.data["review"],
            event.environment_id,
            event.data["kind"],
            event.actor_id,
            event.data["snapshot"],
            tuple(sorted(one["item"] for one in event.data["conditions"])),
            tuple(sorted(one["by"] for one in event.data["dissents"])),
        )
        for event in told.get("decision.made", ())
    )
    yield from _differ("decision", Counter(columns(one) for one in Decision.objects.all()), events)
    discharged = Counter(Condition.objects.filter(discharged_at__isnull=False).values_list("pk", flat=True))
    said = Counter(event.data["condition"] for event in told.get("condition.discharged", ()))
    yield from _differ("condition.discharged", discharged, said)


def _of_others(told: dict[str, list[Event]]) -> Iterator[str]:
    kinds: tuple[tuple[type[Model], str, str, str, dict[str, Any]], ...] = (
        (ApiToken, "token.made", "token", "created_by", {}),
        (ApiToken, "token.revoked", "token", "revoked_by", {"revoked_at__isnull": False}),
        (Disabling, "probe.disabled", "disabling", "by", {}),
        (Disabling, "probe.enabled", "disabling", "ended_by", {"ended_at__isnull": False}),
        (Review, "review.closed", "review", "closed_by", {"closed_at__isnull": False}),
    )
    for model, kind, name, who, which in kinds:
        rows = Counter(model._default_manager.filter(**which).values_list("pk", who))
        yield from _differ(kind, rows, Counter((event.data[name], event.actor_id) for event in told.get(kind, ())))
    planned = Counter(event.data["review"] for event in told.get("review.planned", ()))
    yield from _differ("review.planned", Counter(Review.objects.values_list("pk", flat=True)), planned)


def _of_versions() -> Iterator[str]:
    for item in Item.objects.select_related("entry"):
        written = written_about(item).count()
        if item.version != 1 + written:
            yield f"{item}: version {item.version} after {written} events that count it up"
    for environment in Environment.objects.all():
        written = Event.objects.filter(environment=environment, kind__in=OF_AN_ENVIRONMENT).count()
        if environment.version != 1 + written:
            yield f"{environment}: version {environment.version} after {written} events that count it up"
    for review in Review.objects.all():
        kinds = ("review.changed", "review.minutes-written")
        told = [one for one in Event.objects.filter(kind__in=kinds) if one.data["review"] == review.pk]
        if review.version != 1 + len(told):
            yield f"{review}: version {review.version} after {len(told)} events that count it up"
    people = set(User.objects.values_list("pk", flat=True))
    yield from (
        f"event {one.pk} by nobody who is here"
        for one in Event.objects.filter(actor__isnull=False)
        if one.actor_id not in people
    )
