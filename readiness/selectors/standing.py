"""Where an environment stands at any instant: now, as it was known in the past, or as far as the future is known."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind, Judgement, RunState, Scope
from readiness.models import (
    Clause,
    Entry,
    Environment,
    Event,
    Item,
    NotApplicable,
    Run,
    Waiver,
)
from readiness.observers import Observer, observers
from readiness.rules import forecasts
from readiness.rules.folding import ClauseFacts, Grant, LeftOut, fold_item
from readiness.rules.forecasts import Cause, Reversal
from readiness.rules.status import ItemFacts
from readiness.rules.steps import Step, next_step
from readiness.rules.verdicts import Stand, Tally, Under, stand_at, tally

from .clauses import ARCHIVED, RESTORED, clause_facts
from .decisions import under as decided
from .ownership import with_owners
from .requests import grant_of, left_out_by
from .steps import as_asked, asked_of_reviewers, disabled_probes, watches
from .strips import Strip, entries_at, strip


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

    An instant past is judged by what was recorded by then: about ten queries for each item that probes observe. For an
    instant to come, probes that pass now on a schedule are taken to keep passing, and what needs a person or a drill
    ends when it ends: twelve queries, whatever the number of items, like now.
    """
    if not exists_at(environment, at, now=now):
        return None
    asked = entries_at(at, team_id=environment.service.team_id)
    entries = [entry for entry in asked if entry.applies_to(environment.kind)]
    items = items_answering(environment, entries)
    known = Known.NOW if at == now else Known.REPLAYED if at < now else Known.FORECAST
    if known is Known.REPLAYED:
        standings = [_replayed(entry, items[entry.pk], at) for entry in entries if entry.pk in items]
    else:
        standings = from_now_on(environment, [(one, items[one.pk]) for one in entries if one.pk in items], at, now)
    return assemble(environment, entries, standings, known=known, at=at, now=now)


def assemble(
    environment: Environment,
    entries: Sequence[Entry],
    standings: list[ItemStanding],
    *,
    known: Known,
    at: datetime,
    now: datetime,
) -> Standing:
    """Return the verdict of items that are judged already, with what turns until then and what blocks it."""
    under = decided(environment, min(at, now))
    clauses = clauses_of(entries)
    return Standing(
        environment=environment,
        at=at,
        known=known,
        items=standings,
        tally=tally([one.stand for one in standings], under=under, at=at),
        strip=strip(entries, {one.entry.pk: one.status for one in standings}),
        under=under,
        turns=_turns(standings, clauses, under, after=now, until=at) if known is Known.FORECAST else [],
        blockers=_blockers(environment, standings, clauses, at),
    )


def items_answering(environment: Environment, entries: Iterable[Entry]) -> dict[int, Item]:
    """Return the items that a sheet shows, by entry: the environment's own and its service's. One query."""
    mine = Q(environment=environment) | Q(environment=None, service=environment.service_id)
    found = Item.objects.filter(mine, entry__in=[entry.pk for entry in entries])
    return {item.entry_id: item for item in with_owners(found.select_related("entry", "service", "environment"))}


def clauses_of(entries: Iterable[Entry]) -> dict[int, list[Clause]]:
    """Return the clauses of entries that are not retired, in order. One query."""
    found: dict[int, list[Clause]] = {}
    rows = Clause.objects.filter(retired_at=None, entry__in=[entry.pk for entry in entries])
    for clause in rows.order_by("entry_id", "position"):
        found.setdefault(clause.entry_id, []).append(clause)
    return found


def _replayed(entry: Entry, item: Item, at: datetime) -> ItemStanding:
    """Return an item as it was known at an instant past: from the evidence, waivers and builds recorded by then."""
    clauses = clause_facts(item, known_by=at)
    standing_then = Q(ended_at=None) | Q(ended_at__gt=at)
    waiver = grant_of(Waiver.objects.filter(standing_then, item=item, granted=True, decided_at__lte=at).first())
    left = NotApplicable.objects.filter(standing_then, item=item, granted=True, decided_at__lte=at).first()
    left_out = left_out_by(left, entry)
    first_met_at = item.first_met_at if item.first_met_at and item.first_met_at <= at else None
    facts = fold_item(clauses, waiver=waiver, left_out=left_out, first_met_at=first_met_at, at=at)
    return ItemStanding(
        entry=entry,
        item=item,
        facts=facts,
        clauses=clauses,
        waiver=waiver,
        left_out=left_out,
        stand=stand_at(item.pk, facts, at),
    )


