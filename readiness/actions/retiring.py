"""Retiring the fail of a disabled probe: nothing looks any more that could lift it, and a reviewer says why it goes."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readiness.enums.words import Outcome
from readiness.models import Evidence, Item, User
from readiness.rules.permissions import Refused, insist, retire_refusals
from readiness.rules.texts import reason_refusals
from readiness.selectors.clauses import clause_facts
from readiness.selectors.retiring import retirable

from . import ledger
from .folding import borrowers_of, lock_item, refresh
from .items import insist_unchanged, live_refusals, save_written

NONE_STANDS = gettext_noop("No fail stands here whose probe is disabled, so there is none to retire.")


@transaction.atomic
def retire(*, by: User, item_id: int, reason: str, seen_version: int, now: datetime) -> list[Evidence]:
    """Say on each clause with a disabled probe's fail that the fails so far no longer count, and fold that in.

    Nothing is met by it, and a fail that the probe sees once it is enabled again counts anew. Where production took
    the fail over, it is retired there too, unless a probe that still looks saw it fail as well.
    Raises ``Refused`` or ``Crossed``.
    """
    insist(retire_refusals(by.actor) + reason_refusals(reason))
    locked = {one: lock_item(one) for one in sorted({item_id} | borrowers_of([item_id]))}
    item = locked.pop(item_id)
    insist(live_refusals(item))
    insist_unchanged(item, seen_version)
    written = _retire(item, by=by, reason=reason, now=now)
    if not written:
        raise Refused([_(NONE_STANDS)])
    also = [(one, _retire(one, by=by, reason=reason, now=now)) for one in locked.values() if not live_refusals(one)]
    _record(item, written, by=by, reason=reason, now=now)
    for borrower, rows in also:
        if rows:
            _record(borrower, rows, by=by, reason=reason, now=now, lent_by=item.environment_id)
    return written


def _retire(item: Item, *, by: User, reason: str, now: datetime) -> list[Evidence]:
    """Write the retirements of an item, count its version up and fold it; return what was written."""
    written = [
        Evidence.objects.create(
            item=item,
            clause=clause,
            outcome=Outcome.RETIRED,
            summary=reason,
            by=by,
            build=item.environment.build if item.environment else "",
            observed_at=now,
            recorded_at=now,
        )
        for clause in retirable(item, clause_facts(item))
    ]
    if written:
        save_written(item)
    refresh(item, now=now)
    return written


def _record(
    item: Item, written: list[Evidence], *, by: User, reason: str, now: datetime, lent_by: int | None = None
) -> None:
    data = {
        "reason": reason,
        "clauses": [one.clause for one in written],
        "evidence": [one.pk for one in written],
    }
    ledger.record_of_item(
        "item.fail-retired", item, by=by, at=now, data=data if lent_by is None else {**data, "lent_by": lent_by}
    )
