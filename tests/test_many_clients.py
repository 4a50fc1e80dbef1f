"""Fifty people tick at the same time over real web processes: none lost, none double, and every conflict named.

``SOAK_TICKS`` says how many ticks each of them gets accepted; ``make soak`` asks for a thousand.
"""

import asyncio
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from itertools import cycle

import httpx
import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models import Count
from django.urls import reverse

from readiness.models import Environment, Event, Evidence, Item, User
from tests.browser import session_of
from tests.factories import make_environment, make_member, make_service, make_team
from tests.servers.processes import RunningProduct

CLIENTS = 50
TOGETHER = 10
"""So many items are ticked by several of them: every fourth tick of each is on one of these."""

TICKS = int(os.environ.get("SOAK_TICKS", "20"))
CONNECTIONS = 16
"""Of each of the two web processes: everybody waits for an answer at the same time, and for one no longer than 10 s."""

TOKEN = "t" * 32
"""What a browser sends back in cookie and form alike; whoever sends it made it up, as any browser may."""

pytestmark = [pytest.mark.only_on("postgresql"), pytest.mark.timeout(700 + 10 * TICKS)]


@dataclass
class Place:
    """An item as one person knows it; ``rivals`` tick it too."""

    address: str
    version: int
    rivals: set[str]


@dataclass
class Ticker:
    """One person who ticks, over and over, and reads a version again where somebody was first.

    ``turn`` keeps those who share an item from being in step: each finds it changed, and few find it changed again.
    """

    person: User
    turn: int
    own: Place
    shared: Place
    accepted: list[str] = field(default_factory=list)
    conflicts: list[set[str]] = field(default_factory=list)
    others: list[tuple[int, str]] = field(default_factory=list)

    async def tick_on(self, http: httpx.AsyncClient) -> None:
        """Tick until so many are accepted; stop at any answer that is neither that nor a named conflict."""
        again = False
        while len(self.accepted) < TICKS and not self.others:
            number = len(self.accepted) + 1
            place = self.shared if (number + self.turn) % 4 == 0 else self.own
            again = await self._tick(http, place, f"{self.person.username} looked, time {number}.", again=again)

    async def _tick(self, http: httpx.AsyncClient, place: Place, summary: str, *, again: bool) -> bool:
        """Send one tick, as a page with JavaScript does first and one without does again; return whether it crossed."""
        sent = {"csrfmiddlewaretoken": TOKEN, "seen_version": place.version, "summary": summary, "links": ""}
        plain = again or not place.rivals
        answer = await http.post(place.address, data=sent, headers={} if plain else {"HX-Request": "true"})
        if answer.status_code == (302 if plain else 200):
            self.accepted.append(summary)
            place.version += 1
            return False
        seen = re.search(r'name="seen_version"\s+value="(\d+)"', answer.text)
        if answer.status_code != 409 or seen is None or summary not in answer.text:
            self.others.append((answer.status_code, answer.text[-2000:]))
            return False
        names = re.search(r"<b>([^<]*) saved this item while you were writing\.</b>", answer.text)
        named = set(re.split(r", | and ", names[1])) if names else set()
        self.conflicts.append(named if named <= place.rivals else set())
        place.version = int(seen[1])
        return True


def tickers(environments: list[Environment], people: list[User]) -> list[Ticker]:
    """Give each an item of their own, and one that others tick too."""
    items = list(Item.objects.filter(environment__in=environments).select_related("entry", "environment__service"))
    assert len(items) >= TOGETHER + len(people)

    def place(item: Item, rivals: set[str]) -> Place:
        at = item.environment
        assert at is not None
        address = reverse("item-tick", args=[at.service.slug, at.name, item.entry.slug])
        return Place(address=address, version=item.version, rivals=rivals)

    return [
        Ticker(
            person=person,
            turn=number // TOGETHER,
            own=place(items[TOGETHER + number], set()),
            shared=place(
                items[number % TOGETHER],
                {one.username for one in people[number % TOGETHER :: TOGETHER]} - {person.username},
            ),
        )
        for number, person in enumerate(people)
    ]


async def all_at_once(everybody: list[Ticker], sessions: list[str], urls: list[str]) -> None:
    async def one(ticker: Ticker, session: str, url: str) -> None:
        cookies = {settings.SESSION_COOKIE_NAME: session, settings.CSRF_COOKIE_NAME: TOKEN}
        async with httpx.AsyncClient(base_url=url, cookies=cookies, timeout=60) as http:
            await ticker.tick_on(http)

    await asyncio.gather(*map(one, everybody, sessions, cycle(urls)))


@pytest.fixture
def everybody(running_product: RunningProduct) -> list[Ticker]:
    """Fifty people of one team after they have all ticked, through two web processes."""
    team = make_team()
    people = [make_member(team, f"person-{number:02}") for number in range(CLIENTS)]
    services = [make_service(team, by=people[0]) for _ in range(4)]
    found = tickers([make_environment(service, "prod", by=people[0]) for service in services], people)
    running_product.environ["DATABASE_POOL_SIZE"] = str(CONNECTIONS)
    urls = [(running_product.start_web(), running_product.url)[1] for _ in range(2)]
    asyncio.run(all_at_once(found, [session_of(person) for person in people], urls))
    return found


def test_fifty_people_at_once_lose_nothing_and_double_nothing(everybody: list[Ticker]) -> None:
    assert [one.others for one in everybody if one.others] == []
    accepted = [summary for one in everybody for summary in one.accepted]
    assert len(accepted) == CLIENTS * TICKS

    events = Event.objects.filter(kind="item.ticked")
    assert Counter(event.data["summary"] for event in events) == Counter(accepted)
    written = dict(Evidence.objects.values_list("summary").annotate(Count("pk")))
    assert written == {event.data["summary"]: len(event.data["evidence"]) for event in events}
    assert Evidence.objects.count() == sum(len(event.data["clauses"]) for event in events)

    ticked = Counter(events.values_list("item", flat=True))
    versions = Item.objects.filter(pk__in=ticked).values_list("pk", "version")
    assert {pk: version - 1 for pk, version in versions} == dict(ticked)

    conflicts = [named for one in everybody for named in one.conflicts]
    assert len(conflicts) >= CLIENTS - TOGETHER, "Of those who tick one item first, all but one cross."
    assert all(conflicts), "Each names who saved first, out of those who could have."

    call_command("ledger", "verify")
