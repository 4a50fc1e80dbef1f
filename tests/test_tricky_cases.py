"""The cases that rules like these get wrong, each as its own history through the product's actions."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from readiness.actions import archiving, builds, probes, retiring
from readiness.enums.standing import Status, Verdict
from readiness.enums.words import Judgement
from readiness.models import Environment, Item, User
from readiness.selectors.items import item_detail
from readiness.selectors.sheets import sheet
from readiness.selectors.standing import verdict
from tests.deeds import (
    REASON,
    after,
    ask,
    ask_to_leave_out,
    claimed,
    decide,
    finish,
    observe,
    status,
    tick,
    version,
)
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)
from tests.observed import observe_bound
from tests.reading import words

pytestmark = pytest.mark.django_db
PASS, FAIL, UNCLEAR = Judgement.PASS, Judgement.FAIL, Judgement.INCONCLUSIVE
MS = timedelta(milliseconds=1)
DAY = timedelta(days=1)


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "assistant", by=mia), "prod", by=mia)


@pytest.fixture
def staging(prod: Environment, mia: User) -> Environment:
    return make_environment(prod.service, "staging", kind="staging", by=mia)


def test_a_waiver_and_a_fail_on_another_clause(prod: Environment, mia: User, ada: User) -> None:
    item = item_of(prod, "sse-not-buffered")
    observe(prod, "proxy-buffering", now=NOW, stream_not_held=FAIL, stream_not_compressed=PASS, stream_not_cached=PASS)
    waiver = decide(ada, ask(mia, item, now=after(minutes=1)), now=after(minutes=2))
    assert (waiver.clauses, status(item, after(minutes=2))) == (["stream-not-held"], Status.WAIVED)

    for seconds in (180, 215):
        observe(prod, "proxy-buffering", now=after(seconds=seconds), stream_not_held=FAIL, stream_not_compressed=FAIL)

    assert [status(item, after(seconds=215) + off) for off in (-MS, 0 * MS, MS)] == [
        Status.WAIVED,
        Status.FAILING,
        Status.FAILING,
    ]


def test_a_contradicted_tick_stays_beside_the_fail(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    tick(mia, item)
    for seconds in (10, 45):
        observe(prod, "spend-cap", now=after(seconds=seconds), cap_matches=FAIL)

    [view] = item_detail(prod, Item.objects.get(pk=item.pk), after(minutes=1)).clauses
    assert status(item, after(minutes=1)) is Status.FAILING
    assert (view.contradicted, view.attested and view.attested.by) == (True, mia)

    observe(prod, "spend-cap", now=after(minutes=2), cap_matches=PASS)
    [view] = item_detail(prod, Item.objects.get(pk=item.pk), after(minutes=2)).clauses
    assert (view.contradicted, view.attested is not None) == (False, True), "The word survives both changes."


def test_a_clause_that_ages_while_a_person_ticked_it_too(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    tick(mia, item, now=after(hours=1))

    assert status(item, NOW + DAY - MS) is Status.VERIFIED
    assert status(item, NOW + DAY) is Status.ATTESTED, "The pass ends; the word holds."
    assert status(item, after(hours=1) + 90 * DAY - MS) is Status.ATTESTED
    assert status(item, after(hours=1) + 90 * DAY) is Status.STALE


def test_a_service_item_on_three_sheets_is_one_item(prod: Environment, staging: Environment, mia: User) -> None:
    dev = make_environment(prod.service, "dev", kind="dev", by=mia)
    item = item_of(prod, "model-choice-documented")
    tick(mia, item)

    for place in (prod, staging, dev):
        shown = sheet(place, NOW).row("model-choice-documented")
        assert shown is not None
        assert (shown.item, shown.status) == (item, Status.ATTESTED)
        assert (item_of(place, "model-choice-documented"), version(item)) == (item, 2)


def test_an_entry_that_does_not_apply_is_a_dash_and_is_not_counted(prod: Environment, mia: User) -> None:
    dev = make_environment(prod.service, "dev", kind="dev", by=mia)
    shown = sheet(dev, NOW)
    row = shown.row("sse-not-buffered")

    assert row is not None
    assert (row.item, row.status) == (None, None)
    assert (shown.tally.total, sheet(prod, NOW).tally.total) == (9, 26)
    assert [cell.status for section in shown.strip.sections for cell in section if cell.slug == "sse-not-buffered"] == [
        None
    ]


def test_a_rollback_revives_what_was_observed_on_that_build(prod: Environment, mia: User) -> None:
    item = item_of(prod, "store-false")
    builds.set_build(by=mia, environment_id=prod.pk, build="one", now=NOW)
    observe_bound(item, now=after(minutes=1), build="one")
    assert status(item, after(minutes=1)) is Status.VERIFIED

    builds.set_build(by=mia, environment_id=prod.pk, build="two", now=after(minutes=2))
    assert [status(item, after(minutes=2) + off) for off in (0 * MS, DAY)] == [Status.STALE, Status.STALE]

    builds.set_build(by=mia, environment_id=prod.pk, build="one", now=after(minutes=3))
    assert status(item, after(minutes=3)) is Status.VERIFIED


def test_a_rollback_does_not_lift_a_fail(prod: Environment, mia: User) -> None:
    item = item_of(prod, "store-false")
    builds.set_build(by=mia, environment_id=prod.pk, build="one", now=NOW)
    observe_bound(item, now=after(minutes=1), build="one")
    builds.set_build(by=mia, environment_id=prod.pk, build="two", now=after(minutes=2))
    observe_bound(item, now=after(minutes=3), build="two", outcome="fail")
    builds.set_build(by=mia, environment_id=prod.pk, build="one", now=after(minutes=4))

    assert status(item, after(minutes=4)) is Status.FAILING


def test_a_disabled_probes_fail_stands_until_a_reviewer_retires_it(prod: Environment, mia: User, ada: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=FAIL)
    probes.disable(by=make_admin(), probe="spend-cap", environment_id=prod.pk, reason=REASON, now=after(minutes=1))
    assert status(item, after(days=400)) is Status.FAILING, "A fail does not age, and nothing looks that could lift it."

    retiring.retire(by=ada, item_id=item.pk, reason=REASON, seen_version=version(item), now=after(minutes=2))
    assert status(item, after(minutes=2)) is Status.OPEN, "Nothing is met by it."
    tick(mia, item, now=after(minutes=3))
    assert status(item, after(minutes=3)) is Status.ATTESTED


def test_an_archived_environment_that_lent_its_evidence(
    prod: Environment, staging: Environment, mia: User, client: Client
) -> None:
    lent, here = item_of(staging, "store-false"), item_of(prod, "store-false")
    for place in (staging, prod):
        builds.set_build(by=mia, environment_id=place.pk, build="one", now=NOW)
    observe_bound(lent, now=after(minutes=1), build="one")
    assert status(here, after(minutes=1)) is Status.VERIFIED
    assert {clause.lent_by for clause in Item.objects.get(pk=here.pk).clauses if clause.passed} == {staging.pk}
    for shown in (f"{prod.get_absolute_url()}items/store-false/?tab=evidence", prod.get_absolute_url()):
        client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
        assert "seen in staging" in words(client.get(shown)), "It says from where."

    archiving.archive_environment(by=mia, environment_id=staging.pk, reason=REASON, now=after(minutes=2))
    assert status(here, after(minutes=2)) is Status.STALE
    assert verdict(Environment.objects.get(pk=staging.pk), at=after(minutes=2), now=after(minutes=2)) is None
    prod.refresh_from_db()
    then = verdict(prod, at=after(minutes=2) - MS, now=after(minutes=9))
    assert then is not None
    assert {one.status for one in then.items if one.item.pk == here.pk} == {Status.VERIFIED}, "It was, until then."

    archiving.restore_environment(by=mia, environment_id=staging.pk, reason=REASON, now=after(minutes=3))
    assert status(here, after(minutes=3)) is Status.VERIFIED


def test_staging_that_moves_on_leaves_production_what_it_observed(
    prod: Environment, staging: Environment, mia: User
) -> None:
    lent, here = item_of(staging, "store-false"), item_of(prod, "store-false")
    builds.set_build(by=mia, environment_id=staging.pk, build="one", now=NOW)
    observe_bound(lent, now=after(minutes=1), build="one")
    assert status(here, after(minutes=1)) is Status.OPEN, "Production runs no known build: it takes nothing over."

    builds.set_build(by=mia, environment_id=prod.pk, build="one", now=after(minutes=2))
    assert status(here, after(minutes=2)) is Status.VERIFIED
    builds.set_build(by=mia, environment_id=staging.pk, build="two", now=after(minutes=3))
    assert (status(lent, after(minutes=3)), status(here, after(minutes=3))) == (Status.STALE, Status.VERIFIED)
    builds.set_build(by=mia, environment_id=prod.pk, build="two", now=after(minutes=4))
    assert status(here, after(minutes=4)) is Status.STALE


@pytest.mark.parametrize(
    ("first", "second", "stands"), [(PASS, FAIL, Status.FAILING), (FAIL, PASS, Status.VERIFIED)], ids=["fail", "pass"]
)
def test_of_a_pass_and_a_fail_at_one_instant_the_one_recorded_later_stands(
    prod: Environment, first: Judgement, second: Judgement, stands: Status
) -> None:
    item = item_of(prod, "spend-cap")
    for said in (first, second):
        assert finish(claimed(prod, "spend-cap", now=NOW), now=NOW, cap_matches=said)
    if second is FAIL:
        assert status(item, after(seconds=1)) is Status.VERIFIED, "On a met clause it waits for another one,"
        observe(prod, "spend-cap", now=after(seconds=30), cap_matches=FAIL)

    assert status(item, after(seconds=30)) is stands


def test_fail_inconclusive_fail_confirms(prod: Environment) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    for seconds, said in ((60, FAIL), (91, UNCLEAR), (400, FAIL)):
        observe(prod, "spend-cap", now=after(seconds=seconds), cap_matches=said)

    assert [status(item, after(seconds=400) + off) for off in (-MS, 0 * MS)] == [Status.VERIFIED, Status.FAILING]


def test_a_forecast_with_a_fail(prod: Environment, mia: User, ada: User) -> None:
    cap, key = item_of(prod, "spend-cap"), item_of(prod, "key-in-secrets-manager")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    observe(prod, "spend-cap", now=after(hours=1), cap_matches=FAIL)
    observe(prod, "key-validity", now=after(hours=1), key_from_manager=FAIL, key_accepted=PASS)

    coming = verdict(prod, at=NOW + 30 * DAY, now=after(hours=2))

    assert coming is not None
    assert coming.tally.verdict is Verdict.REGRESSED
    known = {one.item.pk: one for one in coming.items}
    assert (known[cap.pk].status, known[key.pk].status) == (Status.FAILING, Status.FAILING)
    [turn] = [turn for turn in coming.turns if turn.item.pk == cap.pk]
    assert (turn.reversal.at, turn.reversal.before, turn.reversal.after) == (
        NOW + DAY,
        Status.VERIFIED,
        Status.FAILING,
    ), "It was not confirmed, so it counts where the clause ends."
    assert all(turn.item.pk != key.pk for turn in coming.turns), "What fails already does not turn."


def test_not_applicable_falls_at_a_fail_and_does_not_come_back(prod: Environment, mia: User, ada: User) -> None:
    item = item_of(prod, "sse-not-buffered")
    decide(ada, ask_to_leave_out(mia, item), now=after(minutes=1))
    observe(prod, "proxy-buffering", now=after(minutes=2), stream_not_held=FAIL)
    assert status(item, after(minutes=2)) is Status.FAILING

    observe(prod, "proxy-buffering", now=after(minutes=3), stream_not_held=PASS)
    assert status(item, after(minutes=3)) is Status.OPEN


def test_a_launch_date_is_judged_at_its_first_instant_in_the_sites_zone(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    tick(mia, item)
    ends = NOW + 90 * DAY
    Environment.objects.filter(pk=prod.pk).update(launch_on=timezone.localdate(ends))
    prod.refresh_from_db()

    shown = sheet(prod, NOW).at_launch

    assert shown is not None
    assert timezone.localtime(shown.at).time().isoformat() == "00:00:00"
    assert {one.status for one in shown.items if one.item.pk == item.pk} == {Status.ATTESTED}, "It ends at nine."
