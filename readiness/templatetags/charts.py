"""Facts drawn: the arrival chart, and any facts as a list. Facts outlive the code that wrote them: be forgiving."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import pgettext, pgettext_lazy

from readiness.rules.messages import retell, tell
from readiness.rules.spoken import NO_BREAK, capital, decimal, french, money, number

register = template.Library()

HELD_CLAUSE = "stream-not-held"
STEPS_MS = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 30_000, 60_000)
MOST_TICKS = 8
HEADERS = ("content-encoding", "cache-control", "x-accel-buffering")
UNITS = {"ms": "ms", "s": "s", "bytes": "bytes", "percent": "%", "days": "days", "hours": "h", "minutes": "min"}
MOST_ROWS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One event: where its sending and its arrival stand on the axis, in percent of its width."""

    sent_x: str
    arrived_x: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One mark of the axis."""

    x: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    """One reading of a stream, ready to be drawn. ``said`` says the same in words. ``spread_ms`` ranks readings."""

    accept: str
    points: list[Point]
    ticks: list[Tick]
    said: str
    spread_ms: float


def arrivals(facts: Mapping[str, Any]) -> list[Arrivals]:
    """Return the readings of a canary stream that hold events, in the order they were made; none for other facts."""
    fetches = facts.get("fetches")
    if not isinstance(fetches, list):
        return []
    return [drawn for fetch in fetches if isinstance(fetch, dict) and (drawn := _drawn(fetch)) is not None]


def telling(readings: Sequence[Arrivals]) -> Arrivals | None:
    """Return the reading to show first: the one in which some event waited longest beyond another."""
    return max(readings, key=lambda reading: reading.spread_ms, default=None)


def _drawn(fetch: dict[str, Any]) -> Arrivals | None:
    try:
        pairs = [(float(event["sent_ms"]), float(event["arrived_ms"])) for event in fetch["events"]]
    except (KeyError, TypeError, ValueError):
        return None
    if not pairs:
        return None
    first = pairs[0][0]
    sent = [one - first for one, _ in pairs]
    arrived = [other for _, other in pairs]
    longest = max(*sent, *arrived, 1.0) * 1.03
    waits = [at - since for at, since in zip(arrived, sent, strict=True)]
    return Arrivals(
        accept=str(fetch.get("accept_encoding", "")),
        points=[
            Point(sent_x=_percent(since, longest), arrived_x=_percent(at, longest))
            for since, at in zip(sent, arrived, strict=True)
        ],
        ticks=_ticks(longest),
        said=_said(sent, arrived),
        spread_ms=max(waits) - min(waits),
    )


def _percent(value_ms: float, longest_ms: float) -> str:
    """Place a time between 1 and 99 percent, so that no dot is cut at the edge."""
    share = min(max(value_ms / longest_ms, 0.0), 1.0)
    return f"{1 + 98 * share:.2f}%"


def _ticks(longest_ms: float) -> list[Tick]:
    step = next((one for one in STEPS_MS if longest_ms / one <= MOST_TICKS), STEPS_MS[-1])
    return [
        Tick(x=_percent(at, longest_ms), label=length(at) if longest_ms < 1000 else seconds(at))
        for at in range(0, min(int(longest_ms), step * MOST_TICKS) + 1, step)
    ]


def seconds(value_ms: float) -> str:
    """Return a length of time in seconds: "0.5 s"."""
    whole = f"{value_ms / 1000:.2f}".rstrip("0").rstrip(".")
    return _("{n} s").format(n=decimal(whole))


def length(value_ms: float) -> str:
    """Return a length of time with its unit: "18 ms", "3.5 s"."""
    if value_ms and value_ms < 1000:
        return _("{n} ms").format(n=f"{value_ms:.0f}")
    return seconds(value_ms)


def _said(sent: Sequence[float], arrived: Sequence[float]) -> str:
    count = len(sent)
    if count == 1:
        return _("One test event arrived {length} after the request.").format(length=length(arrived[0]))
    gaps = [later - earlier for earlier, later in pairwise(sent)]
    gap = length(sum(gaps) / len(gaps))
    return _(
        "{n} test events were sent {gap} apart; the first arrived {first} and the last {last} after the request, "
        "within {within} of each other."
    ).format(
        n=count,
        gap=gap,
        first=length(arrived[0]),
        last=length(arrived[-1]),
        within=length(max(1.0, max(arrived) - min(arrived))),
    )


def _unit(unit: str) -> str:
    return {"bytes": _("bytes"), "days": _("days")}.get(unit, unit)


@register.inclusion_tag("partials/arrivals.html")
def arrival_chart(facts: Mapping[str, Any], findings: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Draw the arrivals of a canary stream: the telling reading at once, the others behind a summary."""
    readings = arrivals(facts)
    chosen = telling(readings)
    judged = {finding.get("clause"): finding.get("judgement", "") for finding in findings}
    numbered = list(enumerate(readings, start=1))
    return {
        "chosen": next(((number, one) for number, one in numbered if one is chosen), None),
        "others": [(number, one) for number, one in numbered if one is not chosen],
        "total": len(readings),
        "judgement": judged.get(HELD_CLAUSE, ""),
        "rows": _reading_rows(facts),
        "headers": HEADERS,
    }


