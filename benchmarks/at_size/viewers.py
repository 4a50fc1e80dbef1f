"""Five hundred people who look while others tick: how soon each is told, and what it costs everybody else.

The product runs as a deployment runs it, one uvicorn process on PostgreSQL; the viewers are a process of their own, and
this one ticks and asks for pages over HTTP.
"""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore

from readiness.models import Environment, Event, Item, User
from tests.proxies.processes import free_ports
from tests.servers.processes import ROOT, Process, _answers

from .table import Result
from .ticks import LINK, SUMMARY
from .timing import load

MOST_MS = 500.0
MOST_RATIO = 2.0
TICKS_A_SECOND = 3.0
CSRF = "a" * 32
SETTLES_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticked:
    """One tick: when it was sent, when its answer was there, and which event it is."""

    sent: float
    answered: float
    event: int


def measure(*, times: int, viewers: int = 500) -> Iterator[Result]:
    """Yield how soon viewers are told of ticks, and how long pages take with and without them."""
    sheets = list(Environment.objects.filter(kind="prod").select_related("service__team").order_by("service", "name"))
    chosen = [sheets[number % len(sheets)] for number in range(0, 2 * viewers, 2)]
    with tempfile.TemporaryDirectory() as folder, _site(Path(folder)) as port:
        site = Site(port)
        site.ask(_pages()[0])
        alone = _block(site, times)
        with _watchers(port, chosen) as watching:
            along = _block(site, times)
            ticked = _ticks(site, 3 * times)
            time.sleep(SETTLES_S)
        again = _block(site, times)
    yield from _told(ticked, watching.said, viewers)
    for place, address in enumerate(_pages()):
        without = [*alone[place], *again[place]]
        slower = median(along[place]) / median(without)
        words = "a page of the overview" if address == "/" else "a sheet"
        yield Result(
            what=f"{words} over HTTP, with {viewers} viewers and a tick before each",
            took=_spread(along[place]),
            baseline=f"without viewers: {_spread(without)}",
            ratio=slower,
            goal=f"ratio {MOST_RATIO:g}",
            met=slower <= MOST_RATIO,
            load=load(),
        )


def _told(ticked: Sequence[Ticked], said: list[dict], viewers: int) -> Iterator[Result]:
    waits, from_sent, drawn = [], [], []
    for one in ticked:
        for viewer in said:
            at = viewer["told"].get(str(one.event))
            if at is not None:
                waits.append(max(0.0, at - one.answered) * 1000)
                from_sent.append((at - one.sent) * 1000)
            if (done := viewer["drawn"].get(str(one.event))) is not None:
                drawn.append((done - one.answered) * 1000)
    expected = len(ticked) * viewers
    rate = f"{len(ticked)} ticks, {TICKS_A_SECOND:g} a second, {viewers} viewers"
    told = f"{len(waits):,} of {expected:,} messages"
    for words, found, goal in (
        (f"from a tick's answer to told ({rate}; {told})", waits, True),
        ("from sending the tick to told", from_sent, False),
        (f"from a tick's answer to drawn, for who looks at that sheet ({len(drawn)} fetches)", drawn, False),
    ):
        late = quantiles(found, n=20)[-1] if len(found) > 1 else 0.0
        met = late <= MOST_MS and len(waits) == expected
        took = f"p50 {median(found):.0f} ms, p95 {late:.0f} ms" if found else "none"
        yield Result(
            what=words, took=took, goal=f"p95 {MOST_MS:.0f} ms" if goal else "", met=met if goal else None, load=load()
        )


def _block(site: "Site", times: int) -> list[list[float]]:
    """Ask for each page in turns, with a tick before each: what changed has to be read again."""
    found: list[list[float]] = [[] for _ in _pages()]
    for _ in range(times):
        for place, address in enumerate(_pages()):
            site.tick()
            began = time.monotonic()
            site.ask(address)
            found[place].append((time.monotonic() - began) * 1000)
    return found


def _ticks(site: "Site", count: int) -> list[Ticked]:
    found, next_at = [], time.monotonic()
    for _ in range(count):
        time.sleep(max(0.0, next_at - time.monotonic()))
        next_at += 1 / TICKS_A_SECOND
        found.append(site.tick())
    return found


