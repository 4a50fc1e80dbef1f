"""What waits for a person: what is on their list, in which order, how many on every page, and what it costs."""

import re
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from readiness.actions import items, ownership
from readiness.enums.standing import Nearing
from readiness.enums.words import DecisionKind, Judgement
from readiness.models import Condition, Decision, Environment, Event, Item, Membership, Review, User, Waiver
from readiness.selectors.mine import MOST, Mine, mine
from readiness.selectors.waiting import counted, waiting_for
from tests.deeds import REASON, after, ask, ask_to_leave_out, decide, observe, refused, tick, version
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_person,
    make_reviewer,
    make_service,
    make_team,
)
from tests.reading import words

pytestmark = pytest.mark.django_db
MS = timedelta(milliseconds=1)

QUERIES = 27
"""How many queries the list costs, those of the session and the person included; a part that is cut costs one more."""


@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Conversational"), "assistant-web"), "prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


def own(item: Item, by: User, *, due_on: date | None = None) -> None:
    items.assign(by=by, item_id=item.pk, owner=by, due_on=due_on, seen_version=version(item), now=NOW)


def fresh(person: User) -> User:
    """The person as the next request finds them: memberships are asked for once a request."""
    return User.objects.get(pk=person.pk)


def listed(person: User, at: datetime = NOW) -> Mine:
    return mine(fresh(person), at)


def titles(lines: list[Any]) -> list[str]:
    return [line.item.entry.slug for line in lines]


def signed_in(client: Client, person: User) -> Client:
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    return client


# --- what is on it ----------------------------------------------------------------------------------------------------
def test_a_reviewer_sees_what_was_asked_and_a_member_does_not(prod: Environment, mia: User, ada: User) -> None:
    waiver = ask(mia, item_of(prod, "spend-cap"))
    out = ask_to_leave_out(mia, item_of(prod, "store-false"))

    assert [[one.pk for one in line.requests] for line in listed(ada).answers.lines] == [[waiver.pk], [out.pk]]
    assert [line.keys for line in listed(ada).answers.lines] == [f"waiver-{waiver.pk}", f"not-applicable-{out.pk}"]
    assert listed(mia).answers.lines == []
    assert (waiting_for(fresh(ada), NOW), waiting_for(fresh(mia), NOW)) == (2, 0)
    decide(ada, waiver)
    assert waiting_for(fresh(ada), NOW) == 1


def test_what_a_reviewer_asked_is_shown_with_why_another_has_to_answer_and_not_counted(prod: Environment) -> None:
    both = make_reviewer("rui", teams=(prod.service.team,))
    ask(both, item_of(prod, "spend-cap"))

    assert [line.refusals for line in listed(both).answers.lines] == [
        ["You asked for this yourself, so another reviewer has to answer it."]
    ]
    assert waiting_for(fresh(both), NOW) == 0


def test_nobody_is_asked_about_what_is_archived(prod: Environment, mia: User, ada: User) -> None:
    own(item_of(prod, "store-false"), mia)
    ask(mia, item_of(prod, "spend-cap"))
    Environment.objects.filter(pk=prod.pk).update(archived_at=NOW)

    assert (waiting_for(fresh(ada), NOW), waiting_for(fresh(mia), NOW)) == (0, 0)
    assert (listed(ada).nothing, listed(mia).nothing) == (True, True)


@pytest.mark.parametrize(
    ("before", "nearing"),
    [
        (timedelta(days=7) + MS, "none"),
        (timedelta(days=7), Nearing.WITHIN_A_WEEK),
        (timedelta(days=1) + MS, Nearing.WITHIN_A_WEEK),
        (timedelta(days=1), Nearing.WITHIN_A_DAY),
        (MS, Nearing.WITHIN_A_DAY),
        (timedelta(0), None),
        (-timedelta(days=300), None),
    ],
)
def test_a_waiver_waits_for_who_asked_and_who_granted_from_a_week_before_its_end(
    prod: Environment, mia: User, ada: User, before: timedelta, nearing: Nearing | str | None
) -> None:
    waiver = decide(ada, ask(mia, item_of(prod, "spend-cap")))
    at = waiver.until - before

    expected = [] if nearing == "none" else [(waiver.pk, nearing)]
    for person in (mia, ada):
        assert [(line.waiver.pk, line.nearing) for line in listed(person, at).waivers.lines] == expected
        assert waiting_for(fresh(person), at) == len(expected)


