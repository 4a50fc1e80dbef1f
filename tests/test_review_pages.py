"""The pages of launches, reviews and decisions: what they show, what they refuse in words, and what they cost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from readiness.actions import meetings, reviews
from readiness.actions.decisions import NewCondition
from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision, Environment, Event, Review, User
from readiness.rules.texts import KEY_IN_TEXT
from readiness.selectors.meetings import order_of
from tests.deeds import REASON, decide_on, plan_review, settle, take_back, tick
from tests.factories import item_of, make_environment, make_member, make_person, make_reviewer, make_service, make_team
from tests.reading import at_field, value_of, words

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
LAUNCHES, REVIEW, DECIDE, DECISION = 21, 21, 28, 22
"""How many queries a page costs, those of the session and the person included."""
KEY = "qbt_live_4fK2mXw9Zr7TqLp0"


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def page(ada: User, client: Client) -> Client:
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def dev(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "assistant-web", by=mia), "dev", kind="dev", by=mia)


def place(mia: User, number: int, *, kind: str = "dev") -> Environment:
    launch_on = timezone.localdate() + timedelta(days=number % 9 + 1)
    service = make_service(mia.teams.get(), f"service-{number}", by=mia)
    return make_environment(service, "here", kind=kind, by=mia, launch_on=launch_on, now=timezone.now())


def address(name: str, review: Review, environment: Environment | None = None) -> str:
    if environment is None:
        return reverse(name, args=[review.pk])
    return reverse(name, args=[review.pk, environment.service.slug, environment.name])


def sent(**given: Any) -> dict[str, Any]:
    return {"note": "", "dissents": 0, "seen_decision": "", **given}


def queries(page: Client, where: str) -> int:
    page.get(where)
    with CaptureQueriesContext(connection) as made:
        assert page.get(where).status_code == 200
    return len(made)


def test_pages_cost_the_same_with_1_and_with_30_environments(page: Client, mia: User, ada: User) -> None:
    def costs(review: Review, decision: Decision) -> tuple[int, ...]:
        there = [reverse("launches"), review.get_absolute_url(), address("launch-decide", review, decision.environment)]
        return tuple(queries(page, where) for where in (*there, decision.get_absolute_url()))

    def decided(*environments: Environment) -> tuple[Review, Decision]:
        now = timezone.now()
        review = plan_review(*environments, by=ada, attendees=[ada, mia], now=now)
        for one in environments:
            left = [item_of(one, "spend-cap")]
            settle(one, mia, but=["spend-cap"], now=now)
            until = timezone.localdate() + timedelta(days=3)
            conditions = [NewCondition(item_id=item.pk, reason=REASON, owner=mia, until=until) for item in left]
            kind = DecisionKind.GO_WITH_CONDITIONS
            decision = decide_on(one, ada, kind, review=review, conditions=conditions, now=now)
        return review, decision

    with_one = costs(*decided(place(mia, 0)))
    assert costs(*decided(*(place(mia, number) for number in range(1, 31)))) == with_one
    assert with_one == (LAUNCHES, REVIEW, DECIDE, DECISION)


def test_a_review_is_planned_in_the_order_of_its_rows(page: Client, mia: User, ada: User) -> None:
    first, second = place(mia, 1), place(mia, 2)
    form = {
        "title": "November launches",
        "starts_at": "2030-11-24T10:00",
        "chair": ada.pk,
        "agenda": ["", second.pk, "", first.pk],
        "attendees": [ada.pk, mia.pk],
    }
    answer = page.post(reverse("review-add"), form)
    review = Review.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, review.get_absolute_url())
    assert [line.environment for line in review.agenda.all()] == [second, first]
    assert timezone.localtime(review.starts_at).strftime("%Y-%m-%d %H:%M") == "2030-11-24 10:00"
    shown = words(page.get(review.get_absolute_url()))
    assert order_of(review, timezone.now()) == [first.pk, second.pk], "The soonest launch first, as in the meeting."
    assert shown.index("service-1 in here") < shown.index("service-2 in here")


@pytest.mark.parametrize(
    ("given", "field", "says"),
    [
        ({"title": ""}, "id_title", "This field is required."),
        ({"title": KEY}, "id_title", KEY_IN_TEXT),
        ({"starts_at": "soon"}, "id_starts_at", "Enter a valid date/time."),
        ({"chair": "0"}, "id_chair", "Select a valid choice"),
    ],
)
def test_a_review_that_is_not_right_is_said_at_its_field_and_keeps_what_was_typed(
    page: Client, mia: User, ada: User, given: dict[str, str], field: str, says: str
) -> None:
    here = place(mia, 1)
    form = {"title": "Launches", "starts_at": "2030-01-01T10:00", "chair": ada.pk, "agenda": [here.pk], **given}
    answer = page.post(reverse("review-add"), form)
    assert answer.status_code == 422
    assert says in at_field(answer, field)
    assert f'value="{here.pk}" selected' in answer.content.decode()
    assert KEY not in answer.content.decode()
    assert not Review.objects.exists()


def test_an_agenda_without_an_environment_or_with_one_twice_is_refused(page: Client, mia: User, ada: User) -> None:
    here = place(mia, 1)
    for agenda, says in (([""], "Put at least one environment"), ([here.pk, here.pk], "on the agenda twice")):
        form = {"title": "Launches", "starts_at": "2030-01-01T10:00", "chair": ada.pk, "agenda": agenda}
        answer = page.post(reverse("review-add"), form)
        assert answer.status_code == 422
        assert says in words(answer)


@pytest.mark.parametrize(
    ("do", "rows"),
    [("up-1", ["b", "a", "c"]), ("out-0", ["b", "c"]), ("up-0", ["a", "b", "c"]), ("up-9", ["a", "b", "c"])],
)
def test_rows_move_without_javascript_and_without_being_saved(
    page: Client, mia: User, do: str, rows: list[str]
) -> None:
    places = {name: place(mia, number) for number, name in enumerate("abc")}
    form = {"title": "Half typed", "agenda": [one.pk for one in places.values()], "do": do}
    answer = page.post(reverse("review-add"), form)
    assert answer.status_code == 200
    html = answer.content.decode()
    chosen = [part.split('"')[0] for part in html.split('<option value="')[1:] if " selected>" in part.split("<")[0]]
    by_key = {str(one.pk): name for name, one in places.items()}
    assert [by_key[one] for one in chosen if one in by_key] == rows
    assert value_of(answer, "id_title") == "Half typed"
    assert not Review.objects.exists()


def test_two_who_change_a_review_are_told_of_each_other(page: Client, dev: Environment, ada: User) -> None:
    review = plan_review(dev, by=ada)
    sam = make_reviewer("sam")
    reviews.change(
        by=sam,
        review_id=review.pk,
        title="Sam's title",
        starts_at=review.starts_at,
        chair=ada,
        environments=[dev],
        attendees=[],
        seen_version=1,
        now=timezone.now(),
    )
    form = {"title": "Ada's title", "starts_at": "2030-01-01T10:00", "chair": ada.pk, "agenda": [dev.pk]}
    answer = page.post(address("review-change", review), {**form, "seen_version": 1})
    assert answer.status_code == 409
    assert "sam saved this review first." in words(answer)
    assert "Sam's title" in words(answer)
    assert value_of(answer, "id_title") == "Ada's title"
    again = page.post(address("review-change", review), {**form, "seen_version": value_of(answer, "id_seen_version")})
    assert again.status_code == 302
    review.refresh_from_db()
    assert (review.title, review.version) == ("Ada's title", 3)


def test_minutes_that_cross_show_both_texts_and_who_was_first(page: Client, dev: Environment, ada: User) -> None:
    review, sam = plan_review(dev, by=ada), make_reviewer("sam")
    reviews.write_minutes(
        by=sam, review_id=review.pk, minutes="Sam: the cap is set.", seen_version=1, now=timezone.now()
    )
    answer = page.post(address("review-minutes", review), {"minutes": "Ada: the cap is low.", "seen_version": 1})
    assert answer.status_code == 409
    shown = words(answer)
    assert "sam saved this review first." in shown
    assert "Sam: the cap is set." in shown
    assert value_of(answer, "id_minutes") == "Ada: the cap is low."
    review.refresh_from_db()
    assert review.minutes == "Sam: the cap is set."
    both = "Sam: the cap is set.\nAda: the cap is low."
    form = {"minutes": both, "seen_version": value_of(answer, "id_seen_version")}
    assert page.post(address("review-minutes", review), form).status_code == 302
    review.refresh_from_db()
    assert review.minutes == both
    written = Event.objects.filter(kind="review.minutes-written").order_by("id")
    assert [event.data["to"] for event in written] == ["Sam: the cap is set.", both]


def test_nothing_is_written_in_a_review_that_is_closed(page: Client, dev: Environment, ada: User) -> None:
    review = plan_review(dev, by=ada)
    assert page.post(address("review-close", review)).status_code == 302
    assert page.post(address("review-close", review)).status_code == 403
    late = page.post(address("review-minutes", review), {"minutes": "Too late, but written.", "seen_version": 1})
    assert late.status_code == 422
    assert "This review is closed" in words(late)
    assert "Too late, but written." in words(late)
    assert page.get(address("review-change", review)).status_code == 403
    assert page.post(address("launch-decide", review, dev), sent(kind="no-go")).status_code == 422
    assert not Decision.objects.exists()


def test_the_go_is_disabled_with_its_reasons_while_anything_is_unsettled(
    page: Client, dev: Environment, mia: User, ada: User
) -> None:
    now = timezone.now()
    settle(dev, mia, but=["spend-cap"], now=now)
    where = address("launch-decide", plan_review(dev, by=ada), dev)
    html = page.get(where).content.decode()
    assert 'name="kind" value="go"' not in html
    assert "1 item is not settled: “Monthly spend cap” (open)." in words(page.get(where))
    tick(mia, item_of(dev, "spend-cap"), now=now)
    html = page.get(where).content.decode()
    assert 'name="kind" value="go"' in html
    assert 'name="kind" value="go-with-conditions"' not in html
    assert page.post(where, sent(kind="go")).status_code == 302


def test_a_go_that_was_overtaken_by_the_clock_is_refused_in_words(
    page: Client, dev: Environment, mia: User, ada: User
) -> None:
    """The page showed the button; meanwhile a tick was taken back."""
    now = timezone.now()
    settle(dev, mia, now=now)
    where = address("launch-decide", plan_review(dev, by=ada), dev)
    assert 'value="go"' in page.get(where).content.decode()
    take_back(mia, item_of(dev, "spend-cap"), now=now)
    answer = page.post(where, sent(kind="go", note="All were there."))
    assert answer.status_code == 422
    assert "1 item is not settled: “Monthly spend cap” (stale)." in words(answer)
    assert value_of(answer, "id_note") == "All were there."
    assert not Decision.objects.exists()


def test_conditions_are_asked_for_at_their_fields_and_kept(
    page: Client, dev: Environment, mia: User, ada: User
) -> None:
    settle(dev, mia, but=["spend-cap"], now=timezone.now())
    where, key = address("launch-decide", plan_review(dev, by=ada), dev), item_of(dev, "spend-cap").pk
    answer = page.post(where, sent(kind="go-with-conditions", **{f"reason-{key}": "Soon."}))
    assert answer.status_code == 422
    assert "Say why in a sentence" in at_field(answer, f"id_reason-{key}")
    assert at_field(answer, f"id_owner-{key}") == "Choose who owns it."
    assert "Say until when" in at_field(answer, f"id_until-{key}")
    until = (timezone.localdate() + timedelta(days=4)).isoformat()
    given = {f"reason-{key}": REASON, f"owner-{key}": str(mia.pk), f"until-{key}": until}
    answer = page.post(where, sent(kind="go-with-conditions", **given))
    decision = Decision.objects.get()
    assert (answer.status_code, answer.headers["Location"]) == (302, decision.get_absolute_url())
    assert Condition.objects.values_list("item", "owner", "reason").get() == (key, mia.pk, REASON)
    shown = words(page.get(decision.get_absolute_url()))
    assert "Covers." in shown
    assert REASON in shown
    assert decision.hash in shown
    assert "Recomputed just now: it is the same" in shown


def test_an_owner_of_an_item_is_the_owner_of_its_condition_unless_told(
    page: Client, dev: Environment, mia: User, ada: User
) -> None:
    item = item_of(dev, "spend-cap")
    item.owner = mia
    item.save(update_fields=["owner"])
    html = page.get(address("launch-decide", plan_review(dev, by=ada), dev)).content.decode()
    select = html.split(f'name="owner-{item.pk}"')[1].split("</select>")[0]
    assert f'<option value="{mia.pk}" selected>' in select


def test_any_number_dissents_by_name_without_javascript(page: Client, dev: Environment, ada: User) -> None:
    where, people = address("launch-decide", plan_review(dev, by=ada), dev), [make_person() for _ in range(3)]
    form = sent(note="Half typed")
    for row in range(3):
        answer = page.post(where, {**form, "do": "more"})
        assert answer.status_code == 200
        form["dissents"] = value_of(answer, "id_dissents")
        form |= {f"dissent-{row}-by": people[row].pk, f"dissent-{row}-reason": REASON}
        assert value_of(answer, "id_note") == "Half typed"
    assert not Decision.objects.exists()
    lame = page.post(where, {**form, "dissent-1-reason": "No.", "kind": "no-go"})
    assert "Say why in a sentence" in at_field(lame, "id_dissent-1-reason")
    assert page.post(where, {**form, "kind": "no-go"}).status_code == 302
    assert [one.by for one in Decision.objects.get().dissents.all()] == people


def test_another_reviewers_decision_in_between_is_named_and_what_was_typed_stays(
    page: Client, dev: Environment, ada: User
) -> None:
    review, sam = plan_review(dev, by=ada), make_reviewer("sam")
    where = address("launch-decide", review, dev)
    first = decide_on(dev, sam, review=review, note="Not before the audit.", now=timezone.now())
    answer = page.post(where, sent(kind="no-go", note="Mine."))
    assert answer.status_code == 409
    assert "sam decided first: No-go" in words(answer)
    assert "Not before the audit." in words(answer)
    assert value_of(answer, "id_note") == "Mine."
    assert value_of(answer, "id_seen_decision") == str(first.pk)
    assert page.post(where, sent(kind="no-go", note="Mine.", seen_decision=first.pk)).status_code == 302
    assert Decision.objects.count() == 2


@pytest.mark.parametrize("field", ["note", "dissent-0-reason"])
def test_a_pasted_key_is_not_kept_in_a_decision(page: Client, dev: Environment, ada: User, field: str) -> None:
    where = address("launch-decide", plan_review(dev, by=ada), dev)
    given = {"dissents": 1, "dissent-0-by": ada.pk, "dissent-0-reason": REASON, field: f"We used {KEY} for the drill."}
    for how in ({"kind": "no-go"}, {"do": "more"}):
        answer = page.post(where, sent(**given, **how))
        assert KEY not in answer.content.decode()
        assert answer.status_code == (422 if "kind" in how else 200)
    assert not Decision.objects.exists()


def test_a_reader_sees_everything_and_why_they_decide_nothing(client: Client, dev: Environment, ada: User) -> None:
    review = plan_review(dev, by=ada)
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    for where in (reverse("launches"), review.get_absolute_url(), address("launch-decide", review, dev)):
        assert "Only a reviewer plans launch reviews and decides in them." in words(client.get(where))


@pytest.mark.parametrize("kind", ["", "perhaps", "GO"])
def test_what_is_no_decision_is_not_found(page: Client, dev: Environment, ada: User, kind: str) -> None:
    where = address("launch-decide", plan_review(dev, by=ada), dev)
    assert page.post(where, sent(kind=kind)).status_code == 404
    assert page.get(reverse("launch-decide", args=[10**17, dev.service.slug, dev.name])).status_code == 404
    assert page.get("/reviews/99999999999999999999999/").status_code == 404
    assert page.get("/decisions/99999999999999999999999/").status_code == 404


def test_an_environment_that_is_not_on_the_agenda_has_no_decision_page(
    page: Client, dev: Environment, mia: User, ada: User
) -> None:
    assert page.get(address("launch-decide", plan_review(dev, by=ada), place(mia, 1))).status_code == 404


def test_the_sheet_says_what_stands_and_which_review_is_next(
    page: Client, dev: Environment, mia: User, ada: User
) -> None:
    now = timezone.now()
    settle(dev, mia, now=now)
    assert "Nothing has been decided yet." in words(page.get(dev.get_absolute_url()))
    decide_on(dev, ada, DecisionKind.GO, now=now)
    plan_review(dev, by=ada, title="Next week", starts_at=now - timedelta(days=1), now=now)
    sheet = words(page.get(dev.get_absolute_url()))
    assert "Covers." in sheet
    assert "launch review yesterday" in sheet
    take_back(mia, item_of(dev, "spend-cap"), now=timezone.now())
    sheet = words(page.get(dev.get_absolute_url()))
    assert "No longer covers" in sheet
    assert "Monthly spend cap was attested and is stale" in sheet
    assert "Regressed" in sheet


def test_the_overview_marks_what_may_go(page: Client, dev: Environment, mia: User, ada: User) -> None:
    now = timezone.now()
    settle(dev, mia, now=now)
    decide_on(dev, ada, DecisionKind.GO, now=now)
    assert '<span class="tag verified">Go</span>' in page.get(reverse("overview")).content.decode()
    decide_on(dev, ada, DecisionKind.NO_GO, now=timezone.now())
    assert '<span class="tag failing">No-go</span>' not in page.get(reverse("overview")).content.decode()


def test_launches_come_in_pages_what_launches_next_first(
    page: Client, mia: User, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("readiness.selectors.reviews.LAUNCHES_A_PAGE", 2)
    today, service = timezone.localdate(), make_service(mia.teams.get(), "many", by=mia)
    made = {
        name: make_environment(service, name, by=mia, launch_on=today + timedelta(days=days))
        for name, days in (("long-ago", -9), ("soon", 1), ("just-now", -1), ("later", 30))
    }
    settle(made["long-ago"], mia, now=timezone.now())
    decide_on(made["long-ago"], ada, DecisionKind.GO, now=timezone.now())

    def shown(number: str) -> list[str]:
        answer = page.get(reverse("launches"), {"page": number})
        shown = answer.context["launches"]
        return [line.environment.name for one in (shown.ahead, shown.overdue, shown.launched) for line in one]

    assert shown("") == shown("1") == shown("x") == ["soon", "later"]
    assert shown("2") == shown("99") == ["just-now", "long-ago"]
    second = words(page.get(reverse("launches"), {"page": "2"}))
    assert "3 to 4 of 4" in second
    assert second.index("Overdue") < second.index("just-now") < second.index("Launched") < second.index("long-ago")


def test_a_note_about_a_line_that_no_number_names_is_not_kept(page: Client, ada: User, dev: Environment) -> None:
    review = plan_review(dev, by=ada)
    meetings.open_meeting(by=ada, review_id=review.pk, order=[dev.pk], now=timezone.now())
    for line in ("9" * 40, "9223372036854775808", "-5"):
        answer = page.post(address("meeting-note", review), {"text": "The vendor was asked.", "line": line})
        assert answer.status_code == 422, line
        assert "The vendor was asked." in words(answer), line
    assert not review.notes.exists()
