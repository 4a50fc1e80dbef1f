"""Ticks, taking them back, and who owns an item: what each writes, and everything that refuses it."""

from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from readiness.actions import items
from readiness.enums.standing import Status
from readiness.enums.words import Judgement, Outcome
from readiness.models import Environment, Event, Evidence, EvidenceLink, Item, Team, User
from tests.deeds import SUMMARY, after, everything, observe, refused, status, take_back, tick, version
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

PASS, FAIL = Judgement.PASS, Judgement.FAIL

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> Team:
    return make_team("Conversational")


@pytest.fixture
def mia(team: Team) -> User:
    return make_member(team, "mia")


@pytest.fixture
def prod(team: Team, mia: User) -> Environment:
    return make_environment(make_service(team, by=mia), "prod", by=mia)


def clauses_of(written: list[Evidence]) -> list[str]:
    return [evidence.clause for evidence in written]


def test_a_tick_writes_one_statement_for_each_clause_and_attests_the_item(prod: Environment, mia: User) -> None:
    item = item_of(prod, "key-in-secrets-manager")

    written = tick(mia, item)

    assert clauses_of(written) == ["key-from-manager", "key-accepted", "no-key-in-repository", "no-key-in-front-end"]
    assert {(one.by, one.run, one.outcome, one.observed_at, one.summary) for one in written} == {
        (mia, None, Outcome.PASS, NOW, SUMMARY)
    }
    assert EvidenceLink.objects.filter(evidence__in=written).count() == 4
    assert status(item, NOW) is Status.ATTESTED
    assert version(item) == item.version + 1


