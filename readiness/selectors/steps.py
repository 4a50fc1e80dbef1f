"""What the next step about an item rests on: its clauses, the probes that could look, and what a reviewer was asked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from django.db.models import Q

from readiness.models import Clause, Disabling, Environment, NotApplicable, Waiver
from readiness.observers import Observer
from readiness.rules.folding import ClauseFacts
from readiness.rules.steps import Asked, Watch


def disabled_probes(known_by: datetime | None = None) -> set[tuple[str, int | None]]:
    """Return which probes are switched off, or were at an instant past, each with the environment (None: everywhere).

    One query.
    """
    off = Disabling.objects.filter(_lasts("ended_at", known_by))
    return set((off.filter(at__lte=known_by) if known_by else off).values_list("probe", "environment_id"))


def asked_of_reviewers(items: Iterable[int], known_by: datetime | None = None) -> set[int]:
    """Return those of the items about which a request waits for a reviewer, or did at an instant past. Two queries."""
    waiting = _lasts("decided_at", known_by) & _lasts("ended_at", known_by) & Q(item__in=list(items))
    if known_by is not None:
        waiting &= Q(asked_at__lte=known_by)
    return {
        item for kind in (Waiver, NotApplicable) for item in kind.objects.filter(waiting).values_list("item", flat=True)
    }


def _lasts(end: str, known_by: datetime | None) -> Q:
    """Return that something has not ended, or had not by an instant past."""
    lasts = Q(**{end: None})
    return lasts if known_by is None else lasts | Q(**{f"{end}__gt": known_by})


def watches(
    environment: Environment, known: Mapping[str, Observer], off: Collection[tuple[str, int | None]]
) -> dict[str, Watch]:
    """Return what each installed probe could do on an environment; its team and its billing source are joined."""
    return {
        slug: Watch(
            probe=slug,
            installed=True,
            disabled=(slug, None) in off or (slug, environment.pk) in off,
            missing=tuple(observer.missing(environment)),
            remedy=observer.remedy,
        )
        for slug, observer in known.items()
    }


def as_asked(known: Iterable[ClauseFacts], clauses: Sequence[Clause], watching: Mapping[str, Watch]) -> list[Asked]:
    """Return the clauses of an item as ``next_step`` takes them; of one that was never folded nothing is known."""
    facts = {clause.clause: clause for clause in known}
    return [
        Asked(
            facts=facts.get(clause.slug, ClauseFacts(clause=clause.slug)),
            text=clause.text,
            needs_link=clause.tick_needs_link,
            watch=watching.get(clause.probe, Watch(probe=clause.probe)) if clause.probe else None,
        )
        for clause in clauses
    ]
