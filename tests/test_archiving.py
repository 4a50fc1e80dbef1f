"""What is archived can be read and is written about no more; what it lent goes with it and comes back with it."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from checks.schedule import sweep
from readiness.actions import archiving, items, probes, runs, services
from readiness.enums.standing import Status
from readiness.enums.words import Judgement, RunState
from readiness.models import Environment, Event, Evidence, Run, Service, User
from tests.deeds import LEASE, REASON, SUMMARY, after, claimed, finish, observe, refused, status, tick, version
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
from tests.reading import at_field, words

pytestmark = pytest.mark.django_db
PASS, FAIL = Judgement.PASS, Judgement.FAIL
RETRIES = ("backs_off_on_5xx", "backs_off_on_429")


@pytest.fixture
def mia() -> User:
    return make_member(make_team("Conversational"), "mia")


@pytest.fixture
def prod(mia: User) -> Environment:
    return make_environment(make_service(mia.teams.get(), "assistant", by=mia), "prod", by=mia, build="one")


@pytest.fixture
def staging(prod: Environment, mia: User) -> Environment:
    return make_environment(prod.service, "staging", kind="staging", by=mia, build="one")


@pytest.fixture
def page(mia: User, client: Client) -> Client:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")
    return client


def archive(by: User, environment: Environment, *, now: Any = NOW) -> Environment:
    return archiving.archive_environment(by=by, environment_id=environment.pk, reason=REASON, now=now)


def restore(by: User, environment: Environment, *, now: Any = NOW) -> Environment:
    return archiving.restore_environment(by=by, environment_id=environment.pk, reason=REASON, now=now)


def drill(environment: Environment, judgement: Judgement, *, now: Any) -> None:
    observe(environment, "drill", now=now, **dict.fromkeys(RETRIES, judgement))


def test_production_loses_exactly_what_it_took_over_and_has_it_again_once_it_is_back(
    prod: Environment, staging: Environment, mia: User
) -> None:
    lent, own = item_of(prod, "retry-with-backoff"), item_of(prod, "spend-cap")
    drill(staging, PASS, now=NOW)
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    before = status(lent, after(hours=1)), status(own, after(hours=1))
    assert before[0] is Status.VERIFIED
    archive(mia, staging, now=after(hours=1))
    assert status(lent, after(hours=1)) is Status.STALE
    assert status(own, after(hours=1)) is before[1]
    restore(mia, staging, now=after(hours=2))
    assert (status(lent, after(hours=2)), status(own, after(hours=2))) == before


def test_a_fail_that_it_lent_goes_with_it_too(prod: Environment, staging: Environment, mia: User) -> None:
    item = item_of(prod, "retry-with-backoff")
    drill(staging, FAIL, now=NOW)
    assert status(item, NOW) is Status.FAILING
    archive(mia, staging, now=after(hours=1))
    assert status(item, after(hours=1)) is Status.OPEN
    restore(mia, staging, now=after(hours=2))
    assert status(item, after(hours=2)) is Status.FAILING


def test_what_production_saw_itself_stays(prod: Environment, staging: Environment, mia: User) -> None:
    item = item_of(prod, "retry-with-backoff")
    drill(prod, PASS, now=NOW)
    drill(staging, PASS, now=after(minutes=1))
    archive(mia, staging, now=after(hours=1))
    assert status(item, after(hours=1)) is Status.VERIFIED


def test_only_the_team_archives_and_says_why_and_only_once(prod: Environment, mia: User) -> None:
    for person in (make_person(), make_reviewer(), make_member(make_team())):
        with refused("Only members of Conversational"):
            archive(person, prod)
        with refused("Only members of Conversational"):
            archiving.archive_service(by=person, service_id=prod.service_id, reason=REASON, now=NOW)
    with refused("at least 15 letters"):
        archiving.archive_environment(by=mia, environment_id=prod.pk, reason="no", now=NOW)
    with refused("This is not archived"):
        restore(mia, prod)
    archive(mia, prod)
    with refused("archived already"):
        archive(mia, prod)
    archiving.archive_service(by=mia, service_id=prod.service_id, reason=REASON, now=NOW)
    with refused("The whole service is archived. Bring that back first."):
        restore(mia, prod)
    with refused("This is archived already"):
        archiving.archive_service(by=mia, service_id=prod.service_id, reason=REASON, now=NOW)
    told = Event.objects.filter(kind__endswith=".archived").order_by("id")
    assert [(event.kind, event.data) for event in told] == [
        ("environment.archived", {"reason": REASON}),
        ("service.archived", {"reason": REASON}),
    ]


def test_a_service_takes_its_environments_with_it_and_those_archived_alone_stay_so(
    prod: Environment, staging: Environment, mia: User
) -> None:
    archive(mia, staging, now=after(hours=1))
    archiving.archive_service(by=mia, service_id=prod.service_id, reason=REASON, now=after(hours=2))
    for one, since in ((prod, after(hours=2)), (staging, after(hours=1))):
        assert Environment.objects.select_related("service").get(pk=one.pk).archived_since == since
    archiving.restore_service(by=mia, service_id=prod.service_id, reason=REASON, now=after(hours=3))
    prod.refresh_from_db()
    staging.refresh_from_db()
    assert (prod.archived_since, staging.archived_since) == (None, after(hours=1))


@pytest.mark.parametrize("whole", [False, True])
def test_its_runs_stop_and_one_under_way_concludes_nothing(prod: Environment, mia: User, whole: bool) -> None:
    running = claimed(prod, "spend-cap")
    runs.ask(by=mia, environment=prod, probes=["key-validity"], now=NOW)
    if whole:
        archiving.archive_service(by=mia, service_id=prod.service_id, reason=REASON, now=after(seconds=1))
    else:
        archive(mia, prod, now=after(seconds=1))
    waiting = Run.objects.get(state=RunState.QUEUED)
    assert runs.claim(run_id=waiting.pk, lease=LEASE, now=after(seconds=2)) is None
    assert finish(running, now=after(seconds=3), cap_matches=PASS)
    running.refresh_from_db()
    assert [one["code"] for one in running.findings] == ["engine.archived"]
    sweep(now=after(days=2), nudge=lambda _ids: True)
    assert not Evidence.objects.exists()
    assert {run.state for run in Run.objects.all()} == {RunState.DONE, RunState.ERRORED}
    with refused("This is archived"):
        runs.ask(by=mia, environment=prod, probes=["spend-cap"], now=after(days=2))


def test_nothing_more_is_written_about_it(prod: Environment, mia: User) -> None:
    item = item_of(prod, "spend-cap")
    archive(mia, prod)
    with refused("This is archived: it can be read"):
        tick(mia, item)
    with refused("This is archived"):
        items.assign(by=mia, item_id=item.pk, owner=mia, due_on=None, seen_version=version(item), now=NOW)
    with refused("This is archived"):
        probes.disable(by=make_admin(), probe="spend-cap", environment_id=prod.pk, reason=REASON, now=NOW)
    archiving.archive_service(by=mia, service_id=prod.service_id, reason=REASON, now=NOW)
    service = Service.objects.get()
    with refused("This is archived"):
        services.change_service(by=mia, service=service, description="x", seen_version=service.version, now=NOW)
    with refused("This is archived"):
        make_environment(prod.service, "more", by=mia)


def test_its_sheet_can_be_read_with_since_when_and_why_and_without_a_verdict(
    page: Client, prod: Environment, mia: User
) -> None:
    tick(mia, item_of(prod, "spend-cap"))
    archive(mia, prod)
    sheet = page.get(prod.get_absolute_url())
    said, html = words(sheet), sheet.content.decode()
    assert "Archived since 2 Mar by mia: " + REASON in said
    assert "There is no verdict" in said
    assert 'data-verdict="' not in html
    assert "Bring it back" in said
    assert 'id="live"' not in html
    assert SUMMARY in said
    assert reverse("run-all", args=["assistant", "prod"]) not in html
    assert "This is archived: it can be read" in said


@pytest.mark.parametrize("tab", ["runs", "evidence", "waiver"])
def test_every_control_of_its_items_is_refused_with_the_reason(
    page: Client, prod: Environment, mia: User, tab: str
) -> None:
    archive(mia, prod)
    item = page.get(reverse("item", args=["assistant", "prod", "spend-cap"]), {"tab": tab})
    html = item.content.decode()
    panel = html[html.index('id="detail-spend-cap"') : html.index("</article>")]
    assert "<form" not in panel
    assert "This is archived: it can be read" in words(item)


def test_it_is_archived_and_brought_back_where_it_is_changed(page: Client, prod: Environment, mia: User) -> None:
    place = ["assistant", "prod"]
    edit = reverse("environment-change", args=place)
    assert "Archive this environment" in words(page.get(edit))
    wrong = page.post(reverse("environment-archive", args=place), {"reason": "no"})
    assert wrong.status_code == 422
    assert "at least 15 letters" in at_field(wrong, "id_reason")
    assert page.post(reverse("environment-archive", args=place), {"reason": REASON}).status_code == 302
    twice = page.post(reverse("environment-archive", args=place), {"reason": REASON})
    assert (twice.status_code, "archived already" in words(twice)) == (422, True)
    archived = page.get(edit)
    assert "Bring this environment back" in words(archived)
    assert "Save This is archived" in words(archived)
    listed = words(page.get(reverse("service", args=["assistant"])))
    assert "1 archived environment prod prod archived" in listed
    assert f"by mia: {REASON}" in listed
    assert page.post(reverse("environment-restore", args=place), {"reason": REASON}).status_code == 302
    assert "Archived since" not in words(page.get(prod.get_absolute_url()))


def test_a_service_is_archived_and_brought_back_where_it_is_changed(page: Client, prod: Environment, mia: User) -> None:
    edit, service = reverse("service-change", args=["assistant"]), reverse("service", args=["assistant"])
    assert "Archive this service" in words(page.get(edit))
    assert page.post(reverse("service-archive", args=["assistant"]), {"reason": REASON}).status_code == 302
    shown = words(page.get(service))
    assert f"by mia: {REASON}" in shown
    assert "Add environment This is archived" in shown
    assert "Archived since" in words(page.get(prod.get_absolute_url()))
    assert "Archive Bring" not in words(page.get(reverse("environment-change", args=["assistant", "prod"])))
    alone = page.post(reverse("environment-archive", args=["assistant", "prod"]), {"reason": REASON})
    assert (alone.status_code, "The whole service is archived. Bring that back first." in words(alone)) == (422, True)
    assert page.post(reverse("service-restore", args=["assistant"]), {"reason": REASON}).status_code == 302
    assert "Archived since" not in words(page.get(service))
    assert Service.objects.get().archived_at is None
