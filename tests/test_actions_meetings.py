"""A review while it is held: opened, led, decided in, written down, and frozen when it is closed."""

from datetime import datetime
from typing import Any

import pytest
from django.db.models import ProtectedError
from django.test import Client

from readiness.actions import decisions, meetings, reviews
from readiness.actions.decisions import DecisionCrossed
from readiness.actions.reviews import ReviewCrossed
from readiness.enums.words import DecisionKind
from readiness.models import Decision, Environment, Event, MeetingNote, Presence, Review, User
from readiness.rules.minutes import MinuteKind
from readiness.selectors.minutes import minutes_of
from readiness.selectors.proceedings import proceedings_of
from readiness.selectors.room import room_of
from tests.deeds import after, ask, decide, forbidden_by, plan_review, refused, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_person, make_reviewer, make_service
from tests.reading import words

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def sam() -> User:
    return make_reviewer("sam")


@pytest.fixture
def agenda() -> list[Environment]:
    first = make_environment(name="prod")
    service = make_service(first.service.team)
    return [first, *(make_environment(service, name) for name in ("one", "two"))]


@pytest.fixture
def review(ada: User, agenda: list[Environment]) -> Review:
    return plan_review(*agenda, by=ada, title="November launches")


def order(agenda: list[Environment]) -> list[int]:
    return [one.pk for one in agenda]


def hold(review: Review, by: User, agenda: list[Environment], *, now: datetime = NOW) -> Review:
    return meetings.open_meeting(by=by, review_id=review.pk, order=order(agenda), now=now)


def no_go(
    review: Review, by: User, place: Environment, agenda: list[Environment], *, now: datetime = NOW, **given: Any
) -> tuple[Decision, int | None]:
    words: dict[str, Any] = {"note": "", "dissents": [], "conditions": [], "seen_decision": None, "key": "", **given}
    return meetings.decide(
        by=by,
        review_id=review.pk,
        environment_id=place.pk,
        kind=DecisionKind.NO_GO,
        order=order(agenda),
        now=now,
        **words,
    )


def said(review: Review) -> list[tuple[MinuteKind, str, str]]:
    """The minutes: what, about which environment, in words."""
    return [(one.kind, one.environment.name if one.environment else "", one.words) for one in minutes_of(review)]


