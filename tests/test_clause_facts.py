"""What is read from the database to fold a clause is few rows, and they fold to what all of them fold to."""

from datetime import datetime, timedelta
from random import Random

import pytest
from django.db import connection, transaction

from readiness.actions import ledger
from readiness.enums.words import Judgement, Outcome
from readiness.models import Deployment, Environment, Event, Evidence, Item
from readiness.rules.folding import ClauseFacts, Ran, Statement, fold_clause
from readiness.selectors.clauses import LONG_AGO, clause_facts, rule_of
from tests.deeds import observe
from tests.factories import NOW, item_of, make_environment, make_member

pytestmark = pytest.mark.django_db
BUILDS = ("", "one", "two")
SECONDS = [0, 1, 10, 29, 30, 31, 60, 90, 120, 300]


def fold_all(item: Item, lender: Item, known_by: datetime | None) -> list[ClauseFacts]:
    """Fold every statement there is, written from the rules: the item's own, and what production takes over."""
    assert item.environment is not None
    assert lender.environment is not None
    deployed = Deployment.objects.filter(environment=item.environment).order_by("at", "id")
    ran = [Ran(since=LONG_AGO, build="")]
    ran += [Ran(since=one.at, build=one.build) for one in deployed if known_by is None or one.at <= known_by]
    bound = item.entry.build_bound
    archived = lender.environment.archived_at
    lends = bound and ran[-1].build != "" and (archived is None or (known_by is not None and known_by < archived))
    statements: dict[str, list[Statement]] = {}
    for row in Evidence.objects.filter(item__in=[item, lender]):
        lent = row.item_id == lender.pk
        if lent and (not lends or row.build != ran[-1].build or row.by_id is not None):
            continue
        if known_by is not None and row.recorded_at > known_by:
            continue
        one = Statement(
            id=row.pk,
            outcome=Outcome(row.outcome),
            observed_at=row.observed_at,
            valid_until=row.valid_until,
            by_person=row.by_id is not None,
            supported=row.supported,
            drill=row.drill,
            meaning=row.meaning,
            build=row.build,
            lent_by=lender.environment_id if lent else None,
        )
        statements.setdefault(row.clause, []).append(one)
    clauses = item.entry.clauses.filter(retired_at=None).order_by("position")
    return [
        fold_clause(rule_of(clause, build_bound=bound), statements.get(clause.slug, []), ran=ran if bound else [])
        for clause in clauses
    ]


def random_rows(random: Random, item: Item, environment: Environment, count: int) -> list[Evidence]:
    run = environment.runs.first()
    person = environment.service.team.members.first()
    rows = []
    for clause in item.entry.clauses.all():
        for _ in range(random.randrange(count)):
            at = NOW + timedelta(seconds=random.choice(SECONDS))
            human = random.random() < 0.3
            outcome = random.choice(["pass", "withdrawn", "retired"] if human else ["pass", "fail", "fail", "fail"])
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
                    drill=not human and random.random() < 0.1,
                    meaning=random.choice([1, 1, 2]),
                    observed_at=at,
                    recorded_at=at + timedelta(seconds=random.choice([0, 0, 5, 40])),
                    valid_until=at + timedelta(seconds=random.choice([5, 40, 400])) if outcome == "pass" else None,
                )
            )
    return rows


def random_builds(random: Random, environment: Environment) -> None:
    Deployment.objects.all().delete()
    person = environment.service.team.members.first()
    for second in sorted(random.sample(SECONDS, random.randrange(4))):
        at = NOW + timedelta(seconds=second)
        Deployment.objects.create(environment=environment, build=random.choice(BUILDS), at=at, by=person)


@pytest.mark.parametrize("bound", [False, True])
def test_the_few_rows_that_are_read_say_what_all_rows_say(bound: bool) -> None:
    random = Random(connection.vendor)  # Each database is asked of rows of its own.
    prod = make_environment()
    staging = make_environment(prod.service, kind="staging", by=make_member(prod.service.team))
    item, lender = item_of(prod, "sse-not-buffered"), item_of(staging, "sse-not-buffered")
    for one in (item, lender):
        one.entry.build_bound = bound
    item.entry.clauses.filter(slug="stream-not-cached").update(meanings={"2": (NOW + timedelta(minutes=1)).isoformat()})
    observe(prod, "proxy-buffering", now=NOW)
    observe(staging, "proxy-buffering", now=NOW)
    lent = 0
    for _ in range(60):
        Evidence.objects.filter(item__in=[item, lender]).delete()
        Evidence.objects.bulk_create(random_rows(random, item, prod, 7))
        Evidence.objects.bulk_create(random_rows(random, lender, staging, 7))
        random_builds(random, prod)
        archived = NOW + timedelta(seconds=random.choice(SECONDS)) if random.random() < 0.3 else None
        Environment.objects.filter(pk=staging.pk).update(archived_at=archived)
        Event.objects.filter(kind="environment.archived").delete()
        if archived:
            with transaction.atomic():
                ledger.record(
                    "environment.archived", by=None, at=archived, service=staging.service, environment=staging
                )
        assert lender.environment is not None
        lender.environment.archived_at = archived
        for known_by in (None, NOW + timedelta(seconds=random.choice(SECONDS)), NOW + timedelta(seconds=35)):
            found = clause_facts(item, known_by=known_by)
            assert found == fold_all(item, lender, known_by)
            lent += any(one.lent_by for one in found)
    assert (lent > 10) is bound


def test_reading_costs_as_many_queries_with_a_thousand_rows(django_assert_max_num_queries: object) -> None:
    environment = make_environment()
    item = item_of(environment, "spend-cap")
    run = observe(environment, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    Evidence.objects.bulk_create(
        Evidence(item=item, clause="cap-matches", outcome="fail", summary="x", run=run, observed_at=at, recorded_at=at)
        for at in (NOW + timedelta(seconds=number) for number in range(1, 1000))
    )
    with django_assert_max_num_queries(7):  # type: ignore[operator]
        [facts] = clause_facts(item)
    assert facts.failing_since == NOW + timedelta(seconds=31)
