"""What is read from the database to fold a clause is few rows, and they fold to what all of them fold to."""

from datetime import timedelta
from random import Random

import pytest

from readiness.enums.words import Judgement, Outcome
from readiness.models import Environment, Evidence, Item
from readiness.rules.folding import ClauseFacts, Statement, fold_clause
from readiness.selectors.clauses import clause_facts
from tests.deeds import observe
from tests.factories import NOW, item_of, make_environment, make_member

pytestmark = pytest.mark.django_db
BUILDS = ("", "one", "two")


def fold_all(item: Item) -> list[ClauseFacts]:
    """Fold every statement there is."""
    environment = item.environment
    assert environment is not None
    statements: dict[str, list[Statement]] = {}
    for row in Evidence.objects.filter(item=item):
        one = Statement(
            id=row.pk,
            outcome=Outcome(row.outcome),
            observed_at=row.observed_at,
            valid_until=row.valid_until,
            by_person=row.by_id is not None,
            supported=row.supported,
            build=row.build,
        )
        statements.setdefault(row.clause, []).append(one)
    clauses = item.entry.clauses.filter(retired_at=None).order_by("position")
    return [
        fold_clause(
            clause.slug,
            statements.get(clause.slug, []),
            build_bound=item.entry.build_bound,
            build=environment.build,
            build_since=environment.build_since,
        )
        for clause in clauses
    ]


def random_rows(random: Random, item: Item, environment: Environment, count: int) -> list[Evidence]:
    run = observe(environment, "proxy-buffering", now=NOW)
    person = make_member(environment.service.team)
    rows = []
    for clause in item.entry.clauses.all():
        for _ in range(random.randrange(count)):
            at = NOW + timedelta(seconds=random.choice([0, 1, 10, 29, 30, 31, 60, 90, 120, 300]))
            human = random.random() < 0.3
            outcome = random.choice(["pass", "withdrawn"] if human else ["pass", "fail", "fail", "fail"])
            rows.append(
                Evidence(
                    item=item,
                    clause=clause.slug,
                    outcome=outcome,
                    summary="x",
                    by=person if human else None,
                    run=None if human else run,
                    build=random.choice(BUILDS),
                    supported=random.random() < 0.8 or not human,
                    observed_at=at,
                    recorded_at=at,
                    valid_until=at + timedelta(seconds=random.choice([5, 40, 400])) if outcome == "pass" else None,
                )
            )
    return rows


@pytest.mark.parametrize("bound", [False, True])
def test_the_few_rows_that_are_read_say_what_all_rows_say(bound: bool) -> None:
    random = Random(7)
    environment = make_environment()
    item = item_of(environment, "sse-not-buffered")
    assert item.environment is not None
    item.entry.build_bound = bound
    for _ in range(60):
        Evidence.objects.filter(item=item).delete()
        Evidence.objects.bulk_create(random_rows(random, item, environment, 9))
        for build in BUILDS:
            item.environment.build = build
            item.environment.build_since = random.choice([None, NOW + timedelta(seconds=45)])
            assert clause_facts(item) == fold_all(item)


def test_reading_costs_as_many_queries_with_a_thousand_rows(django_assert_max_num_queries: object) -> None:
    environment = make_environment()
    item = item_of(environment, "spend-cap")
    run = observe(environment, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    Evidence.objects.bulk_create(
        Evidence(item=item, clause="cap-matches", outcome="fail", summary="x", run=run, observed_at=at, recorded_at=at)
        for at in (NOW + timedelta(seconds=number) for number in range(1, 1000))
    )
    with django_assert_max_num_queries(6):  # type: ignore[operator]
        [facts] = clause_facts(item)
    assert facts.failing_since == NOW + timedelta(seconds=31)
