"""Whether decisions still cover the sheets that they were made on, at an instant. Never stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision, Entry, Environment, Item, NotApplicable, Waiver
from readiness.rules.decisions import Fact, ItemNow, Wait, appeared, covers, worse
from readiness.rules.folding import Grant, LeftOut, fold_item
from readiness.rules.snapshots import Snapshot, hash_of, read
from readiness.rules.status import ItemFacts

Pairs = Sequence[tuple[Entry, Item]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """What became of a decision by an instant.

    ``intact`` says that the snapshot still gives the hash that was kept; where it does not, ``snapshot`` is None and
    nothing is covered. ``facts`` got worse since; ``appeared`` was not on the sheet then and is unsettled now.
    """

    decision: Decision
    at: datetime
    snapshot: Snapshot | None
    facts: list[Fact]
    appeared: list[ItemNow]
    conditions: list[Condition]

    @property
    def intact(self) -> bool:
        """Whether the snapshot is the one that was decided on."""
        return self.snapshot is not None

    @property
    def covers(self) -> bool:
        """Whether the decision is a go, and all that it rests on is as good as it was."""
        return self.intact and covers(DecisionKind(self.decision.kind), self.facts)

    @property
    def since(self) -> datetime | None:
        """Since when it no longer covers: the first instant at which a fact that is worse now got so."""
        return min((fact.since for fact in self.facts if fact.since is not None), default=None)

    @property
    def open_conditions(self) -> list[Condition]:
        """The conditions that nobody has met yet, the next to end first."""
        return [one for one in self.conditions if not discharged_by(one, self.at)]


def discharged_by(condition: Condition, at: datetime) -> bool:
    """Return whether the item of a condition had been settled by an instant."""
    return _wait(condition).discharged_by(at)


def coverages(decisions: Iterable[Decision], sheets: Mapping[int, Pairs], at: datetime) -> dict[int, Coverage]:
    """Return what became of decisions, by environment; ``sheets`` are the items that count now on each.

    Five queries, whatever the number of decisions and items; none without a decision. The snapshots are read.
    """
    ids = [decision.pk for decision in decisions]
    if not ids:
        return {}
    whole = list(Decision.objects.filter(pk__in=ids).select_related("by", "environment"))
    conditions: dict[int, list[Condition]] = {}
    for condition in Condition.objects.filter(decision__in=ids).select_related("owner", "item__entry"):
        conditions.setdefault(condition.decision_id, []).append(condition)
    first = min(decision.at for decision in whole)
    services = {decision.environment.service_id for decision in whole}
    ended = _ended_early(services, first)
    lenders = _lenders_archived(services, first)
    found = {}
    for decision in whole:
        now = {
            item.pk: _item_now(entry, item, ended.get(item.pk, ()), decision.environment, lenders, at)
            for entry, item in sheets.get(decision.environment_id, ())
        }
        found[decision.environment_id] = _coverage(decision, now, conditions.get(decision.pk, []), at)
    return found


def _coverage(decision: Decision, now: Mapping[int, ItemNow], conditions: list[Condition], at: datetime) -> Coverage:
    snapshot = read(decision.snapshot) if hash_of(decision.snapshot) == decision.hash else None
    go = decision.kind != DecisionKind.NO_GO and snapshot is not None
    frozen = snapshot.items if snapshot is not None else ()
    return Coverage(
        decision=decision,
        at=at,
        snapshot=snapshot,
        facts=worse(frozen, now, map(_wait, conditions), decided_at=decision.at, at=at) if go else [],
        appeared=appeared(frozen, now, at=at) if go else [],
        conditions=conditions,
    )


def _wait(condition: Condition) -> Wait:
    return Wait(item=condition.item_id, until=condition.until, discharged_at=condition.discharged_at)


def _item_now(
    entry: Entry,
    item: Item,
    ended: Iterable[tuple[Grant | None, LeftOut | None]],
    environment: Environment,
    lenders: Mapping[int, Sequence[datetime]],
    at: datetime,
) -> ItemNow:
    exchanged: list[datetime] = []
    if entry.build_bound and item.environment_id is not None:
        exchanged = [*lenders.get(item.service_id, ())]
        if environment.build_since is not None:
            exchanged.append(environment.build_since)
    return ItemNow(
        item=item.pk,
        entry=entry.slug,
        title=entry.title,
        facts=item.facts,
        ended=tuple(_as_it_was(item, waiver, left_out, at) for waiver, left_out in ended),
        exchanged=tuple(exchanged),
    )


def _as_it_was(item: Item, waiver: Grant | None, left_out: LeftOut | None, at: datetime) -> ItemFacts:
    return fold_item(item.clauses, waiver=waiver, left_out=left_out, first_met_at=item.first_met_at, at=at)


def _ended_early(services: Iterable[int], since: datetime) -> dict[int, list[tuple[Grant | None, LeftOut | None]]]:
    """Return the grants that somebody ended after an instant, by item, each up to where it held. Two queries."""
    found: dict[int, list[tuple[Grant | None, LeftOut | None]]] = {}
    over = {"item__service__in": list(services), "granted": True, "ended_at__gt": since}
    for waiver in Waiver.objects.filter(**over):
        if waiver.decided_at is not None and waiver.ended_at is not None:
            end = min(waiver.until, waiver.ended_at)
            grant = Grant(start=waiver.decided_at, end=end, clauses=frozenset(waiver.clauses))
            found.setdefault(waiver.item_id, []).append((grant, None))
    for one in NotApplicable.objects.filter(**over):
        if one.decided_at is not None:
            found.setdefault(one.item_id, []).append((None, LeftOut(start=one.decided_at, end=one.ended_at)))
    return found


def _lenders_archived(services: Iterable[int], since: datetime) -> dict[int, list[datetime]]:
    """Return when environments of services were archived after an instant: they lend nothing from then on."""
    found: dict[int, list[datetime]] = {}
    gone = Environment.objects.filter(service__in=list(services), archived_at__gt=since)
    for service, archived_at in gone.values_list("service", "archived_at"):
        if archived_at is not None:
            found.setdefault(service, []).append(archived_at)
    return found
