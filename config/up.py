"""Run the whole product on one machine: web, worker, scheduler, and the demo's small world; nothing else needed.

Django is set up only once everything that can be refused was, and while the first processes already start.
"""

import argparse
import fcntl
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config import catalogues, policies
from config.supervisor import Child, Supervisor

BASE_DIR = Path(__file__).resolve().parent.parent
WEB_READY_WITHIN_S = 120.0
WORKER_THREADS = 8
DEMO_PORTS = 5
ENDS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Refusal(Exception):
    """One line that says why nothing was started, and what to do."""


class _Ended(BaseException):
    """Somebody ended the command while it prepared the data; what was not whole yet is rolled back."""


def main(arguments: Sequence[str]) -> None:
    """Take ``--port N`` and ``--demo``; print a sign-in link once all runs; stop everything on Ctrl-C."""
    parser = argparse.ArgumentParser(prog="manage.py up", description="Run everything on this machine.")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--demo", action="store_true", help="with a seeded demo, kept apart from your own data")
    options = parser.parse_args(arguments)
    try:
        _run(options.port, demo=options.demo)
    except Refusal as refusal:
        sys.exit(str(refusal))


def _run(port: int, *, demo: bool) -> None:
    if os.environ.get("DATABASE_URL") or os.environ.get("DATABASE_URL_FILE"):
        raise Refusal("DATABASE_URL is set, and `up` is the embedded way. Unset it, or see docs/deploying.md.")
    _insist_on_free(port)
    data = policies.data_folder(os.environ.get("READINESS_DATA", ""), BASE_DIR, demo=demo)
    os.umask(0o077)  # Sessions are in the database: nobody else on this machine reads what is made from here on.
    lock = _lock(data)
    catalogues.compiled(BASE_DIR / "locale", data)  # Once, before each process would.
    ports = _free_ports(port + 1, DEMO_PORTS) if demo else []
    os.environ["READINESS_DEMO"] = "1" if demo else "0"
    if demo:
        from demo.places import environment

        os.environ.update(environment(data, ports))
    supervisor = Supervisor(environ=os.environ, say=_say)
    for signum in ENDS:
        signal.signal(signum, lambda _signum, _frame: supervisor.stopping.set())
    try:
        _start(supervisor, data, port, ports)
        if not supervisor.stopping.is_set():
            supervisor.watch()
    except _Ended:
        pass
    finally:
        supervisor.stop()
        lock.close()


def _start(supervisor: Supervisor, data: Path, port: int, ports: Sequence[int]) -> None:
    """Start what needs no database, prepare the data meanwhile, then start the rest and say where to go."""
    children = _children(data / "logs", port, ports)
    if ports:
        supervisor.add(children["world"])
    supervisor.add(children["web"])
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from config.preparation import prepare

    with _ended_at_once(supervisor):
        link = prepare(base=f"http://127.0.0.1:{port}", ports=ports)
    supervisor.add(children["worker"])
    supervisor.add(children["scheduler"])
    if _wait_for_web(port, supervisor):
        _greet(link, data)
    elif not supervisor.stopping.is_set():
        raise Refusal(f"The web server did not start. See {data / 'logs' / 'web.log'}.")


@contextmanager
def _ended_at_once(supervisor: Supervisor) -> Iterator[None]:
    """Let a signal end what this process itself does in the block, which takes long on a slow machine."""

    def end(_signum: int, _frame: object) -> None:
        supervisor.stopping.set()
        raise _Ended

    before = {signum: signal.signal(signum, end) for signum in ENDS}
    if supervisor.stopping.is_set():
        raise _Ended
    try:
        yield
    finally:
        for signum, handler in before.items():
            signal.signal(signum, handler)


def _children(logs: Path, port: int, ports: Sequence[int]) -> Mapping[str, Child]:
    python, manage = sys.executable, str(BASE_DIR / "manage.py")
    web = ["-m", "uvicorn", "config.asgi:application", "--host", "127.0.0.1", "--port", str(port), "--lifespan", "off"]
    # Nothing stands in front, so whoever is on this machine cannot say that they come from elsewhere.
    alone_here = ["--no-proxy-headers"]
    quiet = ["--no-access-log", "--no-server-header", "--log-level", "warning", "--timeout-graceful-shutdown", "2"]
    worker = ["-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", str(WORKER_THREADS), "-l", "WARNING"]
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    world = [manage, "demo_world", "--ports", ",".join(map(str, ports))]
    return {
        "web": Child("web server", [python, *web, *alone_here, *quiet], logs / "web.log"),
        "worker": Child("worker", [python, *worker, *alone], logs / "worker.log"),
        "scheduler": Child("scheduler", [python, manage, "scheduler"], logs / "scheduler.log"),
        "world": Child("demo world", [python, *world], logs / "world.log"),
    }


def _insist_on_free(port: int) -> None:
    if not 1 <= port <= 65535 - DEMO_PORTS:
        raise Refusal(f"{port} is not a port that can be used. Choose one between 1024 and 65000: make run PORT=8123")
    if not _is_free(port):
        raise Refusal(f"Port {port} is taken. Stop what uses it, or choose another: make run PORT={_another(port)}")


def _another(port: int) -> int:
    """Return a port to suggest, which is free."""
    return _free_ports(port + 123 if port < 60000 else 8123, 1)[0]


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
    raise Refusal(f"There are no {count} free ports above {first}. Choose a lower one: make run PORT=8000")


def _lock(data: Path) -> IO[str]:
    """Hold the data folder, so that two supervisors never share it."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        (data / "logs").mkdir(mode=0o700, exist_ok=True)
        lock = (data / "lock").open("w")
    except OSError as error:
        raise Refusal(f"Readiness cannot start. {policies.unusable(data, error)}") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise Refusal(f"Readiness is running on {data} already. Stop it first, or set READINESS_DATA.") from None
    return lock


def _wait_for_web(port: int, supervisor: Supervisor) -> bool:
    ends_at = time.monotonic() + WEB_READY_WITHIN_S
    while time.monotonic() < ends_at and not supervisor.stopping.is_set():
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            supervisor.stopping.wait(0.05)
    return False


def _greet(link: str, data: Path) -> None:
    here = Path.cwd()
    place = data.relative_to(here) if data.is_relative_to(here) else data
    sys.stdout.write(
        f"\nReadiness is running. Open this to sign in (it works once, for a day):\n\n  {link}\n\n"
        f"Data and logs are in {place}. Ctrl-C stops everything.\n"
    )
    sys.stdout.flush()


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