def test_an_ending_waiver_waits_for_the_owner_or_for_the_team_where_there_is_none(
    prod: Environment, mia: User, ada: User
) -> None:
    item = item_of(prod, "spend-cap")
    jo, other, manager = make_member(prod.service.team, "jo"), make_member(make_team()), make_person()
    waiver = decide(ada, ask(mia, item))
    at = waiver.until - timedelta(days=2)

    def warned() -> list[str]:
        everybody = (mia, ada, jo, other, manager)
        return [person.username for person in everybody if listed(person, at).waivers.lines]

    assert warned() == ["mia", "ada", "jo"], "Nobody owns it, so the whole team is warned."
    own(item, mia)
    assert warned() == ["mia", "ada"]
    Membership.objects.filter(user=mia).delete()
    assert warned() == ["ada", "jo"], "Who asked has left, and so has the owner."


def test_a_waiver_that_somebody_saw_to_waits_for_nobody(prod: Environment, mia: User, ada: User) -> None:
    item = item_of(prod, "spend-cap")
    waiver = decide(ada, ask(mia, item, days=5))
    at = after(days=4)
    assert len(listed(mia, at).waivers.lines) == 1
    renewal = ask(mia, item, days=30, now=at)
    assert (listed(mia, at).waivers.lines, len(listed(ada, at).answers.lines)) == ([], 1)
    decide(ada, renewal, now=at)
    assert listed(mia, waiver.until + MS).waivers.lines == []


def test_a_waiver_whose_item_was_met_since_asks_for_nothing(prod: Environment, mia: User, ada: User) -> None:
    item = item_of(prod, "spend-cap")
    decide(ada, ask(mia, item, days=5))
    tick(mia, item, now=after(days=3))
    assert listed(mia, after(days=4)).waivers.lines == []


def test_my_items_are_those_that_i_own_and_that_are_not_settled(prod: Environment, mia: User, ada: User) -> None:
    for entry in ("spend-cap", "store-false", "rotation-runbook"):
        own(item_of(prod, entry), mia)
    tick(mia, item_of(prod, "rotation-runbook"))

    shown = listed(mia).items.lines
    assert titles(shown) == ["spend-cap", "store-false"]
    assert all(line.step.sentence for line in shown)
    assert waiting_for(fresh(mia), NOW) == 2
    decide(ada, ask(mia, item_of(prod, "spend-cap")))
    assert titles(listed(mia).items.lines) == ["store-false"], "A waiver settles."


def test_what_launches_next_comes_first_then_what_has_launched_then_what_has_no_date(
    prod: Environment, mia: User
) -> None:
    today = timezone.localdate(NOW)
    places = {"later": 30, "next": 2, "past": -3, "today": 0, "undated": None}
    for name, days in places.items():
        launch = None if days is None else today + timedelta(days=days)
        own(item_of(make_environment(prod.service, name, launch_on=launch), "store-false"), mia)

    assert [line.sheet.name for line in listed(mia).items.lines] == ["today", "next", "later", "past", "undated"]