def test_a_meeting_is_opened_led_decided_and_closed_and_its_minutes_say_so(
    review: Review, ada: User, sam: User, agenda: list[Environment], client: Client
) -> None:
    first, one, two = agenda
    mia = make_member(one.service.team, "mia")
    tick(mia, item_of(one, "audit-log"), now=NOW)  # Before the meeting, so not in its minutes.
    held = hold(review, ada, agenda, now=after(minutes=1))
    assert (held.line_id, held.line_since, held.opened_by) == (first.pk, after(minutes=1), ada)
    assert hold(review, sam, agenda, now=after(minutes=2)).opened_by == ada  # A second press opens nothing.

    meetings.go_to(by=ada, review_id=review.pk, environment_id=two.pk, now=after(minutes=2))
    asked = ask(mia, item_of(two, "audit-log"), now=after(minutes=3))
    decide(sam, asked, now=after(minutes=4))
    tick(mia, item_of(one, "rotation-runbook"), now=after(minutes=4))
    meetings.write_note(
        by=mia, review_id=review.pk, environment_id=two.pk, text=" The CDN is new. ", key="a", now=after(minutes=5)
    )
    dissent = decisions.NewDissent(by=sam, reason="Nobody has tried the runbook on it yet.")
    made, following = no_go(review, ada, two, agenda, now=after(minutes=6), dissents=[dissent], note="Not yet.")
    assert following == first.pk  # Below the last line there is none, so the first one follows.
    review.refresh_from_db()
    assert (review.line_id, review.line_since) == (first.pk, after(minutes=6))
    _, following = no_go(review, sam, one, agenda, now=after(minutes=7))  # The room looks at another line and stays.
    review.refresh_from_db()
    assert review.line_id == following == first.pk
    meetings.take_chair(by=sam, review_id=review.pk, seen_chair=ada.pk, now=after(minutes=8))
    with refused("sam has the chair and does this"):
        meetings.go_to(by=ada, review_id=review.pk, environment_id=one.pk, now=after(minutes=8))
    with refused("sam took the chair meanwhile"):
        meetings.take_chair(by=make_reviewer("kim"), review_id=review.pk, seen_chair=ada.pk, now=after(minutes=8))
    _, following = no_go(review, sam, first, agenda, now=after(minutes=9))
    assert following is None
    reviews.close(by=sam, review_id=review.pk, now=after(minutes=10))

    waived = item_of(two, "audit-log").entry.title
    ticked = item_of(one, "rotation-runbook").entry.title
    frozen = said(review)
    assert frozen == [
        (MinuteKind.OPENED, "", "ada opened the meeting."),
        (MinuteKind.CAME, "", "ada came."),
        (MinuteKind.ASKED, "two", f"mia asked to waive “{waived}”. {asked.reason}"),
        (MinuteKind.GRANTED, "two", f"sam granted the waiver of “{waived}”."),
        (MinuteKind.TICKED, "one", f"mia ticked “{ticked}”. Looked at it on the dashboard, and it holds."),
        (MinuteKind.CAME, "", "mia came."),
        (MinuteKind.NOTED, "two", "The CDN is new."),
        (MinuteKind.DECIDED, "two", "No-go, 1 waiver. Decided by ada. Not yet."),
        (MinuteKind.DISSENTED, "two", "sam does not agree: Nobody has tried the runbook on it yet."),
        (MinuteKind.CAME, "", "sam came."),
        (MinuteKind.DECIDED, "one", "No-go. Decided by sam."),
        (MinuteKind.CHAIR, "", "sam took the chair from ada."),
        (MinuteKind.DECIDED, "prod", "No-go. Decided by sam."),
        (MinuteKind.CLOSED, "", "sam closed the review."),
    ]
    assert set(review.attendees.all()) == {ada, sam, mia}
    assert minutes_of(review)[7].params["decision"] == made.pk
    client.force_login(sam, backend="django.contrib.auth.backends.ModelBackend")
    over = words(client.get(f"{review.get_absolute_url()}meeting/?line={two.pk}"))
    assert "To settle before a decision" not in over
    assert over.count("Decided by ada. Not yet.") == 1, (
        "In the minutes; the decision itself stands above what happened."
    )
    assert over.count("The CDN is new.") == 2
    assert "sam had the chair." in over

    for act in (
        lambda: meetings.go_to(by=sam, review_id=review.pk, environment_id=one.pk, now=after(minutes=11)),
        lambda: meetings.take_chair(by=ada, review_id=review.pk, seen_chair=sam.pk, now=after(minutes=11)),
        lambda: meetings.come(by=mia, review_id=review.pk, now=after(minutes=11)),
        lambda: meetings.write_note(
            by=mia, review_id=review.pk, environment_id=None, text="Late.", key="z", now=after(minutes=11)
        ),
        lambda: no_go(review, ada, one, agenda, now=after(minutes=11)),
    ):
        with refused("This review is closed"):
            act()
    meetings.beat(by=make_person(), review_id=review.pk, now=after(minutes=11))
    tick(mia, item_of(two, "rotation-runbook"), now=after(minutes=12))
    assert said(review) == frozen


