"""What the database itself keeps out about waivers and "not applicable", tried with raw inserts."""

from typing import Any

import pytest

from readiness.models import Item, NotApplicable, User, Waiver
from tests.deeds import REASON, after, forbidden_by
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer

pytestmark = pytest.mark.django_db


@pytest.fixture
def cap() -> Item:
    return item_of(make_environment(), "spend-cap")


@pytest.fixture
def mia(cap: Item) -> User:
    return make_member(cap.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


def row(**columns: Any) -> dict[str, Any]:
    return {"reason": REASON, "asked_at": NOW, **columns}


def test_the_database_keeps_a_waiver_without_an_end_or_against_itself_out(cap: Item, mia: User, ada: User) -> None:
    asked = row(item=cap, asked_by=mia, stance="accept-risk", until=after(days=1))
    granted = {**asked, "decided_by": ada, "decided_at": after(hours=1), "granted": True}
    bad: dict[str, list[dict[str, Any]]] = {
        "until": [{**asked, "until": None}],
        "waiver_ends_after_it_was_asked": [{**asked, "until": NOW}],
        "waiver_ends_after_its_grant": [{**granted, "decided_at": after(days=1)}],
        "waiver_granter_did_not_ask": [{**granted, "decided_by": mia}],
        "waiver_decided_by_whom_and_when": [
            {**granted, "decided_by": None},
            {**granted, "decided_at": None},
            {**granted, "granted": None},
            {**asked, "granted": True},
        ],
        "waiver_ended_when_and_why": [{**asked, "ended_at": NOW}, {**asked, "end_reason": REASON}],
    }
    for constraint, rows in bad.items():
        for columns in rows:
            with forbidden_by(constraint):
                Waiver.objects.create(**columns)
    Waiver.objects.create(**asked)
    with forbidden_by("waiver_one_waiting"):
        Waiver.objects.create(**asked)
    Waiver.objects.create(**granted)
    with forbidden_by("waiver_one_standing"):
        Waiver.objects.create(**granted)


def test_the_database_keeps_one_not_applicable_an_item_and_its_granter_apart(cap: Item, mia: User, ada: User) -> None:
    asked = row(item=cap, asked_by=mia)
    granted = {**asked, "decided_by": ada, "decided_at": NOW, "granted": True}
    with forbidden_by("not_applicable_granter_did_not_ask"):
        NotApplicable.objects.create(**{**granted, "decided_by": mia})
    with forbidden_by("not_applicable_decided_by_whom_and_when"):
        NotApplicable.objects.create(**{**granted, "decided_by": None})
    for kind, columns in (("waiting", asked), ("standing", granted)):
        NotApplicable.objects.create(**columns)
        with forbidden_by(f"not_applicable_one_{kind}"):
            NotApplicable.objects.create(**columns)
