"""Where each clause of an item stands, read from its evidence."""

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from readiness.enums.words import Outcome
from readiness.models import Clause, Evidence, Item
from readiness.rules.folding import CONFIRMED_AFTER, ClauseFacts, Statement, fold_clause


def clause_facts(item: Item) -> list[ClauseFacts]:
    """Return where each clause of an item stands. Two queries, and one to five for each observed clause."""
    clauses = list(Clause.objects.filter(entry_id=item.entry_id, retired_at=None).order_by("position"))
    build = item.environment.build if item.environment else ""
    by_people: dict[str, list[Statement]] = {}
    for evidence in Evidence.objects.filter(item=item, by__isnull=False):
        by_people.setdefault(evidence.clause, []).append(_statement(evidence))
    return [
        fold_clause(
            clause.slug,
            [
                *by_people.get(clause.slug, ()),
                *(_observations(item, clause.slug, build if item.entry.build_bound else "") if clause.probe else ()),
            ],
            build_bound=item.entry.build_bound,
            build=build,
            build_since=item.environment.build_since if item.environment else None,
        )
        for clause in clauses
    ]


def _observations(item: Item, clause: str, build: str) -> Iterable[Statement]:
    """Return the few observations that can matter: newest pass, newest pass on the build, first fails after it."""
    rows = Evidence.objects.filter(item=item, clause=clause, run__isnull=False)
    newest = rows.order_by("-observed_at", "-id").first()
    if newest is None:
        return []
    passed = newest if newest.outcome == Outcome.PASS else _newest_pass(rows)
    chosen = [passed] if passed else []
    if build and passed and passed.build != build:
        chosen += filter(None, [_newest_pass(rows.filter(build=build))])
    if newest.outcome == Outcome.FAIL:
        after = rows.filter(outcome=Outcome.FAIL).order_by("observed_at", "id")
        if passed:
            after = after.filter(
                Q(observed_at__gt=passed.observed_at) | Q(observed_at=passed.observed_at, id__gt=passed.pk)
            )
        first = after.first()
        if first is not None:
            confirming = after.filter(observed_at__gte=first.observed_at + CONFIRMED_AFTER).first()
            chosen += [first] if confirming is None else [first, confirming]
    return [_statement(evidence) for evidence in chosen]


def _newest_pass(rows: QuerySet[Evidence]) -> Evidence | None:
    return rows.filter(outcome=Outcome.PASS).order_by("-observed_at", "-id").first()


def _statement(evidence: Evidence) -> Statement:
    return Statement(
        id=evidence.pk,
        outcome=Outcome(evidence.outcome),
        observed_at=evidence.observed_at,
        valid_until=evidence.valid_until,
        by_person=evidence.by_id is not None,
        supported=evidence.supported,
        build=evidence.build,
    )