def test_what_is_sent_twice_is_kept_once_and_a_line_that_was_decided_meanwhile_says_by_whom(
    review: Review, ada: User, sam: User, agenda: list[Environment]
) -> None:
    hold(review, ada, agenda)
    place = agenda[0]
    made, following = no_go(review, ada, place, agenda, key="k1", now=after(minutes=1))
    events = Event.objects.count()
    review.refresh_from_db()
    since = review.line_since
    again, then = no_go(review, ada, place, agenda, key="k1", now=after(minutes=2))
    assert (again.pk, then) == (made.pk, following)
    review.refresh_from_db()
    assert (Event.objects.count(), review.line_since) == (events, since)
    with pytest.raises(DecisionCrossed, match="ada decided first: No-go"):
        no_go(review, sam, place, agenda, key="k1", now=after(minutes=2))  # Another's key is not this one's.
    other, _ = no_go(review, ada, agenda[1], agenda, key="k1", now=after(minutes=2))  # Nor of another line.
    assert (other.environment_id, other.key) == (agenda[1].pk, "")
    with forbidden_by("decision_sent_once"):
        Decision.objects.create(
            review=review, environment=agenda[1], kind="no-go", by=ada, at=NOW, snapshot="{}", hash="0", key="k1"
        )

    note = {"review_id": review.pk, "environment_id": place.pk, "text": "Once.", "key": "n1"}
    kept = meetings.write_note(by=ada, now=after(minutes=3), **note)
    assert meetings.write_note(by=ada, now=after(minutes=4), **note) == kept
    assert meetings.write_note(by=sam, now=after(minutes=4), **note) != kept
    assert [kind for kind, _, _ in said(review)].count(MinuteKind.NOTED) == 2
    with pytest.raises(TypeError):
        kept.save()
    with refused("Write something first"):
        meetings.write_note(by=ada, now=after(minutes=5), **{**note, "text": " ", "key": "n2"})
    with refused("looks like a key"):
        meetings.write_note(by=ada, now=after(minutes=5), **{**note, "text": "qbt_0123456789abcdef", "key": "n3"})
    elsewhere, before = make_environment().pk, MeetingNote.objects.count()
    with refused("not on the agenda"):
        meetings.write_note(by=ada, now=after(minutes=5), **{**note, "environment_id": elsewhere, "key": "n4"})
    assert MeetingNote.objects.count() == before

    reviews.close(by=ada, review_id=review.pk, now=after(minutes=6))
    assert meetings.write_note(by=ada, now=after(minutes=7), **note) == kept
    assert no_go(review, ada, place, agenda, key="k1", now=after(minutes=7)) == (made, agenda[2].pk)


def test_who_is_there_is_kept_and_a_quorum_is_asked_of_every_decision(
    ada: User, sam: User, agenda: list[Environment]
) -> None:
    review = plan_review(*agenda, by=ada, quorum=3)
    noor, kim = make_person("noor"), make_person("kim")
    with refused("not open yet"):
        no_go(review, ada, agenda[0], agenda)
    meetings.beat(by=noor, review_id=review.pk, now=NOW)  # Nobody is there before it is open.
    assert not Presence.objects.exists()
    hold(review, ada, agenda)
    for _ in range(3):
        meetings.beat(by=noor, review_id=review.pk, now=after(seconds=30))
    assert Event.objects.filter(kind="review.joined", actor=noor).count() == 1
    with refused("needs 3 people in the room to decide, and 2 are there"):
        no_go(review, ada, agenda[0], agenda, now=after(minutes=1))
    with refused("ada has the chair"):
        meetings.name_person(by=sam, review_id=review.pk, person=kim, now=after(minutes=1))
    with refused("Only a reviewer"):
        meetings.name_person(by=noor, review_id=review.pk, person=kim, now=after(minutes=1))
    meetings.name_person(by=ada, review_id=review.pk, person=kim, now=after(minutes=1))
    meetings.name_person(by=ada, review_id=review.pk, person=kim, now=after(minutes=1))
    User.objects.filter(pk=kim.pk).update(is_active=False)
    with refused("needs 3 people in the room to decide, and 2 are there"):
        no_go(review, ada, agenda[0], agenda, now=after(minutes=1))
    User.objects.filter(pk=kim.pk).update(is_active=True)
    no_go(review, ada, agenda[0], agenda, now=after(minutes=1))

    gone = after(minutes=4)  # Noor's page is not heard of any more; Kim was named and stays; Ada did something at 1.
    assert room_of(review, gone).here == [kim]
    assert room_of(review, gone).away == [ada, noor]
    meetings.leave(by=kim, review_id=review.pk, person=kim, now=gone)
    meetings.leave(by=ada, review_id=review.pk, person=noor, now=gone)
    with refused("ada has the chair"):
        meetings.leave(by=sam, review_id=review.pk, person=ada, now=gone)
    meetings.beat(by=noor, review_id=review.pk, now=gone)  # Who was taken out stays out, though the page is open still.
    assert set(review.attendees.all()) == {ada, kim}  # Kim was there and left; of Noor the chair says that she was not.
    assert room_of(review, gone).expected == []
    events = Event.objects.count()
    meetings.leave(by=kim, review_id=review.pk, person=kim, now=after(minutes=5))  # A page that was open twice.
    assert (Event.objects.count(), review.attendees.filter(pk=kim.pk).exists()) == (events, True)
    meetings.come(by=noor, review_id=review.pk, now=after(minutes=5))
    assert room_of(review, after(hours=2)).here == [noor]
    assert [text for kind, _, text in said(review) if kind in (MinuteKind.NAMED, MinuteKind.LEFT)] == [
        "kim is in the room, as ada says.",
        "kim left.",
        "ada took noor out.",
    ]
    assert Presence.objects.filter(user=noor).count() == 1
    with pytest.raises(ProtectedError):
        noor.delete()


