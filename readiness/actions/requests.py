"""Waivers and "not applicable": asked by the team, granted or refused by a reviewer who did not ask, ended early."""

from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from readiness.enums.standing import Status
from readiness.enums.words import Stance
from readiness.models import Item, NotApplicable, User, Waiver
from readiness.models.checklists import meaning_at
from readiness.rules import waivers as rules
from readiness.rules.permissions import Refused, decide_refusals, end_waiver_refusals, insist
from readiness.rules.status import status_at
from readiness.rules.texts import reason_refusals, unkept
from readiness.selectors.clauses import clause_facts
from readiness.selectors.requests import outlived_at, waiting_request

from . import ledger
from .folding import lock_item, refresh
from .items import insist_unchanged, item_to_change, live_refusals, save_written


@transaction.atomic
def ask_waiver(
    *, by: User, item_id: int, stance: Stance, reason: str, until_day: date, seen_version: int, now: datetime
) -> Waiver:
    """Ask that an item may wait until the end of a day in the site's time zone."""
    zone = timezone.get_current_timezone()
    insist(reason_refusals(reason) + rules.end_refusals(until_day, now=now, zone=zone))
    item = item_to_change(item_id, by=by, seen_version=seen_version)
    status, waiting = status_at(item.facts, now), waiting_request(item) is not None
    left_out = status is Status.NOT_APPLICABLE
    insist(rules.ask_refusals(met=status.met, waiting=waiting, not_applicable=left_out))
    waiver = Waiver.objects.create(
        item=item,
        stance=stance,
        reason=reason,
        asked_by=by,
        asked_at=now,
        until=rules.end_of_day(until_day, zone),
    )
    save_written(item)
    record_of_request(
        "waiver.asked", waiver, by=by, now=now, until=waiver.until.isoformat(), stance=str(stance), reason=reason
    )
    return waiver


@transaction.atomic
def ask_not_applicable(*, by: User, item_id: int, reason: str, seen_version: int, now: datetime) -> NotApplicable:
    """Ask that an item be left out because its entry does not apply here."""
    insist(reason_refusals(reason))
    item = item_to_change(item_id, by=by, seen_version=seen_version)
    insist(leave_out_refusals(item, now=now))
    return ask_to_leave_out(item, by=by, reason=reason, now=now)


def ask_to_leave_out(item: Item, *, by: User, reason: str, now: datetime, **together: str) -> NotApplicable:
    """Write a request that nothing refuses; ``together`` is the batch of one that is not alone. The item is locked."""
    meaning = meaning_at(item.entry.meanings, now)
    request = NotApplicable.objects.create(
        item=item, reason=reason, asked_by=by, asked_at=now, meaning=meaning, **together
    )
    save_written(item)
    record_of_request("not-applicable.asked", request, by=by, now=now, reason=reason, **together)
    return request


def leave_out_refusals(item: Item, *, now: datetime) -> list[str]:
    """Return why "not applicable" may not be asked for now."""
    return rules.ask_not_applicable_refusals(
        failing=item.failing_since is not None and item.failing_since <= now,
        waiting=waiting_request(item) is not None,
        standing=status_at(item.facts, now) is Status.NOT_APPLICABLE,
    )


@transaction.atomic
def decide(
    *,
    by: User,
    request: Waiver | NotApplicable,
    grant: bool,
    note: str,
    seen_version: int | None = None,
    now: datetime,
) -> Waiver | NotApplicable:
    """Grant or refuse what was asked. A refusal says why; a grant may.

    A waiver names, from its grant on, the clauses that are not met now or fail now; an earlier one ends with it.
    Raises ``Crossed`` where somebody saved the item since ``seen_version``; None: the person saw the request alone.
    """
    insist(reason_refusals(note) if not grant else unkept(note))
    item = lock_item(request.item_id)
    request.refresh_from_db()
    insist_unchanged(item, seen_version)
    insist(answer_refusals(request, item, by=by, grant=grant, now=now))
    answer(request, item, by=by, grant=grant, note=note, now=now)
    return request


