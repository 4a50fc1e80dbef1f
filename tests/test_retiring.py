"""A reviewer retires the fail of a disabled probe: it no longer counts, nothing is met by it, the next one counts."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from readiness.actions import items, probes, retiring
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import Environment, Event, Evidence, Item, User
from tests.deeds import REASON, SUMMARY, after, everything, observe, refused, status, take_back, tick, version
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
PASS, FAIL = Judgement.PASS, Judgement.FAIL
PROBE = "drill"
BACKING_OFF = ("backs_off_on_5xx", "backs_off_on_429")


@pytest.fixture
def prod() -> Environment:
    return make_environment(make_service(make_team("Conversational"), "assistant"), "prod", build="one")


@pytest.fixture
def ada() -> User:
    return make_admin("ada")


@pytest.fixture
def rev() -> User:
    return make_reviewer("rev")


def disable(by: User, probe: str, environment: Environment | None = None, *, now: Any = NOW) -> int:
    place = environment.pk if environment else None
    return probes.disable(by=by, probe=probe, environment_id=place, reason=REASON, now=now).pk


def retire(by: User, item: Item, *, now: Any, seen: int | None = None) -> list[Evidence]:
    seen_version = version(item) if seen is None else seen
    return retiring.retire(by=by, item_id=item.pk, reason=REASON, seen_version=seen_version, now=now)


def retries(environment: Environment, judgement: Judgement, *, now: Any) -> None:
    observe(environment, PROBE, now=now, **dict.fromkeys(BACKING_OFF, judgement))


def test_it_no_longer_counts_and_nothing_is_met_by_it(prod: Environment, ada: User, rev: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    disable(ada, "spend-cap", prod, now=after(minutes=1))
    written = retire(rev, item, now=after(minutes=2))
    assert [(one.clause, one.outcome, one.by, one.summary) for one in written] == [
        ("cap-matches", "retired", rev, REASON)
    ]
    assert status(item, after(minutes=2)) is Status.OPEN
    event = Event.objects.latest("id")
    assert (event.kind, event.actor, event.data["clauses"]) == ("item.fail-retired", rev, ["cap-matches"])
    assert version(item) == 2


def test_a_pass_from_before_the_fail_does_not_come_back_with_it(prod: Environment, ada: User, rev: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=FAIL)
    observe(prod, "spend-cap", now=after(minutes=2), cap_matches=FAIL)
    assert status(item, after(minutes=2)) is Status.FAILING
    disable(ada, "spend-cap", prod, now=after(minutes=3))
    retire(rev, item, now=after(minutes=4))
    found = Item.objects.get(pk=item.pk)
    assert all(one.pass_until is None for one in found.clauses if one.clause == "cap-matches")


def test_only_a_reviewer_retires_with_a_reason_and_only_what_stands_of_a_disabled_probe(
    prod: Environment, ada: User, rev: User
) -> None:
    item = item_of(prod, "spend-cap")
    with refused("No fail stands here"):
        retire(rev, item, now=NOW)
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    with refused("whose probe is disabled"):
        retire(rev, item, now=after(minutes=1))
    disable(ada, "spend-cap", prod, now=after(minutes=1))
    for person in (ada, make_person(), make_member(prod.service.team)):
        with refused("Only a reviewer retires the fail"):
            retire(person, item, now=after(minutes=2))
    with refused("at least 15 letters"):
        retiring.retire(by=rev, item_id=item.pk, reason="no", seen_version=version(item), now=after(minutes=2))
    with pytest.raises(items.Crossed):
        retire(rev, item, now=after(minutes=2), seen=0)
    retire(rev, item, now=after(minutes=3))
    with refused("No fail stands here"):
        retire(rev, item, now=after(minutes=4))
    Environment.objects.filter(pk=prod.pk).update(archived_at=after(minutes=5))
    with refused("This is archived"):
        retire(rev, item, now=after(minutes=6))


def test_disabled_in_another_environment_it_still_looks_here(prod: Environment, ada: User, rev: User) -> None:
    other = make_environment(prod.service, "other")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    disable(ada, "spend-cap", other, now=after(minutes=1))
    with refused("whose probe is disabled"):
        retire(rev, item_of(prod, "spend-cap"), now=after(minutes=2))


def test_once_it_is_enabled_and_fails_again_that_counts_anew(prod: Environment, ada: User, rev: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    one = disable(ada, "spend-cap", prod, now=after(minutes=1))
    retire(rev, item, now=after(minutes=2))
    probes.enable(by=ada, disabling_id=one, now=after(minutes=3))
    observe(prod, "spend-cap", now=after(minutes=4), cap_matches=FAIL)
    item.refresh_from_db()
    assert item.failing_since == after(minutes=4)


def test_a_fail_that_still_waits_to_count_can_be_retired(prod: Environment, ada: User, rev: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=FAIL)
    disable(ada, "spend-cap", now=after(minutes=1, seconds=1))
    assert Item.objects.get(pk=item.pk).failing_since is not None
    retire(rev, item, now=after(minutes=2))
    assert Item.objects.get(pk=item.pk).failing_since is None


def test_a_tick_stands_through_it_and_can_be_taken_back_afterwards(prod: Environment, ada: User, rev: User) -> None:
    mia = make_member(prod.service.team)
    item = item_of(prod, "spend-cap")
    tick(mia, item)
    observe(prod, "spend-cap", now=after(minutes=1), cap_matches=FAIL)
    observe(prod, "spend-cap", now=after(minutes=2), cap_matches=FAIL)
    assert status(item, after(minutes=2)) is Status.FAILING
    disable(ada, "spend-cap", now=after(minutes=3))
    retire(rev, item, now=after(minutes=4))
    assert status(item, after(minutes=4)) is Status.ATTESTED
    assert "cap-matches" in [one.clause for one in take_back(mia, item, now=after(minutes=5))]
    assert status(item, after(minutes=5)) is not Status.ATTESTED


def test_on_a_service_it_takes_every_live_environment_or_everywhere(ada: User, rev: User) -> None:
    service = make_service(make_team())
    one, two, gone = (make_environment(service, name) for name in ("one", "two", "gone"))
    item = Item.objects.filter(service=service, environment=None, entry__clauses__probe="").first()
    assert item is not None
    clause = item.entry.clauses.get(position=1)
    type(clause).objects.filter(pk=clause.pk).update(probe="spend-cap")
    observe(one, "spend-cap", now=NOW, **{clause.slug.replace("-", "_"): FAIL})
    assert Item.objects.get(pk=item.pk).failing_since == NOW
    Environment.objects.filter(pk=gone.pk).update(archived_at=NOW)
    disable(ada, "spend-cap", one, now=after(minutes=1))
    with refused("whose probe is disabled"):
        retire(rev, item, now=after(minutes=2))
    disable(ada, "spend-cap", two, now=after(minutes=3))
    retire(rev, item, now=after(minutes=4))
    assert Item.objects.get(pk=item.pk).failing_since is None


def test_what_production_took_over_is_retired_with_it(prod: Environment, ada: User, rev: User) -> None:
    staging = make_environment(prod.service, "staging", kind="staging", build="one")
    mine, lent = item_of(prod, "retry-with-backoff"), item_of(staging, "retry-with-backoff")
    retries(staging, FAIL, now=NOW)
    assert status(mine, NOW) is Status.FAILING
    disable(ada, PROBE, staging, now=after(minutes=1))
    retire(rev, lent, now=after(minutes=2))
    assert status(mine, after(minutes=2)) is Status.OPEN
    told = Event.objects.filter(kind="item.fail-retired").order_by("id")
    assert [(event.item_id, event.data.get("lent_by")) for event in told] == [(lent.pk, None), (mine.pk, staging.pk)]
    assert (version(lent), version(mine)) == (2, 2)


def test_what_production_saw_fail_itself_stays_where_it_still_looks(prod: Environment, ada: User, rev: User) -> None:
    staging = make_environment(prod.service, "staging", kind="staging", build="one")
    mine, lent = item_of(prod, "retry-with-backoff"), item_of(staging, "retry-with-backoff")
    retries(prod, FAIL, now=NOW)
    retries(staging, FAIL, now=after(minutes=1))
    disable(ada, PROBE, staging, now=after(minutes=2))
    retire(rev, lent, now=after(minutes=3))
    assert status(lent, after(minutes=3)) is Status.OPEN
    assert status(mine, after(minutes=3)) is Status.FAILING
    assert version(mine) == 1


def test_a_reviewer_does_it_on_the_item_and_others_are_told_why_they_may_not(
    prod: Environment, ada: User, rev: User, client: Client
) -> None:
    place = ["assistant", "prod", "spend-cap"]
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    client.force_login(rev, backend="django.contrib.auth.backends.ModelBackend")
    runs = f"{reverse('item', args=place)}?tab=runs"
    assert "Retire the fail" not in words(client.get(runs))
    disable(ada, "spend-cap", prod)
    assert "Retire the fail of the disabled probe" in words(client.get(runs))
    before = everything()
    wrong = client.post(reverse("item-retire", args=place), {"seen_version": version(item), "reason": "no"})
    assert (wrong.status_code, everything()) == (422, before)
    right = client.post(reverse("item-retire", args=place), {"seen_version": version(item), "reason": REASON})
    assert right.status_code == 302
    evidence = words(client.get(reverse("item", args=place), {"tab": "evidence"}))
    assert f"fail retired by rev : {REASON}" in evidence
    assert "fail retired" in words(client.get(prod.get_absolute_url()))
    observe(make_environment(prod.service, "two"), "key-validity", now=NOW, key_accepted=FAIL, key_from_manager=FAIL)
    reader = Client()
    reader.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    disable(ada, "key-validity")
    other = reader.get(reverse("item", args=["assistant", "two", "key-in-secrets-manager"]), {"tab": "runs"})
    assert "Only a reviewer retires the fail" in words(other)


def test_a_tick_after_it_needs_no_summary_of_it(prod: Environment, ada: User, rev: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    disable(ada, "spend-cap", now=after(minutes=1))
    retire(rev, item, now=after(minutes=2))
    mia = make_member(prod.service.team)
    items.tick(
        by=mia,
        item_id=item.pk,
        summary=SUMMARY,
        links=["https://docs.example.ca/x"],
        seen_version=version(item),
        now=after(minutes=3),
    )
    assert status(item, after(minutes=3)) is Status.ATTESTED
