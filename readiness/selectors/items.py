"""One item in full: its clauses, evidence, requests, runs and history."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from readiness.enums.standing import Status
from readiness.enums.words import Outcome
from readiness.models import (
    Clause,
    Comment,
    Disabling,
    Environment,
    Event,
    Evidence,
    Item,
    NotApplicable,
    Run,
    User,
    Waiver,
)
from readiness.observers import Observer, observers
from readiness.rules.folding import ClauseFacts
from readiness.rules.status import status_at

from .clauses import clause_facts
from .disablings import standing_disablings
from .histories import Line, lines
from .retiring import retirable
from .trails import trail

MOST_COMMENTS = 100
"""So many comments are shown, the newest of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseView:
    """One clause as the page shows it.

    ``observed`` is the newest statement of its probe, here or where production takes it over from, ``attested`` the
    standing tick; each None where there is none. ``contradicted`` says that a fail counts against a tick that stands,
    ``retired`` is what retired the fail that was observed last.
    """

    clause: Clause
    observer: Observer | None
    observed: Evidence | None
    attested: Evidence | None
    unsupported: Evidence | None
    retired: Evidence | None
    met: bool
    failing: bool
    contradicted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDetail:
    """What the item's page shows, at an instant, on one environment's sheet.

    ``batch`` is what waits of all that was asked with its request; ``disabled`` is what switched its probes off
    here, ``retirable`` the clauses with a fail that a reviewer may retire.
    """

    environment: Environment
    item: Item
    status: Status
    clauses: list[ClauseView]
    evidence: list[Evidence]
    waivers: list[Waiver]
    not_applicables: list[NotApplicable]
    request: Waiver | NotApplicable | None
    standing_waiver: Waiver | None
    standing_not_applicable: NotApplicable | None
    probes: list[Observer]
    runs: list[Run]
    trails: dict[str, list[Run]]
    open_runs: list[Run]
    history: list[Line]
    comments: list[Comment]
    members: list[User]
    batch: list[NotApplicable]
    disabled: dict[str, Disabling]
    retirable: list[str]

    @property
    def looking(self) -> list[Observer]:
        """The probes that are not disabled here."""
        return [probe for probe in self.probes if probe.slug not in self.disabled]

    @property
    def newest_runs(self) -> list[Run]:
        """The newest run of each probe."""
        found: dict[str, Run] = {}
        for run in self.runs:
            found.setdefault(run.probe, run)
        return list(found.values())

    @property
    def can_take_back(self) -> bool:
        """Whether a tick stands."""
        return any(view.attested or view.unsupported for view in self.clauses)

    @property
    def unobserved(self) -> list[str]:
        """Slugs of probes that the entry names and that are not installed."""
        installed = {probe.slug for probe in self.probes}
        return list(
            dict.fromkeys(v.clause.probe for v in self.clauses if v.clause.probe and v.clause.probe not in installed)
        )


def item_detail(environment: Environment, item: Item, at: datetime) -> ItemDetail:
    """Return one item with everything known of it; the newest fifty statements and twenty runs."""
    known = observers()
    clauses = list(Clause.objects.filter(entry_id=item.entry_id, retired_at=None).order_by("position"))
    statements = Evidence.objects.filter(item=item).select_related("by", "run").prefetch_related("links")
    evidence = list(statements[:50])
    said = list(statements.filter(by__isnull=False)[:50])
    observed = {clause.slug: _observed(statements, clause, evidence) for clause in clauses}
    facts = {one.clause: one for one in clause_facts(item)}
    lent = _lent(item, facts.values())
    probes = [known[slug] for slug in dict.fromkeys(clause.probe for clause in clauses) if slug in known]
    runs = list(
        Run.objects.filter(environment=environment, probe__in=[probe.slug for probe in probes])
        .select_related("asked_by")
        .order_by("-queued_at", "-id")[:20]
    )
    waivers = list(item.waivers.select_related("asked_by", "decided_by", "ended_by"))
    not_applicables = list(item.notapplicables.select_related("asked_by", "decided_by", "ended_by"))
    request = _waiting(waivers, not_applicables)
    return ItemDetail(
        environment=environment,
        item=item,
        status=status_at(item.facts, at),
        clauses=[
            _clause_view(
                clause,
                facts[clause.slug],
                _later(observed[clause.slug], lent.get(clause.slug)),
                said,
                known.get(clause.probe),
                at,
            )
            for clause in clauses
        ],
        evidence=evidence,
        waivers=waivers,
        not_applicables=not_applicables,
        request=request,
        standing_waiver=next((one for one in waivers if one.standing and one.until > at), None),
        standing_not_applicable=next((one for one in not_applicables if one.standing), None),
        probes=probes,
        runs=runs,
        trails={probe.slug: trail(environment, probe.slug) for probe in probes},
        open_runs=[run for run in runs if run.is_open],
        history=lines(Event.objects.filter(item=item)[:50]),
        comments=_comments(item),
        members=list(
            User.objects.filter(memberships__team=item.service.team, is_active=True).order_by("first_name", "username")
        ),
        batch=_asked_with(request),
        disabled=standing_disablings(environment),
        retirable=retirable(item, list(facts.values())),
    )