def _pages() -> tuple[str, str]:
    last = Environment.objects.select_related("service").latest("pk")
    return "/", f"/services/{last.service.slug}/{last.name}/"


class Site:
    """The running product as one member sees it. Each request has a connection of its own: a kept one may be closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._teams: dict[int, str] = {}
        items = Item.objects.filter(environment__kind="prod", entry__build_bound=True)
        chosen = items.select_related("entry", "service__team", "environment").order_by("entry_id", "pk")
        self._items = iter(list(chosen[:20_000]))
        self._reader = session_of(User.objects.order_by("pk")[0])

    def ask(self, address: str) -> None:
        """Fetch a page. RuntimeError where it is none."""
        self._request(200, "GET", address, headers={"Cookie": self._reader})

    def tick(self) -> Ticked:
        """Tick an item as a member of its team."""
        item = next(self._items)
        team = item.service.team_id
        if team not in self._teams:
            self._teams[team] = session_of(item.service.team.members.order_by("pk")[0])
        form = {"summary": SUMMARY, "links": LINK, "seen_version": item.version, "csrfmiddlewaretoken": CSRF}
        cookie = f"{self._teams[team]}; {settings.CSRF_COOKIE_NAME}={CSRF}"
        address = f"/services/{item.service.slug}/{item.environment.name}/items/{item.entry.slug}/tick/"
        headers = {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"}
        sent = time.monotonic()
        self._request(302, "POST", address, body=urlencode(form), headers=headers)
        answered = time.monotonic()
        event = Event.objects.filter(item=item, kind="item.ticked").order_by("-id").values_list("id", flat=True)[0]
        return Ticked(sent=sent, answered=answered, event=event)

    def _request(self, status: int, method: str, address: str, **given: Any) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        try:
            connection.request(method, address, **given)
            answer = connection.getresponse()
            answer.read()
        finally:
            connection.close()
        if answer.status != status:
            raise RuntimeError(f"{method} {address} was answered {answer.status}, not {status}.")


def session_of(user: User) -> str:
    """Return the cookie of a new session of a person."""
    session = SessionStore()
    session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(user.pk), "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"


@contextmanager
def _site(folder: Path) -> Iterator[int]:
    (port,) = free_ports(1)
    options = ["--host", "127.0.0.1", "--port", str(port), "--lifespan", "off", "--timeout-graceful-shutdown", "2"]
    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"}
    process = Process(
        "web server",
        [sys.executable, "-m", "uvicorn", "config.asgi:application", "--no-access-log", *options],
        environ,
        folder / "web.log",
        lambda _process: _answers(f"http://127.0.0.1:{port}/healthz"),
    )
    process.start()
    try:
        yield port
    finally:
        process.stop()


class Watching:
    """What the viewers were told; there once they have stopped."""

    said: list[dict]


@contextmanager
def _watchers(port: int, sheets: Sequence[Environment]) -> Iterator[Watching]:
    users = list(User.objects.order_by("pk"))
    watchers = [
        {"cookie": session_of(users[number % len(users)]), "service": one.service.slug, "environment": one.name}
        for number, one in enumerate(sheets)
    ]
    found = Watching()
    argv = [sys.executable, "-m", "benchmarks.at_size.watchers"]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"host": "127.0.0.1", "port": port, "watchers": watchers}) + "\n")
        process.stdin.flush()
        if process.stdout.readline() != "reading\n":
            raise RuntimeError("The viewers could not open their streams.")
        # Read apart, so that what they say at the end never fills the pipe while this waits for them.
        said: list[str] = []
        reading = threading.Thread(target=lambda: said.append(process.stdout.read()))
        reading.start()
        try:
            yield found
        finally:
            process.stdin.close()
            reading.join()
    found.said = json.loads(said[0])


def _spread(found: Sequence[float]) -> str:
    low, middle, high = quantiles(found, n=4, method="inclusive")
    return f"{middle:.0f} ms ({low:.0f} to {high:.0f})"