def _reading_rows(facts: Mapping[str, Any]) -> list[dict[str, Any]]:
    fetches = facts.get("fetches")
    rows = []
    for fetch in fetches if isinstance(fetches, list) else []:
        if not isinstance(fetch, dict):
            continue
        seen = fetch.get("headers") or {}
        events = fetch.get("events") or []
        rows.append(
            {
                "accept": fetch.get("accept_encoding", ""),
                "status": fetch.get("status") or _("no answer"),
                "events": len(events),
                "first": [length(found) if found is not None else _("none") for found in _firsts(fetch)],
                "headers": [seen.get(name, "") for name in HEADERS],
            }
        )
    return rows


def _firsts(fetch: Mapping[str, Any]) -> list[float | None]:
    """Return when the headers came and when the first event did, in milliseconds; None where they did not."""
    events = fetch.get("events")
    first = events[0].get("arrived_ms") if isinstance(events, list) and events and isinstance(events[0], dict) else None
    return [float(one) if isinstance(one, int | float) else None for one in (fetch.get("header_ms"), first)]


@register.filter
def draws_arrivals(facts: object) -> bool:
    """Tell whether facts hold readings of a canary stream."""
    return isinstance(facts, dict) and bool(arrivals(facts))


# --- any facts --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fact in words."""

    name: str
    value: str


@register.filter
def fact_rows(facts: object) -> list[Row]:
    """Return facts as names and values, nested ones joined by their path; at most 24, lists of records left out."""
    if not isinstance(facts, dict):
        return []
    return list(_rows(facts, ()))[:MOST_ROWS]


