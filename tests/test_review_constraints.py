"""What the database itself keeps out about reviews and decisions, tried in SQL."""

from typing import Any

import pytest
from django.db import connection

from readiness.models import AgendaLine, Condition, Decision, Dissent, Environment, Review, User
from tests.deeds import REASON, after, decide_on, forbidden_by, plan_review
from tests.factories import NOW, item_of, make_environment, make_reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def dev() -> Environment:
    return make_environment(kind="dev")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


def insert(table: str, **columns: Any) -> None:
    """Insert a row past every model."""
    names, places = ", ".join(f'"{name}"' for name in columns), ", ".join(["%s"] * len(columns))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({places})", list(columns.values()))


def text(instant: Any) -> Any:
    return instant if connection.vendor == "postgresql" else instant.strftime("%Y-%m-%d %H:%M:%S")


def test_the_database_keeps_out_a_decision_without_an_author_an_instant_or_a_snapshot(
    dev: Environment, ada: User
) -> None:
    review = plan_review(dev, by=ada)
    right = {
        "review_id": review.pk,
        "environment_id": dev.pk,
        "kind": "go",
        "by_id": ada.pk,
        "at": text(NOW),
        "note": "",
        "verdict": "ready",
        "snapshot": "{}",
        "hash": "0" * 64,
        "key": "",
    }
    bad = {
        "by_id": {"by_id": None},
        "at": {"at": None},
        "review_id": {"review_id": None},
        "decision_kind_known": {"kind": "perhaps"},
        "decision_on_a_snapshot": {"snapshot": ""},
        "hash": {"hash": None},
    }
    for constraint, wrong in bad.items():
        with forbidden_by(constraint):
            insert("readiness_decision", **{**right, **wrong})
    insert("readiness_decision", **right)
    assert Decision.objects.get().by == ada


def test_the_database_keeps_out_a_condition_without_a_reason_an_owner_or_an_end(dev: Environment, ada: User) -> None:
    decision, item = decide_on(dev, ada), item_of(dev, "spend-cap")
    right = {
        "decision_id": decision.pk,
        "item_id": item.pk,
        "reason": REASON,
        "owner_id": ada.pk,
        "decided_at": text(NOW),
        "until": text(after(days=1)),
    }
    bad: list[tuple[str, dict[str, Any]]] = [
        ("condition_says_why", {"reason": ""}),
        ("reason", {"reason": None}),
        ("owner_id", {"owner_id": None}),
        ("until", {"until": None}),
        ("condition_ends_after_the_decision", {"until": text(NOW)}),
        ("condition_discharged_after_the_decision", {"discharged_at": text(after(seconds=-1))}),
    ]
    for constraint, wrong in bad:
        with forbidden_by(constraint):
            insert("readiness_condition", **{**right, **wrong})
    insert("readiness_condition", **right)
    with forbidden_by("condition_once_an_item"):
        insert("readiness_condition", **right)
    assert Condition.objects.get().owner == ada


def test_the_database_keeps_out_a_dissent_twice_or_without_why(dev: Environment, ada: User) -> None:
    decision = decide_on(dev, ada)
    right = {"decision_id": decision.pk, "by_id": ada.pk, "reason": REASON}
    for constraint, wrong in (("dissent_says_why", {"reason": ""}), ("by_id", {"by_id": None})):
        with forbidden_by(constraint):
            insert("readiness_dissent", **{**right, **wrong})
    insert("readiness_dissent", **right)
    with forbidden_by("dissent_once_a_person"):
        insert("readiness_dissent", **right)
    assert Dissent.objects.count() == 1


def test_the_database_keeps_out_half_a_closing_and_a_place_twice(dev: Environment, ada: User) -> None:
    review = plan_review(dev, by=ada)
    for wrong in ({"closed_at": NOW}, {"closed_by": ada}):
        with forbidden_by("review_closed_by_whom_and_when"):
            Review.objects.filter(pk=review.pk).update(**wrong)
    with forbidden_by("agenda_names_an_environment_once"):
        AgendaLine.objects.create(review=review, environment=dev, position=9)
