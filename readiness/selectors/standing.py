"""Where an environment stands at any instant: now, as it was known in the past, or as far as the future is known."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import TypeVar

from django.db.models import Q
from django.utils import timezone

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind
from readiness.models import Entry, Environment, Event, Item, NotApplicable, Waiver
from readiness.observers import observers
from readiness.rules import forecasts
from readiness.rules.folding import ClauseFacts, Grant, LeftOut, fold_item
from readiness.rules.forecasts import Cause, Reversal
from readiness.rules.status import ItemFacts
from readiness.rules.steps import Step, next_step
from readiness.rules.verdicts import Stand, Tally, Under, stand_at, tally

from .clauses import ARCHIVED, RESTORED, clause_facts_of
from .grounds import Ground, ground_of, running_of, scheduled
from .ownership import with_owners
from .past import entries_asked_at, environment_at
from .requests import grant_of, left_out_by
from .steps import as_asked, watches
from .strips import Strip, entries_at, strip

R = TypeVar("R", Waiver, NotApplicable)


class Known(StrEnum):
    """How an instant is judged."""

    NOW = "now"
    REPLAYED = "replayed"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStanding:
    """One item of a sheet at an instant, with what its status follows from."""

    entry: Entry
    item: Item
    facts: ItemFacts
    clauses: Sequence[ClauseFacts]
    waiver: Grant | None
    left_out: LeftOut | None
    stand: Stand

    @property
    def status(self) -> Status:
        """Where it stands."""
        return self.stand.status


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One scheduled reversal of a sheet: which item gets worse when, and why. ``clause`` is its text, or empty."""

    entry: Entry
    item: Item
    reversal: Reversal
    clause: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocker:
    """One item that keeps a sheet from being ready: its owner, and what to do next."""

    entry: Entry
    item: Item
    status: Status
    step: Step


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """An environment at an instant.

    ``turns`` are the reversals between now and an instant to come, in order; ``blockers`` has one line for each item
    that is not settled: settling them all makes the sheet ready, and leaving one out does not.
    """

    environment: Environment
    at: datetime
    known: Known
    items: list[ItemStanding]
    tally: Tally
    strip: Strip
    under: Under | None
    turns: list[Turn]
    blockers: list[Blocker]


def launch_instant(launch_on: date) -> datetime:
    """Return the instant at which a launch date is judged: its first, in the site's time zone."""
    return datetime.combine(launch_on, time.min, tzinfo=timezone.get_current_timezone())


def exists_at(environment: Environment, at: datetime, *, now: datetime) -> bool:
    """Return whether an environment has a verdict at an instant: it was added by then and was not archived.

    One query for an instant past: the ledger tells what was archived then and brought back since.
    """
    if environment.added_at is not None and at < environment.added_at:
        return False
    if at >= now:
        return environment.archived_at is None and environment.service.archived_at is None
    mine = Q(environment=environment, kind__startswith="environment.") | Q(
        environment=None, kind__startswith="service."
    )
    moves = Event.objects.filter(mine, service=environment.service_id, at__lte=at, kind__in=_MOVES)
    newest = {kind.partition(".")[0]: kind for kind in moves.order_by("id").values_list("kind", flat=True)}
    return not any(kind.endswith(".archived") for kind in newest.values())


_MOVES = (ARCHIVED, RESTORED, "service.archived", "service.restored")


def verdict(environment: Environment, *, at: datetime, now: datetime) -> Standing | None:
    """Return where an environment stands at an instant; None where it has no verdict then.

    An instant past is judged by what was recorded by then: a few queries for each clause that probes observe. For an
    instant to come, probes that pass now on a schedule are taken to keep passing, and what needs a person or a drill
    ends when it ends: about a dozen queries, whatever the number of items, like now.
    """
    if not exists_at(environment, at, now=now):
        return None
    if at < now:
        environment = environment_at(environment, at)
    asked = (entries_asked_at if at < now else entries_at)(at, team_id=environment.service.team_id)
    entries = [entry for entry in asked if entry.applies_to(environment.kind)]
    items = items_answering(environment, entries)
    pairs = [(entry, items[entry.pk]) for entry in entries if entry.pk in items]
    if at >= now:
        return standing_of(ground_of(environment, entries, items.values(), now), entries, pairs, at=at, now=now)
    ground = ground_of(environment, entries, items.values(), at, known_by=at)
    return _assemble(ground, entries, _replayed(pairs, at), Known.REPLAYED, at, at)


def standing_of(
    ground: Ground, entries: Sequence[Entry], pairs: Sequence[tuple[Entry, Item]], *, at: datetime, now: datetime
) -> Standing:
    """Return how the items of a sheet stand now, or are taken to stand at an instant to come.

    ``entries`` are those that count at the instant. No query for now, four for what is to come.
    """
    known = Known.NOW if at == now else Known.FORECAST
    return _assemble(ground, entries, _from_now_on(ground, pairs, at, now), known, at, now)


def _assemble(
    ground: Ground, entries: Sequence[Entry], standings: list[ItemStanding], known: Known, at: datetime, now: datetime
) -> Standing:
    under = ground.under
    return Standing(
        environment=ground.environment,
        at=at,
        known=known,
        items=standings,
        tally=tally([one.stand for one in standings], under=under, at=at),
        strip=strip(entries, {one.entry.pk: one.status for one in standings}),
        under=under,
        turns=_turns(standings, ground, after=now, until=at) if known is Known.FORECAST else [],
        blockers=_blockers(standings, ground, at),
    )


