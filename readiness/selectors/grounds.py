"""What the standing of a sheet rests on beside its items: read once, for every instant that is asked of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from readiness.enums.words import Judgement, RunState, Scope
from readiness.models import Clause, Disabling, Entry, Environment, Item, NotApplicable, Run, Waiver
from readiness.observers import Observer, observers
from readiness.rules.folding import Grant
from readiness.rules.verdicts import Under

from .decisions import under
from .requests import grant_of
from .steps import asked_of_reviewers, disabled_probes


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What an environment's standing rests on: grants by item, clauses by entry, what is asked, off, and decided."""

    environment: Environment
    waivers: Mapping[int, Grant | None]
    left_out: Mapping[int, NotApplicable]
    clauses: Mapping[int, Sequence[Clause]]
    asked: Collection[int]
    off: Collection[tuple[str, int | None]]
    under: Under | None


def ground_of(
    environment: Environment,
    entries: Iterable[Entry],
    items: Iterable[Item],
    at: datetime,
    *,
    known_by: datetime | None = None,
) -> Ground:
    """Return what an environment's standing rests on: ``at`` is when the decision that stands was made at the latest.

    Of an instant past (``known_by``) what was asked of reviewers, switched off and part of an entry is told as it was
    then. Eight queries at most.
    """
    ids = [item.pk for item in items]
    waivers, left_out = grants_on({environment.service_id})
    return Ground(
        environment=environment,
        waivers=waivers,
        left_out=left_out,
        clauses=clauses_of(entries, known_by),
        asked=asked_of_reviewers(ids, known_by),
        off=disabled_probes(known_by),
        under=under(environment, at),
    )


def grants_on(services: Iterable[int]) -> tuple[dict[int, Grant | None], dict[int, NotApplicable]]:
    """Return what stands by item in services: the granted waivers, and what was left out. Two queries.

    They are asked for by service: the items of a page of launches are tens of thousands.
    """
    standing = {"item__service__in": list(services), "granted": True, "ended_at": None}
    waivers = {one.item_id: grant_of(one) for one in Waiver.objects.filter(**standing)}
    return waivers, {one.item_id: one for one in NotApplicable.objects.filter(**standing)}


def clauses_of(entries: Iterable[Entry], known_by: datetime | None = None) -> dict[int, list[Clause]]:
    """Return the clauses of entries that are not retired, or were not by an instant past, in order. One query."""
    found: dict[int, list[Clause]] = {}
    asked = Q(retired_at=None) | Q(retired_at__gt=known_by) if known_by else Q(retired_at=None)
    rows = Clause.objects.filter(asked, entry__in=[entry.pk for entry in entries])
    for clause in rows.order_by("entry_id", "position"):
        found.setdefault(clause.entry_id, []).append(clause)
    return found


Place = tuple[int, int | None]
"""A service with one of its environments, or with None for any of them."""

Running = Mapping[Place, Collection[tuple[str, str]]]
"""What is taken to keep passing where: each probe that runs there by itself, with a clause that it passed last."""


def running_of(services: Iterable[int], off: Collection[tuple[str, int | None]]) -> Running:
    """Return what is taken to keep passing on the live environments of services. One query.

    Left out are clauses that a probe did not pass when it looked last: it could not tell, or it broke. In a service as
    a whole a probe runs where it runs on any of its environments.
    """
    return _running(looked_last(Environment.objects.filter(service__in=list(services))), off)


def running_on(places: Sequence[Environment]) -> Running:
    """Return the same for environments that come from ``looked_last`` and ``with_switches``. No query."""
    switches = _named("off_")
    off = {(slug, one.pk) for one in places for slug, name in switches if getattr(one, name)}
    return _running(places, off)


def looked_last(places: QuerySet[Environment]) -> QuerySet[Environment]:
    """Return environments, each with the findings of the run of each probe that ended last; archived ones are none.

    Their service, team and billing source are joined.
    """
    ended = Run.objects.filter(environment=OuterRef("pk"), state__in=[RunState.DONE, RunState.ERRORED])
    newest = {
        name: Subquery(ended.filter(probe=slug).order_by("-queued_at", "-id").values("findings")[:1])
        for slug, name in _named("last_")
    }
    return places.filter(archived_at=None).select_related("service__team", "billing_source").annotate(**newest)


def with_switches(places: QuerySet[Environment]) -> QuerySet[Environment]:
    """Return environments, each with whether each probe is switched off there."""
    there = Disabling.objects.filter(Q(environment=OuterRef("pk")) | Q(environment=None), ended_at=None)
    return places.annotate(**{name: Exists(there.filter(probe=slug)) for slug, name in _named("off_")})


def _named(prefix: str) -> list[tuple[str, str]]:
    return [(slug, f"{prefix}{number}") for number, slug in enumerate(sorted(observers()))]


def _running(places: Iterable[Environment], off: Collection[tuple[str, int | None]]) -> Running:
    known, named, live = observers(), _named("last_"), list(places)
    runs: dict[Place, set[str]] = {}
    for one in live:
        here = {slug for slug, observer in known.items() if runs_by_itself(observer, one, off)}
        for place in ((one.service_id, one.pk), (one.service_id, None)):
            runs.setdefault(place, set()).update(here)
    found: dict[Place, set[tuple[str, str]]] = {}
    for one in live:
        for probe, name in named:
            passed = {
                (probe, said["clause"]) for said in getattr(one, name) or () if said["judgement"] == Judgement.PASS
            }
            for place in ((one.service_id, one.pk), (one.service_id, None)):
                if probe in runs[place]:
                    found.setdefault(place, set()).update(passed)
    return found


def scheduled(environment: Environment, entry: Entry, clauses: Iterable[Clause], running: Running) -> set[str]:
    """Return which clauses of an entry are taken to keep passing on an environment, or anywhere in its service."""
    place = None if entry.scope == Scope.SERVICE else environment.pk
    passing = running.get((environment.service_id, place), ())
    return {clause.slug for clause in clauses if (clause.probe, clause.slug) in passing}


def runs_by_itself(observer: Observer, environment: Environment, off: Collection[tuple[str, int | None]]) -> bool:
    """Return whether a probe looks at an environment by itself, where ``off`` are those that are switched off."""
    if (observer.slug, None) in off or (observer.slug, environment.pk) in off:
        return False
    return not observer.missing(environment)
