"""Deciding in a launch review: what is refused, what is frozen, and what is written down."""

import json
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from readiness.actions import reviews
from readiness.actions.archiving import archive_environment
from readiness.actions.decisions import DecisionCrossed, NewCondition, NewDissent
from readiness.enums.standing import Status
from readiness.enums.words import DecisionKind, Judgement
from readiness.models import Condition, Decision, Environment, Event, User
from readiness.rules.snapshots import hash_of, read
from readiness.selectors.reviews import decision_page
from tests.deeds import (
    REASON,
    after,
    ask,
    decide,
    decide_on,
    observe,
    on_sheet,
    plan_review,
    refused,
    settle,
    status,
    tick,
)
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_reviewer

pytestmark = pytest.mark.django_db

GO, CONDITIONAL, NO_GO = DecisionKind.GO, DecisionKind.GO_WITH_CONDITIONS, DecisionKind.NO_GO
DAY = date(2026, 3, 20)


@pytest.fixture
def dev() -> Environment:
    return make_environment(name="dev", kind="dev", build="b1")


@pytest.fixture
def mia(dev: Environment) -> User:
    return make_member(dev.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


def condition(dev: Environment, entry: str, owner: User, **given: Any) -> NewCondition:
    words = {"reason": REASON, "owner": owner, "until": DAY, **given}
    return NewCondition(item_id=item_of(dev, entry).pk, **words)


def test_a_go_is_refused_while_anything_is_unsettled(dev: Environment, mia: User, ada: User) -> None:
    settle(dev, mia, but=["spend-cap"])
    review = plan_review(dev, by=ada)
    with refused("1 item is not settled", "(open)"):
        decide_on(dev, ada, GO, review=review)
    tick(mia, item_of(dev, "spend-cap"))
    decision = decide_on(dev, ada, GO, review=review)
    assert (decision.kind, decision.verdict, decision.by, decision.at) == (GO, "ready", ada, NOW)


@pytest.mark.parametrize(("moved", "granted"), [(-1, True), (0, False), (1, False)])
def test_an_item_that_ages_out_between_the_page_and_the_press_refuses_the_go(
    dev: Environment, mia: User, ada: User, moved: int, granted: bool
) -> None:
    settle(dev, mia)
    ends = min(item.settled_until for item in on_sheet(dev) if item.settled_until)
    review = plan_review(dev, by=ada)
    at = ends + timedelta(milliseconds=moved)
    if granted:
        assert decide_on(dev, ada, GO, review=review, now=at).pk
    else:
        with refused("not settled", "(stale)"):
            decide_on(dev, ada, GO, review=review, now=at)


def test_a_waiver_lets_a_go_through_and_is_frozen_with_it(dev: Environment, mia: User, ada: User) -> None:
    settle(dev, mia, but=["spend-cap"])
    waiver = decide(ada, ask(mia, item_of(dev, "spend-cap")))
    frozen = read(decide_on(dev, ada, GO).snapshot)
    assert frozen.verdict == "ready-with-waivers"
    (cap,) = (item for item in frozen.items if item.entry == "spend-cap")
    assert cap.waiver is not None
    assert (cap.status, cap.waiver.reason, cap.waiver.until) == ("waived", REASON, waiver.until)
    assert (cap.waiver.asked_by, cap.waiver.granted_by) == ("mia", "ada")


def test_a_go_with_conditions_has_one_for_each_unsettled_item_and_for_no_other(
    dev: Environment, mia: User, ada: User
) -> None:
    settle(dev, mia, but=["spend-cap", "separate-keys"])
    review = plan_review(dev, by=ada)
    cap, keys = condition(dev, "spend-cap", mia), condition(dev, "separate-keys", mia)
    wrong = {
        "“Separate keys” is not settled and has no condition": [cap],
        "settled by now or not on this sheet": [cap, keys, condition(dev, "logs-redacted", mia)],
        "two conditions": [cap, cap, keys],
        "at most 90 days": [cap, condition(dev, "separate-keys", mia, until=NOW.date() + timedelta(days=90))],
        "This day has passed": [cap, condition(dev, "separate-keys", mia, until=NOW.date() - timedelta(days=1))],
        "Say why": [cap, condition(dev, "separate-keys", mia, reason="Soon.")],
        "has left": [cap, condition(dev, "separate-keys", make_person("gone", is_active=False))],
    }
    for words, given in wrong.items():
        with refused(words):
            decide_on(dev, ada, CONDITIONAL, review=review, conditions=given)
    decision = decide_on(dev, ada, CONDITIONAL, review=review, conditions=[cap, keys])
    until = timezone.make_aware(timezone.datetime(2026, 3, 21))  # type: ignore[attr-defined]
    kept = decision.conditions.values_list("item", "reason", "owner", "until", "discharged_at")
    assert sorted(kept) == sorted((one.item_id, REASON, mia.pk, until, None) for one in (cap, keys))


def test_conditions_are_for_a_go_with_conditions_alone(dev: Environment, mia: User, ada: User) -> None:
    decide_on(dev, ada, NO_GO, conditions=[condition(dev, "spend-cap", mia)])
    assert not Condition.objects.exists()
    settle(dev, mia)
    review = plan_review(dev, by=ada)
    with refused("nothing to set a condition on"):
        decide_on(dev, ada, CONDITIONAL, review=review)


def test_only_a_reviewer_decides_in_an_open_review_on_what_is_on_its_agenda(
    dev: Environment, mia: User, ada: User
) -> None:
    review = plan_review(dev, by=ada)
    with refused("Only a reviewer"):
        decide_on(dev, mia, review=review)
    other = make_environment(dev.service, "other", kind="dev")
    with refused("not on the agenda"):
        decide_on(other, ada, review=review)
    reviews.close(by=ada, review_id=review.pk, now=after(hours=1))
    with refused("This review is closed"):
        decide_on(dev, ada, review=review)


def test_nothing_is_decided_on_what_is_archived(dev: Environment, mia: User, ada: User) -> None:
    review = plan_review(dev, by=ada)
    archive_environment(by=mia, environment_id=dev.pk, reason=REASON, now=NOW)
    with refused("archived"):
        decide_on(dev, ada, review=review)


def test_who_dissents_is_named_once_with_why(dev: Environment, ada: User) -> None:
    sam, noor = make_reviewer("sam"), make_person("noor")
    review = plan_review(dev, by=ada)
    with refused("twice"):
        decide_on(dev, ada, review=review, dissents=[NewDissent(by=sam, reason=REASON)] * 2)
    with refused("Say why"):
        decide_on(dev, ada, review=review, dissents=[NewDissent(by=sam, reason="No.")])
    dissents = [NewDissent(by=one, reason=REASON) for one in (sam, noor)]
    decision = decide_on(dev, ada, review=review, dissents=dissents)
    assert list(decision.dissents.values_list("by__username", "reason")) == [("sam", REASON), ("noor", REASON)]


def test_another_reviewers_decision_in_between_is_named(dev: Environment, ada: User) -> None:
    sam, review = make_reviewer("sam"), plan_review(dev, by=ada)
    first = decide_on(dev, sam, review=review)
    with pytest.raises(DecisionCrossed, match="sam decided first: No-go") as crossed:
        decide_on(dev, ada, review=review, seen_decision=None, now=after(minutes=1))
    assert crossed.value.decision == first
    later = decide_on(dev, ada, review=review, seen_decision=first.pk, now=after(minutes=2))
    assert [one.pk for one in Decision.objects.all()] == [later.pk, first.pk]


def test_a_decision_is_never_changed(dev: Environment, ada: User) -> None:
    decision = decide_on(dev, ada)
    decision.note = "Changed."
    with pytest.raises(TypeError, match="never changed"):
        decision.save()


def test_the_snapshot_holds_every_item_with_what_its_status_rests_on_and_no_reference_to_a_key(
    dev: Environment, mia: User, ada: User
) -> None:
    Environment.objects.filter(pk=dev.pk).update(key_reference="env:READINESS_KEY_DEV")
    settle(dev, mia, but=["spend-cap"])
    run = observe(dev, "spend-cap", now=after(minutes=1), cap_matches=Judgement.FAIL)
    decision = decide_on(dev, ada, now=after(minutes=2))
    frozen = read(decision.snapshot)
    assert {item.item for item in frozen.items} == {item.pk for item in on_sheet(dev)}
    assert (frozen.environment.build, frozen.environment.name, frozen.at) == ("b1", "dev", after(minutes=2))
    assert [one.slug for one in frozen.checklists] == ["bastion"]
    by_entry = {item.entry: item for item in frozen.items}
    (said,) = by_entry["spend-cap"].clauses[0].evidence
    assert (by_entry["spend-cap"].status, said.outcome, said.run, said.probe) == (
        "failing",
        "fail",
        run.pk,
        "spend-cap",
    )
    ticked = by_entry["logs-redacted"].clauses[0].evidence[0]
    assert (ticked.by, ticked.outcome, ticked.observed_at) == ("mia", "pass", NOW)
    assert ticked.links == ("https://docs.example.ca/a",)
    assert "READINESS_KEY_DEV" not in decision.snapshot
    assert "key_reference" not in decision.snapshot


def test_the_hash_is_that_of_the_canonical_text(dev: Environment, ada: User) -> None:
    decision = decide_on(dev, ada)
    assert decision.hash == sha256(decision.snapshot.encode()).hexdigest() == hash_of(decision.snapshot)
    said = json.loads(decision.snapshot)
    assert json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == decision.snapshot
    event = Event.objects.first()
    assert event is not None
    assert (event.kind, event.data["snapshot"], event.data["kind"]) == ("decision.made", decision.hash, "no-go")


def test_a_snapshot_that_was_changed_in_the_database_is_found(dev: Environment, ada: User) -> None:
    decision = decide_on(dev, ada)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE readiness_decision SET snapshot = replace(snapshot, 'open', 'verified') WHERE id = %s",
            [decision.pk],
        )
    page = decision_page(Decision.objects.select_related("review").get(pk=decision.pk), after(minutes=1))
    assert page.snapshot is None
    assert page.computed != decision.hash
    assert page.coverage is not None
    assert not page.coverage.intact
    assert not page.coverage.covers


