"""Measure the buffering rule: run the probe against every set-up many times, calm and loaded, and count findings.

    .venv/bin/python -m benchmarks.proxy_buffering --runs 20 --readers 60 --burners 4

Prints a Markdown table: for each set-up the messages expected, and how often each load gave others. With ``--gap-ms 60
--events 5`` it measures the settings of the probe's own proof. docs/decisions/0007-buffering-rule.md keeps the results.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median

from checks.contract import Facts, Target, Tools
from checks.http import ClientPolicy, ProbeClient
from checks.probes.arrivals import read_arrivals
from checks.probes.proxy_buffering import ProxyBuffering
from readiness.rules.networks import parse_allowed
from tests.proxies import envoy, nginx
from tests.proxies.extras import extras
from tests.proxies.origin import Origin, origin
from tests.proxies.rows import Row

POLICY = ClientPolicy(allowed_networks=(parse_allowed("127.0.0.1/32"),))
DIRECT = (Row(name="chunked"), Row(name="closing"))


@dataclass(frozen=True)
class Setup:
    """One set-up that is up: where its stream is and what the probe must say of it."""

    label: str
    url: str
    messages: tuple[str, ...]


@dataclass(frozen=True)
class Seen:
    """One run: its messages, and of each reading spread, lateness and what two simpler rules would have said."""

    label: str
    messages: tuple[str, ...]
    spreads_ms: tuple[float, ...]
    late_ms: tuple[float, ...]
    by_spread: tuple[str, ...]
    by_median: tuple[str, ...]


def look(job: tuple[Setup, ProxyBuffering]) -> Seen:
    """Run the probe once."""
    setup, probe = job
    with ProbeClient(POLICY, deadline_s=probe.deadline.total_seconds()) as client:
        tools = Tools(**dict.fromkeys(Tools.__slots__) | {"client": client})
        facts = probe.observe(Target(stream_url=setup.url), tools)
    findings = probe.judge(facts, now=datetime.now(UTC))
    whole = [fetch["events"] for fetch in _first_answers(facts) if len(fetch["events"]) == probe.events]
    times = [([event["sent_ms"] for event in one], [event["arrived_ms"] for event in one]) for one in whole]
    readings = [read_arrivals(sent, arrived, gap_ms=probe.gap_ms) for sent, arrived in times]
    return Seen(
        label=setup.label,
        messages=tuple(finding.code.partition(".")[2] for finding in findings),
        spreads_ms=tuple(reading.spread_ms for reading in readings),
        late_ms=tuple(reading.late_ms for reading in readings),
        by_spread=tuple(_by_spread(reading.spread_ms, probe.gap_ms) for reading in readings),
        by_median=tuple(_by_median(arrived, probe.gap_ms) for _, arrived in times),
    )


def _first_answers(facts: Facts) -> list[dict]:
    return list({fetch["nonce"]: fetch for fetch in reversed(facts["fetches"])}.values())


def _by_spread(spread_ms: float, gap_ms: int) -> str:
    """Judge by the spread of the waits alone."""
    return "stream" if spread_ms <= 0.5 * gap_ms else "held" if spread_ms >= 1.5 * gap_ms else "unclear"


def _by_median(arrived_ms: Sequence[float], gap_ms: int) -> str:
    """Judge by the median step between arrivals and the first arrival alone."""
    if median(later - earlier for earlier, later in pairwise(arrived_ms)) < 0.5 * gap_ms:
        return "held"
    return "stream" if arrived_ms[0] <= 0.5 * gap_ms else "late"


@contextmanager
def setups(folder: Path) -> Iterator[list[Setup]]:
    """Start everything that this machine has."""
    with ExitStack() as stack:
        behind = stack.enter_context(origin())
        found = _direct(behind)
        for name, binary in nginx.binaries().items():
            urls = stack.enter_context(nginx.nginx(binary, behind, _new(folder / name)))
            label = f"nginx {nginx.version(binary)}"
            found += [_setup(label, row.name, row, urls[row.name]) for row in nginx.ROWS]
        if command := envoy.binary():
            urls = stack.enter_context(envoy.envoy(command, behind, _new(folder / "envoy")))
            found += [_setup("envoy", envoy.title(row), row, urls[envoy.title(row)]) for row in envoy.ROWS]
        for name, (command, rows, start) in extras().items():
            urls = stack.enter_context(start(command, behind, _new(folder / name)))
            found += [_setup(name, row.name, row, urls[row.name]) for row in rows]
        yield found


def _direct(behind: Origin) -> list[Setup]:
    ports = (behind.chunked, behind.closing)
    rows = zip(DIRECT, ports, strict=True)
    return [_setup("direct", row.name, row, f"http://127.0.0.1:{port}/plain") for row, port in rows]


def _new(folder: Path) -> Path:
    folder.mkdir()
    return folder


def _setup(kind: str, name: str, row: Row, url: str) -> Setup:
    return Setup(f"{kind} {name}", url, tuple(message for _, message in row.says))


def _spin() -> None:
    while True:
        pass


@contextmanager
def load(burners: int) -> Iterator[None]:
    """Keep so many processes busy."""
    spinning = [multiprocessing.Process(target=_spin, daemon=True) for _ in range(burners)]
    for one in spinning:
        one.start()
    try:
        yield
    finally:
        for one in spinning:
            one.kill()


def _in_threads(jobs: list[tuple[Setup, ProxyBuffering]], readers: int) -> list[Seen]:
    with ThreadPoolExecutor(readers) as pool:
        return list(pool.map(look, jobs))


def measure(found: list[Setup], probe: ProxyBuffering, *, runs: int, readers: int) -> list[Seen]:
    """Run the probe ``runs`` times against every set-up, ``readers`` at a time, from two processes."""
    jobs = [(setup, probe) for _ in range(runs) for setup in found]
    with ProcessPoolExecutor(2) as pool:
        halves = [pool.submit(_in_threads, jobs[start::2], readers // 2) for start in (0, 1)]
        return [seen for half in halves for seen in half.result()]


def table(found: list[Setup], loads: dict[str, list[Seen]]) -> Iterator[str]:
    """Give the lines of a Markdown table."""
    columns = "".join(
        f" {name}: as expected | {name}: spread p50 / max, late p50 ms | {name}: spread rule | {name}: median rule |"
        for name in loads
    )
    yield f"| set-up | expected |{columns}"
    yield "|---" * (2 + 4 * len(loads)) + "|"
    for setup in found:
        cells = [_cells(setup, [seen for seen in results if seen.label == setup.label]) for results in loads.values()]
        yield f"| {setup.label} | {', '.join(setup.messages)} | {' | '.join(cells)} |"


def _cells(setup: Setup, results: list[Seen]) -> str:
    others = Counter(seen.messages for seen in results if seen.messages != setup.messages)
    right = len(results) - others.total()
    wrong = "".join(f"; {count} x {', '.join(messages)}" for messages, count in others.items())
    spreads = [spread for seen in results for spread in seen.spreads_ms] or [0.0]
    late = [one for seen in results for one in seen.late_ms] or [0.0]
    spread_rule = Counter(word for seen in results for word in seen.by_spread)
    median_rule = Counter(word for seen in results for word in seen.by_median)
    times = f"{median(spreads):.0f} / {max(spreads):.0f}, {median(late):.0f}"
    return " | ".join([f"{right}/{len(results)}{wrong}", times, _counted(spread_rule), _counted(median_rule)])


def _counted(words: Counter[str]) -> str:
    return ", ".join(f"{word} {count}" for word, count in words.most_common()) or "-"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("runs", 10), ("readers", 100), ("burners", 4), ("events", 8), ("gap-ms", 500)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    probe = ProxyBuffering(events=asked.events, gap_ms=asked.gap_ms)
    with tempfile.TemporaryDirectory() as folder, setups(Path(folder)) as found:
        loads = {}
        for name, burners in (("calm", 0), (f"{asked.burners} burners", asked.burners)):
            began = time.monotonic()
            with load(burners):
                loads[name] = measure(found, probe, runs=asked.runs, readers=asked.readers)
            sys.stderr.write(f"{name}: {len(loads[name])} runs in {time.monotonic() - began:.0f} s\n")
        sys.stdout.write("\n".join(table(found, loads)) + "\n")


if __name__ == "__main__":
    main()