def from_now_on(
    environment: Environment, pairs: Sequence[tuple[Entry, Item]], at: datetime, now: datetime
) -> list[ItemStanding]:
    """Return items as they stand now, or as they are taken to stand at an instant to come."""
    ids = [item.pk for _, item in pairs]
    standing = {"item__in": ids, "granted": True, "ended_at": None}
    waivers = {one.item_id: grant_of(one) for one in Waiver.objects.filter(**standing)}
    left = {one.item_id: one for one in NotApplicable.objects.filter(**standing)}
    watching = scheduled(environment, [entry for entry, _ in pairs]) if at > now else {}
    found = []
    for entry, item in pairs:
        waiver, left_out = waivers.get(item.pk), left_out_by(left.get(item.pk), entry)
        clauses: Sequence[ClauseFacts] = item.clauses
        facts = item.facts
        if at > now:
            clauses = forecasts.keep_passing(clauses, scheduled=watching.get(entry.pk, ()), now=now)
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


def scheduled(environment: Environment, entries: Sequence[Entry]) -> dict[int, set[str]]:
    """Return, for each entry, the clauses whose probe runs by itself here.

    Left out are those that it did not pass when it looked last: it could not tell, or it broke. An item of the service
    is observed by a probe that runs on any of its live environments. Five queries.
    """
    known = observers()
    live = list(
        Environment.objects.filter(service=environment.service_id, archived_at=None).select_related(
            "service__team", "billing_source"
        )
    )
    off = disabled_probes()
    here = {slug for slug, one in known.items() if runs_by_itself(one, environment, off)}
    anywhere = here | {slug for slug, one in known.items() if any(runs_by_itself(one, place, off) for place in live)}
    passed = passed_last(live, anywhere)
    clauses = clauses_of(entries)
    found: dict[int, set[str]] = {}
    for entry in entries:
        of_service = entry.scope == Scope.SERVICE
        running, places = (anywhere, live) if of_service else (here, [environment])
        found[entry.pk] = {
            clause.slug
            for clause in clauses.get(entry.pk, ())
            if clause.probe in running and any((place.pk, clause.probe, clause.slug) in passed for place in places)
        }
    return found


def passed_last(environments: Sequence[Environment], probes: Collection[str]) -> set[tuple[int, str, str]]:
    """Return where a probe passed a clause when it ended last, as environment, probe and clause. Two queries.

    A probe that could not tell, or broke, when it looked last does not pass now.
    """
    ended = Run.objects.filter(environment=OuterRef("pk"), state__in=[RunState.DONE, RunState.ERRORED])
    newest = {
        f"last_{number}": Subquery(ended.filter(probe=probe).order_by("-queued_at", "-id").values("pk")[:1])
        for number, probe in enumerate(sorted(probes))
    }
    if not newest:
        return set()
    places = Environment.objects.filter(pk__in=[place.pk for place in environments])
    ids = [run for runs in places.values_list(*newest.values()) for run in runs if run]
    found = Run.objects.filter(pk__in=ids).values_list("environment_id", "probe", "findings")
    return {
        (environment, probe, finding["clause"])
        for environment, probe, findings in found
        for finding in findings
        if finding["judgement"] == Judgement.PASS
    }


def runs_by_itself(observer: Observer, environment: Environment, off: Collection[tuple[str, int | None]]) -> bool:
    """Return whether a probe looks at an environment by itself, where ``off`` are those that are switched off."""
    if (observer.slug, None) in off or (observer.slug, environment.pk) in off:
        return False
    return not observer.missing(environment)


def _turns(
    standings: Sequence[ItemStanding],
    clauses: Mapping[int, Sequence[Clause]],
    under: Under | None,
    *,
    after: datetime,
    until: datetime,
) -> list[Turn]:
    found: list[Turn] = []
    for one in standings:
        texts = {clause.slug: clause.text for clause in clauses.get(one.entry.pk, ())}
        found += [
            Turn(entry=one.entry, item=one.item, reversal=reversal, clause=texts.get(reversal.clause, ""))
            for reversal in _reversals(one, under, after=after, until=until)
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


def _blockers(
    environment: Environment,
    standings: Sequence[ItemStanding],
    clauses: Mapping[int, Sequence[Clause]],
    at: datetime,
) -> list[Blocker]:
    unsettled = [one for one in standings if not one.status.settled]
    if not unsettled:
        return []
    asked = asked_of_reviewers(one.item.pk for one in unsettled)
    watching = watches(environment, observers(), disabled_probes())
    return [
        Blocker(
            entry=one.entry,
            item=one.item,
            status=one.status,
            step=next_step(
                as_asked(one.clauses, clauses.get(one.entry.pk, ()), watching),
                waits_for_reviewer=one.item.pk in asked,
                at=at,
            ),
        )
        for one in unsettled
    ]
