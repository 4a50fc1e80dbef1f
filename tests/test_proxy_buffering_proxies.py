"""The proxy-buffering probe against real proxies and against misbehaving routes: all set-ups at once, each judged."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Event

import pytest

from checks.contract import Facts, Proof, Target, Tools
from checks.http import ClientPolicy, ProbeClient
from checks.probes.proxy_buffering import ProxyBuffering
from checks.proving import failures
from readiness.enums.words import Judgement
from readiness.rules.findings import Finding
from readiness.rules.networks import parse_allowed
from tests.proxies import envoy, nginx
from tests.proxies.origin import origin
from tests.proxies.rows import OUTCOMES, Row

pytestmark = pytest.mark.xdist_group("proxies")

PROBE = ProxyBuffering(events=6, gap_ms=1000)
"""A gap of a second, since a hundred readers at once on a loaded machine are late by more than a quarter of one."""

POLICY = ClientPolicy(allowed_networks=(parse_allowed("127.0.0.1/32"),))
READERS = 120
READERS_OF_THE_LATE = (8, 4, 2)
APART_S = 0.03
LATE_BY_LOAD = {"uneven", "streamed-late"}
"""What a machine that is too busy makes of any stream. No set-up is expected to say it; such a one is read again in
quieter company."""

LONGEST_S = 35.0
"""Routes that drip for ever are left after three times the proper length and 5 s, which is 23 s."""

NGINX = nginx.binaries()
ENVOY = envoy.binary()

CUT = ("cut-early", "uncompressed", "cut-early")
DIRECT = {
    "plain": ("streamed", "uncompressed", "fresh"),
    "aged": ("streamed", "uncompressed", "cache-hinted"),
    "pad2k": ("padded", "uncompressed", "fresh"),
    "html": ("wrong-type",) * 3,
    "missing": ("wrong-status",) * 3,
    "moved": ("redirected",) * 3,
    "empty": ("no-events",) * 3,
    "foreign": ("not-a-canary",) * 3,
    "garbage": ("not-a-canary",) * 3,
    "drips": ("not-a-canary",) * 3,
    "bomb": ("not-a-canary", "compressed", "not-a-canary"),
    "not-gzip": ("unreadable", "compressed", "unreadable"),
    "brotli": ("unreadable", "compressed", "unreadable"),
    "cut": CUT,
    "short": CUT,
    "goes-on": ("streamed", "uncompressed", "fresh"),
    "burst": ("other-pace", "uncompressed", "fresh"),
    "lying": ("untrue-times", "uncompressed", "fresh"),
    "slow-start": ("late", "uncompressed", "fresh"),
    "one-nonce": ("nonce-repeats", "uncompressed", "nonce-repeats"),
    "no-echo": ("foreign-canary", "uncompressed", "foreign-canary"),
}


@dataclass(frozen=True)
class Run:
    """What one run saw, concluded and took."""

    facts: Facts
    findings: list[Finding]
    seconds: float

    @property
    def says(self) -> tuple[tuple[Judgement, str], ...]:
        return tuple((one.judgement, one.code.removeprefix("proxy-buffering.")) for one in self.findings)


def run(url: str, probe: ProxyBuffering = PROBE) -> Run:
    began = datetime.now(UTC)
    with ProbeClient(POLICY, deadline_s=probe.deadline.total_seconds()) as client:
        nothing: dict = dict.fromkeys(Tools.__slots__)
        facts = probe.observe(Target(stream_url=url), Tools(**{**nothing, "client": client}))
    ended = datetime.now(UTC)
    return Run(facts, probe.judge(facts, now=ended), (ended - began).total_seconds())


def looked_at(urls: dict[tuple[str, str], str], readers: int) -> dict[tuple[str, str], Run]:
    """Look at every URL, so many at a time, and begin one after the other."""

    def look(numbered: tuple[int, str]) -> Run:
        number, url = numbered
        if number < readers:
            Event().wait(number * APART_S)
        return run(url)

    with ThreadPoolExecutor(readers) as pool:
        return dict(zip(urls, pool.map(look, enumerate(urls.values())), strict=True))


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[tuple[str, str], Run]]:
    """Start everything, look at all of it at the same time, and give the runs by server and row."""

    def new(name: str) -> Path:
        return tmp_path_factory.mktemp(name)

    with ExitStack() as stack:
        behind = stack.enter_context(origin())
        urls = {("direct", name): f"http://127.0.0.1:{behind.chunked}/{name}" for name in DIRECT}
        for server, binary in NGINX.items():
            at = stack.enter_context(nginx.nginx(binary, behind, new(server)))
            urls |= {(server, row): url for row, url in at.items()}
        if ENVOY:
            at = stack.enter_context(envoy.envoy(ENVOY, behind, new("envoy")))
            urls |= {("envoy", row): url for row, url in at.items()}
        seen = looked_at(urls, READERS)
        for readers in READERS_OF_THE_LATE:
            late = {at: urls[at] for at, one in seen.items() if one.says[0][1] in LATE_BY_LOAD}
            seen |= looked_at(late, readers) if late else {}
        yield seen


def test_there_are_an_nginx_and_an_envoy_to_try():
    assert NGINX
    assert ENVOY


@pytest.mark.parametrize("row", nginx.ROWS, ids=lambda row: row.name)
@pytest.mark.parametrize("server", NGINX)
def test_nginx(runs, server: str, row: Row):
    assert runs[server, row.name].says == row.says


@pytest.mark.parametrize("row", envoy.ROWS, ids=envoy.title)
def test_envoy(runs, row: Row):
    assert runs["envoy", envoy.title(row)].says == row.says


@pytest.mark.parametrize("route", DIRECT)
def test_a_route_without_a_proxy(runs, route: str):
    seen = runs["direct", route]
    assert tuple(message for _, message in seen.says) == DIRECT[route]
    assert all(OUTCOMES.get(message, Judgement.INCONCLUSIVE) is judgement for judgement, message in seen.says)
    assert seen.seconds < LONGEST_S


def test_a_target_that_gives_no_event_is_asked_once(runs):
    asked = {route: len(runs["direct", route].facts["fetches"]) for route in ("plain", "html", "drips", "garbage")}
    assert asked == {"plain": 3, "html": 1, "drips": 1, "garbage": 1}


def test_the_facts_of_a_good_stream(runs):
    facts = runs["direct", "plain"].facts
    assert {key: facts[key] for key in ("events", "gap_ms")} == {"events": 6, "gap_ms": 1000}
    first, second, third = facts["fetches"]
    assert [fetch["accept_encoding"] for fetch in (first, second, third)] == ["identity", "gzip", "gzip"]
    assert len({fetch["nonce"] for fetch in (first, second, third)}) == 3
    assert [event["n"] for event in first["events"]] == list(range(6))
    assert first["headers"] == {"transfer-encoding": "chunked", "cache-control": "no-cache"}
    assert first["failure"] is None


def test_what_the_team_put_into_the_address_is_sent_and_not_kept():
    with origin() as behind:
        quick = ProxyBuffering(events=3, gap_ms=20)
        seen = run(f"http://127.0.0.1:{behind.chunked}/plain?team=secret#part", quick)
    assert seen.facts["route"] == f"http://127.0.0.1:{behind.chunked}/plain"
    assert len(seen.facts["fetches"]) == 3
    assert "secret" not in repr(seen.facts)


def test_a_server_that_is_not_there_is_unreachable():
    assert run("http://127.0.0.1:1/stream").says == ((Judgement.INCONCLUSIVE, "unreachable"),) * 3


@pytest.mark.parametrize("proof", PROBE.proofs(), ids=lambda proof: proof.name)
def test_the_probe_tells_its_own_proofs_apart(proof: Proof):
    assert failures(proof, now=datetime.now(UTC)) == []


def test_a_proof_that_expects_the_wrong_thing_is_not_met():
    good, held, *_ = PROBE.proofs()
    assert len(failures(replace(good, expected=held.expected), now=datetime.now(UTC))) == 1
