"""What the readings of a canary stream say about each clause: held back, compressed, cached. Pure functions over facts.

Each gives a verdict with a message of ``proxy_buffering``. Whatever kept us from seeing is inconclusive, never a pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from checks.contract import Facts
from checks.failures import from_fact
from checks.probes.arrivals import Pace, Reading, read_arrivals
from readiness.enums.words import Judgement
from readiness.rules.findings import Param

PADDED_BYTES = 512
"""An event of the protocol is about 120 bytes. Padding fills a proxy's buffer and so hides it (measured with 8 kB)."""

HELD_PACES = frozenset({Pace.HELD, Pace.HELD_BY_ONE})
HELD_FETCHES = 2
"""So many of three readings must be held before it counts: one stall of the network is not a buffer."""

CACHE_HEADERS = ("x-cache", "x-cache-status", "cf-cache-status")

Fetch = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judgement with its message and the message's parameters."""

    judgement: Judgement
    message: str
    params: dict[str, Param]


def passed(message: str, **params: Param) -> Verdict:
    """Make a verdict that may tick."""
    return Verdict(Judgement.PASS, message, params)


def failed(message: str, **params: Param) -> Verdict:
    """Make a verdict that may take a tick back."""
    return Verdict(Judgement.FAIL, message, params)


def doubtful(message: str, **params: Param) -> Verdict:
    """Make a verdict that changes nothing."""
    return Verdict(Judgement.INCONCLUSIVE, message, params)


def held(facts: Facts) -> Verdict:
    """Say whether events were passed on as they were sent. Replayed answers are left out: they show nothing of that."""
    fetches: list[Fetch] = facts["fetches"]
    fresh = _fresh(fetches)
    whole = [fetch for fetch in fresh if len(fetch["events"]) == fetch["of"] == facts["events"]]
    readings = [_reading(fetch, facts["gap_ms"]) for fetch in whole]
    back = [index for index, reading in enumerate(readings) if reading.pace in HELD_PACES]
    if len(back) >= HELD_FETCHES:
        accept = " and ".join(sorted({whole[index]["accept_encoding"] for index in back}))
        return _held(readings[back[-1]], accept, facts)
    if trouble := _trouble(fetches) or _unfinished(fresh, facts):
        return trouble
    if not any(fetch["accept_encoding"] == "gzip" for fetch in fresh):
        replay = doubtful("replayed-only")
        return replay if _replayed(fetches) else _unproven(fetches) or replay
    return _not_held(whole, readings, facts)


def compressed(facts: Facts) -> Verdict:
    """Say whether an event stream came with a Content-Encoding; a pass needs one with gzip accepted and without."""
    fetches: list[Fetch] = facts["fetches"]
    for fetch in fetches:
        if is_event_stream(fetch) and _coding(fetch):
            return failed("compressed", coding=_coding(fetch), accept=fetch["accept_encoding"])
    if any(fetch["events"] and fetch["accept_encoding"] == "gzip" for fetch in fetches):
        return passed("uncompressed")
    return _trouble(fetches) or doubtful("no-events", waited_ms=0.0)


def cached(facts: Facts) -> Verdict:
    """Say whether every request got an answer of its own; caches keep whole answers only, so all must be whole."""
    fetches: list[Fetch] = facts["fetches"]
    if _replayed(fetches):
        return failed("replayed")
    if trouble := _trouble(fetches) or _unfinished(fetches, facts):
        return trouble
    if unproven := _unproven(fetches):
        return unproven
    for fetch in fetches:
        for header, value in fetch["headers"].items():
            hit = header in CACHE_HEADERS and "hit" in value.lower()
            if hit or (header == "age" and value.strip().isdecimal() and int(value) > 0):
                return doubtful("cache-hinted", header=header, value=value)
    return passed("fresh", fetches=len(fetches))


def is_event_stream(fetch: Fetch) -> bool:
    """Tell whether an answer says 200 and that it is an event stream."""
    content_type: str = fetch["content_type"]
    return fetch["status"] == 200 and content_type.partition(";")[0].strip().lower() == "text/event-stream"


def _coding(fetch: Fetch) -> str:
    coding: str = fetch["headers"].get("content-encoding", "").strip().lower()
    return "" if coding == "identity" else coding


def _fresh(fetches: Sequence[Fetch]) -> list[Fetch]:
    """Return the answers to our own requests, each once."""
    seen: set[str] = set()
    fresh = []
    for fetch in fetches:
        if fetch["events"] and fetch["canary_came_back"] and fetch["nonce"] not in seen:
            fresh.append(fetch)
        seen.add(fetch["nonce"])
    return fresh


def _replayed(fetches: Sequence[Fetch]) -> bool:
    """Tell whether one answer came twice: the same nonce with the same times of sending."""
    seen = [(fetch["nonce"], *(event["sent_ms"] for event in fetch["events"])) for fetch in fetches if fetch["events"]]
    return len(set(seen)) < len(seen)