def test_a_tick_ages_at_the_instant_its_clause_says(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    [statement] = tick(mia, item)
    fresh = item.entry.clauses.get().fresh_tick

    assert statement.valid_until == NOW + fresh
    assert status(item, NOW + fresh - timedelta(microseconds=1)) is Status.ATTESTED
    assert status(item, NOW + fresh) is Status.STALE


def test_a_tick_leaves_out_the_clauses_that_a_probe_freshly_passed(prod: Environment, mia: User) -> None:
    item = item_of(prod, "key-in-secrets-manager")
    observe(prod, "key-validity", now=NOW, key_accepted=PASS)

    assert clauses_of(tick(mia, item, now=after(hours=1))) == [
        "key-from-manager",
        "no-key-in-repository",
        "no-key-in-front-end",
    ]
    assert "key-accepted" in clauses_of(tick(mia, item, now=after(hours=24))), "That pass has aged by now."


def test_a_tick_on_an_item_that_probes_hold_is_still_kept(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)

    assert clauses_of(tick(mia, item)) == ["cap-matches"]
    assert status(item, NOW) is Status.VERIFIED


def test_a_tick_without_the_link_that_its_clause_wants_is_kept_and_counts_for_nothing(
    prod: Environment, mia: User
) -> None:
    item = item_of(prod, "rotation-runbook")
    wants = {clause.slug: clause.tick_needs_link for clause in item.entry.clauses.all()}
    assert any(wants.values())

    written = tick(mia, item, links=[])

    assert {one.clause: one.supported for one in written} == {slug: not needs for slug, needs in wants.items()}
    assert status(item, NOW) is Status.OPEN
    tick(mia, item, now=after(minutes=1))
    assert status(item, after(minutes=1)) is Status.ATTESTED


def test_a_fail_that_counts_contradicts_a_tick_and_both_are_kept(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)

    tick(mia, item, now=after(minutes=1))

    assert status(item, after(minutes=1)) is Status.FAILING
    assert list(item.evidence.values_list("outcome", flat=True)) == ["pass", "fail"]


def test_taking_a_tick_back_ends_it_and_keeps_both_statements(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    tick(mia, item)

    written = take_back(mia, item, now=after(hours=1))

    assert [(one.clause, one.outcome, one.valid_until) for one in written] == [("cap-matches", "withdrawn", None)]
    assert status(item, after(hours=1)) is Status.STALE
    assert item.evidence.count() == 2


def test_taking_a_tick_back_leaves_what_a_probe_saw(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    tick(mia, item)
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=PASS)

    take_back(mia, item, now=after(minutes=2))

    assert status(item, after(minutes=2)) is Status.VERIFIED


def test_there_is_nothing_to_take_back_twice_or_before_or_after_a_tick(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    with refused("No tick stands here"):
        take_back(mia, item)
    tick(mia, item)
    take_back(mia, item, now=after(hours=1))
    with refused("No tick stands here"):
        take_back(mia, item, now=after(hours=2))
    tick(mia, item, now=after(hours=3))
    with refused("No tick stands here"):
        take_back(mia, item, now=after(days=400))


def test_an_unsupported_tick_can_be_taken_back(prod: Environment, mia: User) -> None:
    item = item_of(prod, "rotation-runbook")
    tick(mia, item, links=[])

    assert len(take_back(mia, item, now=after(hours=1))) == item.entry.clauses.count()


@pytest.mark.parametrize(
    ("summary", "links", "says"),
    [
        ("ok!", (), "Say in a few words"),
        ("     ", (), "Say in a few words"),
        ("x" * 4001, (), "4,001 characters"),
        (SUMMARY, ("javascript:alert(1)",), "not a link that can be kept"),
        (SUMMARY, ("JavaScript://x/%0aalert(1)",), "not a link that can be kept"),
        (SUMMARY, ("data:text/html,x",), "not a link that can be kept"),
        (SUMMARY, ("https://a.example.ca", "ftp://b.example.ca"), "not a link that can be kept"),
        (SUMMARY, ("https://",), "not a link that can be kept"),
        (SUMMARY, ("https://a.example.ca/a b",), "space or a control character"),
        (SUMMARY, ("https://mia:secret@a.example.ca",), "user name or password"),
        (SUMMARY, tuple(f"https://a.example.ca/{number}" for number in range(11)), "At most 10 links"),
        (SUMMARY, ("https://a.example.ca/" + "a" * 1000,), "longer than 1000"),
        (SUMMARY, ("https://[::1",), "not a link that can be kept"),
    ],
)
def test_a_tick_with_words_or_links_that_cannot_be_kept_is_refused(
    prod: Environment, mia: User, summary: str, links: tuple[str, ...], says: str
) -> None:
    item = item_of(prod, "spend-cap")
    with refused(says):
        items.tick(by=mia, item_id=item.pk, summary=summary, links=links, seen_version=item.version, now=NOW)


def test_a_link_given_twice_is_kept_once(prod: Environment, mia: User) -> None:
    tick(mia, item_of(prod, "spend-cap"), links=["https://a.example.ca"] * 3)

    assert EvidenceLink.objects.count() == 1


def test_members_and_admins_change_items_and_nobody_else_does(prod: Environment) -> None:
    item = item_of(prod, "spend-cap")
    gone = make_member(prod.service.team)
    gone.is_active = False
    outsiders = [make_person(), make_reviewer(), make_member(make_team()), gone]
    for person in outsiders:
        with refused("Only members of Conversational change this"):
            tick(person, item)
        with refused("Only members of Conversational"):
            take_back(person, item)
        with refused("Only members of Conversational"):
            items.assign(by=person, item_id=item.pk, owner=None, due_on=None, seen_version=item.version, now=NOW)

    tick(make_admin(), item)
    assert status(item, NOW) is Status.ATTESTED


def test_of_two_people_who_saw_the_same_version_the_second_is_told_and_writes_nothing(
    prod: Environment, mia: User
) -> None:
    item = item_of(prod, "spend-cap")
    other = make_member(prod.service.team, "jonas")
    tick(other, item)
    before = everything()

    for act in (items.tick, items.take_back):
        more = {"links": []} if act is items.tick else {}
        with pytest.raises(items.Crossed) as crossed:
            act(by=mia, item_id=item.pk, summary=SUMMARY, seen_version=item.version, now=NOW, **more)
        assert (crossed.value.by, crossed.value.item.version) == ("jonas", item.version + 1)
    assert everything() == before


def test_a_probe_that_spoke_meanwhile_does_not_cross_a_person(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)

    items.tick(by=mia, item_id=item.pk, summary=SUMMARY, links=[], seen_version=item.version, now=NOW)


@pytest.mark.parametrize("whole_service", [False, True])
def test_nothing_is_written_about_what_is_archived(prod: Environment, mia: User, whole_service: bool) -> None:
    item = item_of(prod, "spend-cap")
    archived = prod.service if whole_service else prod
    type(archived).objects.filter(pk=archived.pk).update(archived_at=NOW)
    with refused("This is archived"):
        tick(mia, item)


def test_an_owner_is_a_member_and_who_and_by_when_is_written_once(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")

    def assign(owner: User | None) -> Item:
        return items.assign(
            by=mia, item_id=item.pk, owner=owner, due_on=NOW.date(), seen_version=version(item), now=NOW
        )

    gone = make_member(prod.service.team)
    User.objects.filter(pk=gone.pk).update(is_active=False)
    for nobody in (make_person(), gone):
        with refused("is not a member of Conversational"):
            assign(nobody)
    assert (assign(mia).owner, version(item)) == (mia, item.version + 1)
    before = everything()
    assign(mia)
    assert everything() == before, "The same again is no change."
    assert assign(None).owner is None
    assert list(Event.objects.filter(item=item).values_list("kind", flat=True)) == ["item.assigned"] * 2


def test_every_change_is_one_event_that_names_who_and_what(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    already = Event.objects.count()
    tick(mia, item)
    take_back(mia, item)

    told = Event.objects.order_by("id")[already:]
    assert [(one.kind, one.actor, one.item, one.environment, one.service) for one in told] == [
        ("item.ticked", mia, item, prod, prod.service),
        ("item.tick-taken-back", mia, item, prod, prod.service),
    ]
    assert told[0].data["clauses"] == told[1].data["clauses"] == ["cap-matches"]


def test_evidence_is_never_written_twice(prod: Environment, mia: User) -> None:
    [statement] = tick(mia, item_of(prod, "spend-cap"))
    statement.summary = "Something else"
    with pytest.raises(TypeError, match="append-only"):
        statement.save()


@pytest.mark.django_db(transaction=True)
def test_of_two_people_who_save_at_the_same_moment_one_is_told() -> None:
    """Real connections: the second waits for the first one's row, and sees that the version has moved."""
    prod = make_environment()
    item = item_of(prod, "spend-cap")
    people = [make_member(prod.service.team) for _ in range(2)]
    ready, ended = Barrier(2), []

    def save(by: User) -> None:
        try:
            ready.wait(20)
            items.tick(by=by, item_id=item.pk, summary=SUMMARY, links=[], seen_version=item.version, now=NOW)
            ended.append("saved")
        except items.Crossed:
            ended.append("crossed")
        finally:
            connection.close()

    threads = [Thread(target=save, args=(by,)) for by in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sorted(ended) == ["crossed", "saved"]
    assert (item.evidence.count(), version(item)) == (1, item.version + 1)