def without_codes(fact: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a fact as it is shown: of a sentence that is kept with what it is said from, the sentence alone."""
    if "message" not in fact or "sentence" not in fact:
        return fact
    told = tell(str(fact["message"]), fact.get("params") or {}, str(fact["sentence"]))
    return {"code": fact.get("code", ""), "sentence": told.text}


def _rows(facts: Mapping[str, Any], path: tuple[str, ...]) -> list[Row]:
    found: list[Row] = []
    beside = {currency for amount, currency in _AMOUNTS.items() if isinstance(facts.get(amount), str)}
    for key, value in facts.items():
        if isinstance(value, dict):
            found += _rows(without_codes(value), (*path, str(key)))
        elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
            continue
        elif (currency := _AMOUNTS.get(str(key))) and isinstance(value, str):
            found.append(Row(name=name_of((*path, str(key))), value=money(value, str(facts.get(currency) or ""))))
        elif key not in beside:
            found.append(row_of((*path, str(key)), value))
    return found


_AMOUNTS = {"declared": "declared_currency", "cap": "currency"}
"""Facts that are amounts of money, with what their currency is kept as."""

_NAMES = {
    "reference": pgettext_lazy("fact", "reference"),
    "counts_as_manager": pgettext_lazy("fact", "counts as manager"),
    "url": pgettext_lazy("fact", "url"),
    "resolved": pgettext_lazy("fact", "resolved"),
    "asked": pgettext_lazy("fact", "asked"),
    "fingerprint": pgettext_lazy("fact", "fingerprint"),
    "begins_like_a_key": pgettext_lazy("fact", "begins like a key"),
    "secret_failure": pgettext_lazy("fact", "secret failure"),
    "request_failure": pgettext_lazy("fact", "request failure"),
    "failure": pgettext_lazy("fact", "failure"),
    "code": pgettext_lazy("fact", "code"),
    "sentence": pgettext_lazy("fact", "sentence"),
    "status": pgettext_lazy("fact", "status"),
    "elapsed": pgettext_lazy("fact", "elapsed"),
    "redirects_to": pgettext_lazy("fact", "redirects to"),
    "models": pgettext_lazy("fact", "models"),
    "asked_recently": pgettext_lazy("fact", "asked recently"),
    "declared": pgettext_lazy("fact", "declared"),
    "declared_currency": pgettext_lazy("fact", "declared currency"),
    "source": pgettext_lazy("fact", "source"),
    "name": pgettext_lazy("fact", "name"),
    "found": pgettext_lazy("fact", "found"),
    "cap": pgettext_lazy("fact", "cap"),
    "currency": pgettext_lazy("fact", "currency"),
    "bad_expression": pgettext_lazy("fact", "bad expression"),
    "missing": pgettext_lazy("fact", "missing"),
    "route": pgettext_lazy("fact", "route"),
    "events": pgettext_lazy("fact", "events"),
    "gap": pgettext_lazy("fact", "gap"),
    "fetches": pgettext_lazy("fact", "fetches"),
    "accept_encoding": pgettext_lazy("fact", "accept encoding"),
    "content_type": pgettext_lazy("fact", "content type"),
    "headers": pgettext_lazy("fact", "headers"),
    "header": pgettext_lazy("fact", "header"),
    "nonce": pgettext_lazy("fact", "nonce"),
    "canary_came_back": pgettext_lazy("fact", "canary came back"),
    "of": pgettext_lazy("fact", "of"),
    "foreign_events": pgettext_lazy("fact", "foreign events"),
    "readable": pgettext_lazy("fact", "readable"),
    "read": pgettext_lazy("fact", "read"),
    "n": pgettext_lazy("fact", "n"),
    "sent": pgettext_lazy("fact", "sent"),
    "arrived": pgettext_lazy("fact", "arrived"),
}
"""How facts of our own probes are named. Others, and headers, stand under the name that they were kept by."""


def name_of(path: Sequence[str]) -> str:
    """Return how a fact is named, from the outermost part of its path in."""
    parts = [str(_NAMES.get(part, part.replace("_", " "))) for part in path]
    words = parts[0]
    for part in parts[1:]:
        words = pgettext("fact", "{outer} {inner}").format(outer=words, inner=part)
    return capital(words.strip())


def row_of(path: tuple[str, ...], value: object) -> Row:
    """Return one fact in words, named by its path; the last part may carry a unit."""
    *before, last = path
    name, _, unit = last.rpartition("_")
    if not name or unit not in UNITS:
        name, unit = last, ""
    return Row(name=name_of([*before, name]), value=_value(value, UNITS.get(unit, "")))


def _value(value: object, unit: str) -> str:
    if value is None or value == "" or value == []:
        return _("none")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(retell(str(one)) for one in value)
    if isinstance(value, int | float):
        words = number(value) if isinstance(value, int) else number(value, 1).removesuffix(decimal(".0"))
        return f"{words}{NO_BREAK if french() and unit else ' '}{_unit(unit)}".strip()
    return str(value)
