"""The probes: what each asks, whether it is proven, where it looks, and where it is switched off."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Exists, OuterRef

from readiness.models import Clause, Disabling, Environment, Run
from readiness.observers import Observer, OwnProof, observers

from .sheets import in_order


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
    """Every probe, and the live environments, as people name them."""

    lines: list[ProbeLine]
    environments: list[Environment]


def probes_page() -> ProbesPage:
    """Return every probe that is installed, then those that looked once and are not.

    Three queries, three for each probe that the checklists name, and two for each that is shown.
    """
    known = observers()
    live = Environment.objects.filter(archived_at=None, service__archived_at=None)
    environments = list(live.select_related("service__team", "billing_source"))
    standing = list(Disabling.objects.filter(ended_at=None).select_related("by", "environment__service").order_by("at"))
    clauses: dict[str, list[Clause]] = {}
    named = Clause.objects.filter(retired_at=None, entry__retired_at=None).exclude(probe="")
    for clause in named.select_related("entry").order_by("entry__position", "position"):
        clauses.setdefault(clause.probe, []).append(clause)
    gone = {one.probe for one in standing} | {slug for slug in clauses if slug not in known and _looked(slug)}
    slugs = [*known, *sorted(gone - set(known))]
    return ProbesPage(
        lines=[_line(slug, known.get(slug), clauses.get(slug, []), environments, standing) for slug in slugs],
        environments=sorted(in_order(environments), key=lambda one: one.service.slug),
    )


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
        last=_last(slug, environments),
        everywhere=everywhere,
        somewhere=[one for one in mine if one.environment_id is not None],
    )


def _last(slug: str, environments: Iterable[Environment]) -> Run | None:
    """Return the run of a probe that ended last in these environments."""
    newest = Run.objects.filter(environment=OuterRef("pk"), probe=slug, finished_at__isnull=False)
    found = Environment.objects.filter(pk__in=[one.pk for one in environments]).annotate(
        newest=newest.order_by("-queued_at", "-id").values("pk")[:1]
    )
    ids = [pk for pk in found.values_list("newest", flat=True) if pk is not None]
    runs = Run.objects.filter(pk__in=ids).select_related("environment__service")
    return runs.order_by("-finished_at").first()