def test_what_blocks_the_next_launch_comes_first_and_one_launch_can_be_looked_at_alone(
    client: Client, prod: Environment, mia: User, ada: User
) -> None:
    today = timezone.localdate()
    next_one = make_environment(prod.service, "next", launch_on=today + timedelta(days=2))
    later = make_environment(prod.service, "later", launch_on=today + timedelta(days=30))
    for place in (next_one, later):
        for slug in ("store-false", "spend-cap"):
            own(item_of(place, slug), mia)
    observe(later, "spend-cap", now=NOW, cap_matches=Judgement.FAIL)
    observe(later, "spend-cap", now=after(minutes=1), cap_matches=Judgement.FAIL)
    ask(mia, item_of(later, "key-in-secrets-manager"), now=timezone.now())

    found = listed(mia, after(minutes=2))
    assert [(line.sheet.name, line.status) for line in found.items.lines] == [
        ("next", "open"),
        ("next", "open"),
        ("later", "failing"),
        ("later", "open"),
    ]
    assert found.kinds == ["items"]
    assert [sheet.name for sheet in found.launches] == ["next", "later"]
    alone = mine(fresh(mia), after(minutes=2), later)
    assert {line.sheet.name for part in (alone.items, alone.ownerless) for line in part.lines} == {"later"}
    assert len(mine(fresh(ada), NOW, later).answers.lines) == 1
    both = make_reviewer("rui", teams=(prod.service.team,))
    own(item_of(later, "audit-log"), both)
    assert listed(both).kinds == ["answers", "items"]
    own(item_of(next_one, "audit-log"), both)
    assert listed(both).kinds == ["items", "answers"], "The kind with what blocks the nearest launch comes first."
    assert mine(fresh(ada), NOW, next_one).nothing

    page = words(signed_in(client, mia).get("/my-items/", {"launch": "assistant-web/next"}))
    assert "assistant-web in later" not in page
    assert "assistant-web in later" in words(client.get("/my-items/", {"launch": "assistant-web/nowhere"}))
    assert "Configure it : " in words(client.get("/my-items/"))


def test_an_item_of_the_service_stands_once_on_the_sheet_that_launches_next(mia: User, prod: Environment) -> None:
    today = timezone.localdate(NOW)
    make_environment(prod.service, "staging", kind="staging", launch_on=today + timedelta(days=9))
    make_environment(prod.service, "soon", launch_on=today + timedelta(days=3))
    service_item = Item.objects.filter(service=prod.service, environment=None).first()
    assert service_item is not None
    own(service_item, mia)

    assert [(line.item.pk, line.sheet.name) for line in listed(mia).items.lines] == [(service_item.pk, "soon")]


def test_nobody_sees_items_of_a_team_that_they_are_not_in(prod: Environment, mia: User) -> None:
    other = make_member(make_team())
    assert (len(listed(mia).ownerless.lines), listed(other).nothing) == (26, True)
    assert waiting_for(fresh(mia), NOW) == 0, "What nobody owns waits for a team, and for no one person."


def test_an_open_condition_waits_for_its_owner_until_a_later_decision(
    client: Client, prod: Environment, mia: User, ada: User
) -> None:
    item = item_of(prod, "spend-cap")
    review = Review.objects.create(title="Launch", starts_at=NOW, chair=ada, planned_at=NOW)
    given: dict[str, Any] = {"review": review, "environment": prod, "by": ada, "verdict": "not-ready"}
    decision = Decision.objects.create(
        kind=DecisionKind.GO_WITH_CONDITIONS, at=NOW, snapshot="{}", hash="0" * 64, **given
    )
    ends = after(days=3)
    condition = Condition.objects.create(
        decision=decision, item=item, reason=REASON, owner=mia, decided_at=NOW, until=ends
    )

    assert [(line.condition.pk, line.overdue) for line in listed(mia, ends - MS).conditions.lines] == [
        (condition.pk, False)
    ]
    assert [line.overdue for line in listed(mia, ends).conditions.lines] == [True]
    assert (waiting_for(fresh(mia), NOW), waiting_for(fresh(ada), NOW)) == (1, 0)
    assert not any(line.item == item for line in listed(mia).ownerless.lines), "An item stands in one line."
    own(item, mia)
    [line] = listed(mia, ends).items.lines
    assert ([one.condition.pk for one in line.conditions], line.conditions[0].overdue) == ([condition.pk], True)
    assert (listed(mia).kinds, waiting_for(fresh(mia), NOW)) == (["items"], 1), "It says both, and counts once."
    page = words(signed_in(client, mia).get("/my-items/"))
    assert page.count(f"{item.entry.title} assistant-web in prod") == page.count("condition of the go in prod") == 1
    assert "its go no longer covers" in page, "Its snapshot is not what was decided on."
    items.assign(by=mia, item_id=item.pk, owner=None, due_on=None, seen_version=version(item), now=NOW)
    Decision.objects.create(kind=DecisionKind.NO_GO, at=after(hours=1), snapshot="{}", hash="0" * 64, **given)
    assert (listed(mia).conditions.lines, counted(fresh(mia), NOW).count) == ([], 0)


