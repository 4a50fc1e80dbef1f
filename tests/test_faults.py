"""Any process killed at any moment: no answered tick is lost, nothing turns green by it, every due run is started."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.db import Error, connection
from django.utils import timezone

from checks.models import Heartbeat
from readiness.actions import runs
from readiness.enums.standing import Status
from readiness.enums.words import RunReason, RunState
from readiness.models import Environment, Evidence, Run, User
from readiness.rules.status import status_at
from tests.clients import Visitor
from tests.factories import item_of, make_environment, make_member, make_service, make_team
from tests.servers.processes import RunningProduct
from tests.servers.waiting import eventually

SOON_S = 180.0


@contextmanager
def silent_server() -> Iterator[tuple[int, threading.Event]]:
    """A service that accepts connections and never answers: a run that looks at it stays in mid-run."""
    reached, stopping = threading.Event(), threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.1)
        held: list[socket.socket] = []

        def accept() -> None:
            while not stopping.is_set():
                try:
                    held.append(listener.accept()[0])
                except TimeoutError:
                    continue
                reached.set()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        try:
            yield listener.getsockname()[1], reached
        finally:
            stopping.set()
            thread.join()
            for one in held:
                one.close()


def allow(product: RunningProduct, settings: Any, port: int) -> None:
    """Let the product's processes, and the rules in this one, reach a port of loopback."""
    product.environ["READINESS_ALLOWED_NETWORKS"] = f"127.0.0.1/32:{port}"
    settings.ALLOWED_NETWORKS = (f"127.0.0.1/32:{port}",)


@pytest.fixture
def member() -> User:
    return make_member(make_team("Faults"))


def environment_of(member: User, **more: Any) -> Environment:
    team = member.teams.get()
    return make_environment(make_service(team, by=member), "prod", by=member, **more)


def ask(member: User, environment: Environment) -> Run:
    return runs.ask(by=member, environment=environment, probes=["proxy-buffering"], now=timezone.now())[0]


def state(run: Run) -> str:
    return str(Run.objects.values_list("state", flat=True).get(pk=run.pk))


def test_a_run_whose_worker_is_killed_is_taken_over_once_its_lease_is_over(
    running_product: RunningProduct, settings: Any, member: User
) -> None:
    with silent_server() as (port, reached):
        allow(running_product, settings, port)
        environment = environment_of(member, service_url=f"http://127.0.0.1:{port}", stream_route="/stream")
        worker = running_product.start_worker()
        running_product.start_scheduler()
        run = ask(member, environment)
        assert reached.wait(SOON_S)
        worker.kill()
        assert state(run) == RunState.RUNNING
        assert status_at(item_of(environment, "sse-not-buffered").facts, timezone.now()) is Status.OPEN
        reached.clear()
        worker.start()
        assert not reached.wait(2), "taken over before its lease was over"
        Run.objects.filter(pk=run.pk).update(lease_until=timezone.now())
        assert reached.wait(SOON_S)
    eventually(lambda: state(run) == RunState.DONE, SOON_S, what="the run is done")
    assert Run.objects.get(pk=run.pk).attempts == 2
    assert not Evidence.objects.exists()


def test_a_run_whose_message_died_with_its_worker_is_started_all_the_same(
    running_product: RunningProduct, member: User
) -> None:
    run = ask(member, environment_of(member))
    Run.objects.filter(pk=run.pk).update(nudged_at=timezone.now() - timedelta(seconds=11))
    forget_messages()
    running_product.start_worker()
    running_product.start_scheduler()
    eventually(lambda: state(run) == RunState.DONE, SOON_S, what="the run is done")


def forget_messages() -> None:
    """Lose every message, as a broker that is killed does."""
    from tests.servers.environment import servers
    from tests.servers.processes import _forget_messages

    _forget_messages(servers())


def test_a_killed_scheduler_delays_and_loses_nothing(running_product: RunningProduct, member: User) -> None:
    scheduler = running_product.start_scheduler()
    running_product.start_worker()
    eventually(Heartbeat.objects.exists, SOON_S, what="the scheduler beats")
    scheduler.kill()
    environment = environment_of(member)
    Environment.objects.filter(pk=environment.pk).update(service_url="https://nowhere.invalid", stream_route="/stream")
    scheduler.start()
    eventually(
        lambda: Run.objects.filter(environment=environment, state=RunState.DONE).exists(),
        SOON_S,
        what="what came due meanwhile was run",
    )
    assert list(Run.objects.values_list("reason", flat=True)) == [RunReason.SCHEDULED]


