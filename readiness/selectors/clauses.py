"""Where each clause of an item stands, read from its evidence: now, or as it was known at an instant past."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from django.db.models import Q, QuerySet

from readiness.enums.words import Kind, Outcome
from readiness.models import Clause, Deployment, Environment, Event, Evidence, Item
from readiness.rules.folding import CONFIRMED_AFTER, ClauseFacts, ClauseRule, Ran, Statement, fold_clause

from .past import kind_at

ARCHIVED, RESTORED = "environment.archived", "environment.restored"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


def wanting_links(entries: Iterable[int]) -> set[int]:
    """Return those of some entries with a clause of which a tick counts only with a link. One query."""
    wanting = Clause.objects.filter(entry__in=set(entries), retired_at=None, tick_needs_link=True)
    return set(wanting.values_list("entry_id", flat=True))


def clause_facts(item: Item, *, known_by: datetime | None = None) -> list[ClauseFacts]:
    """Return where each clause of an item stands, from what was recorded by an instant (None: all there is).

    Two queries, one to seven for each observed clause, and four more where builds matter; all its rows where an older
    pass may come back, by a rollback or by hand. The item's entry, its service and its environment are joined.
    """
    return clause_facts_of([item], known_by=known_by)[item.pk]


def clause_facts_of(items: Sequence[Item], *, known_by: datetime | None = None) -> dict[int, list[ClauseFacts]]:
    """Return the same for several items of one service, by their keys.

    Two queries for all of them, four more for each environment where builds matter, and those of observed clauses.
    """
    asked = Q(retired_at=None) | Q(retired_at__gt=known_by) if known_by else Q(retired_at=None)
    clauses: dict[int, list[Clause]] = {}
    for clause in Clause.objects.filter(asked, entry__in={item.entry_id for item in items}).order_by("position"):
        clauses.setdefault(clause.entry_id, []).append(clause)
    said = Evidence.objects.filter(item__in=[item.pk for item in items], by__isnull=False)
    by_people: dict[tuple[int, str], list[Statement]] = {}
    for evidence in said.filter(recorded_at__lte=known_by) if known_by else said:
        by_people.setdefault((evidence.item_id, evidence.clause), []).append(_statement(evidence, {}))
    places: dict[int, _Place] = {}
    found = {}
    for item in items:
        stream = _stream(item, known_by, places, items)
        mine = clauses.get(item.entry_id, [])
        found[item.pk] = [_fold(clause, stream, by_people.get((item.pk, clause.slug), [])) for clause in mine]
    return found


def standing_fails(item: Item, facts: ClauseFacts) -> QuerySet[Evidence]:
    """Return the fails on a clause that nothing lifted, with those that production takes over, as they were folded."""
    if facts.failed is None:
        return Evidence.objects.none()
    first = Evidence.objects.get(pk=facts.failed)
    later = Q(observed_at__gt=first.observed_at) | Q(observed_at=first.observed_at, id__gte=first.pk)
    return _stream(item, None, {}, [item]).rows(facts.clause).filter(later, outcome=Outcome.FAIL)


def rule_of(clause: Clause, *, build_bound: bool) -> ClauseRule:
    """Return how a clause is folded."""
    return ClauseRule(
        slug=clause.slug,
        build_bound=build_bound,
        counts_from=clause.counts_from,
        meanings={int(number): datetime.fromisoformat(at) for number, at in clause.meanings.items()},
    )


class _Place:
    """What an environment ran and was, as it was known at an instant (None: now); each is read once, where it is asked.

    ``lent`` are the items of its service that answer what ``items`` answer, in environments that were not archived, by
    entry, each with its environment.
    """

    def __init__(self, environment: Environment, known_by: datetime | None, items: Iterable[Item]) -> None:
        self.environment, self.known_by = environment, known_by
        self._entries = {item.entry_id for item in items}

    @cached_property
    def runs(self) -> Deployment | None:
        return deployments(self.environment, self.known_by).order_by("-at", "-id").first()

    @cached_property
    def kind(self) -> str:
        return kind_at(self.environment, self.known_by) if self.known_by else self.environment.kind

    @cached_property
    def lent(self) -> Mapping[int, Mapping[int, int]]:
        rows = Item.objects.filter(entry__in=self._entries, service=self.environment.service_id)
        away = archived_environments(self.environment.service_id, self.known_by)
        found: dict[int, dict[int, int]] = {}
        for entry, pk, place in rows.values_list("entry_id", "pk", "environment_id"):
            if place is not None and place not in away:
                found.setdefault(entry, {})[pk] = place
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stream:
    """What probes said about an item, with what production takes from others. ``lenders`` are environments by item.

    ``place`` is the item's environment where builds matter.
    """

    item: Item
    place: _Place | None
    build: str
    lenders: Mapping[int, int]
    known_by: datetime | None

    def rows(self, clause: str) -> QuerySet[Evidence]:
        mine = Q(item=self.item)
        if self.lenders:
            mine |= Q(item__in=list(self.lenders), build=self.build)
        rows = Evidence.objects.filter(mine, clause=clause, run__isnull=False)
        return rows.filter(recorded_at__lte=self.known_by) if self.known_by else rows

    def ran(self, since: datetime | None) -> list[Ran]:
        """Return what the environment ran since an instant, with what it ran then; only what it runs now for None."""
        if self.place is None:
            return []
        before, after = self.place.runs, Deployment.objects.none()
        if since is not None:
            rows = deployments(self.place.environment, self.known_by)
            before = rows.filter(at__lte=since).order_by("-at", "-id").first()
            after = rows.filter(at__gt=since).order_by("at", "id")
        found = [Ran(since=before.at, build=before.build) if before else Ran(since=LONG_AGO, build="")]
        return found + [Ran(since=one.at, build=one.build) for one in after]


def archived_environments(service_id: int, known_by: datetime | None) -> set[int]:
    """Return which environments of a service were archived by themselves at an instant (None: now). One query.

    The ledger is asked of the past: an environment may have been brought back since.
    """
    if known_by is None:
        away = Environment.objects.filter(service=service_id, archived_at__isnull=False)
        return set(away.values_list("pk", flat=True))
    moves = Event.objects.filter(
        service=service_id, environment__isnull=False, kind__in=[ARCHIVED, RESTORED], at__lte=known_by
    )
    newest = dict(moves.order_by("id").values_list("environment_id", "kind"))
    return {environment for environment, kind in newest.items() if environment is not None and kind == ARCHIVED}


def deployments(environment: Environment, known_by: datetime | None) -> QuerySet[Deployment]:
    """Return what an environment ran, as it was known at an instant (None: now)."""
    rows = Deployment.objects.filter(environment=environment)
    return rows if known_by is None else rows.filter(at__lte=known_by)


def _stream(item: Item, known_by: datetime | None, places: dict[int, _Place], items: Sequence[Item]) -> _Stream:
    """Return the observations that an item is folded from. ``places`` are those of ``items`` that were looked at.

    Production takes what was observed of a build-bound clause on the build that it runs itself, in any live environment
    of its service (design section 4; docs/decisions/0008-what-production-takes-over.md).
    """
    environment = item.environment
    if environment is None or not item.entry.build_bound:
        return _Stream(item=item, place=None, build="", lenders={}, known_by=known_by)
    place = places.setdefault(environment.pk, _Place(environment, known_by, items))
    build = place.runs.build if place.runs else ""
    lenders: dict[int, int] = {}
    if build and place.kind == Kind.PROD:
        lenders = {pk: there for pk, there in place.lent.get(item.entry_id, {}).items() if pk != item.pk}
    return _Stream(item=item, place=place, build=build, lenders=lenders, known_by=known_by)


def _fold(clause: Clause, stream: _Stream, words: list[Statement]) -> ClauseFacts:
    rule = rule_of(clause, build_bound=stream.item.entry.build_bound)
    if not clause.probe:
        return fold_clause(rule, words)
    rows = stream.rows(clause.slug)
    newest = rows.order_by("-observed_at", "-id").first()
    if newest is None:
        return fold_clause(rule, words, ran=stream.ran(None))
    retired = max((one.order for one in words if one.outcome == Outcome.RETIRED), default=None)
    passed = newest if newest.outcome == Outcome.PASS else _newest_pass(rows)
    fails = list(_fails(rows, passed, retired)) if newest.outcome == Outcome.FAIL else []
    ran = stream.ran(fails[0].observed_at if fails else None)
    chosen = [one for one in [passed, *_counted(rows, passed, stream, ran)] if one is not None]
    if len(chosen) > 1 or (passed and retired and (passed.observed_at, passed.pk) < retired):
        ran, chosen = stream.ran(LONG_AGO), list(rows)  # Whether an older pass comes back hangs on all that was said.
    said = {one.pk: one for one in [*chosen, *fails]}
    return fold_clause(rule, [*words, *(_statement(one, stream.lenders) for one in said.values())], ran=ran)


def _fails(
    rows: QuerySet[Evidence], passed: Evidence | None, retired: tuple[datetime, int] | None
) -> Iterator[Evidence]:
    """Yield the fails that can matter: the first that nothing lifted, the first that confirms it, the first drill's."""
    lifted = max(filter(None, [retired, (passed.observed_at, passed.pk) if passed else None]), default=None)
    after = rows.filter(outcome=Outcome.FAIL).order_by("observed_at", "id")
    if lifted is not None:
        after = after.filter(Q(observed_at__gt=lifted[0]) | Q(observed_at=lifted[0], id__gt=lifted[1]))
    first = after.first()
    if first is None:
        return
    yield first
    yield from filter(None, [after.filter(observed_at__gte=first.observed_at + CONFIRMED_AFTER).first()])
    yield from filter(None, [after.filter(drill=True).first()])


def _counted(
    rows: QuerySet[Evidence], passed: Evidence | None, stream: _Stream, ran: Sequence[Ran]
) -> Iterator[Evidence | None]:
    """Yield the newest pass on each build that the environment ran, where that is not the newest pass of all."""
    if passed is None or not ran:
        return
    for build in {one.build for one in ran}:
        if build and passed.build != build:
            yield _newest_pass(rows.filter(build=build))
        elif not build and passed.item_id != stream.item.pk:
            yield _newest_pass(rows.filter(item=stream.item))


def _newest_pass(rows: QuerySet[Evidence]) -> Evidence | None:
    return rows.filter(outcome=Outcome.PASS).order_by("-observed_at", "-id").first()


def _statement(evidence: Evidence, lenders: Mapping[int, int]) -> Statement:
    return Statement(
        id=evidence.pk,
        outcome=Outcome(evidence.outcome),
        observed_at=evidence.observed_at,
        valid_until=evidence.valid_until,
        true_until=evidence.true_until,
        by_person=evidence.by_id is not None,
        supported=evidence.supported,
        drill=evidence.drill,
        build=evidence.build,
        meaning=evidence.meaning,
        lent_by=lenders.get(evidence.item_id),
    )