def test_a_condition_is_discharged_in_the_transaction_that_settles_its_item(
    dev: Environment, mia: User, ada: User
) -> None:
    settle(dev, mia, but=["spend-cap"])
    decision = decide_on(dev, ada, CONDITIONAL, conditions=[condition(dev, "spend-cap", mia)])
    tick(mia, item_of(dev, "spend-cap"), now=after(hours=1))
    (kept,) = decision.conditions.all()
    assert kept.discharged_at == after(hours=1)
    event = Event.objects.filter(kind="condition.discharged").get()
    assert (event.item_id, event.environment_id, event.actor) == (kept.item_id, dev.pk, None)
    tick(mia, item_of(dev, "spend-cap"), now=after(hours=2))
    kept.refresh_from_db()
    assert kept.discharged_at == after(hours=1), "Once and for good."


def test_a_waiver_and_not_applicable_discharge_a_condition_as_well(dev: Environment, mia: User, ada: User) -> None:
    settle(dev, mia, but=["spend-cap"])
    decision = decide_on(dev, ada, CONDITIONAL, conditions=[condition(dev, "spend-cap", mia)])
    decide(ada, ask(mia, item_of(dev, "spend-cap"), now=after(hours=1)), now=after(hours=2))
    assert decision.conditions.get().discharged_at == after(hours=2)


