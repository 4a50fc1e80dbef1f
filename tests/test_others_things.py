"""Forms that name what is another's, and pages that stayed open while their reader's roles changed."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from readiness.actions.batches import ask_section
from readiness.actions.decisions import NewCondition
from readiness.actions.reviews import close
from readiness.enums.words import DecisionKind
from readiness.models import Decision, Environment, Item, Membership, NotApplicable, Review, User
from readiness.selectors.sections import items_in
from tests.deeds import REASON, ask, ask_to_leave_out, decide_on, everything, on_sheet, refused, settle
from tests.factories import make_environment, make_member, make_person, make_service
from tests.reading import words
from tests.test_odd_input import WHO_MAY
from tests.test_permissions import TO_SIGN_IN, Place, answer, place

__all__ = ["place"]
pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]  # As tests/test_permissions.py is on the other.
GRANT = {"answer": "grant", "note": ""}
NEEDS_NO_ROLE = {"sign-in", "sign-out", "password", "admin-password"}
NEEDS_NO_ROLE |= {"item-comment", "item-comment-remove", "keys", "language", "sheet-seen"}
NEEDS_NO_ROLE |= {"filter-save", "first-steps-put-away", "feed-revoke", "meeting-here", "meeting-note"}


def sent(place: Place, role: str, name: str, **changed: Any) -> Any:
    """Send a form of the item that is right but for some fields, and see that nothing was written."""
    before = everything()
    response = place.client(role).post(place.address(name), {**place.form(name), **changed})
    assert everything() == before
    return response


def sister(place: Place) -> Environment:
    """Another environment of the same service."""
    return make_environment(place.prod.service, "staging", kind="staging", by=place.people["member"])


def asked_in_section(environment: Environment, item: Item, by: User) -> list[str]:
    """Ask to leave out a whole section; return how a form names each request."""
    now = timezone.now()
    seen = {one.pk: one.version for one in items_in(environment, item.entry.section, now)}
    asked = ask_section(by=by, environment=environment, section=item.entry.section, reason=REASON, seen=seen, now=now)
    return [f"not-applicable-{one.pk}" for one in asked]


@pytest.mark.parametrize(("name", "role"), [("decide", "reviewer"), ("end-request", "member")])
def test_a_request_of_another_item_is_not_found(place: Place, name: str, role: str) -> None:
    now = timezone.now()
    first, second = (item for item in on_sheet(place.prod)[:2])
    waiver = ask(place.people["member"], first, now=now).pk
    left = ask_to_leave_out(place.people["member"], second, now=now).pk
    for key in (f"waiver-{waiver}", f"not-applicable-{left}", f"not-applicable-{waiver}", "waiver--1", "waiver-²"):
        assert sent(place, role, name, request=key, **GRANT, reason=REASON).status_code == 404, key


def test_a_batch_is_answered_through_an_item_of_its_own_and_alone(place: Place) -> None:
    mia = place.people["member"]
    other = make_environment(make_service(place.prod.service.team, by=mia), by=mia, now=timezone.now())
    mine, theirs = (",".join(asked_in_section(one, place.item, mia)) for one in (place.prod, other))
    for keys in (theirs, f"{mine},waiver-1", f"{mine},", f"{mine},not-applicable-x"):
        assert sent(place, "reviewer", "decide-batch", request=keys, **GRANT).status_code == 404, keys
    both = sent(place, "reviewer", "decide-batch", request=f"{mine},{theirs}", **GRANT)
    assert both.status_code == 422
    assert "Nothing that was asked together is named here." in words(both)


def test_a_batch_counts_each_request_once_however_often_it_is_named(place: Place) -> None:
    keys = asked_in_section(place.prod, place.item, place.people["member"])
    form = {**place.form("decide-batch"), "request": ",".join([*keys, *keys, f"not-applicable-{10**9}"])}
    done = place.client("reviewer").post(place.address("decide-batch"), form, follow=True)
    assert f"{len(keys)} of {len(keys)} granted." in words(done)
    assert NotApplicable.objects.filter(granted=True).count() == len(keys)


def test_a_reviewer_who_asked_for_part_of_it_is_not_let_through_by_the_others(place: Place) -> None:
    ada = place.people["reviewer"]
    Membership.objects.create(user=ada, team=place.prod.service.team)
    keys = asked_in_section(place.prod, place.item, User.objects.get(pk=ada.pk))
    response = sent(place, "reviewer", "decide-batch", request=",".join(keys), **GRANT)
    assert response.status_code == 422
    assert "You asked for this yourself" in words(response)


def test_a_decision_of_another_environment_is_not_the_one_that_was_seen(place: Place) -> None:
    other = decide_on(sister(place), place.people["reviewer"], now=timezone.now())
    assert sent(place, "reviewer", "launch-decide", seen_decision=other.pk).status_code == 409
    elsewhere = reverse("launch-decide", args=[place.decision.review_id, place.prod.service.slug, "staging"])
    assert place.client("reviewer").post(elsewhere, place.form("launch-decide")).status_code == 404
    assert Decision.objects.count() == 2


@pytest.fixture
def conditional(place: Place) -> dict[str, Any]:
    """The fields of a go with a condition for the one item that is not settled."""
    settle(place.prod, place.people["member"], but=["spend-cap"], now=timezone.now())
    key = place.item.pk
    return {
        "kind": "go-with-conditions",
        f"reason-{key}": REASON,
        f"owner-{key}": place.people["member"].pk,
        f"until-{key}": timezone.localdate().isoformat(),
    }


def test_nobody_who_left_or_never_was_owns_a_condition_or_dissents(place: Place, conditional: dict[str, Any]) -> None:
    gone = make_person(is_active=False)
    for person in (gone.pk, 10**9, f"0{place.people['member'].pk}", "x"):
        for field in (f"owner-{place.item.pk}", "dissent-0-by"):
            changed = {"dissents": 1, "dissent-0-by": "", "dissent-0-reason": REASON, field: person}
            assert sent(place, "reviewer", "launch-decide", **{**conditional, **changed}).status_code == 422, changed


def test_conditions_are_of_this_sheet_once_each_and_owned_by_who_is_here(
    place: Place, conditional: dict[str, Any]
) -> None:
    ada, mia, now = place.people["reviewer"], place.people["member"], timezone.now()
    foreign = next(item for item in on_sheet(sister(place)) if item.environment_id not in (None, place.prod.pk))

    def condition(item: Item, owner: User) -> NewCondition:
        return NewCondition(item_id=item.pk, reason=REASON, owner=owner, until=timezone.localdate(now))

    own, review = condition(place.item, mia), Review.objects.get()
    for conditions, said in (
        ([own, condition(foreign, mia)], "not on this sheet"),
        ([own, own], "two conditions"),
        ([condition(place.item, make_person(is_active=False))], "has left"),
    ):
        with refused(said):
            decide_on(place.prod, ada, DecisionKind.GO_WITH_CONDITIONS, review=review, conditions=conditions, now=now)
    beside = {f"reason-{foreign.pk}": REASON, f"owner-{foreign.pk}": mia.pk}
    form = {**place.form("launch-decide"), **conditional, **beside}
    assert place.client("reviewer").post(place.address("launch-decide"), form).status_code == 302
    made = Decision.objects.latest("pk")
    assert list(made.conditions.values_list("item_id", flat=True)) == [place.item.pk]


def test_nothing_is_decided_in_a_closed_review_or_on_what_is_archived(place: Place) -> None:
    with transaction.atomic():
        close(by=place.people["reviewer"], review_id=place.decision.review_id, now=timezone.now())
        response = sent(place, "reviewer", "launch-decide")
        assert (response.status_code, "This review is closed" in words(response)) == (422, True)
        transaction.set_rollback(True)
    place.client("member").post(place.address("environment-archive"), {"reason": REASON})
    response = sent(place, "reviewer", "launch-decide")
    assert (response.status_code, "This is archived" in words(response)) == (422, True)


def test_nothing_is_handed_to_whom_it_cannot_belong(place: Place) -> None:
    stranger, theirs = place.people["other"], place.people["other"].teams.get()
    left = make_member(place.prod.service.team)
    User.objects.filter(pk=left.pk).update(is_active=False)
    for owner in (stranger.pk, left.pk, 10**9):
        assert sent(place, "member", "item-assign", owner=owner).status_code == 422
    assert sent(place, "member", "service-transfer", team=10**9).status_code == 422
    assert sent(place, "member", "service-transfer", team=place.prod.service.team_id).status_code == 422
    assert sent(place, "member", "service-add", team=theirs.pk).status_code == 422
    assert sent(place, "member", "environment-change", billing_source=10**9).status_code == 422
    assert sent(place, "reviewer", "review-add", chair=stranger.pk).status_code == 422
    assert sent(place, "reviewer", "review-add", attendees=[left.pk]).status_code == 422


def loses(person: User) -> None:
    """Take every role from somebody."""
    Membership.objects.filter(user=person).delete()
    User.objects.filter(pk=person.pk).update(is_reviewer=False, is_auditor=False, is_superuser=False, is_staff=False)


def leaves(person: User) -> None:
    """Let somebody have left."""
    User.objects.filter(pk=person.pk).update(is_active=False)


@pytest.mark.parametrize(("change", "expected"), [(loses, 403), (leaves, TO_SIGN_IN)])
def test_a_page_that_stayed_open_gives_no_role_back(
    place: Place, change: Callable[[User], None], expected: Any
) -> None:
    for name in [*sorted(set(WHO_MAY) - NEEDS_NO_ROLE), "ledger-export"]:
        with transaction.atomic():
            role = WHO_MAY.get(name, "auditor")
            place.prepare(name)
            client, address, form = place.client(role), place.address(name), place.form(name)
            change(place.people[role])
            before = everything()
            response = client.get(address) if name == "ledger-export" else client.post(address, form)
            assert (name, answer(response)) == (name, expected)
            assert everything() == before, name
            if expected == 403:
                assert "nly " in words(response) or "you are in none" in words(response), name
            transaction.set_rollback(True)
