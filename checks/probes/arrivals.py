"""How the events of a canary stream arrived: the buffering rule, as pure functions over arrival times.

Reasons and measurements are in docs/decisions/0007-buffering-rule.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from statistics import median

STREAMED_SPREAD = 0.5
"""A stream is a stream when no event waited longer than another by more than this many gaps."""

HELD_SPREAD = 1.5
"""An event that waited this many gaps longer than another was held back."""

BUNCHED_STEP = 0.25
"""Two events sent a gap apart that arrive within this many gaps of each other came together."""

BUNCHED_SHARE = 0.4
"""This share of steps bunched is a page-wise hop: a single stall of the network bunches one or two steps of seven."""

BUNCHED_SPREAD = 0.75
"""What a page-wise hop spreads at least: pairs are one gap, less noise."""

HELD_BY_ONE = (0.75, 1.75)
"""The last event is this many gaps ahead of those before it, which wait evenly: each was let go by the one after it.

Measured: 1.0 (nginx, 8 kB of padding before each event), 1.0 to 1.4 (HAProxy's compression, without and with its cork).
"""

FEWEST_BETWEEN = 3
"""So many events between the first and the last make a pattern."""

LATE = 0.5
"""From this many gaps on, an even lateness is worth a word (HAProxy's cork of 200 ms is below it at 500 ms)."""

TOO_LATE = 2.0
"""Beyond this many gaps an even lateness is no longer passed: a slow route cannot be told from a hop that holds."""

SLOWEST_PACE = 2.0
FASTEST_PACE = 0.8
"""The median gap between sends, in gaps asked for, within which the route kept the pace that it was asked for."""

EARLY = 0.25
"""An event that arrives this many gaps before it was sent shows that ``sent_ms`` is not the time of sending."""


class Pace(Enum):
    """What the arrivals of one answer look like."""

    STREAMED = "streamed"
    STREAMED_LATE = "streamed-late"
    TOO_LATE = "late"
    HELD = "held"
    HELD_BY_ONE = "held-by-one"
    UNCLEAR = "unclear"
    OTHER_PACE = "other-pace"
    UNTRUE_TIMES = "untrue-times"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One answer judged. Milliseconds throughout.

    ``longest_ms`` and ``late_ms`` are the longest and the median wait of an event, ``spread_ms`` the longest minus the
    shortest, ``bursts`` the number of groups that the events arrived in, ``within_ms`` the time from the first arrival
    to the last, ``after_ms`` the time from the request to the first arrival, ``sent_gap_ms`` the median gap of sending.
    """

    pace: Pace
    longest_ms: float
    late_ms: float
    spread_ms: float
    bursts: int
    within_ms: float
    after_ms: float
    sent_gap_ms: float


def read_arrivals(sent_ms: Sequence[float], arrived_ms: Sequence[float], *, gap_ms: float) -> Reading:
    """Judge one complete answer of three events or more.

    ``sent_ms`` is on the server's clock from any origin: only its differences are used. ``arrived_ms`` is ours, from
    the moment the request was sent. ``gap_ms`` is what the route was asked for; every threshold is a share of it.
    """
    since_first = [sent - sent_ms[0] for sent in sent_ms]
    waits = [arrived - sent for arrived, sent in zip(arrived_ms, since_first, strict=True)]
    sent_steps, steps = _steps(since_first), _steps(arrived_ms)
    together = sum(step < BUNCHED_STEP * gap_ms <= sent for step, sent in zip(steps, sent_steps, strict=True))
    return Reading(
        pace=_pace(waits, sent_steps, together / len(steps), gap_ms=gap_ms),
        longest_ms=round(max(waits), 1),
        late_ms=round(median(waits), 1),
        spread_ms=round(max(waits) - min(waits), 1),
        bursts=1 + len(steps) - together,
        within_ms=round(arrived_ms[-1] - arrived_ms[0], 1),
        after_ms=round(arrived_ms[0], 1),
        sent_gap_ms=round(median(sent_steps), 1),
    )


def _pace(waits: Sequence[float], sent_steps: Sequence[float], bunched_share: float, *, gap_ms: float) -> Pace:
    if not FASTEST_PACE <= median(sent_steps) / gap_ms <= SLOWEST_PACE:
        return Pace.OTHER_PACE
    if min(waits) < -EARLY * gap_ms:
        return Pace.UNTRUE_TIMES
    if _held_by_one(waits, gap_ms=gap_ms):
        return Pace.HELD_BY_ONE
    # The end of a stream empties every buffer on the way, so the last event may be ahead of the rest.
    others = waits[:-1] if waits[-1] == min(waits) else waits
    spread = (max(others) - min(others)) / gap_ms
    if spread <= STREAMED_SPREAD:
        late = median(others) / gap_ms
        return Pace.STREAMED if late <= LATE else Pace.STREAMED_LATE if late <= TOO_LATE else Pace.TOO_LATE
    if spread >= HELD_SPREAD or (bunched_share >= BUNCHED_SHARE and spread >= BUNCHED_SPREAD):
        return Pace.HELD
    return Pace.UNCLEAR


def _held_by_one(waits: Sequence[float], *, gap_ms: float) -> bool:
    """Tell whether each event waited for the next one, and the last only for the end; the first may have slipped by."""
    middle, last = waits[1:-1], waits[-1]
    if len(middle) < FEWEST_BETWEEN or max(middle) - min(middle) > STREAMED_SPREAD * gap_ms:
        return False
    return HELD_BY_ONE[0] <= (min(middle) - last) / gap_ms <= HELD_BY_ONE[1]


def _steps(instants: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(instants)]
