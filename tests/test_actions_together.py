"""Many people and probes at once on one service: writers wait for each other, and none is ever thrown out."""

import random
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from threading import Barrier, Thread

import pytest
from django.db import connection, transaction

from readiness.actions import items, runs, services
from readiness.enums.words import Judgement, RunReason
from readiness.models import Environment, Item, Service, User
from readiness.rules.environments import EnvironmentSettings
from tests.deeds import LEASE, after, finding
from tests.factories import NOW, item_of, make_environment, make_member, make_service, make_team

ROUNDS = 8
SUMMARY = "Looked at it together."


def tick(by: User, environment: Environment, item: Item | None = None) -> None:
    item = item or random.choice(list(Item.objects.filter(service=environment.service)))
    with suppress(items.Crossed):
        items.tick(by=by, item_id=item.pk, summary=SUMMARY, links=[], seen_version=item.version, now=NOW)


def change_build(by: User, environment: Environment) -> None:
    _change(by, environment, build=f"{random.random()}")


def rename(by: User, environment: Environment) -> None:
    _change(by, environment, name=f"prod-{random.randrange(10**9)}", build=f"{random.random()}")


def _change(by: User, environment: Environment, **given: str) -> None:
    seen = Environment.objects.get(pk=environment.pk)
    settings = {name: getattr(seen, name) for name in EnvironmentSettings.__annotations__}
    with suppress(services.EnvironmentCrossed):
        services.change_environment(
            by=by, environment_id=seen.pk, settings={**settings, **given}, seen_version=seen.version, now=NOW
        )


def change_service(by: User, environment: Environment) -> None:
    service = Service.objects.select_related("team").get(pk=environment.service_id)
    with suppress(services.ServiceCrossed):
        services.change_service(
            by=by,
            service=service,
            description=f"{random.random()}",
            seen_version=service.version,
            now=NOW,
        )


def ask(by: User, environment: Environment) -> None:
    environment = Environment.objects.select_related("service__team").get(pk=environment.pk)
    runs.ask(by=by, environment=environment, probes=["key-validity", "spend-cap", "proxy-buffering"], now=NOW)


def probe(by: User, environment: Environment) -> None:
    slug, clauses = random.choice(
        [
            ("spend-cap", ["cap-matches"]),
            ("proxy-buffering", ["stream-not-held", "stream-not-compressed", "stream-not-cached"]),
        ]
    )
    runs.plan(environment_id=environment.pk, probe=slug, reason=RunReason.ASKED, due_at=NOW, now=NOW)
    for run_id in environment.runs.filter(probe=slug, state="queued").values_list("pk", flat=True):
        run = runs.claim(run_id=run_id, lease=LEASE, now=after(minutes=2))
        if run is None:
            continue
        judgement = random.choice([Judgement.PASS, Judgement.FAIL])
        runs.finish(
            run=run,
            facts={},
            findings=[finding(clause, judgement) for clause in clauses],
            probe_version=1,
            build="",
            observed_at=NOW,
            now=NOW,
        )


def at_once(*deeds: Callable[[], None]) -> list[str]:
    """Do each in a thread of its own, with a connection of its own, all from the same moment; return what broke."""
    ready, broken = Barrier(len(deeds)), []

    def do(deed: Callable[[], None]) -> None:
        try:
            ready.wait(20)
            for _ in range(ROUNDS):
                deed()
        except Exception as error:  # noqa: BLE001 - told in the test, whose threads lose what they raise
            broken.append(f"{type(error).__name__}: {error}")
        finally:
            connection.close()

    threads = [Thread(target=do, args=(deed,)) for deed in deeds]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return broken


@pytest.mark.parametrize(
    "deeds",
    [(tick, change_service), (tick, change_build), (probe, change_build), (tick, probe, ask, rename, change_service)],
    ids=lambda deeds: "+".join(deed.__name__ for deed in deeds),
)
@pytest.mark.django_db(transaction=True)
def test_nobody_who_writes_at_the_same_moment_is_thrown_out(deeds: tuple[Callable[[User, Environment], None]]) -> None:
    """Item, environment, ledger: whoever took these locks in another order would be ended by the database."""
    environment = make_environment(make_service(make_team()), "prod")
    by = make_member(environment.service.team)

    assert at_once(*(partial(deed, by, environment) for deed in deeds for _ in range(2))) == []


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_waited_for_another_build_is_a_tick_on_that_build() -> None:
    """What an item is folded by is read under its lock, and not as it was when the wait for it began."""
    environment = make_environment(name="prod", build="one")
    by = make_member(environment.service.team)
    item = item_of(environment, "retry-with-backoff")
    waiting = Thread(target=lambda: (tick(by, environment, item), connection.close()))
    with transaction.atomic():
        _change(by, environment, build="two")
        waiting.start()
        waiting.join(1)
        assert waiting.is_alive()
    waiting.join(60)

    assert [evidence.build for evidence in item.evidence.all()] == ["two"] * item.entry.clauses.count()
