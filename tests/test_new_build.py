"""A new build makes exactly the clauses bound to it stale, and the old one again revives exactly those."""

import re
from collections.abc import Callable
from datetime import timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from readiness.actions import runs
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.models import ApiToken, Clause, Deployment, Entry, Environment, Event, Evidence, Item, User
from readiness.rules.status import status_at
from readiness.selectors.clauses import clause_facts
from tests.deeds import LEASE, claimed, everything, finish, observe, tick
from tests.factories import item_of, make_environment, make_member, make_service, make_team
from tests.programs import Program, make_token
from tests.reading import words

pytestmark = pytest.mark.django_db

OLD, NEW = "9f2c41d", "51aa0b7"


@pytest.fixture
def prod() -> Environment:
    """An environment that runs the old build, which a program said."""
    made = make_environment(make_service(make_team("Payments"), "payments"), "prod")
    assert Program(make_token("CI before")[1]).says(made, OLD)[0] == 201
    made.refresh_from_db()
    return made


@pytest.fixture
def program(prod: Environment) -> Program:
    return Program(make_token(team=prod.service.team)[1])


def member_of(environment: Environment) -> User:
    return make_member(environment.service.team)


def observe_everything(environment: Environment) -> None:
    """Let every probe of the checklist pass on every clause that it observes."""
    clauses = Clause.objects.filter(retired_at=None).exclude(probe="")
    for probe in clauses.order_by("probe").values_list("probe", flat=True).distinct():
        seen = clauses.filter(probe=probe).values_list("slug", flat=True)
        observe(environment, probe, now=timezone.now(), **{slug.replace("-", "_"): Judgement.PASS for slug in seen})


def statuses(environment: Environment) -> dict[str, Status]:
    items = Item.objects.filter(Q(environment=environment) | Q(environment=None), service=environment.service)
    return {item.entry.slug: status_at(item.facts, timezone.now()) for item in items.select_related("entry")}


def rows(environment: Environment) -> dict[str, object]:
    """What every item of the sheet is: each column, so that nothing that changed is overlooked."""
    found = Item.objects.filter(Q(environment=environment) | Q(environment=None), service=environment.service)
    return {row["entry__slug"]: row for row in found.values("entry__slug", *(one.attname for one in Item._meta.fields))}


BOUND = (Status.VERIFIED, Status.ATTESTED)


def test_of_26_entries_a_new_build_takes_exactly_the_bound_ones_that_rest_on_passes(
    prod: Environment, program: Program
) -> None:
    by = member_of(prod)
    observe_everything(prod)
    for item in Item.objects.filter(Q(environment=prod) | Q(environment=None), service=prod.service):
        if status_at(item.facts, timezone.now()) is not Status.VERIFIED:
            tick(by, item, now=timezone.now())
    before, was = statuses(prod), rows(prod)
    assert len(before) == 26
    assert set(before.values()) <= {Status.VERIFIED, Status.ATTESTED}
    observed = Clause.objects.filter(retired_at=None, entry__build_bound=True).exclude(probe="")
    expected = set(observed.values_list("entry__slug", flat=True))
    assert expected
    assert expected < set(before)

    assert program.says(prod, NEW)[0] == 201

    after = statuses(prod)
    assert {slug for slug in before if after[slug] != before[slug]} == expected
    assert {after[slug] for slug in expected} == {Status.STALE}
    now_are = rows(prod)
    assert {slug for slug in was if was[slug] != now_are[slug]} == expected

    assert program.says(prod, OLD)[0] == 201, "A rollback."
    assert statuses(prod) == before
    assert rows(prod) == was


