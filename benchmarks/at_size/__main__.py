"""Measure the pages at size, and print a table: ``make bench``, or ``python -m benchmarks.at_size --services 500``.

Every process and every file of it is its own and gone at the end. The exit code is 0 where everything was measured,
whether or not a goal is met: the table says that.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from tests.servers.processes import ROOT

from .servers import create, environment, named, server
from .table import Result, lines

RUNS_OF_A_SERVICE, EVENTS_OF_A_SERVICE = 4000, 400
"""At 500 services two million runs and two hundred thousand events."""
FLAT = 1.5
"""What a page that does not grow with the world may seem to grow by."""


def main() -> None:
    """Make the worlds, measure them, print the table."""
    asked = _asked()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="readiness-bench-") as folder, server() as postgresql:
        data = Path(folder)
        worlds = {asked.services: named(postgresql.url("postgres"), "world")}
        for services in asked.growth:
            worlds.setdefault(services, named(postgresql.url("postgres"), f"world_{services}"))
        for services, url in worlds.items():
            create(url)
            runs = asked.runs if services == asked.services else min(asked.runs, services * RUNS_OF_A_SERVICE)
            events = asked.events if services == asked.services else min(asked.events, services * EVENTS_OF_A_SERVICE)
            _run("generate", url, data, "--services", services, "--runs", runs, "--events", events, say=True)
        large = worlds[asked.services]
        found: list[Result] = []
        if "overview" in asked.parts:
            found += _measured("overview", large, data, "--times", asked.times)
        if "growth" in asked.parts:
            grown = [_measured("growth", worlds[services], data, "--times", asked.times) for services in sorted(worlds)]
            found += [*chain(*grown), *_flat([one[0] for one in grown])]
        for part in ("ticks", "viewers"):
            if part in asked.parts:
                copy = named(large, part)
                create(copy, template="world")  # These write much: each on a copy of its own.
                found += _measured(part, copy, data, "--times", asked.times)
    sys.stdout.write("\n".join([*_head(asked, began), "", *lines(found)]) + "\n")


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--services", type=int, default=500, help="each with three environments of 26 items (500)")
    parser.add_argument("--runs", type=int, help="runs of probes (4,000 a service: two million)")
    parser.add_argument("--events", type=int, help="events of the ledger (400 a service: 200,000)")
    parser.add_argument("--growth", type=int, nargs="*", default=[50, 2000], help="other sizes, in services (50 2000)")
    parser.add_argument("--times", type=int, default=21, help="how often each thing is timed (21)")
    parser.add_argument(
        "--parts", nargs="*", default=["overview", "growth", "ticks", "viewers"], help="all, unless told"
    )
    asked = parser.parse_args()
    asked.runs = asked.runs or asked.services * RUNS_OF_A_SERVICE
    asked.events = asked.events or asked.services * EVENTS_OF_A_SERVICE
    return asked


def _run(module: str, url: str, data: Path, *given: object, say: bool = False) -> str:
    """Run one module on a database and return what it printed; its log is thrown away. Ends here where it fails."""
    argv = [sys.executable, "-m", f"benchmarks.at_size.{module}", *map(str, given)]
    log = data / f"{module}.log"
    with log.open("w") as errors:
        done = subprocess.run(
            argv,
            env=environment(url, data / "data"),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=sys.stderr if say else errors,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"It could not be measured: {' '.join(argv[2:])}\n{log.read_text()[-4000:]}")
    return done.stdout


def _measured(part: str, url: str, data: Path, *given: object) -> list[Result]:
    sys.stderr.write(f"measuring {part}\n")
    printed = _run("measure", url, data, part, *given)
    return [Result(**json.loads(line)) for line in printed.splitlines()]


def _flat(pages: Sequence[Result]) -> Iterator[Result]:
    """Yield how much one page of results takes in the largest world against the smallest, each in bare pages."""
    if len(pages) > 1:
        times = (pages[-1].ratio or 0.0) / (pages[0].ratio or 1.0)
        yield Result(
            what="one page of the overview, the largest world against the smallest, each against its bare page",
            took="",
            ratio=times,
            goal=f"flat: ratio {FLAT:g}",
            met=times <= FLAT,
        )


def _head(asked: argparse.Namespace, began: float) -> Iterator[str]:
    size = f"{asked.services:,} services, {asked.services * 3:,} environments of 26 items, {asked.runs:,} runs"
    when = f"{datetime.now(UTC):%-d %B %Y, %H:%M} UTC"
    yield f"{when}: {size} and {asked.events:,} events. Each timed {asked.times} times."
    yield ""
    yield f"{_machine()}. All of it took {(time.monotonic() - began) / 60:.0f} minutes."


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    parts: Sequence[str] = (
        f"{os.cpu_count()} CPUs",
        f"{memory:.0f} GiB",
        f"{platform.system()} {platform.release()}",
        f"Python {platform.python_version()}",
        "PostgreSQL and everything else on the same machine",
    )
    return ", ".join(parts)


if __name__ == "__main__":
    main()