def keep_ticking(
    product: RunningProduct, person: User, items: list[str], answered: list[str], enough: threading.Event
) -> None:
    """Tick items one after the other until there are enough, or the product no longer answers; remember each answer."""
    visitor = Visitor(product.url, person)
    for number, item in enumerate(items):
        if enough.is_set():
            return
        summary = f"Looked at it, tick number {number}."
        try:
            answer = visitor.tick(item, summary)
        except httpx.TransportError:
            return
        if answer.status_code == 302:
            answered.append(summary)


def addresses(environment: Environment) -> list[str]:
    from readiness.models import Entry

    slugs = Entry.objects.filter(retired_at=None, scope="environment").values_list("slug", flat=True)
    return [f"/services/{environment.service.slug}/{environment.name}/items/{slug}/" for slug in slugs]


@pytest.mark.parametrize("after_s", [0.6, 1.1, 1.7])
def test_no_answered_tick_is_lost_when_the_web_server_is_killed(
    running_product: RunningProduct, member: User, after_s: float
) -> None:
    environment = environment_of(member)
    web = running_product.start_web()
    answered: list[str] = []
    ticking = threading.Thread(
        target=keep_ticking,
        args=(running_product, member, addresses(environment) * 3, answered, threading.Event()),
        daemon=True,
    )
    ticking.start()
    eventually(lambda: answered, SOON_S, what="a tick was answered")
    ticking.join(after_s)
    web.kill()
    ticking.join(SOON_S)
    kept = set(Evidence.objects.filter(by=member).values_list("summary", flat=True))
    assert answered
    assert set(answered) <= kept
    assert len(kept) <= len(answered) + 1
    web.start()
    assert Visitor(running_product.url, member).get(environment.get_absolute_url()).status_code == 200


@pytest.mark.only_on("postgresql")
def test_while_the_broker_is_down_people_ask_and_its_return_starts_what_they_asked(
    running_product: RunningProduct, member: User
) -> None:
    valkey = running_product.servers.valkey
    assert valkey is not None
    environment = environment_of(member)
    running_product.start_web()
    running_product.start_worker()
    running_product.start_scheduler()
    visitor = Visitor(running_product.url, member)
    sheet = environment.get_absolute_url()
    valkey.kill()
    try:
        assert visitor.post(sheet, f"{sheet}run/").status_code == 302
        assert visitor.tick(addresses(environment)[0], "Looked at it while the broker was down.").status_code == 302
        assert visitor.get("/readyz").json()["broker"] == "unreachable"
        assert set(Run.objects.values_list("state", flat=True)) == {RunState.QUEUED}
    finally:
        valkey.start()
    eventually(
        lambda: not Run.objects.exclude(state=RunState.DONE).exists(),
        SOON_S,
        what="every run that was asked for is done",
    )
    assert Run.objects.count() == 3


@pytest.mark.only_on("postgresql")
def test_a_killed_database_loses_no_answered_tick_and_everything_comes_back(
    running_product: RunningProduct, member: User
) -> None:
    postgresql = running_product.servers.postgresql
    assert postgresql is not None
    environment = environment_of(member)
    items = addresses(environment)
    running_product.start_web()
    running_product.start_worker()
    running_product.start_scheduler()
    answered: list[str] = []
    enough = threading.Event()
    ticking = threading.Thread(
        target=keep_ticking, args=(running_product, member, items * 50, answered, enough), daemon=True
    )
    ticking.start()
    eventually(lambda: len(answered) > 2, SOON_S, what="three ticks were answered")
    postgresql.kill()
    try:
        assert httpx.get(f"{running_product.url}/readyz", timeout=120).status_code == 503
        assert httpx.get(f"{running_product.url}/healthz", timeout=120).status_code == 200
    finally:
        postgresql.start()
    before = len(answered)
    eventually(lambda: len(answered) > before, SOON_S, what="a tick is answered again")
    enough.set()
    ticking.join(SOON_S)
    eventually(_database_is_back, SOON_S, what="the test's own connection is back")
    kept = set(Evidence.objects.filter(by=member).values_list("summary", flat=True))
    assert set(answered) <= kept
    visitor = Visitor(running_product.url, member)
    eventually(lambda: visitor.get("/readyz").json()["ready"], SOON_S, what="the product is ready again")
    run = ask(member, environment)
    eventually(lambda: state(run) == RunState.DONE, SOON_S, what="runs are carried out again")


def _database_is_back() -> bool:
    connection.close()
    try:
        return Evidence.objects.exists()
    except Error:
        return False