# --- people who leave -------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("leaves", ["the team", "for good"])
def test_what_somebody_owned_is_nobodys_where_they_have_left_and_theirs_where_they_come_back(
    prod: Environment, mia: User, leaves: str
) -> None:
    jo = make_member(prod.service.team, "jo")
    item = item_of(prod, "spend-cap")
    own(item, mia)
    assert "spend-cap" not in titles(listed(jo).ownerless.lines)
    before = (version(item), Event.objects.count())
    if leaves == "the team":
        Membership.objects.filter(user=mia).delete()
    else:
        User.objects.filter(pk=mia.pk).update(is_active=False)

    line = next(line for line in listed(jo).ownerless.lines if line.item.pk == item.pk)
    assert line.owner.words == "nobody (mia has left)"
    assert titles(listed(mia).items.lines) == []
    assert (version(item), Event.objects.count()) == before, "No row is rewritten."
    item.refresh_from_db()
    assert item.owner == mia
    Membership.objects.get_or_create(user=mia, team=prod.service.team)
    User.objects.filter(pk=mia.pk).update(is_active=True)
    assert titles(listed(mia).items.lines) == ["spend-cap"]


def test_everywhere_an_owner_is_shown_one_who_has_left_is_nobody(client: Client, prod: Environment, mia: User) -> None:
    mia.first_name, mia.last_name = "Mia", "Roy"
    mia.save()
    jo = make_member(prod.service.team, "jo")
    item = item_of(prod, "spend-cap")
    own(item, mia)
    Membership.objects.filter(user=mia).delete()
    page = signed_in(client, jo)
    address = reverse("item", args=["assistant-web", "prod", "spend-cap"])

    assert "Nobody owns this: Mia Roy has left" in words(page.get(address))
    assert "nobody (Mia Roy has left)" in words(page.get(reverse("sheet", args=["assistant-web", "prod"])))
    assert "nobody (Mia Roy has left)" in words(page.get(reverse("my-items")))
    offered = re.findall(r"<option[^>]*>\s*([^<]+?)\s*</option>", page.get(address).content.decode())
    assert "Mia Roy" not in offered
    assert "jo" in offered


def test_an_item_that_nobody_looks_after_is_taken_with_its_due_date(prod: Environment, mia: User) -> None:
    jo = make_member(prod.service.team, "jo")
    item = item_of(prod, "spend-cap")
    own(item, mia, due_on=date(2026, 4, 1))
    with refused("mia owns this already."):
        ownership.take(by=jo, item_id=item.pk, seen_version=version(item), now=NOW)
    Membership.objects.filter(user=mia).delete()
    taken = ownership.take(by=jo, item_id=item.pk, seen_version=version(item), now=after(minutes=1))

    item.refresh_from_db()
    assert (item.owner, item.due_on, taken.version) == (jo, date(2026, 4, 1), item.version)
    told = Event.objects.filter(item=item).order_by("-id").first()
    assert told is not None
    assert (told.kind, told.actor, told.data["from"]["owner"]) == ("item.assigned", jo, mia.pk)


