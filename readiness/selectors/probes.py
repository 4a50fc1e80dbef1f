"""The probes: what each asks, whether it is proven, where it looks, and where it is switched off."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import or_

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from readiness.models import Clause, Disabling, Environment, Run
from readiness.observers import Observer, OwnProof, observers


@dataclass(frozen=True, slots=True, kw_only=True)
class Blind:
    """An environment that a probe cannot look at yet, and what is missing there, in words."""

    environment: Environment
    missing: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeLine:
    """One probe as its page shows it. ``observer`` is None where it looked once and is not installed any more.

    ``looks`` counts the live environments that it can look at and is not disabled in; ``blind`` are those that lack
    something. ``last`` is the run of it that ended last.
    """

    slug: str
    observer: Observer | None
    proof: OwnProof | None
    clauses: list[Clause]
    looks: int
    blind: list[Blind]
    last: Run | None
    everywhere: Disabling | None
    somewhere: list[Disabling]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbesPage:
    """Every probe, and the live environments."""

    lines: list[ProbeLine]
    environments: Sequence[Environment]


def probes_page() -> ProbesPage:
    """Return every probe that is installed, then those that looked once and are not.

    Four queries, two for each that is shown, and one for each that the checklists name and that is not installed, where
    any such looked once.
    """
    found = _read()
    return ProbesPage(
        lines=[found.line(slug) for slug in found.slugs],
        environments=found.environments,
    )


def probe_line(slug: str) -> ProbeLine | None:
    """Return one probe; None for one that is neither installed nor looked once. As many queries, of one probe alone."""
    found = _read()
    return found.line(slug) if slug in found.slugs else None


def _read() -> "_Probes":
    known = observers()
    environments = list(_live().select_related("service__team", "billing_source"))
    standing = list(Disabling.objects.filter(ended_at=None).select_related("by", "environment__service").order_by("at"))
    clauses: dict[str, list[Clause]] = {}
    named = Clause.objects.filter(retired_at=None, entry__retired_at=None).exclude(probe="")
    for clause in named.select_related("entry").order_by("entry__position", "position"):
        clauses.setdefault(clause.probe, []).append(clause)
    strange = [slug for slug in clauses if slug not in known]
    gone = {one.probe for one in standing}
    if strange and _another_looked(known):
        gone |= {slug for slug in strange if _looked(slug)}
    slugs = [*known, *sorted(gone - set(known))]
    return _Probes(slugs=slugs, known=known, clauses=clauses, environments=environments, standing=standing)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Probes:
    """What the lines of probes are made of; ``slugs`` are those that there are."""

    slugs: Sequence[str]
    known: Mapping[str, Observer]
    clauses: Mapping[str, list[Clause]]
    environments: Sequence[Environment]
    standing: Sequence[Disabling]

    def line(self, slug: str) -> ProbeLine:
        return _line(slug, self.known.get(slug), self.clauses.get(slug, []), self.environments, self.standing)


def _live() -> QuerySet[Environment]:
    return Environment.objects.filter(archived_at=None, service__archived_at=None)


def _another_looked(known: Iterable[str]) -> bool:
    """Return whether any probe but these ever ran. An index answers what lies between their names, by environment."""
    names = sorted(known)
    if not names:
        return True
    between = [Q(probe__gt=one, probe__lt=other) for one, other in pairwise(names)]
    runs = Run.objects.filter(environment=OuterRef("pk"))
    gaps = [Exists(runs.filter(gap)) for gap in (Q(probe__lt=names[0]), *between, Q(probe__gt=names[-1]))]
    return Environment.objects.filter(reduce(or_, map(Q, gaps))).exists()


def _looked(slug: str) -> bool:
    """Return whether a probe ever ran; asked environment by environment, which an index answers."""
    return Environment.objects.filter(Exists(Run.objects.filter(environment=OuterRef("pk"), probe=slug))).exists()


def _line(
    slug: str,
    observer: Observer | None,
    clauses: list[Clause],
    environments: Iterable[Environment],
    standing: Iterable[Disabling],
) -> ProbeLine:
    mine = [one for one in standing if one.probe == slug]
    everywhere = next((one for one in mine if one.environment_id is None), None)
    off = {one.environment_id for one in mine}
    lacking = [Blind(environment=one, missing=observer.missing(one)) for one in environments] if observer else []
    blind = [one for one in lacking if one.missing]
    looks = [one for one in lacking if not one.missing and everywhere is None and one.environment.pk not in off]
    return ProbeLine(
        slug=slug,
        observer=observer,
        proof=observer.proof() if observer else None,
        clauses=clauses,
        looks=len(looks),
        blind=blind,
        last=_last(slug),
        everywhere=everywhere,
        somewhere=[one for one in mine if one.environment_id is not None],
    )


def _last(slug: str) -> Run | None:
    """Return the run of a probe that ended last in the live environments, of those that were asked for last in each."""
    ended = Run.objects.filter(probe=slug, finished_at__isnull=False).order_by("-queued_at", "-id")
    there = Subquery(ended.filter(environment=OuterRef("pk")).values("finished_at")[:1])
    place = _live().annotate(ended=there).order_by(F("ended").desc(nulls_last=True)).values_list("pk", "ended").first()
    if place is None or place[1] is None:
        return None
    return ended.filter(environment=place[0]).defer("facts").select_related("environment__service").first()
