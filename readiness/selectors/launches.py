"""Several environments at once as a review sees them: verdict, what is left, how it will stand, what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import FilteredRelation, Q

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.models import Clause, Decision, Entry, Environment, Item
from readiness.rules.forecasts import forecast
from readiness.rules.status import ItemFacts
from readiness.rules.verdicts import Tally, Under, stand_at, tally

from .coverage import Coverage, Pairs, coverages
from .decisions import newest_decisions, standing_decisions
from .grounds import Running, clauses_of, running_of, scheduled
from .requests import grant_of, left_out_by
from .standing import launch_instant
from .steps import disabled_probes
from .strips import Strip, answered_by, counting, entries_in_order, strip


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One item with its status."""

    entry: Entry
    item: Item
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchLine:
    """One environment. ``at_launch`` is its verdict on its launch date as far as it is known; None without one to come.

    ``items`` are those that count, in the order of the checklist, and ``left`` those of them that are not settled. An
    archived one has neither verdict nor items: ``tally`` is None.
    """

    environment: Environment
    tally: Tally | None
    strip: Strip | None
    items: list[Left]
    left: list[Left]
    decision: Decision | None
    coverage: Coverage | None
    at_launch: Tally | None

    @property
    def is_go(self) -> bool:
        """Whether a go stands on it, with or without conditions."""
        return self.decision is not None and self.decision.kind != DecisionKind.NO_GO


def launch_lines(environments: Sequence[Environment], at: datetime) -> dict[int, LaunchLine]:
    """Return environments as they stand at this instant, by their keys; service, team and billing source are joined.

    Eleven queries at most, whatever their number.
    """
    live = [one for one in environments if one.archived_at is None and one.service.archived_at is None]
    entries = entries_in_order()
    items = _items(live, "owner")
    sheets = {one.pk: _sheet(one, items, counting(entries, at)) for one in live}
    decided = newest_decisions([one.pk for one in environments], at)
    unders = standing_decisions([one.pk for one in live], at)
    covered = coverages([decided[one.pk] for one in live if one.pk in decided], sheets, at)
    ahead = _to_come(live, at)
    forecasts: Mapping[int, Tally] = {}
    if ahead:
        running = running_of({one.service_id for one in ahead}, disabled_probes())
        forecasts = _forecasts(ahead, items, entries, clauses_of(entries), running, unders, now=at)
    found = {}
    for one in environments:
        pairs = sheets.get(one.pk)
        stands = [stand_at(item.pk, item.facts, at) for _, item in pairs or ()]
        statuses = {entry.pk: stand.status for (entry, _), stand in zip(pairs or (), stands, strict=True)}
        answered = counting(answered_by(entries, one.service.team_id), at)
        counted = [Left(entry=entry, item=item, status=statuses[entry.pk]) for entry, item in pairs or ()]
        found[one.pk] = LaunchLine(
            environment=one,
            tally=tally(stands, under=unders.get(one.pk), at=at) if pairs is not None else None,
            strip=strip(answered, statuses) if pairs is not None else None,
            items=counted,
            left=[item for item in counted if not item.status.settled],
            decision=decided.get(one.pk),
            coverage=covered.get(one.pk),
            at_launch=forecasts.get(one.pk),
        )
    return found


_Items = Mapping[tuple[int, int | None], Mapping[int, Item]]
"""Items by entry, by service and environment; those of a service stand under None."""


_NOT_FORECAST = ("owner_id", "due_on", "version", *(name for name in ItemFacts.names() if name != "first_met_at"))
"""Columns of an item that a forecast does not rest on: it folds the clauses anew."""


def _items(environments: Sequence[Environment], *joined: str, deferred: Sequence[str] = ()) -> _Items:
    """Return the items of environments and of their services, with what was granted about each. One query."""
    services, ids = {one.service_id for one in environments}, [one.pk for one in environments]
    mine = Q(service__in=services) & (Q(environment=None) | Q(environment__in=ids))
    found: dict[tuple[int, int | None], dict[int, Item]] = {}
    granted = {
        name: FilteredRelation(kind, condition=Q(**{f"{kind}__granted": True, f"{kind}__ended_at": None}))
        for name, kind in (("waived", "waivers"), ("left_out", "notapplicables"))
    }
    rows = Item.objects.filter(mine, entry__retired_at=None).annotate(**granted)
    for item in rows.select_related(*joined, *granted).defer(*deferred):
        found.setdefault((item.service_id, item.environment_id), {})[item.entry_id] = item
    return found


def _sheet(environment: Environment, items: _Items, entries: Iterable[Entry]) -> Pairs:
    """Return the items that count on a sheet, in the order of the checklist."""
    service = environment.service_id
    mine = {**items.get((service, None), {}), **items.get((service, environment.pk), {})}
    answered = answered_by(entries, environment.service.team_id)
    return [(one, mine[one.pk]) for one in answered if one.applies_to(environment.kind) and one.pk in mine]


def forecasts_of(
    environments: Iterable[Environment],
    entries: Sequence[Entry],
    clauses: Mapping[int, Sequence[Clause]],
    running: Running,
    unders: Mapping[int, Under],
    at: datetime,
) -> dict[int, Tally]:
    """Return the verdict of live environments on the launch dates that are to come, by their keys, as known now.

    Service, team and billing source are joined, and clauses are by entry. One query, whatever their number; none for
    none.
    """
    ahead = _to_come(environments, at)
    items = _items(list(ahead), deferred=_NOT_FORECAST) if ahead else {}
    return _forecasts(ahead, items, entries, clauses, running, unders, now=at)


def _to_come(environments: Iterable[Environment], at: datetime) -> dict[Environment, datetime]:
    """Return which of the environments launch after an instant, each with when."""
    launches = {one: launch_instant(one.launch_on) for one in environments if one.launch_on}
    return {one: launch for one, launch in launches.items() if launch > at}


def _forecasts(
    environments: Mapping[Environment, datetime],
    items: _Items,
    entries: Sequence[Entry],
    clauses: Mapping[int, Sequence[Clause]],
    running: Running,
    unders: Mapping[int, Under],
    *,
    now: datetime,
) -> dict[int, Tally]:
    """Return the verdict of each environment at its launch, as far as it is known now. No query."""
    sheets = {one.pk: _sheet(one, items, counting(entries, at)) for one, at in environments.items()}
    found = {}
    for one, at in environments.items():
        stands = []
        for entry, item in sheets[one.pk]:
            facts = forecast(
                item.clauses,
                waiver=grant_of(getattr(item, "waived", None)),
                left_out=left_out_by(getattr(item, "left_out", None), entry),
                first_met_at=item.first_met_at,
                scheduled=scheduled(one, entry, clauses.get(entry.pk, ()), running),
                now=now,
            )
            stands.append(stand_at(item.pk, facts, at))
        found[one.pk] = tally(stands, under=unders.get(one.pk), at=at)
    return found
