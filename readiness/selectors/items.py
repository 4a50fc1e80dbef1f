"""One item in full: its clauses, evidence, requests, runs and history."""

from dataclasses import dataclass
from datetime import datetime

from readiness.enums.standing import Status
from readiness.enums.words import Outcome
from readiness.models import Clause, Environment, Event, Evidence, Item, NotApplicable, Run, User, Waiver
from readiness.observers import Observer, observers
from readiness.rules.folding import ClauseFacts
from readiness.rules.status import status_at

from .clauses import clause_facts
from .histories import Line, lines


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseView:
    """One clause as the page shows it.

    ``observed`` is the newest statement of its probe, ``attested`` the standing tick; each None where there is none.
    ``contradicted`` says that a fail counts against a tick that stands.
    """

    clause: Clause
    observer: Observer | None
    observed: Evidence | None
    attested: Evidence | None
    unsupported: Evidence | None
    met: bool
    failing: bool
    contradicted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDetail:
    """What the item's page shows, at an instant, on one environment's sheet."""

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
    open_runs: list[Run]
    history: list[Line]
    members: list[User]

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
    evidence = list(Evidence.objects.filter(item=item).select_related("by", "run").prefetch_related("links")[:50])
    facts = {one.clause: one for one in clause_facts(item)}
    probes = [known[slug] for slug in dict.fromkeys(clause.probe for clause in clauses) if slug in known]
    runs = list(
        Run.objects.filter(environment=environment, probe__in=[probe.slug for probe in probes])
        .select_related("asked_by")
        .order_by("-queued_at", "-id")[:20]
    )
    waivers = list(item.waivers.select_related("asked_by", "decided_by", "ended_by"))
    not_applicables = list(item.notapplicables.select_related("asked_by", "decided_by", "ended_by"))
    return ItemDetail(
        environment=environment,
        item=item,
        status=status_at(item.facts, at),
        clauses=[_clause_view(clause, facts[clause.slug], evidence, known, at) for clause in clauses],
        evidence=evidence,
        waivers=waivers,
        not_applicables=not_applicables,
        request=_waiting(waivers, not_applicables),
        standing_waiver=next((one for one in waivers if one.standing and one.until > at), None),
        standing_not_applicable=next((one for one in not_applicables if one.standing), None),
        probes=probes,
        runs=runs,
        open_runs=[run for run in runs if run.is_open],
        history=lines(Event.objects.filter(item=item)[:50]),
        members=list(
            User.objects.filter(memberships__team=item.service.team, is_active=True).order_by("first_name", "username")
        ),
    )


def _waiting(waivers: list[Waiver], others: list[NotApplicable]) -> Waiver | NotApplicable | None:
    asked: list[Waiver | NotApplicable] = [*waivers, *others]
    return next((one for one in asked if one.waiting), None)


def _clause_view(
    clause: Clause, facts: ClauseFacts, evidence: list[Evidence], known: dict[str, Observer], at: datetime
) -> ClauseView:
    mine = [one for one in evidence if one.clause == clause.slug]
    words = [one for one in mine if one.by_id is not None]
    observed = next((one for one in mine if one.run_id is not None), None)
    newest = words[0] if words and words[0].outcome == Outcome.PASS else None
    holds = newest is not None and newest.supported and newest.valid_until is not None and at < newest.valid_until
    failing = facts.failing_since is not None and facts.failing_since <= at
    return ClauseView(
        clause=clause,
        observer=known.get(clause.probe),
        observed=observed,
        attested=newest if holds else None,
        unsupported=newest if newest is not None and not newest.supported else None,
        met=facts.met_at(at) and not failing,
        failing=failing,
        contradicted=failing and holds,
    )