def _unproven(fetches: Sequence[Fetch]) -> Verdict | None:
    """Return why the answers cannot be told from replays, if they cannot."""
    if len({fetch["nonce"] for fetch in fetches}) < len(fetches):
        return doubtful("nonce-repeats")
    if not all(fetch["canary_came_back"] for fetch in fetches):
        return doubtful("foreign-canary")
    return None


def _reading(fetch: Fetch, gap_ms: int) -> Reading:
    events = fetch["events"]
    sent, arrived = [event["sent_ms"] for event in events], [event["arrived_ms"] for event in events]
    return read_arrivals(sent, arrived, gap_ms=gap_ms)


def _held(reading: Reading, accept: str, facts: Facts) -> Verdict:
    asked: dict[str, Param] = {"events": facts["events"], "gap_ms": facts["gap_ms"], "accept": accept}
    if reading.pace is Pace.HELD_BY_ONE:
        return failed("held-by-one", late_ms=reading.late_ms, **asked)
    if reading.bursts == 1:
        return failed("held-to-the-end", within_ms=reading.within_ms, after_ms=reading.after_ms, **asked)
    return failed("held-in-pages", bursts=reading.bursts, spread_ms=reading.spread_ms, **asked)


def _not_held(whole: Sequence[Fetch], readings: Sequence[Reading], facts: Facts) -> Verdict:
    """Judge whole, fresh readings of which at most one was held."""
    asked: dict[str, Param] = {"events": facts["events"], "gap_ms": facts["gap_ms"]}
    paces = {reading.pace for reading in readings}
    late_ms, spread_ms = max(one.late_ms for one in readings), max(one.spread_ms for one in readings)
    event_bytes = max(fetch["readable_bytes"] // len(fetch["events"]) for fetch in whole)
    if Pace.OTHER_PACE in paces:
        return _other_pace(whole[0], facts)
    if Pace.UNTRUE_TIMES in paces:
        return doubtful("untrue-times")
    if paces & {Pace.HELD, Pace.HELD_BY_ONE, Pace.UNCLEAR}:
        counted = [reading.pace for reading in readings]
        back = sum(pace in HELD_PACES for pace in counted)
        streamed = len(counted) - back - counted.count(Pace.UNCLEAR)
        return doubtful(
            "uneven", fetches=len(counted), streamed=streamed, held=back, spread_ms=spread_ms, gap_ms=facts["gap_ms"]
        )
    if event_bytes > PADDED_BYTES:
        return doubtful("padded", event_bytes=event_bytes)
    if Pace.TOO_LATE in paces:
        return doubtful("late", late_ms=late_ms, **asked)
    if Pace.STREAMED_LATE in paces:
        return passed("streamed-late", fetches=len(whole), late_ms=late_ms, **asked)
    return passed("streamed", fetches=len(whole), longest_ms=max(one.longest_ms for one in readings), **asked)


def _other_pace(fetch: Fetch, facts: Facts) -> Verdict:
    events = fetch["events"]
    sent_gap_ms = round((events[-1]["sent_ms"] - events[0]["sent_ms"]) / max(1, len(events) - 1), 1)
    asked: dict[str, Param] = {"events": facts["events"], "gap_ms": facts["gap_ms"]}
    return doubtful("other-pace", of=fetch["of"], sent_gap_ms=sent_gap_ms, **asked)


def _unfinished(fetches: Sequence[Fetch], facts: Facts) -> Verdict | None:
    for fetch in fetches:
        if fetch["of"] != facts["events"]:
            return _other_pace(fetch, facts)
        if len(fetch["events"]) < fetch["of"]:
            return doubtful("cut-early", seen=len(fetch["events"]), events=fetch["of"])
    return None


def _trouble(fetches: Sequence[Fetch]) -> Verdict | None:
    """Return what kept the first troubled answer from giving a single event of ours, if one was troubled."""
    for fetch in fetches:
        if not fetch["events"]:
            return _unanswered(fetch) or _eventless(fetch)
    return None


def _unanswered(fetch: Fetch) -> Verdict | None:
    failure, status = fetch["failure"], fetch["status"]
    if status is None:
        return doubtful("unreachable", reason=from_fact(failure), cause=failure["code"])
    if 300 <= status < 400:
        return doubtful("redirected", status=status)
    if status != 200:
        return doubtful("wrong-status", status=status)
    if not is_event_stream(fetch):
        return doubtful("wrong-type", content_type=fetch["content_type"] or "no content type")
    return None


def _eventless(fetch: Fetch) -> Verdict:
    cause = fetch["failure"]["code"] if fetch["failure"] else ""
    if cause in {"unknown-coding", "broken-coding"}:
        return doubtful("unreadable", coding=_coding(fetch))
    if fetch["foreign_events"] or cause in {"too-large", "endless"}:
        return doubtful("not-a-canary")
    return doubtful("no-events", waited_ms=fetch["read_ms"])
