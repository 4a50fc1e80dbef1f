"""Decisions: made in a review on a sheet that stands still meanwhile, with their conditions and dissents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision, Dissent, Environment, Item, User
from readiness.rules import decisions as rules
from readiness.rules.decisions import Terms, Unsettled
from readiness.rules.meetings import quorum_refusals
from readiness.rules.permissions import Refused, archived_refusals, insist, launch_refusals
from readiness.rules.snapshots import hash_of, write
from readiness.rules.texts import unkept
from readiness.rules.waivers import end_of_day
from readiness.selectors.decisions import sent_with
from readiness.selectors.room import people_here
from readiness.selectors.snapshots import snapshot_of
from readiness.selectors.standing import Standing, verdict

from . import ledger
from .reviews import lock_review, open_refusals


class DecisionCrossed(Exception):
    """Somebody else decided first. Nothing was written."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(
            _("{by} decided first: {decision}.").format(by=decision.by, decision=decision.get_kind_display())
        )
        self.decision = decision


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDissent:
    """Somebody who does not agree, with why."""

    by: User
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCondition:
    """What is asked of one unsettled item: why it may wait, who owns it, and up to the end of which day."""

    item_id: int
    reason: str
    owner: User
    until: date


@transaction.atomic
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
    key: str = "",
    now: datetime,
) -> Decision:
    """Decide on an environment in a review, on a snapshot of its sheet as it stands now.

    ``seen_decision`` is the decision that stood when the person looked, None for none; another one in between raises
    ``DecisionCrossed``. The items of the sheet stand still until this is written. ``conditions`` count for a go with
    conditions alone, and there is one for each item that is not settled. What this person sends again with the same
    ``key`` is not decided again: the decision that it made is returned, though the review was closed since.
    """
    environment = _lock_sheet(environment_id)
    review = lock_review(review_id)
    insist(launch_refusals(by.actor))
    sent = sent_with(key, by=by, review_id=review.pk)
    if sent is not None and sent.environment_id == environment.pk:
        return sent
    insist(open_refusals(review))
    insist(archived_refusals(environment.service.archived_at, environment.archived_at))
    if not review.agenda.filter(environment=environment).exists():
        raise Refused([_("{environment} is not on the agenda of this review.").format(environment=environment)])
    insist(quorum_refusals(review.quorum, len(people_here(review, now)) if review.quorum else 0))
    # Two people may have looked at one moment: what stands is asked without the clock.
    stands = Decision.objects.filter(environment=environment).select_related("by").first()
    if stands is not None and stands.pk != seen_decision:
        raise DecisionCrossed(stands)
    standing = verdict(environment, at=now, now=now)
    if standing is None:
        raise Refused(
            [_("{environment} has no verdict yet, so there is nothing to decide on.").format(environment=environment)]
        )
    people = [(one.by.pk, one.reason, one.by.is_active) for one in dissents]
    insist(_kind_refusals(kind, standing, conditions, now=now) + rules.dissent_refusals(people) + unkept(note))
    text = write(snapshot_of(standing))
    decision = Decision.objects.create(
        review=review,
        environment=environment,
        kind=kind,
        by=by,
        at=now,
        note=note,
        verdict=standing.tally.verdict,
        snapshot=text,
        hash=hash_of(text),
        key=key if sent is None else "",  # It stands for what was sent about another line.
    )
    Dissent.objects.bulk_create(Dissent(decision=decision, by=one.by, reason=one.reason) for one in dissents)
    given = _write_conditions(decision, conditions) if kind == DecisionKind.GO_WITH_CONDITIONS else []
    ledger.record(
        "decision.made",
        by=by,
        at=now,
        service=environment.service,
        environment=environment,
        data={
            "decision": decision.pk,
            "review": review.pk,
            "kind": str(kind),
            "note": note,
            "verdict": decision.verdict,
            "snapshot": decision.hash,
            "waived": standing.tally.waived,
            "instead_of": stands.pk if stands else None,
            "dissents": [{"by": one.by.pk, "by_name": str(one.by), "reason": one.reason} for one in dissents],
            "conditions": given,
        },
    )
    return decision


def unsettled_in(standing: Standing) -> list[Unsettled]:
    """Return the items of a sheet that are not settled, in its order."""
    return [
        Unsettled(item=one.item.pk, title=one.entry.title, status=one.status)
        for one in standing.items
        if not one.status.settled
    ]


def _kind_refusals(
    kind: DecisionKind, standing: Standing, conditions: Sequence[NewCondition], *, now: datetime
) -> list[str]:
    unsettled, counted = unsettled_in(standing), standing.tally.total
    if kind == DecisionKind.GO:
        return rules.go_refusals(unsettled, counted=counted)
    if kind == DecisionKind.NO_GO:
        return []
    terms = [
        Terms(
            item=one.item_id,
            reason=one.reason,
            owner=str(one.owner),
            owner_active=one.owner.is_active,
            until=one.until,
        )
        for one in conditions
    ]
    return rules.go_with_conditions_refusals(unsettled, counted=counted) or rules.conditions_refusals(
        unsettled, terms, today=timezone.localdate(now)
    )


def _write_conditions(decision: Decision, conditions: Sequence[NewCondition]) -> list[dict[str, Any]]:
    zone = timezone.get_current_timezone()
    written = [
        Condition(
            decision=decision,
            item_id=one.item_id,
            reason=one.reason,
            owner=one.owner,
            decided_at=decision.at,
            until=end_of_day(one.until, zone),
        )
        for one in conditions
    ]
    Condition.objects.bulk_create(written)
    return [
        {
            "item": one.item_id,
            "reason": one.reason,
            "owner": one.owner_id,
            "owner_name": str(one.owner),
            "until": one.until.isoformat(),
        }
        for one in written
    ]


def _lock_sheet(environment_id: int) -> Environment:
    """Return the environment, locked after every item of its sheet, those of its service among them."""
    service_id = Environment.objects.values_list("service_id", flat=True).get(pk=environment_id)
    mine = Q(environment=environment_id) | Q(environment=None, service=service_id)
    list(Item.objects.filter(mine).order_by("pk").select_for_update(no_key=True).values_list("pk", flat=True))
    found = Environment.objects.select_for_update(of=("self",), no_key=True).select_related("service__team")
    return found.get(pk=environment_id)
