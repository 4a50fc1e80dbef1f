"""A probe that an admin disabled looks no more, there or anywhere, and concludes nothing; what it saw stands."""

from datetime import timedelta
from threading import Thread
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from checks.probes.key_validity import KeyValidity
from checks.schedule import due, sweep
from readiness.actions import probes, runs
from readiness.enums.standing import Status
from readiness.enums.words import Judgement, RunState
from readiness.models import Disabling, Environment, Event, Evidence, Run, User
from tests.deeds import LEASE, REASON, after, claimed, everything, finding, finish, observe, refused, status
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
from tests.reading import at_field, value_of, words

pytestmark = pytest.mark.django_db
PASS, FAIL = Judgement.PASS, Judgement.FAIL
BOTH = {"key_from_manager": PASS, "key_accepted": PASS}


@pytest.fixture
def ada() -> User:
    return make_admin("ada")


@pytest.fixture
def prod() -> Environment:
    made = make_environment(make_service(make_team("Conversational"), "assistant"), "prod")
    Environment.objects.filter(pk=made.pk).update(bastion_url="https://api.example.ca/v1", key_reference="env:KEY")
    made.refresh_from_db()
    return made


def disable(by: User, probe: str, environment: Environment | None = None, *, now: Any = NOW) -> Disabling:
    place = environment.pk if environment else None
    return probes.disable(by=by, probe=probe, environment_id=place, reason=REASON, now=now)


def looked_at(now: Any) -> list[str]:
    return [environment.name for environment, _ in due(KeyValidity(), now)]


def nobody(_run_ids: list[int]) -> bool:
    return False


def test_only_an_admin_disables_and_enables_and_says_why(prod: Environment, ada: User) -> None:
    for person in (make_person(), make_reviewer(), make_member(prod.service.team)):
        with refused("Only an admin disables a probe"):
            disable(person, "key-validity", prod)
    with refused("at least 15 letters"):
        probes.disable(by=ada, probe="key-validity", environment_id=prod.pk, reason="no", now=NOW)
    with refused("no probe of that name"):
        disable(ada, "no-such-probe")
    one = disable(ada, "key-validity", prod)
    with refused("Only an admin"):
        probes.enable(by=make_reviewer(), disabling_id=one.pk, now=NOW)


def test_it_is_planned_neither_where_it_is_disabled_nor_anywhere_where_that_holds_everywhere(
    prod: Environment, ada: User
) -> None:
    staging = make_environment(prod.service, "staging", kind="staging")
    Environment.objects.filter(pk=staging.pk).update(bastion_url="https://api.example.ca/v1", key_reference="env:KEY")
    assert looked_at(NOW) == ["prod", "staging"]
    here = disable(ada, "key-validity", prod)
    assert looked_at(NOW) == ["staging"]
    everywhere = disable(ada, "key-validity")
    assert looked_at(NOW) == []
    probes.enable(by=ada, disabling_id=everywhere.pk, now=after(hours=1))
    assert looked_at(after(hours=1)) == ["staging"]
    probes.enable(by=ada, disabling_id=here.pk, now=after(hours=1))
    assert looked_at(after(hours=1)) == ["prod", "staging"]


def test_nobody_can_ask_for_it_and_the_refusal_says_who_when_and_why(prod: Environment, ada: User) -> None:
    mia = make_member(prod.service.team)
    disable(ada, "key-validity", prod)
    with refused("ada disabled key-validity here on 2 March 2026 at 09:00", REASON, "Ask an admin to enable it"):
        runs.ask(by=mia, environment=prod, probes=["spend-cap", "key-validity"], now=NOW)
    runs.ask(by=mia, environment=prod, probes=["spend-cap"], now=NOW)


def test_its_runs_that_wait_are_given_up_and_those_of_others_go_on(prod: Environment, ada: User) -> None:
    mia = make_member(prod.service.team)
    runs.ask(by=mia, environment=prod, probes=["key-validity", "spend-cap"], now=NOW)
    disable(ada, "key-validity", prod)
    given_up, waiting = Run.objects.get(probe="key-validity"), Run.objects.get(probe="spend-cap")
    assert (given_up.state, waiting.state) == (RunState.ERRORED, RunState.QUEUED)
    assert given_up.error.startswith("ada disabled key-validity here")
    assert REASON in given_up.error
    assert Event.objects.latest("id").data["runs"] == [given_up.pk]