def test_the_database_keeps_a_meeting_together(review: Review, ada: User, agenda: list[Environment]) -> None:
    of_it = Review.objects.filter(pk=review.pk)
    with forbidden_by("review_opened_by_whom_and_when"):
        of_it.update(opened_at=NOW)
    with forbidden_by("review_looks_at_a_line_since"):
        of_it.update(line=agenda[0], line_since=NOW)
    with forbidden_by("review_quorum_of_somebody"):
        of_it.update(quorum=0)
    there = Presence.objects.create(review=review, user=ada, came_at=NOW, seen_at=NOW)
    with forbidden_by("presence_once_a_person"):
        Presence.objects.create(review=review, user=ada, came_at=NOW, seen_at=NOW)
    with forbidden_by("presence_seen_after_it_began"):
        Presence.objects.filter(pk=there.pk).update(seen_at=after(minutes=-1))
    with forbidden_by("presence_ends_after_it_began"):
        Presence.objects.filter(pk=there.pk).update(gone_at=after(minutes=-1))
    with forbidden_by("meeting_note_says_something"):
        MeetingNote.objects.create(review=review, by=ada, at=NOW, text="", key="a")


def test_what_is_taken_off_the_agenda_is_not_looked_at_any_more(
    review: Review, ada: User, agenda: list[Environment]
) -> None:
    hold(review, ada, agenda)
    changed = reviews.change(
        by=ada,
        review_id=review.pk,
        title=review.title,
        starts_at=NOW,
        chair=ada,
        environments=agenda[1:],
        attendees=[ada],
        quorum=2,
        seen_version=1,
        now=after(minutes=1),
    )
    assert (changed.line_id, changed.line_since) == (None, None)
    event = Event.objects.filter(kind="review.changed").latest("id")
    assert (event.data["from"]["quorum"], event.data["to"]["quorum"]) == (None, 2)
    with refused("not on the agenda"):
        meetings.go_to(by=ada, review_id=review.pk, environment_id=agenda[0].pk, now=after(minutes=2))
    meetings.go_to(by=ada, review_id=review.pk, environment_id=agenda[2].pk, now=after(minutes=2))
    meetings.beat(by=make_person(), review_id=review.pk, now=after(minutes=2))
    _, following = no_go(review, ada, agenda[2], agenda, now=after(minutes=3))  # Its page had the order of before.
    review.refresh_from_db()
    assert review.line_id == following == agenda[1].pk


def test_a_form_from_before_gives_back_no_chair_and_sends_nobody_out_of_the_room(
    review: Review, ada: User, sam: User, agenda: list[Environment]
) -> None:
    form: dict[str, Any] = {
        "review_id": review.pk,
        "title": "December launches",
        "starts_at": NOW,
        "chair": ada,
        "environments": agenda,
        "attendees": [ada],
    }
    hold(review, ada, agenda)
    mia = make_person("mia")
    meetings.beat(by=mia, review_id=review.pk, now=after(minutes=1))
    meetings.take_chair(by=sam, review_id=review.pk, seen_chair=ada.pk, now=after(minutes=2))
    with pytest.raises(ReviewCrossed, match="sam saved this review first"):
        reviews.change(by=ada, **form, seen_version=1, now=after(minutes=3))
    review.refresh_from_db()
    assert review.chair == sam
    reviews.change(by=ada, **{**form, "chair": sam}, seen_version=review.version, now=after(minutes=4))
    assert set(review.attendees.all()) == {ada, sam, mia}
    review.refresh_from_db()
    reviews.change(by=sam, **form, seen_version=review.version, now=after(minutes=5))
    assert [line for line in said(review) if line[0] in (MinuteKind.CHAIR, MinuteKind.CHAIR_GIVEN)] == [
        (MinuteKind.CHAIR, "", "sam took the chair from ada."),
        (MinuteKind.CHAIR_GIVEN, "", "sam gave the chair to ada."),
    ]
    held = proceedings_of(Review.objects.select_related("chair", "closed_by").get(pk=review.pk))
    assert held.chairs == [("ada", NOW), ("sam", after(minutes=2)), ("ada", after(minutes=5))]