def answer_refusals(request: Waiver | NotApplicable, item: Item, *, by: User, grant: bool, now: datetime) -> list[str]:
    """Return why this person may not give this answer now. The item is locked."""
    before = decide_refusals(by.actor, asked_by_id=request.asked_by_id) or live_refusals(item)
    if before or not request.waiting:
        return before or [_answered(request)]
    if not grant:
        return []
    if isinstance(request, Waiver):
        return rules.grant_refusals(until=request.until, met=status_at(item.facts, now).met, now=now)
    if item.failing_since is not None and item.failing_since <= now:
        return [_("A probe sees this item fail, so it does apply. Refuse this request.")]
    outlived = outlived_at(request, item.entry)
    if outlived is not None and outlived <= now:
        return [_("The entry asks for something else by now. Refuse this request; the team can ask anew.")]
    return []


def answer(
    request: Waiver | NotApplicable, item: Item, *, by: User, grant: bool, note: str, now: datetime, **data: Any
) -> None:
    """Write an answer that nothing refuses. The item is locked; its event is the last of the transaction so far."""
    if grant and isinstance(request, Waiver):
        request.clauses = [facts.clause for facts in clause_facts(item) if not facts.holds_at(now)]
        earlier = _renew(item, now=now)
        data |= {"clauses": request.clauses, "until": request.until.isoformat(), "renews": earlier}
    elif grant:
        refresh(item, now=now)  # An earlier one that the entry's meaning has outlived ends before this one stands.
    request.decided_by, request.decided_at, request.granted, request.decision_note = by, now, grant, note
    request.save()
    save_written(item)
    refresh(item, now=now)
    record_of_request(
        f"{_word(request)}.{'granted' if grant else 'refused'}", request, by=by, now=now, note=note, **data
    )


def _renew(item: Item, *, now: datetime) -> int | None:
    """End the waiver that stands where a new one is granted: at this instant, or at its own end if that came first."""
    earlier = Waiver.objects.filter(item=item, granted=True, ended_at=None).first()
    if earlier is None:
        return None
    earlier.ended_at, earlier.end_reason = min(now, earlier.until), rules.RENEWED
    earlier.save(update_fields=["ended_at", "end_reason"])
    return earlier.pk


@transaction.atomic
def end(
    *, by: User, request: Waiver | NotApplicable, reason: str, seen_version: int | None = None, now: datetime
) -> Waiver | NotApplicable:
    """Withdraw a request that waits, or end early what was granted, with why. ``seen_version`` is as in ``decide``."""
    item = lock_item(request.item_id)
    request.refresh_from_db()
    team = item.service.team
    insist(end_waiver_refusals(by.actor, team_id=team.pk, team=team.name) + reason_refusals(reason))
    insist(live_refusals(item))
    insist_unchanged(item, seen_version)
    if request.standing and isinstance(request, Waiver) and request.until <= now:
        raise Refused([_("This has ended already.")])
    if not request.waiting and not request.standing:
        raise Refused([_answered(request)])
    word = "withdrawn" if request.waiting else "ended"
    request.ended_by, request.ended_at, request.end_reason = by, now, reason
    request.save(update_fields=["ended_by", "ended_at", "end_reason"])
    save_written(item)
    refresh(item, now=now)
    record_of_request(f"{_word(request)}.{word}", request, by=by, now=now, reason=reason)
    return request


def _answered(request: Waiver | NotApplicable) -> str:
    if request.ended_at is not None:
        return _("This has ended already.")
    said = _("{person} has granted this already.") if request.granted else _("{person} has refused this already.")
    return said.format(person=request.decided_by)


def _word(request: Waiver | NotApplicable) -> str:
    return "waiver" if isinstance(request, Waiver) else "not-applicable"


def record_of_request(kind: str, request: Waiver | NotApplicable, *, by: User, now: datetime, **data: Any) -> None:
    """Append the event of one step of a request."""
    item = request.item
    ledger.record_of_item(
        kind,
        item,
        by=by,
        at=now,
        data={"request": request.pk, **data},
    )