def test_a_run_that_was_queued_at_the_same_moment_is_never_taken_and_is_given_up(prod: Environment, ada: User) -> None:
    """The scheduler saw it due just before it was disabled, and wrote the run just after."""
    disable(ada, "key-validity")
    run = runs.plan(environment_id=prod.pk, probe="key-validity", reason="scheduled", due_at=NOW, now=NOW)  # type: ignore[arg-type]
    assert run is not None
    assert runs.claim(run_id=run.pk, lease=LEASE, now=NOW) is None
    sweep(now=after(seconds=2), nudge=nobody)
    run.refresh_from_db()
    assert (run.state, run.error) == (RunState.ERRORED, "The probe was disabled before it could look.")


@pytest.mark.parametrize("everywhere", [False, True])
def test_a_run_under_way_concludes_nothing(prod: Environment, ada: User, everywhere: bool) -> None:
    run = claimed(prod, "key-validity")
    disable(ada, "key-validity", None if everywhere else prod)
    assert finish(run, now=after(seconds=5), key_from_manager=FAIL, key_accepted=FAIL)
    run.refresh_from_db()
    assert {(one["judgement"], one["code"]) for one in run.findings} == {("inconclusive", "engine.disabled")}
    assert run.findings[0]["sentence"].startswith("ada disabled key-validity")
    assert (run.facts, Evidence.objects.count()) == ({"saw": 1}, 0)


def test_a_fail_that_waited_is_no_longer_confirmed_but_counts_once_its_clause_ends(
    prod: Environment, ada: User
) -> None:
    item = item_of(prod, "key-in-secrets-manager")
    observe(prod, "key-validity", now=NOW, **BOTH)
    observe(prod, "key-validity", now=after(hours=1), key_from_manager=FAIL, key_accepted=PASS)
    confirming = Run.objects.get(state=RunState.QUEUED)
    assert confirming.reason == "confirming"
    taken = runs.claim(run_id=confirming.pk, lease=LEASE, now=after(hours=1, seconds=30))
    assert taken is not None
    disable(ada, "key-validity", now=after(hours=1, seconds=31))
    finish(taken, now=after(hours=1, seconds=32), key_from_manager=FAIL, key_accepted=FAIL)
    assert not Run.objects.filter(state=RunState.QUEUED).exists()
    item.refresh_from_db()
    assert item.failing_since == after(hours=24)
    assert status(item, after(hours=24)) is Status.FAILING


def test_what_it_saw_stands_until_it_ages(prod: Environment, ada: User) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    end = Evidence.objects.get().valid_until
    assert end is not None
    before = status(item, after(minutes=1))
    disable(ada, "spend-cap")
    assert status(item, end - timedelta(milliseconds=1)) is before
    assert status(item, end) is not Status.VERIFIED


def test_enabled_again_it_looks_at_once_even_where_it_had_just_passed(prod: Environment, ada: User) -> None:
    observe(prod, "key-validity", now=NOW, **BOTH)
    one = disable(ada, "key-validity", now=after(minutes=1))
    assert looked_at(after(minutes=2)) == []
    probes.enable(by=ada, disabling_id=one.pk, now=after(minutes=3))
    assert looked_at(after(minutes=3)) == ["prod"]
    observe(prod, "key-validity", now=after(minutes=4), **BOTH)
    assert looked_at(after(minutes=5)) == []


def test_it_is_disabled_and_enabled_once_each_and_may_be_disabled_again(prod: Environment, ada: User) -> None:
    one = disable(ada, "key-validity", prod)
    with refused("It is disabled already. ada disabled key-validity here"):
        disable(ada, "key-validity", prod)
    probes.enable(by=ada, disabling_id=one.pk, now=after(hours=1))
    with refused("ada has enabled key-validity again already"):
        probes.enable(by=ada, disabling_id=one.pk, now=after(hours=1))
    disable(ada, "key-validity", prod, now=after(hours=2))
    told = Event.objects.filter(kind__startswith="probe.").order_by("id").values_list("kind", "environment")
    assert list(told) == [(f"probe.{what}", prod.pk) for what in ("disabled", "enabled", "disabled")]


def test_in_an_archived_environment_there_is_nothing_to_disable(prod: Environment, ada: User) -> None:
    Environment.objects.filter(pk=prod.pk).update(archived_at=NOW)
    with refused("This is archived"):
        disable(ada, "key-validity", prod)


