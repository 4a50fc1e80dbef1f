"""Two things timed in turns, A B A B, so that whatever else the machine does hits both alike."""

import gc
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How long one thing took, over and over: on the wall and in this process's own CPU, in milliseconds."""

    wall_ms: tuple[float, ...]
    cpu_ms: tuple[float, ...]

    @property
    def middle(self) -> float:
        """The median on the wall."""
        return median(self.wall_ms)

    @property
    def cpu(self) -> float:
        """The median of CPU time."""
        return median(self.cpu_ms)

    def __str__(self) -> str:
        low, _, high = quantiles(self.wall_ms, n=4, method="inclusive") if len(self.wall_ms) > 1 else (self.middle,) * 3
        return f"{self.middle:.1f} ms ({low:.1f} to {high:.1f}; CPU {self.cpu:.1f})"


@dataclass(frozen=True, slots=True)
class Timed:
    """Something to time, and what is done before each time and not timed itself."""

    thing: Callable[[], object]
    before: Callable[[], object] = lambda: None


def in_turns(things: Sequence[Timed], *, times: int, warm: int = 2) -> list[Times]:
    """Time each of several things in turns, after ``warm`` turns that do not count."""
    found: list[list[tuple[float, float]]] = [[] for _ in things]
    for turn in range(-warm, times):
        for place, one in enumerate(things):
            one.before()
            gc.collect()
            wall, cpu = time.perf_counter(), time.process_time()
            one.thing()
            took = ((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)
            if turn >= 0:
                found[place].append(took)
    return [Times(wall_ms=tuple(wall for wall, _ in one), cpu_ms=tuple(cpu for _, cpu in one)) for one in found]


def ratio(thing: Times, baseline: Times) -> float:
    """Return the median of the ratios of neighbours in time."""
    return median(one / other for one, other in zip(thing.wall_ms, baseline.wall_ms, strict=True))


def load() -> str:
    """Return what the machine does: the load of the last minute."""
    return f"{os.getloadavg()[0]:.1f}"
