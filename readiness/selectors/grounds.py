"""What the standing of a sheet rests on beside its items: read once, for every instant that is asked of."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import OuterRef, Q, Subquery

from readiness.enums.words import Judgement, RunState, Scope
from readiness.models import Clause, Entry, Environment, Item, NotApplicable, Run, Waiver
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
    standing = {"item__in": ids, "granted": True, "ended_at": None}
    return Ground(
        environment=environment,
        waivers={one.item_id: grant_of(one) for one in Waiver.objects.filter(**standing)},
        left_out={one.item_id: one for one in NotApplicable.objects.filter(**standing)},
        clauses=clauses_of(entries, known_by),
        asked=asked_of_reviewers(ids, known_by),
        off=disabled_probes(known_by),
        under=under(environment, at),
    )


def clauses_of(entries: Iterable[Entry], known_by: datetime | None = None) -> dict[int, list[Clause]]:
    """Return the clauses of entries that are not retired, or were not by an instant past, in order. One query."""
    found: dict[int, list[Clause]] = {}
    asked = Q(retired_at=None) | Q(retired_at__gt=known_by) if known_by else Q(retired_at=None)
    rows = Clause.objects.filter(asked, entry__in=[entry.pk for entry in entries])
    for clause in rows.order_by("entry_id", "position"):
        found.setdefault(clause.entry_id, []).append(clause)
    return found


def scheduled(ground: Ground, entries: Sequence[Entry]) -> dict[int, set[str]]:
    """Return, for each entry, the clauses whose probe runs by itself here.

    Left out are those that it did not pass when it looked last: it could not tell, or it broke. An item of the service
    is observed by a probe that runs on any of its live environments. Three queries.
    """
    known, environment, off = observers(), ground.environment, ground.off
    live = list(
        Environment.objects.filter(service=environment.service_id, archived_at=None).select_related(
            "service__team", "billing_source"
        )
    )
    here = {slug for slug, one in known.items() if runs_by_itself(one, environment, off)}
    anywhere = here | {slug for slug, one in known.items() if any(runs_by_itself(one, place, off) for place in live)}
    passed = passed_last(live, anywhere)
    found: dict[int, set[str]] = {}
    for entry in entries:
        of_service = entry.scope == Scope.SERVICE
        running, places = (anywhere, live) if of_service else (here, [environment])
        found[entry.pk] = {
            clause.slug
            for clause in ground.clauses.get(entry.pk, ())
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
