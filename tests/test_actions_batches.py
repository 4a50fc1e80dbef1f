"""A whole section left out at once: what is asked for and what not, edits that cross, and one answer to all of it."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions import batches
from readiness.actions.batches import Answered, SectionCrossed
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import Environment, Event, Item, NotApplicable, Section, User
from readiness.rules.permissions import Refused
from readiness.selectors.mine import mine
from readiness.selectors.sections import items_in, seen_in, seen_text
from readiness.selectors.waiting import waiting_for
from tests.deeds import (
    REASON,
    after,
    ask,
    ask_to_leave_out,
    decide,
    end,
    everything,
    observe,
    refused,
    status,
    tick,
    version,
)
from tests.factories import (
    NOW,
    item_of,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.reading import words
from tests.test_actions_together import at_once

FAIL = Judgement.FAIL
STREAM = {"stream_not_held": FAIL, "stream_not_compressed": FAIL, "stream_not_cached": FAIL}
one_database = pytest.mark.django_db


@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Conversational"), "assistant-web"), "prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def section(prod: Environment) -> Section:
    return item_of(prod, "sse-not-buffered").entry.section


def seen(prod: Environment, section: Section) -> dict[int, int]:
    return {item.pk: version(item) for item in items_in(prod, section, NOW)}


def leave_out(by: User, prod: Environment, section: Section, **given: Any) -> list[NotApplicable]:
    said: dict[str, Any] = {"reason": REASON, "seen": seen(prod, section), "now": NOW, **given}
    return batches.ask_section(by=by, environment=prod, section=section, **said)


def answer(by: User, asked: list[NotApplicable], *, grant: bool = True, note: str = "", now: Any = NOW) -> Answered:
    return batches.decide_batch(by=by, requests=[one.pk for one in asked], grant=grant, note=note, now=now)


def entries(asked: list[NotApplicable]) -> list[str]:
    return sorted(one.item.entry.slug for one in asked)


@one_database
def test_one_request_an_item_with_one_reason_one_batch_and_one_event_each(
    prod: Environment, mia: User, section: Section
) -> None:
    items, before = items_in(prod, section, NOW), Event.objects.count()
    versions = seen(prod, section)
    asked = leave_out(mia, prod, section)

    assert [one.item_id for one in asked] == sorted(item.pk for item in items)
    assert len(asked) > 1
    assert {(one.reason, one.batch, one.asked_by_id, one.asked_at) for one in asked} == {
        (REASON, asked[0].batch, mia.pk, NOW)
    }
    assert len(asked[0].batch) == 32
    assert seen(prod, section) == {item: before + 1 for item, before in versions.items()}
    told = Event.objects.order_by("id")[before:]
    assert [(one.kind, one.item_id, one.data["batch"]) for one in told] == [
        ("not-applicable.asked", one.item_id, one.batch) for one in asked
    ]
    assert all(status(item, NOW) is Status.OPEN for item in items), "Asking settles nothing."


@one_database
def test_it_asks_for_nothing_that_fails_waits_or_is_left_out_already(
    prod: Environment, mia: User, ada: User, section: Section
) -> None:
    names = [item.entry.slug for item in items_in(prod, section, NOW)]
    rest = [name for name in names if name != "sse-not-buffered"]
    observe(prod, "proxy-buffering", now=NOW, **STREAM)
    ask(mia, item_of(prod, rest[0]))
    decide(ada, ask_to_leave_out(mia, item_of(prod, rest[1])))

    if len(rest) == 2:
        with refused("No item of this section can be left out now."):
            leave_out(mia, prod, section)
    else:
        assert entries(leave_out(mia, prod, section)) == sorted(rest[2:])


@one_database
def test_a_section_without_anything_to_ask_for_is_refused(prod: Environment, mia: User, section: Section) -> None:
    leave_out(mia, prod, section)
    with refused("No item of this section can be left out now."):
        leave_out(mia, prod, section)


@one_database
def test_only_the_team_asks_and_with_a_reason_and_not_about_what_is_archived(
    prod: Environment, mia: User, section: Section
) -> None:
    for person in (make_person(), make_reviewer(), make_member(make_team())):
        with refused("Only members of Conversational"):
            leave_out(person, prod, section)
    with refused("Say why"):
        leave_out(mia, prod, section, reason="no")
    prod.archived_at = NOW
    prod.save()
    with refused("This is archived"):
        leave_out(mia, prod, section)


@one_database
def test_edits_that_cross_are_named_and_nothing_is_asked(prod: Environment, mia: User, section: Section) -> None:
    before = seen(prod, section)
    jo = make_member(prod.service.team, "jo")
    tick(jo, item_of(prod, "sse-not-buffered"))
    rows = everything()
    with pytest.raises(SectionCrossed) as crossed:
        leave_out(mia, prod, section, seen=before)
    assert crossed.value.said == ["jo saved “Streams not held by proxies” meanwhile."]
    with pytest.raises(SectionCrossed) as other:
        leave_out(mia, prod, section, seen=dict(list(seen(prod, section).items())[1:]))
    assert other.value.said == ["This section has other items by now."]
    assert everything() == rows


@one_database
def test_a_reviewer_who_did_not_ask_answers_all_of_it_at_once(prod: Environment, ada: User, section: Section) -> None:
    both = make_reviewer("rui", teams=(prod.service.team,))
    asked = leave_out(both, prod, section)
    with refused("You asked for this yourself"):
        answer(both, asked)
    with refused("Only a reviewer"):
        answer(make_member(prod.service.team), asked)
    result = answer(ada, asked, note="None of it streams.")

    assert (entries(result.answered), result.left) == (entries(asked), [])
    assert all(status(one.item, NOW) is Status.NOT_APPLICABLE for one in asked)
    told = Event.objects.filter(kind="not-applicable.granted")
    assert {one.data["note"] for one in told} == {"None of it streams."}
    assert told.count() == len(asked)


@one_database
def test_a_batch_is_refused_with_one_note(prod: Environment, mia: User, ada: User, section: Section) -> None:
    asked = leave_out(mia, prod, section)
    with refused("Say why"):
        answer(ada, asked, grant=False, note="no")
    answer(ada, asked, grant=False, note=REASON)
    rows = NotApplicable.objects.order_by().values_list("granted", "decision_note").distinct()
    assert list(rows) == [(False, REASON)]


@one_database
def test_what_cannot_be_granted_any_more_is_named_and_the_rest_goes_through(
    prod: Environment, mia: User, ada: User, section: Section
) -> None:
    asked = leave_out(mia, prod, section)
    observe(prod, "proxy-buffering", now=after(minutes=1), **STREAM)
    withdrawn = next(one for one in asked if one.item.entry.slug != "sse-not-buffered")
    end(mia, withdrawn, now=after(minutes=2))
    result = answer(ada, asked, now=after(minutes=3))

    left = {item.entry.slug: reasons for item, reasons in result.left}
    assert left == {
        "sse-not-buffered": ["A probe sees this item fail, so it does apply. Refuse this request."],
        withdrawn.item.entry.slug: ["This has ended already."],
    }
    assert len(result.answered) == len(asked) - 2
    assert status(item_of(prod, "sse-not-buffered"), after(minutes=3)) is Status.FAILING
    assert len(answer(ada, asked, grant=False, note=REASON, now=after(minutes=4)).answered) == 1
    with refused("ada has refused this already"):
        answer(ada, asked, now=after(minutes=5))


@one_database
def test_only_what_was_asked_together_is_answered_together(
    prod: Environment, mia: User, ada: User, section: Section
) -> None:
    asked = leave_out(mia, prod, section)
    alone = ask_to_leave_out(mia, item_of(prod, "spend-cap"))
    other = leave_out(mia, prod, item_of(prod, "rotation-runbook").entry.section)
    for named in ([alone], [asked[0], other[0]], []):
        with refused("Nothing that was asked together is named here."):
            answer(ada, named)
    answer(ada, asked[:1])
    assert NotApplicable.objects.filter(granted=True).count() == 1, "What the person did not see is not answered."


@one_database
def test_a_batch_is_one_thing_that_waits(prod: Environment, mia: User, ada: User, section: Section) -> None:
    asked = leave_out(mia, prod, section)
    lines = mine(ada, NOW).answers.lines
    assert [[one.pk for one in line.requests] for line in lines] == [[one.pk for one in asked]]
    assert waiting_for(ada, NOW) == 1


@pytest.mark.parametrize("text", ["x", "1", "1:", ":1", "1:2,", "1:2;3:4", "-1:2", "1:" + "9" * 40, "٣:1"])
def test_versions_that_no_form_sent_are_not_read(text: str) -> None:
    assert seen_in(text) is None


def test_versions_are_read_as_they_were_written() -> None:
    assert seen_in(seen_text({12: 3, 7: 1})) == {7: 1, 12: 3}
    assert seen_in("") == {}


# --- pages ------------------------------------------------------------------------------------------------------------
def signed_in(person: User) -> Client:
    client = Client()
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


@one_database
def test_the_sheet_says_what_it_would_ask_for_and_what_not_and_keeps_what_was_typed(
    prod: Environment, mia: User, section: Section
) -> None:
    sheet = reverse("sheet", args=["assistant-web", "prod"])
    address = reverse("leave-out", args=["assistant-web", "prod", section.pk])
    observe(prod, "proxy-buffering", now=timezone.now(), **STREAM)
    page = signed_in(mia)
    shown = words(page.get(sheet))
    assert "Streams not held by proxies: A probe sees this item fail, so it does apply." in shown
    before = seen_text(seen(prod, section))
    short = page.post(address, {"seen": before, "reason": "no"})
    assert (short.status_code, "Say why in a sentence" in words(short)) == (422, True)
    broken = page.post(address, {"seen": "x", "reason": REASON})
    assert (broken.status_code, REASON in words(broken)) == (422, True)
    tick(make_member(prod.service.team, "jo"), item_of(prod, "sse-not-buffered"), now=timezone.now())
    crossed = page.post(address, {"seen": before, "reason": REASON})
    assert crossed.status_code == 409
    assert "jo saved “Streams not held by proxies” meanwhile." in words(crossed)
    assert REASON in words(crossed)
    assert seen_text(seen(prod, section)) in crossed.content.decode(), "The form goes on top of what is saved."
    done = page.post(address, {"seen": seen_text(seen(prod, section)), "reason": REASON}, follow=True)
    assert "A reviewer will grant or refuse it." in words(done)


@one_database
def test_a_batch_is_answered_on_my_items_and_on_the_page_of_each_item(
    prod: Environment, mia: User, ada: User, section: Section
) -> None:
    asked = leave_out(mia, prod, section, now=timezone.now())
    keys = ",".join(f"not-applicable-{one.pk}" for one in asked)
    page, entry = signed_in(ada), asked[0].item.entry.slug
    item = reverse("item", args=["assistant-web", "prod", entry])
    assert f"Grant all {len(asked)}" in words(page.get(reverse("my-items")))
    assert f"Answer all {len(asked)} that were asked together" in words(page.get(f"{item}?tab=waiver"))
    sent = {"request": keys, "answer": "grant", "note": "", "seen_version": version(asked[0].item)}
    elsewhere = reverse("decide-batch", args=["assistant-web", "prod", "spend-cap"])
    assert page.post(elsewhere, sent).status_code == 404, "None of these is a request of that item."
    done = page.post(reverse("decide-batch", args=["assistant-web", "prod", entry]), sent, follow=True)
    assert f"{len(asked)} of {len(asked)} granted." in words(done)
    late = page.post(reverse("answer"), {"requests": keys, "answer": "refuse", "note": REASON})
    assert (late.status_code, "ada has granted this already" in words(late)) == (422, True)


# --- races ------------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_two_reviewers_who_answer_a_batch_at_once_answer_each_request_once() -> None:
    prod = make_environment(name="prod")
    mia = make_member(prod.service.team)
    section = item_of(prod, "sse-not-buffered").entry.section
    asked = leave_out(mia, prod, section)
    told: list[str] = []

    def deed(by: User, *, grant: bool) -> None:
        try:
            told.append(f"{len(answer(by, asked, grant=grant, note=REASON).answered)} answered")
        except Refused as refusal:
            told.append(str(refusal))

    ada, sam = make_reviewer("ada"), make_reviewer("sam")
    assert at_once(lambda: deed(ada, grant=True), lambda: deed(sam, grant=False)) == []
    first = [one for one in told if one.endswith("answered")]
    assert first == [f"{len(asked)} answered"]
    assert all("already" in one for one in told if one not in first)
    assert NotApplicable.objects.order_by().values("granted", "decided_by").distinct().count() == 1
    assert Event.objects.filter(kind__in=["not-applicable.granted", "not-applicable.refused"]).count() == len(asked)


@pytest.mark.django_db(transaction=True)
def test_ticks_that_arrive_while_a_batch_is_asked_for_and_granted_are_neither_lost_nor_in_the_way() -> None:
    prod = make_environment(name="prod")
    team = prod.service.team
    mia, jo, ada = make_member(team), make_member(team), make_reviewer("ada")
    section = item_of(prod, "sse-not-buffered").entry.section
    items = items_in(prod, section, NOW)
    ticked: list[int] = []
    rounds: list[str] = []

    def ticks() -> None:
        for item in items:
            try:
                tick(jo, item)
                ticked.append(item.pk)
            except Exception as error:
                if type(error).__name__ != "Crossed":
                    raise

    def ask_and_grant() -> None:
        try:
            asked = leave_out(mia, prod, section)
            answer(ada, asked)
            for one in asked:
                end(mia, one)
            rounds.append("asked")
        except SectionCrossed:
            rounds.append("crossed")

    assert at_once(ticks, ask_and_grant) == []
    assert connection.in_atomic_block is False
    assert Event.objects.filter(kind="item.ticked").count() == len(ticked)
    for item in items:
        written = Event.objects.filter(item=item, actor__isnull=False).count()
        assert version(item) == 1 + written, "Every write counted the version up once."
    assert Item.objects.filter(pk__in=[item.pk for item in items]).count() == len(items)
