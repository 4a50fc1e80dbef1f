"""The product's own processes over the test database: web, worker and scheduler, as production starts them."""

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.proxies.processes import free_ports
from tests.servers.environment import Servers, servers
from tests.servers.guard import Guarded
from tests.servers.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN_S = 180.0
"""Generous: a start takes 1.5 s alone, and many do at once where four processes test."""


@dataclass
class Process:
    """One process of the product, which can be killed and started again."""

    name: str
    argv: list[str]
    environ: dict[str, str]
    log: Path
    is_ready: Callable[["Process"], bool]
    _guarded: Guarded | None = None

    @property
    def pid(self) -> int:
        """The process's id. Raises RuntimeError where it does not run."""
        if self._guarded is None:
            raise RuntimeError(f"The {self.name} is not running.")
        return self._guarded.pid

    def start(self) -> None:
        """Start it and return once it is ready; AssertionError with its output where it is not in time."""
        self._guarded = Guarded(self.argv, log=self.log, environ=self.environ, folder=ROOT)
        try:
            eventually(
                lambda: self.is_ready(self) or not self.running, READY_WITHIN_S, what=f"the {self.name} is ready"
            )
            assert self.running
        except AssertionError as error:
            raise AssertionError(f"The {self.name} did not start ({error}):\n{self.output()[-3000:]}") from None

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._guarded is not None and self._guarded.running

    def kill(self) -> None:
        """End it as ``kill -9`` does, with its children."""
        if self._guarded is not None:
            self._guarded.kill()
            self._guarded = None

    def stop(self) -> None:
        """Ask it to end, as a deployment does."""
        if self._guarded is not None:
            self._guarded.stop()
            self._guarded = None

    def restart(self) -> None:
        """Kill it and start it again."""
        self.kill()
        self.start()

    def output(self) -> str:
        """Return what it wrote so far, over all its starts."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


@dataclass
class RunningProduct:
    """Starts processes of the product; ``environ`` is what they are started with and may be changed before.

    They share the database and the broker of the test, so the test must be transactional.
    """

    folder: Path
    servers: Servers
    environ: dict[str, str]
    url: str = ""
    _processes: list[Process] = field(default_factory=list)

    def start_worker(self, *, threads: int = 4) -> Process:
        """Start a worker as ``manage.py up`` does; more than one may run."""
        pulse = self.folder / f"pulse-{len(self._processes)}"
        alone = ("--without-gossip", "--without-mingle", "--without-heartbeat")
        return self._start(
            "worker",
            ["-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", str(threads), "-l", "WARNING", *alone],
            is_ready=lambda _process: pulse.exists(),
            READINESS_WORKER_PULSE=str(pulse),
        )

    def start_scheduler(self) -> Process:
        """Start a scheduler that sweeps five times a second; it is ready once it has begun."""
        return self._start(
            "scheduler",
            [str(ROOT / "manage.py"), "scheduler"],
            is_ready=lambda process: "scheduler.started" in process.output(),
            READINESS_SCHEDULER_INTERVAL_SECONDS=self.environ.get("READINESS_SCHEDULER_INTERVAL_SECONDS", "0.2"),
        )

    def start_web(self) -> Process:
        """Start the web server; ``url`` is its address."""
        (port,) = free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        options = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off", "--timeout-graceful-shutdown", "2"]
        return self._start(
            "web server",
            ["-m", "uvicorn", "config.asgi:application", *options],
            is_ready=lambda _process: _answers(f"{self.url}/healthz"),
        )

    def stop(self) -> None:
        """Stop all that still run, the last first."""
        while self._processes:
            self._processes.pop().stop()

    def _start(self, name: str, argv: list[str], *, is_ready: Callable[[Process], bool], **more: str) -> Process:
        log = self.folder / f"{name.replace(' ', '-')}-{len(self._processes)}.log"
        process = Process(name, [sys.executable, *argv], {**self.environ, **more}, log, is_ready)
        self._processes.append(process)
        process.start()
        return process


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@pytest.fixture
def running_product(transactional_db: None, tmp_path: Path) -> Iterator[RunningProduct]:
    """Web, worker and scheduler on the test database: files as the broker on SQLite, Valkey on PostgreSQL."""
    mine = servers()
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "PYTHONUNBUFFERED": "1"}
    environ.pop("PYTEST_CURRENT_TEST", None)
    if mine.postgresql is not None:
        environ["DATABASE_URL"] = mine.postgresql.url(str(connection.settings_dict["NAME"]))
        environ["DATABASE_POOL_SIZE"] = "4"
    else:
        assert connection.settings_dict["NAME"] == settings.DATA_DIR / "readiness.sqlite3"
    _forget_messages(mine)
    product = RunningProduct(tmp_path, mine, environ)
    yield product
    product.stop()
    _forget_messages(mine)


def _forget_messages(mine: Servers) -> None:
    """Empty the broker: the runs that its messages speak of went with their test."""
    from config.celery import app

    with app.connection_for_write() as broker:
        channel = broker.default_channel
        queue = app.amqp.queues[settings.CELERY_TASK_DEFAULT_QUEUE](channel)
        queue.declare()
        queue.purge()
