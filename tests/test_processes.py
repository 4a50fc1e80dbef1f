"""The product's processes, started for real over the test database."""

import os
from datetime import UTC, datetime

import httpx
import pytest

from checks.models import Heartbeat
from checks.tasks import nudge
from readiness.actions import runs
from readiness.enums.words import RunState
from readiness.models import Run
from tests.factories import make_environment, make_member
from tests.servers.processes import RunningProduct
from tests.servers.waiting import eventually

SOON_S = 180.0


def asked_run() -> Run:
    environment = make_environment()
    member = make_member(environment.service.team)
    return runs.ask(by=member, environment=environment, probes=["proxy-buffering"], now=datetime.now(UTC))[0]


def test_a_worker_takes_a_run_that_somebody_asked_for(running_product: RunningProduct) -> None:
    running_product.start_worker()
    run = asked_run()
    eventually(lambda: Run.objects.get(pk=run.pk).state == RunState.DONE, SOON_S, what="the run is done")
    assert Run.objects.get(pk=run.pk).attempts == 1


def test_a_killed_worker_is_gone_and_comes_back(running_product: RunningProduct) -> None:
    worker = running_product.start_worker()
    before = worker.pid
    worker.kill()
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    run = asked_run()
    worker.start()
    nudge([run.pk])  # As the scheduler does: the first message does not outlive a start that takes long.
    eventually(lambda: Run.objects.get(pk=run.pk).state == RunState.DONE, SOON_S, what="the run is done")
    assert worker.pid != before


def test_the_web_server_and_the_scheduler_find_each_other_ready(running_product: RunningProduct) -> None:
    running_product.start_scheduler()
    running_product.start_web()
    eventually(Heartbeat.objects.exists, SOON_S, what="the scheduler beats")
    answer = httpx.get(f"{running_product.url}/readyz", timeout=60)
    assert answer.json() == {"ready": True, "database": "ok", "broker": "ok", "scheduler": "ok"}