def test_a_clause_that_is_attested_holds_beside_one_that_goes_stale(prod: Environment, program: Program) -> None:
    """In one item: what a person said of a build-bound clause stays, what a probe saw of it goes."""
    mixed = (
        Entry.objects.filter(build_bound=True, clauses__probe="", clauses__retired_at=None)
        .filter(pk__in=Clause.objects.exclude(probe="").filter(retired_at=None).values("entry"))
        .distinct()
    )
    assert mixed
    by = member_of(prod)
    observe_everything(prod)
    for entry in mixed:
        tick(by, item_of(prod, entry.slug), now=timezone.now())
    before = {entry.slug: clause_facts(item_of(prod, entry.slug)) for entry in mixed}
    program.says(prod, NEW)
    for entry in mixed:
        now_are = {one.clause: one for one in clause_facts(item_of(prod, entry.slug))}
        for clause in before[entry.slug]:
            assert now_are[clause.clause].tick_until == clause.tick_until
            assert now_are[clause.clause].pass_until is None
        assert statuses(prod)[entry.slug] is Status.STALE


def test_ticks_on_bound_clauses_all_stay(prod: Environment, program: Program) -> None:
    by = member_of(prod)
    for item in Item.objects.filter(Q(environment=prod) | Q(environment=None), service=prod.service):
        tick(by, item, now=timezone.now())
    before, was = statuses(prod), rows(prod)
    assert set(before.values()) == {Status.ATTESTED}
    program.says(prod, NEW)
    assert (statuses(prod), rows(prod)) == (before, was)


def test_a_fail_stays_whatever_runs(prod: Environment, program: Program) -> None:
    clauses = Clause.objects.filter(entry__slug="retry-with-backoff", retired_at=None).exclude(probe="")
    probe = clauses.values_list("probe", flat=True)[0]
    seen = clauses.filter(probe=probe).values_list("slug", flat=True)
    observe(prod, probe, now=timezone.now(), **{slug.replace("-", "_"): Judgement.FAIL for slug in seen})
    for build in (NEW, OLD, ""):
        program.says(prod, build)
        assert statuses(prod)["retry-with-backoff"] is Status.FAILING


def test_where_nobody_knows_the_build_the_environments_own_passes_count(prod: Environment, program: Program) -> None:
    observe_everything(prod)
    before = statuses(prod)
    program.says(prod, NEW)
    assert statuses(prod) != before
    program.says(prod, "")
    assert statuses(prod) == before


def test_saying_the_same_again_writes_nothing_at_all(prod: Environment, program: Program) -> None:
    observe_everything(prod)
    program.says(prod, NEW)
    was = (everything(), rows(prod), list(Environment.objects.values()), list(Deployment.objects.values()))
    for _ in range(3):
        assert program.says(prod, NEW)[0] == 200
    assert was == (everything(), rows(prod), list(Environment.objects.values()), list(Deployment.objects.values()))


def test_a_run_that_is_under_way_when_the_build_changes_concludes_nothing(prod: Environment, program: Program) -> None:
    started = timezone.now()
    run = claimed(prod, "spend-cap", now=started)
    program.says(prod, NEW)
    assert finish(run, now=started, build=OLD, cap_matches=Judgement.PASS)
    run.refresh_from_db()
    assert {one["code"] for one in run.findings} == {"engine.settings-changed"}
    assert not Evidence.objects.filter(run=run).exists()


def test_a_run_is_not_believed_that_began_while_the_program_waited_to_be_heard(
    prod: Environment, program: Program
) -> None:
    """The program's clock was read before its turn came, so the run seems to have begun after the new build."""
    run = claimed(prod, "spend-cap", now=timezone.now())
    program.says(prod, NEW)
    later = timezone.now() + timedelta(seconds=1)
    assert finish(run, now=later, build=OLD, cap_matches=Judgement.PASS)
    assert not Evidence.objects.filter(run=run).exists()


def test_a_clock_that_goes_back_does_not_bring_back_the_build_before(prod: Environment) -> None:
    from readiness.actions.builds import set_build

    token = ApiToken.objects.get()
    start = prod.build_since
    assert start is not None
    set_build(by=token, environment_id=prod.pk, build="later", now=start + timedelta(seconds=10))
    runs_now = set_build(by=token, environment_id=prod.pk, build="waited", now=start + timedelta(seconds=5))
    prod.refresh_from_db()
    newest = prod.deployments.order_by("-at", "-id")[0]
    assert prod.build == newest.build == runs_now.build == "waited"
    assert prod.build_since == newest.at == runs_now.since == start + timedelta(seconds=10)