def test_an_admin_outside_the_team_takes_nothing(prod: Environment) -> None:
    item = item_of(prod, "spend-cap")
    with refused("An owner is a member of Conversational"):
        ownership.take(by=make_admin(), item_id=item.pk, seen_version=version(item), now=NOW)


def test_two_who_take_an_item_at_once_do_not_take_it_from_each_other(client: Client, prod: Environment) -> None:
    jo, kit = make_member(prod.service.team, "jo"), make_member(prod.service.team, "kit")
    address = reverse("item-take", args=["assistant-web", "prod", "spend-cap"])
    seen = {"seen_version": version(item_of(prod, "spend-cap"))}
    first = signed_in(Client(), jo).post(address, seen)
    second = signed_in(client, kit).post(address, seen)

    assert (first.status_code, first.headers["Location"]) == (302, reverse("my-items"))
    assert second.status_code == 409
    assert "jo saved “Monthly spend cap” meanwhile." in words(second)
    assert item_of(prod, "spend-cap").owner == jo


# --- the page ---------------------------------------------------------------------------------------------------------
def test_a_request_is_granted_and_refused_in_place(client: Client, prod: Environment, mia: User, ada: User) -> None:
    now = timezone.now()
    waiver, other = ask(mia, item_of(prod, "spend-cap"), now=now), ask(mia, item_of(prod, "store-false"), now=now)
    page = signed_in(client, ada)
    short = page.post(reverse("answer"), {"requests": f"waiver-{waiver.pk}", "answer": "refuse", "note": "no"})
    assert short.status_code == 422
    assert "Say why" in words(short)
    assert ">no</textarea>" in short.content.decode().replace("\n", "")
    done = page.post(
        reverse("answer"), {"requests": f"waiver-{waiver.pk}", "answer": "refuse", "note": REASON}, follow=True
    )
    granted = page.post(reverse("answer"), {"requests": f"waiver-{other.pk}", "answer": "grant", "note": ""})

    assert "Refused." in words(done)
    assert granted.status_code == 302
    assert list(Waiver.objects.order_by("pk").values_list("granted", "decided_by")) == [(False, ada.pk), (True, ada.pk)]
    again = page.post(reverse("answer"), {"requests": f"waiver-{other.pk}", "answer": "refuse", "note": REASON})
    assert again.status_code == 422
    assert "ada has granted this already" in words(again)
    assert REASON in words(again), "What was written for it can be copied."


@pytest.mark.parametrize(
    "named", ["", "waiver-0", "waiver-x", "nothing-1", "waiver-1,waiver-2", "waiver-1,other-2", ","]
)
def test_an_answer_to_what_is_not_there_is_not_found(client: Client, ada: User, named: str) -> None:
    response = signed_in(client, ada).post(reverse("answer"), {"requests": named, "answer": "grant", "note": ""})
    assert response.status_code == (422 if not named else 404)


def test_a_manager_finds_kind_words_and_no_badge(client: Client, prod: Environment) -> None:
    page = signed_in(client, make_person()).get(reverse("my-items"))
    assert "Nothing waits for you" in words(page)
    assert "You are in no team" in words(page)
    assert 'class="badge"' not in page.content.decode()


def test_every_page_says_how_much_waits_and_open_pages_follow_it(client: Client, prod: Environment, mia: User) -> None:
    for entry in ("spend-cap", "store-false"):
        own(item_of(prod, entry), mia)
    page = signed_in(client, mia)
    for address in (reverse("overview"), reverse("sheet", args=["assistant-web", "prod"]), reverse("my-items")):
        assert re.search(r'class="badge">2<', page.get(address).content.decode())
    own(item_of(prod, "audit-log"), mia)
    asked = {reverse("my-items"): "page"}
    asked[reverse("sheet-live", args=["assistant-web", "prod"]) + "?since=0"] = "live"
    for address, target in asked.items():
        answer = page.get(address, headers={"HX-Request": "true", "HX-Target": target}).content.decode()
        assert re.findall(r'id="waits-badge"[^>]*><span class="badge">(\d+)<', answer) == ["3"], address
    newest = Event.objects.latest("id").pk
    tick(make_member(prod.service.team), item_of(prod, "alerts"))
    others = page.get(f"{reverse('sheet-live', args=['assistant-web', 'prod'])}?since={newest}").content.decode()
    assert "row-alerts" in others
    assert "waits-badge" not in others, "To count for each who looks on would cost as much as the rest."