def _comments(item: Item) -> list[Comment]:
    """Return the newest comments on an item, the first of them first."""
    newest = Comment.objects.filter(item=item).select_related("by").order_by("-at", "-id")[:MOST_COMMENTS]
    return list(reversed(newest))


def _waiting(waivers: list[Waiver], others: list[NotApplicable]) -> Waiver | NotApplicable | None:
    asked: list[Waiver | NotApplicable] = [*waivers, *others]
    return next((one for one in asked if one.waiting), None)


def _asked_with(request: Waiver | NotApplicable | None) -> list[NotApplicable]:
    """Return what waits of the batch of a request, itself among them; nothing for what was asked alone."""
    if not isinstance(request, NotApplicable) or not request.batch:
        return []
    waiting = NotApplicable.objects.filter(batch=request.batch, decided_at=None, ended_at=None)
    return list(waiting.select_related("item__entry").order_by("item__entry__position"))


def _observed(statements: QuerySet[Evidence], clause: Clause, newest: list[Evidence]) -> Evidence | None:
    """Return what was last observed of a clause: of ``newest``, or of all, since others may have crowded it out."""
    found = next((one for one in newest if one.clause == clause.slug and one.run_id is not None), None)
    if found is None and clause.probe:
        return statements.filter(clause=clause.slug, run__isnull=False).first()
    return found


def _lent(item: Item, facts: Iterable[ClauseFacts]) -> dict[str, Evidence]:
    """Return, by clause, what production takes over from another environment. One query where it takes any."""
    ids = [pk for one in facts for pk in (one.passed, one.failed) if pk is not None]
    if not item.entry.build_bound or not ids:
        return {}
    found = Evidence.objects.filter(pk__in=ids).exclude(item=item).select_related("run", "item__environment__service")
    return {one.clause: one for one in found.order_by("observed_at", "pk")}


def _later(mine: Evidence | None, lent: Evidence | None) -> Evidence | None:
    """Return which of two statements stands: the later one."""
    known = [one for one in (mine, lent) if one is not None]
    return max(known, key=lambda one: (one.observed_at, one.pk), default=None)


def _clause_view(
    clause: Clause,
    facts: ClauseFacts,
    observed: Evidence | None,
    said: list[Evidence],
    observer: Observer | None,
    at: datetime,
) -> ClauseView:
    mine = [one for one in said if one.clause == clause.slug and one.outcome != Outcome.RETIRED]
    newest = mine[0] if mine and _stands(mine[0], at) else None
    counts = next((one for one in mine if one.supported), None)
    attested = counts if counts is not None and _stands(counts, at) else None
    failing = facts.fails_at(at)
    return ClauseView(
        clause=clause,
        observer=observer,
        observed=observed,
        attested=attested,
        unsupported=newest if newest is not None and not newest.supported else None,
        retired=_retired(clause, observed, said),
        met=facts.met_at(at) and not failing,
        failing=failing,
        contradicted=failing and attested is not None,
    )


def _retired(clause: Clause, observed: Evidence | None, said: list[Evidence]) -> Evidence | None:
    """Return what retired the fail that was observed last; None where it is no fail, or nobody did."""
    if observed is None or observed.outcome != Outcome.FAIL:
        return None
    newest = next((one for one in said if one.clause == clause.slug and one.outcome == Outcome.RETIRED), None)
    since = (observed.observed_at, observed.pk)
    return newest if newest is not None and (newest.observed_at, newest.pk) > since else None


def _stands(word: Evidence, at: datetime) -> bool:
    """Return whether a person's word is a tick that is not over."""
    return word.outcome == Outcome.PASS and word.valid_until is not None and at < word.valid_until