@pytest.mark.django_db(transaction=True)
def test_programs_and_probes_at_once_lose_nothing() -> None:
    prod = make_environment(make_service(make_team("Payments"), "payments"), "prod")
    texts = [make_token(f"CI {number}")[1] for number in range(4)]
    calls, said = 6, []
    ready = Barrier(len(texts) + 1)

    def at_once(deed: Callable[[], None]) -> Thread:
        def do() -> None:
            try:
                ready.wait(20)
                deed()
            finally:
                connection.close()

        thread = Thread(target=do)
        thread.start()
        return thread

    def speak(text: str, number: int) -> None:
        program = Program(text, Client())
        said.extend(program.says(prod, f"{number}-{call}")[0] for call in range(calls))

    def look() -> None:
        for _ in range(calls):
            now = timezone.now()
            run = runs.plan(environment_id=prod.pk, probe="spend-cap", reason="asked", due_at=now, now=now)  # type: ignore[arg-type]
            assert run is not None
            taken = runs.claim(run_id=run.pk, lease=LEASE, now=now)
            assert taken is not None
            finish(taken, now=now, build=taken.environment.build, cap_matches=Judgement.PASS)

    threads = [at_once(lambda text=text, number=number: speak(text, number)) for number, text in enumerate(texts)]
    threads.append(at_once(look))
    for thread in threads:
        thread.join(120)

    assert said == [201] * (len(texts) * calls), "Each said something new, and each was heard once."
    history = list(Deployment.objects.order_by("at", "id").values_list("build", flat=True))
    assert sorted(history) == sorted(f"{number}-{call}" for number in range(len(texts)) for call in range(calls))
    events = [event.data for event in Event.objects.filter(kind="build.set").order_by("id")]
    assert [data["to"] for data in events] == history, "The ledger, the history and the environment tell one story."
    assert [data["from"] for data in events] == ["", *history[:-1]]
    prod.refresh_from_db()
    assert prod.build == history[-1]


def test_the_sheet_and_the_form_say_since_when_a_build_runs_and_who_said_so(
    prod: Environment, program: Program, client: Client
) -> None:
    person = make_member(prod.service.team, "mia")
    client.force_login(person, backend="django.contrib.auth.backends.ModelBackend")
    program.says(prod, NEW)
    for address in (prod.get_absolute_url(), f"{prod.get_absolute_url()}edit/"):
        page = words(client.get(address))
        assert f"{NEW} since today , said by CI payments" in page
        assert f"{OLD} from today , said by CI before" in page
    assert f"CI payments said that build {NEW} runs" in words(client.get(prod.get_absolute_url()))

    prod.refresh_from_db()
    form = {"name": "prod", "kind": "prod", "build": "by-hand", "seen_version": prod.version}
    assert client.post(f"{prod.get_absolute_url()}edit/", form).status_code == 302
    assert "by-hand since today , said by mia" in words(client.get(prod.get_absolute_url()))


def test_ten_builds_are_shown_and_no_more(prod: Environment, program: Program, client: Client) -> None:
    client.force_login(member_of(prod), backend="django.contrib.auth.backends.ModelBackend")
    for number in range(12):
        program.says(prod, f"build-{number:02}")
    page = words(client.get(prod.get_absolute_url()))
    before = page.split("Builds before")[1].split("Just now")[0]
    assert re.findall(r"build-(\d+)", before) == [f"{number:02}" for number in range(10, 1, -1)]
    assert OLD not in before


def test_an_open_sheet_learns_of_a_build(prod: Environment, program: Program, client: Client) -> None:
    client.force_login(member_of(prod), backend="django.contrib.auth.backends.ModelBackend")
    live = f"{prod.get_absolute_url()}live/"
    since = Event.objects.order_by("-id").values_list("id", flat=True)[0]
    assert client.get(live, {"since": since}).status_code == 204
    program.says(prod, NEW)
    answer = client.get(live, {"since": since})
    assert answer.status_code == 200
    assert f"{NEW} since today , said by CI payments" in words(answer)