def test_there_is_a_cap_and_the_rest_is_counted(prod: Environment, mia: User) -> None:
    for _ in range(2):
        make_environment(prod.service)
    shown = listed(mia).ownerless
    total = Item.objects.filter(service=prod.service).count()
    assert (len(shown.lines), shown.more) == (MOST, total - MOST)
    assert shown.more > 0


@pytest.mark.parametrize(("many", "cut"), [(1, 0), (30, 1)])
def test_the_count_is_one_query_and_the_list_costs_the_same_with_one_row_and_with_thirty(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, many: int, cut: int
) -> None:
    team, now = make_team(), timezone.now()
    both = make_reviewer("rui", teams=(team,))
    jo, ada = make_member(team, "jo"), make_reviewer("ada")
    for place in [make_environment(make_service(team, by=jo), "prod", now=now) for _ in range(many)]:
        own(item_of(place, "store-false"), both)
        ask(jo, item_of(place, "spend-cap"), now=now)
        ask_to_leave_out(jo, item_of(place, "rotation-runbook"), now=now)
        decide(ada, ask(both, item_of(place, "retry-with-backoff"), days=3, now=now), now=now)
    person = fresh(both)
    assert len(person.actor.teams) == 1
    with django_assert_num_queries(1):
        assert waiting_for(person, now) == 4 * many
    page = signed_in(client, both)
    with django_assert_num_queries(QUERIES + cut):
        page.get(reverse("my-items"))


def test_what_waits_is_kept_for_each_person_until_something_happens_or_an_instant_is_reached(
    prod: Environment, mia: User, ada: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for entry in ("spend-cap", "store-false", "retry-with-backoff"):
        own(item_of(prod, entry), mia)
    tick(mia, item := item_of(prod, "store-false"))
    item.refresh_from_db()
    waiver = decide(ada, ask(mia, item_of(prod, "retry-with-backoff"), days=30))
    assert item.settled_until is not None
    owner, other = fresh(mia), fresh(ada)
    people = ((owner, len(owner.actor.teams)), (other, len(other.actor.teams)))
    assert people == ((owner, 1), (other, 0))

    def said(at: datetime) -> list[int]:
        found = [waiting_for(one, at) for one, _ in people]
        assert found == [counted(one, at).count for one, _ in people], at
        return found

    assert said(NOW) == [1, 0]
    with django_assert_num_queries(2):
        assert [waiting_for(one, NOW) for one, _ in people] == [1, 0]
    newest = Event.objects.values_list("id", "hash").latest("id")
    with django_assert_num_queries(0):
        assert [waiting_for(one, NOW, newest) for one, _ in people] == [1, 0]
    warned = waiver.until - timedelta(days=7)
    turns = {warned - MS: [1, 0], warned: [2, 1], item.settled_until: [3, 1]}
    assert said(waiver.until) == [2, 1], "It ended, and so it is said with the item."
    assert list(turns) == sorted(turns)
    before = [1, 0]
    for at, expected in turns.items():
        assert [said(at - MS), said(at)] == [before, expected]
        before = expected
    ask_to_leave_out(mia, item_of(prod, "spend-cap"))
    assert said(NOW) == [1, 1]
    Membership.objects.filter(user=mia).delete()
    assert (waiting_for(fresh(mia), NOW), waiting_for(other, NOW)) == (0, 1)
