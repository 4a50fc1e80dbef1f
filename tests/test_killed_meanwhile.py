"""Web, worker, scheduler and connections are killed while people and programs write: what is left is whole.

``SOAK_KILL_SECONDS`` says for how long they are; ``make soak`` asks for more than the usual run does.
"""

import asyncio
import json
import os
import random
import re
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from readiness.actions.reviews import plan
from readiness.models import ChecklistVersion, Decision, Deployment, Environment, Event, User
from tests.agreement import disagreements
from tests.browser import session_of
from tests.checklist_deeds import landing_form, next_checklist
from tests.deeds import REASON
from tests.factories import make_admin, make_environment, make_member, make_reviewer, make_service, make_team
from tests.programs import make_token
from tests.servers.processes import Process, RunningProduct

SECONDS = float(os.environ.get("SOAK_KILL_SECONDS", "12"))
TOKEN = "t" * 32
CUT = re.compile(
    "terminating connection|connection is (closed|lost)|server closed the connection|AdminShutdown|PoolTimeout"
)
"""What an error says that follows from a connection that was cut. A deadlock does not."""
pytestmark = [pytest.mark.timeout(600 + 3 * SECONDS)]


@dataclass
class Crowd:
    """Everybody who writes, and what they were answered. ``said`` are builds that a program was told to run."""

    url: str
    environments: list[Environment]
    member: User
    reviewer: User
    admin: User
    program: str
    review: int
    until: float
    dice: random.Random
    codes: Counter[tuple[str, int]] = field(default_factory=Counter)
    ticked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    decided: int = 0
    numbers: "count[int]" = field(default_factory=lambda: count(1))
    sessions: dict[int, str] = field(default_factory=dict)
    entries: list[str] = field(default_factory=list)
    text: str = ""

    async def everybody(self) -> None:
        people = [self._ticks, self._ticks, self._ticks, self._asks, self._asks, self._answers, self._deploys]
        people += [self._deploys, self._decides, self._lands]
        await asyncio.gather(*(self._one(person) for person in people))

    async def _one(self, act: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async with httpx.AsyncClient(base_url=self.url, timeout=30) as http:
            while time.monotonic() < self.until or self._too_little():
                try:
                    await act(http)
                except httpx.HTTPError:  # It was killed: nobody knows whether it was written.
                    await asyncio.sleep(0.2)

    def _too_little(self) -> bool:
        """Whether a slow machine let people do next to nothing while it was killed: then they go on for a while."""
        return self.got_done < SECONDS / 4 and time.monotonic() < self.until + 120

    @property
    def got_done(self) -> int:
        return sum(code < 400 for _, code in self.codes.elements())

    def _as(self, person: User) -> dict[str, str]:
        cookies = {settings.SESSION_COOKIE_NAME: self.sessions[person.pk], settings.CSRF_COOKIE_NAME: TOKEN}
        return {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}

    def open(self) -> None:
        """Sign everybody in, and look up what there is to write about."""
        self.text = next_checklist("bastion")
        self.sessions = {one.pk: session_of(one) for one in (self.member, self.reviewer, self.admin)}
        self.entries = sorted(
            {slug for one in self.environments for slug in one.items.values_list("entry__slug", flat=True)}
        )

    async def _post(self, http: httpx.AsyncClient, name: str, address: str, form: dict[str, object], by: User) -> int:
        sent = {"csrfmiddlewaretoken": TOKEN, **form}
        answer = await http.post(address, data=sent, headers=self._as(by))
        self.codes[(name, answer.status_code)] += 1
        return answer.status_code

    async def _item(self, http: httpx.AsyncClient) -> tuple[list[str], str, str]:
        place = self.dice.choice(self.environments)
        at = [place.service.slug, place.name, self.dice.choice(self.entries)]
        page = (await http.get(reverse("item", args=at), headers=self._as(self.reviewer))).text
        seen = re.search(r'name="seen_version"\s+value="(\d+)"', page)
        asked = re.search(r'name="request"\s+value="((?:waiver|not-applicable)-\d+)"', page)
        return at, seen[1] if seen else "1", asked[1] if asked else ""

    async def _ticks(self, http: httpx.AsyncClient) -> None:
        at, seen, _ = await self._item(http)
        summary = f"Looked at it, time {next(self.numbers)}."
        form: dict[str, object] = {"seen_version": seen, "summary": summary, "links": "https://docs.example.ca/a"}
        if await self._post(http, "item-tick", reverse("item-tick", args=at), form, self.member) == 302:
            self.ticked.append(summary)
        elif self.dice.random() < 0.5:
            address = reverse("item-take-back", args=at)
            await self._post(http, "item-take-back", address, {"seen_version": seen, "summary": summary}, self.member)

    async def _asks(self, http: httpx.AsyncClient) -> None:
        at, seen, _ = await self._item(http)
        form: dict[str, object] = {"seen_version": seen, "reason": REASON}
        if self.dice.random() < 0.6:
            until = timezone.localdate() + timedelta(days=self.dice.randint(0, 30))
            form |= {"stance": "accept-risk", "until": until.isoformat()}
            await self._post(http, "ask-waiver", reverse("ask-waiver", args=at), form, self.member)
        else:
            await self._post(http, "ask-not-applicable", reverse("ask-not-applicable", args=at), form, self.member)

    async def _answers(self, http: httpx.AsyncClient) -> None:
        at, seen, asked = await self._item(http)
        if not asked:
            return
        form: dict[str, object] = {"seen_version": seen, "request": asked, "note": REASON, "reason": REASON}
        act = self.dice.choice(["decide", "decide", "end-request"])
        answer = self.dice.choice(["grant", "grant", "refuse"])
        await self._post(http, act, reverse(act, args=at), {**form, "answer": answer}, self.reviewer)

    async def _deploys(self, http: httpx.AsyncClient) -> None:
        place, build = self.dice.choice(self.environments), f"b{next(self.numbers)}"
        said = {"service": place.service.slug, "environment": place.name, "build": build}
        headers = {"Authorization": f"Bearer {self.program}"}
        answer = await http.post("/api/v1/builds", json=said, headers=headers)
        self.codes[("builds", answer.status_code)] += 1
        if answer.status_code == 201:
            self.said.append(build)

    async def _decides(self, http: httpx.AsyncClient) -> None:
        place = self.dice.choice(self.environments)
        address = reverse("launch-decide", args=[self.review, place.service.slug, place.name])
        page = (await http.get(address, headers=self._as(self.reviewer))).text
        seen = re.search(r'name="seen_decision"\s+value="(\d+)"', page)
        form: dict[str, object] = {"kind": "no-go", "note": "Not yet.", "seen_decision": seen[1] if seen else ""}
        if self.dice.random() < 0.7:
            until = (timezone.localdate() + timedelta(days=3)).isoformat()
            form["kind"] = "go-with-conditions"
            for item in set(re.findall(r'name="until-(\d+)"', page)):
                form |= {f"reason-{item}": REASON, f"owner-{item}": self.member.pk, f"until-{item}": until}
        form |= {"dissents": 1, "dissent-0-by": self.admin.pk, "dissent-0-reason": REASON}
        self.decided += await self._post(http, "launch-decide", address, form, self.reviewer) == 302

    async def _lands(self, http: httpx.AsyncClient) -> None:
        page = (await http.get(reverse("checklist-change", args=["bastion"]), headers=self._as(self.admin))).text
        held = re.search(r"version = (\d+)", page)
        number = int(held[1]) if held else 2
        form = landing_form(re.sub(r"(?m)^version = \d+", f"version = {number}", self.text), seen=number - 1)
        await self._post(http, "checklist-change", reverse("checklist-change", args=["bastion"]), form, self.admin)
        await asyncio.sleep(0.5)


def broken(processes: list[Process]) -> list[str]:
    """What the processes logged as errors, but for lines that a kill left unfinished."""
    found = []
    for process in processes:
        for line in process.output().splitlines():
            try:
                told = json.loads(line)
            except ValueError:
                continue
            if isinstance(told, dict) and "exception" in told and told.get("level") in ("error", "critical"):
                found.append(told["exception"])
    return found


def own_backend() -> int | None:
    """The process that serves this test's connection on PostgreSQL; None on SQLite."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def kill_on(processes: list[Process], *, until: float, dice: random.Random, mine: int | None) -> None:
    """Kill one process or another, and start it again; on PostgreSQL cut connections too, but for that of the test."""
    while time.monotonic() < until:
        time.sleep(dice.uniform(0.3, 2.0))
        if mine is not None and dice.random() < 0.5:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid NOT IN (pg_backend_pid(), %s) LIMIT 3",
                    [mine],
                )
        else:
            dice.choice(processes).restart()
    connection.close()


def test_whatever_is_killed_leaves_rows_and_ledger_that_agree(running_product: RunningProduct) -> None:
    dice = random.Random(3)
    team, admin = make_team(), make_admin()
    member, reviewer = make_member(team), make_reviewer()
    service = make_service(team, by=member)
    environments = [
        make_environment(service, name, kind=kind, by=member)
        for name, kind in (("prod", "prod"), ("staging", "staging"))
    ]
    review = plan(
        by=reviewer,
        title="Launches",
        starts_at=timezone.now(),
        chair=reviewer,
        environments=environments,
        attendees=[],
        now=timezone.now(),
    )
    program = make_token(by=admin, now=timezone.now())[1]
    processes = [running_product.start_web(), running_product.start_worker(), running_product.start_scheduler()]
    crowd = Crowd(
        url=running_product.url,
        environments=environments,
        member=member,
        reviewer=reviewer,
        admin=admin,
        program=program,
        review=review.pk,
        until=time.monotonic() + SECONDS,
        dice=random.Random(4),
    )
    crowd.open()
    killer = threading.Thread(
        target=kill_on,
        args=([*processes, processes[0]],),
        kwargs={"until": crowd.until, "dice": dice, "mine": own_backend()},
    )
    killer.start()
    asyncio.run(crowd.everybody())
    killer.join()
    running_product.stop()

    assert [one for one in broken(processes) if not CUT.search(one)] == []
    assert connection.vendor == "postgresql" or not any(code >= 500 for _, code in crowd.codes), crowd.codes
    call_command("ledger", "verify")
    call_command("rebuild")
    assert disagreements() == []
    told = {event.data["summary"] for event in Event.objects.filter(kind="item.ticked")}
    assert set(crowd.ticked) <= told, "Whoever was told that it is written finds it."
    assert set(crowd.said) <= set(Deployment.objects.values_list("build", flat=True))
    assert Decision.objects.count() >= crowd.decided
    assert crowd.got_done >= SECONDS / 4, "People got something done meanwhile."
    landings = Event.objects.filter(kind="checklist.landed").count()
    assert ChecklistVersion.objects.filter(checklist__slug="bastion").count() - 1 <= landings
