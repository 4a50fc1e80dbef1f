"""Run the whole product on one machine: web, worker, scheduler, and the demo's small world; nothing else needed."""

import fcntl
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from config.supervisor import Child, Supervisor

WEB_READY_WITHIN_S = 60.0
WORKER_THREADS = 8
DEMO_PORTS = 5
MANAGE = str(settings.BASE_DIR / "manage.py")


class Command(BaseCommand):
    """``manage.py up [--port N] [--demo]``: prints a sign-in link, stops on Ctrl-C."""

    help = "Run everything on this machine: SQLite, a broker of files, web, worker and scheduler."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--demo", action="store_true", help="with a seeded demo, kept apart from your own data")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Check what can be checked first, prepare the data, start everything, and wait."""
        port: int = options["port"]
        if options["demo"] != settings.DEMO:
            self._again(demo=options["demo"])
        if settings.DEPLOYED:
            raise CommandError("DATABASE_URL is set: `up` is the embedded way. Unset it, or see docs/deploying.md.")
        _insist_on_free(port)
        lock = _lock(settings.DATA_DIR)
        environ = {**os.environ, "READINESS_ORIGIN": f"http://127.0.0.1:{port}"}
        demo_ports = _free_ports(port + 1, DEMO_PORTS) if settings.DEMO else []
        if settings.DEMO:
            from demo.places import environment

            environ |= environment(settings.DATA_DIR, demo_ports)
        link = _prepare(environ, port, demo_ports)
        supervisor = Supervisor(environ=environ, say=self._say)
        for signum in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(signum, lambda _signum, _frame: supervisor.stopping.set())
        try:
            for child in _children(port, demo_ports):
                supervisor.add(child)
            if _wait_for_web(port, supervisor):
                self._greet(link)
            elif not supervisor.stopping.is_set():
                raise CommandError(f"The web server did not start. See {settings.DATA_DIR / 'logs' / 'web.log'}.")
            supervisor.watch()
        finally:
            supervisor.stop()
            lock.close()

    def _again(self, *, demo: bool) -> None:
        """Start over with the settings of the demo, or of one's own data."""
        environ = {**os.environ, "READINESS_DEMO": "1" if demo else "0"}
        os.execve(sys.executable, [sys.executable, *sys.argv], environ)  # noqa: S606 - ourselves

    def _say(self, line: str) -> None:
        self.stderr.write(line)

    def _greet(self, link: str) -> None:
        self.stdout.write(
            f"\nReadiness is running. Open this to sign in (it works once, for a day):\n\n  {link}\n\n"
            f"Data and logs are in {_shown(settings.DATA_DIR)}. Ctrl-C stops everything.\n"
        )
        self.stdout.flush()


def _children(port: int, demo_ports: Sequence[int]) -> list[Child]:
    logs = settings.DATA_DIR / "logs"
    python = sys.executable
    web = ["-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"]
    quiet = ["--no-access-log", "--no-server-header", "--log-level", "warning", "--timeout-graceful-shutdown", "2"]
    worker = ["-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", str(WORKER_THREADS), "-l", "WARNING"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    found = [
        Child("web server", [python, *web, *quiet], logs / "web.log"),
        Child("worker", [python, *worker, *alone], logs / "worker.log"),
        Child("scheduler", [python, MANAGE, "scheduler"], logs / "scheduler.log"),
    ]
    if demo_ports:
        world = [python, MANAGE, "demo_world", "--ports", ",".join(map(str, demo_ports))]
        found.insert(0, Child("demo world", world, logs / "world.log"))
    return found


def _insist_on_free(port: int) -> None:
    if not 1 <= port <= 65535 - DEMO_PORTS:
        raise CommandError(
            f"{port} is not a port that can be used. Choose one between 1024 and 65000: make run PORT=8123"
        )
    if not _is_free(port):
        raise CommandError(f"Port {port} is taken. Stop what uses it, or choose another: make run PORT={port + 123}")


def _is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_ports(first: int, count: int) -> list[int]:
    found: list[int] = []
    for port in range(first, 65536):
        if _is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise CommandError(f"There are no {count} free ports above {first}. Choose a lower one: make run PORT=8000")


def _lock(data: Path) -> IO[str]:
    """Hold the data folder, so that two supervisors never share it."""
    try:
        for folder in (data, data / "logs", data / "broker", data / "broker-control"):
            folder.mkdir(parents=True, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise CommandError(
            f"The data folder {data} cannot be written ({error.strerror}). Make it writable, or set READINESS_DATA."
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise CommandError(f"Readiness is running on {data} already. Stop it first, or set READINESS_DATA.") from None
    return lock


def _prepare(environ: dict[str, str], port: int, demo_ports: Sequence[int]) -> str:
    """Migrate, load the checklist, see to the first admin and the demo, and return a sign-in link."""
    ports = ["--ports", ",".join(map(str, demo_ports))] if demo_ports else []
    command = [sys.executable, MANAGE, "prepare", "--base", f"http://127.0.0.1:{port}", *ports]
    done = subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - ours
    if done.returncode != 0:
        raise CommandError("The data could not be prepared; what went wrong is above.")
    return done.stdout.strip().splitlines()[-1]


def _wait_for_web(port: int, supervisor: Supervisor) -> bool:
    ends_at = time.monotonic() + WEB_READY_WITHIN_S
    while time.monotonic() < ends_at and not supervisor.stopping.is_set():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            supervisor.stopping.wait(0.1)
    return False


def _shown(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)
