"""Wait for something that another process does."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LOOK_EVERY_S = 0.02


def eventually(condition: Callable[[], T], within_s: float, *, what: str = "") -> T:
    """Return the first true value of ``condition``; AssertionError once ``within_s`` seconds are over.

    For what has no event to wait for: a row that another process writes, a port that opens.
    """
    ends = time.monotonic() + within_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() >= ends:
            raise AssertionError(f"Not within {within_s:g} s: {what or getattr(condition, '__doc__', '') or condition}")
        time.sleep(LOOK_EVERY_S)
