"""What the next step about an item rests on: its clauses, the probes that could look, and what a reviewer was asked."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from readiness.models import Clause, Disabling, Environment, NotApplicable, Waiver
from readiness.observers import Observer
from readiness.rules.folding import ClauseFacts
from readiness.rules.steps import Asked, Watch


def disabled_probes() -> set[tuple[str, int | None]]:
    """Return which probes are switched off, each with the environment it is off in (None: everywhere). One query."""
    return set(Disabling.objects.filter(ended_at=None).values_list("probe", "environment_id"))


def asked_of_reviewers(items: Iterable[int]) -> set[int]:
    """Return those of the items about which a request waits for a reviewer. Two queries."""
    waiting = {"item__in": list(items), "decided_at": None, "ended_at": None}
    return {
        item
        for kind in (Waiver, NotApplicable)
        for item in kind.objects.filter(**waiting).values_list("item", flat=True)
    }


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