def items_answering(environment: Environment, entries: Iterable[Entry]) -> dict[int, Item]:
    """Return the items that a sheet shows, by entry: the environment's own and its service's. One query."""
    mine = Q(environment=environment) | Q(environment=None, service=environment.service_id)
    found = Item.objects.filter(mine, entry__in=[entry.pk for entry in entries])
    return {item.entry_id: item for item in with_owners(found.select_related("entry", "service", "environment"))}


def _replayed(pairs: Sequence[tuple[Entry, Item]], at: datetime) -> list[ItemStanding]:
    """Return items as they were known at an instant past: from the evidence, waivers and builds recorded by then."""
    items = [item for _, item in pairs]
    known = clause_facts_of(items, known_by=at)
    waivers, left_out = _granted(Waiver, items, at), _granted(NotApplicable, items, at)
    found = []
    for entry, item in pairs:
        waiver, left = grant_of(waivers.get(item.pk)), left_out_by(left_out.get(item.pk), entry)
        first_met_at = item.first_met_at if item.first_met_at and item.first_met_at <= at else None
        facts = fold_item(known[item.pk], waiver=waiver, left_out=left, first_met_at=first_met_at, at=at)
        found.append(
            ItemStanding(
                entry=entry,
                item=item,
                facts=facts,
                clauses=known[item.pk],
                waiver=waiver,
                left_out=left,
                stand=stand_at(item.pk, facts, at),
            )
        )
    return found


def _granted(kind: type[R], items: Iterable[Item], at: datetime) -> dict[int, R]:
    """Return what was granted about items and stood at an instant past, by item: the first where there are several."""
    standing_then = Q(ended_at=None) | Q(ended_at__gt=at)
    rows = kind.objects.filter(standing_then, item__in=[one.pk for one in items], granted=True, decided_at__lte=at)
    found: dict[int, R] = {}
    for one in rows:
        found.setdefault(one.item_id, one)
    return found


def _from_now_on(
    ground: Ground, pairs: Sequence[tuple[Entry, Item]], at: datetime, now: datetime
) -> list[ItemStanding]:
    """Return items as they stand now, or as they are taken to stand at an instant to come."""
    environment = ground.environment
    running = running_of([environment.service_id], ground.off) if at > now else {}
    found = []
    for entry, item in pairs:
        waiver, left_out = ground.waivers.get(item.pk), left_out_by(ground.left_out.get(item.pk), entry)
        clauses: Sequence[ClauseFacts] = item.clauses
        facts = item.facts
        if at > now:
            passing = scheduled(environment, entry, ground.clauses.get(entry.pk, ()), running)
            clauses = forecasts.keep_passing(clauses, scheduled=passing, now=now)
            facts = fold_item(clauses, waiver=waiver, left_out=left_out, first_met_at=item.first_met_at, at=now)
        found.append(
            ItemStanding(
                entry=entry,
                item=item,
                facts=facts,
                clauses=clauses,
                waiver=waiver,
                left_out=left_out,
                stand=stand_at(item.pk, facts, at),
            )
        )
    return found


def _turns(standings: Sequence[ItemStanding], ground: Ground, *, after: datetime, until: datetime) -> list[Turn]:
    found: list[Turn] = []
    for one in standings:
        texts = {clause.slug: clause.text for clause in ground.clauses.get(one.entry.pk, ())}
        found += [
            Turn(entry=one.entry, item=one.item, reversal=reversal, clause=texts.get(reversal.clause, ""))
            for reversal in _reversals(one, ground.under, after=after, until=until)
        ]
    return sorted(found, key=lambda turn: turn.reversal.at)


def _reversals(one: ItemStanding, under: Under | None, *, after: datetime, until: datetime) -> list[Reversal]:
    found = []
    begins = one.entry.counts_from
    if begins is not None and after < begins <= until:
        after = begins
        status = stand_at(one.item.pk, one.facts, begins).status
        if not status.settled:
            found.append(
                Reversal(
                    at=begins,
                    cause=Cause.BEGINS_TO_COUNT,
                    clause="",
                    before=Status.NOT_APPLICABLE,
                    after=status,
                )
            )
    found += forecasts.reversals(
        one.clauses, one.facts, waiver=one.waiver, left_out=one.left_out, after=after, until=until
    )
    ends = under.conditions.get(one.item.pk) if under and under.kind == DecisionKind.GO_WITH_CONDITIONS else None
    if ends is not None and after < ends <= until:
        status = stand_at(one.item.pk, one.facts, ends).status
        if not status.settled:
            found.append(Reversal(at=ends, cause=Cause.CONDITION_ENDS, clause="", before=status, after=status))
    return found


def _blockers(standings: Sequence[ItemStanding], ground: Ground, at: datetime) -> list[Blocker]:
    watching = watches(ground.environment, observers(), ground.off)
    return [
        Blocker(
            entry=one.entry,
            item=one.item,
            status=one.status,
            step=next_step(
                as_asked(one.clauses, ground.clauses.get(one.entry.pk, ()), watching),
                waits_for_reviewer=one.item.pk in ground.asked,
                at=at,
            ),
        )
        for one in standings
        if not one.status.settled
    ]