@pytest.mark.django_db(transaction=True)
@pytest.mark.only_on("postgresql")
def test_no_run_ends_with_a_conclusion_once_its_probe_is_disabled_everywhere() -> None:
    """A run that ends while the probe is being disabled waits for that, and then sees it."""
    prod, ada = make_environment(name="prod"), make_admin()
    run = claimed(prod, "spend-cap")
    ending = Thread(target=lambda: (finish(run, now=after(seconds=9), cap_matches=PASS), connection.close()))
    with transaction.atomic():
        disable(ada, "spend-cap", now=after(seconds=5))
        ending.start()
        ending.join(1)
        assert ending.is_alive()
    ending.join(60)
    run.refresh_from_db()
    assert [one["code"] for one in run.findings] == ["engine.disabled"]
    assert not Evidence.objects.exists()


def test_the_page_says_of_each_probe_what_it_is_and_where_it_is_disabled(
    prod: Environment, ada: User, client: Client
) -> None:
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    observe(prod, "key-validity", now=NOW, **BOTH)
    disable(ada, "key-validity", prod)
    said = words(client.get(reverse("probes")))
    assert "at 0 of 1 live environment" in said
    assert "Disabled in assistant/prod by ada since 2 Mar" in said
    assert REASON in said
    assert "not tried yet" in said
    assert "Only an admin disables a probe or enables it again." in said
    assert "Last run passes assistant/prod" in said


def test_an_admin_disables_and_enables_on_the_page_and_bad_words_are_told_there(
    prod: Environment, ada: User, client: Client
) -> None:
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    address, before = reverse("probe-disable", args=["spend-cap"]), everything()
    wrong = client.post(address, {"environment": "", "reason": "no"})
    assert (wrong.status_code, everything()) == (422, before)
    assert "at least 15 letters" in at_field(wrong, "spend-cap_reason")
    assert value_of(wrong, "spend-cap_reason") == "no"
    assert client.post(address, {"environment": prod.pk, "reason": REASON}).status_code == 302
    again = client.post(address, {"environment": prod.pk, "reason": REASON})
    assert again.status_code == 422
    assert "It is disabled already." in words(again)
    one = Disabling.objects.get()
    assert client.post(reverse("probe-enable", args=[one.pk])).status_code == 302
    one.refresh_from_db()
    assert one.ended_by == ada
    assert client.post(reverse("probe-disable", args=["nothing"]), {"reason": REASON}).status_code == 404


def test_sheet_and_item_say_who_disabled_what_they_wait_for(prod: Environment, ada: User, client: Client) -> None:
    mia = make_member(prod.service.team)
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    disable(ada, "spend-cap", prod)
    assert 'aria-current="page">Probes' in client.get(reverse("probes")).content.decode()
    sheet = words(client.get(prod.get_absolute_url()))
    assert "spend-cap disabled by ada since 2 Mar" in sheet
    item = client.get(reverse("item", args=["assistant", "prod", "spend-cap"]), {"tab": "runs"})
    assert "spend-cap is disabled here by ada" in words(item)
    assert "runs by itself" not in words(item)
    run = client.post(reverse("item-run", args=["assistant", "prod", "spend-cap"]))
    assert (run.status_code, Run.objects.count()) == (403, 0)
    everything_else = client.post(reverse("run-all", args=["assistant", "prod"]), follow=True)
    assert "Disabled, and so left out: spend-cap." in words(everything_else)
    assert not Run.objects.filter(probe="spend-cap").exists()


def test_a_sheet_that_is_open_follows_what_is_disabled_everywhere(prod: Environment, ada: User, client: Client) -> None:
    client.force_login(make_person(), backend="django.contrib.auth.backends.ModelBackend")
    since = Event.objects.latest("id").pk
    disable(ada, "spend-cap")
    answer = client.get(reverse("sheet-live", args=["assistant", "prod"]), {"since": since})
    assert "row-spend-cap" in answer.content.decode()
    assert "spend-cap disabled by ada" in words(answer)


def test_a_finding_of_another_probe_is_untouched(prod: Environment, ada: User) -> None:
    disable(ada, "key-validity")
    assert finding("cap-matches", PASS)
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    assert Evidence.objects.get().outcome == "pass"
