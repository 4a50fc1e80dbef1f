"""The minutes of a review, handed over in four ways."""

import json

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import meetings, reviews
from readiness.actions.decisions import NewCondition, NewDissent
from readiness.enums.words import DecisionKind
from readiness.models import Review, User
from tests.deeds import after, ask, decide, plan_review, settle
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_reviewer
from tests.papers import links_in, opened, roles_in, run_together, said_in
from tests.reading import words

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("sqlite")]


def files(client: Client, review: Review, form: str) -> bytes:
    answer = client.get(reverse("minutes-file", args=[review.pk, form]), {"lang": "en"})
    assert answer.status_code == 200
    return answer.content


def test_minutes_say_who_was_there_what_was_decided_and_what_happened_when(client: Client) -> None:
    dev, other = (make_environment(name="dev", kind="dev") for _ in range(2))
    mia, ada, sam = make_member(dev.service.team, "mia"), make_reviewer("ada"), make_reviewer("sam")
    settle(dev, mia, but=["spend-cap", "store-false"])
    asked = ask(mia, item_of(dev, "store-false"))
    review = plan_review(dev, other, by=ada, title="March launches", attendees=[mia], quorum=2)
    order = [dev.pk, other.pk]
    meetings.open_meeting(by=ada, review_id=review.pk, order=order, now=after(minutes=1))
    meetings.come(by=sam, review_id=review.pk, now=after(minutes=2))
    meetings.write_note(
        by=sam, review_id=review.pk, environment_id=dev.pk, text="Who pages at night?", key="k", now=after(minutes=3)
    )
    decide(sam, asked, note="Until the audit in May.", now=after(minutes=4))
    condition = NewCondition(
        item_id=item_of(dev, "spend-cap").pk,
        reason="The billing document comes first.",
        owner=mia,
        until=timezone.localdate(after(days=9)),
    )
    for person in (ada, sam):
        meetings.beat(by=person, review_id=review.pk, now=after(minutes=5))
    decision, _next = meetings.decide(
        by=ada,
        review_id=review.pk,
        environment_id=dev.pk,
        kind=DecisionKind.GO_WITH_CONDITIONS,
        note="Look again on Friday.",
        dissents=[NewDissent(by=sam, reason="The cap comes too late.")],
        conditions=[condition],
        seen_decision=None,
        key="d",
        order=order,
        now=after(minutes=5),
    )
    meetings.take_chair(by=sam, review_id=review.pk, seen_chair=ada.pk, now=after(minutes=6))
    client.force_login(make_person("rio"), backend="django.contrib.auth.backends.ModelBackend")
    assert "What follows is not all yet." in words(client.get(reverse("minutes", args=[review.pk])))
    reviews.close(by=sam, review_id=review.pk, now=after(minutes=9))

    pdf = files(client, review, "pdf")
    told = [
        "March launches",
        "Minutes of review",
        "Held from 2 March 2026 at",
        "1 of 2 decided",
        "ada, sam from",
        "Quorum 2",
        f"{dev.service.slug} in dev",
        f"{other.service.slug} in dev",
        "Go with conditions",
        f"Decision {decision.pk} by ada, 2 March 2026",
        "Look again on Friday.",
        "not decided",
        decision.hash,
        "mia owns it, until the end of 11 March 2026",
        "The billing document comes first.",
        "granted",
        "Until the audit in May.",
        "sam did not agree",
        "The cap comes too late.",
        "sam: Who pages at night?",
        "sam took the chair from ada.",
        "sam closed the review.",
        "Closed by",
    ]
    page = run_together(words(client.get(reverse("minutes", args=[review.pk]))))
    for said in (page, run_together(said_in(pdf))):
        assert [one for one in told if run_together(one) not in said] == []
    assert (opened(pdf).trailer["/Root"]["/Lang"], opened(pdf).metadata.title) == ("en-CA", "March launches")  # type: ignore[union-attr]
    assert roles_in(pdf) >= {"Document", "H1", "H2", "H3", "Table", "TH", "TD"}
    assert f"http://testserver{decision.get_absolute_url()}" in links_in(pdf)
    assert files(client, review, "pdf") == pdf

    kept = json.loads(files(client, review, "json"))
    assert [one["name"] for one in kept["chairs"]] == ["ada", "sam"]
    assert {one["name"] for one in kept["attendance"]} == {"ada", "sam"}
    assert [[each["hash"] for each in one["decisions"]] for one in kept["agenda"]] == [[decision.hash], []]
    assert {"opened", "noted", "granted", "decided", "dissented", "chair", "closed"} <= {
        one["kind"] for one in kept["lines"]
    }
    User.objects.filter(username="ada").update(first_name="Renamed")
    assert files(client, review, "pdf") == pdf


def test_two_people_of_one_name_are_two_in_the_minutes(client: Client) -> None:
    dev, ada = make_environment(name="dev", kind="dev"), make_reviewer("ada")
    review = plan_review(dev, by=ada, attendees=[])
    one, other = make_person("sam.lee"), make_person("sam.lee.2")
    for person in (one, other):
        person.first_name, person.last_name = "Sam", "Lee"
        person.save()
    meetings.open_meeting(by=ada, review_id=review.pk, order=[dev.pk], now=after(minutes=1))
    for person, minute in ((one, 2), (other, 3)):
        meetings.come(by=person, review_id=review.pk, now=after(minutes=minute))
    meetings.leave(by=one, review_id=review.pk, person=one, now=after(minutes=4))
    meetings.come(by=one, review_id=review.pk, now=after(minutes=5))
    meetings.leave(by=other, review_id=review.pk, person=other, now=after(minutes=6))
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    there = json.loads(files(client, review, "json"))["attendance"]
    assert [(each["name"], each["came_at"][14:16], each["left_at"] is None) for each in there] == [
        ("ada", "01", True),
        ("Sam Lee", "02", True),
        ("Sam Lee", "03", False),
    ]


def test_minutes_of_a_review_that_was_never_held_name_who_is_asked_and_what_is_planned(client: Client) -> None:
    dev = make_environment(name="dev", kind="dev")
    review = plan_review(dev, by=make_reviewer("ada"), attendees=[make_member(dev.service.team, "mia")], now=NOW)
    client.force_login(make_person("rio"), backend="django.contrib.auth.backends.ModelBackend")
    for said in (words(client.get(reverse("minutes", args=[review.pk]))), said_in(files(client, review, "pdf"))):
        assert "Planned for 2 March 2026 at" in said
        assert "was named" in said
        assert "not decided" in said