def test_an_item_of_the_service_discharges_the_conditions_on_each_of_its_sheets(
    dev: Environment, mia: User, ada: User
) -> None:
    more = [make_environment(dev.service, f"dev-{number}", kind="dev", by=mia) for number in (2, 3)]
    runbook = next(item for item in on_sheet(dev) if item.environment_id is None)
    for one in (dev, *more):
        settle(one, mia, but=[runbook.entry.slug])
        decide_on(one, ada, CONDITIONAL, conditions=[condition(one, runbook.entry.slug, mia)])
    tick(mia, runbook, now=after(hours=1))
    assert list(Condition.objects.values_list("discharged_at", flat=True)) == [after(hours=1)] * 3
    discharged = Event.objects.filter(kind="condition.discharged").values_list("environment", flat=True)
    assert set(discharged) == {dev.pk, *(one.pk for one in more)}


def test_who_waited_for_the_decision_discharges_its_condition_not_before_it(
    dev: Environment, mia: User, ada: User
) -> None:
    """A tick takes its clock, then waits for the items that a decision holds; the decision's clock is later."""
    settle(dev, mia, but=["spend-cap"])
    conditions = [condition(dev, "spend-cap", mia)]
    decision = decide_on(dev, ada, CONDITIONAL, conditions=conditions, now=after(seconds=5))
    tick(mia, item_of(dev, "spend-cap"), now=after(seconds=3))
    assert status(item_of(dev, "spend-cap"), after(seconds=6)) is Status.ATTESTED
    assert decision.conditions.get().discharged_at == after(seconds=5)
