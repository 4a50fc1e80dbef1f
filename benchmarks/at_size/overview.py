"""The overview measured: against the SQL that it needs, against a bare page, whole and a page at a time."""

import gzip
from collections.abc import Iterator

from django.test import Client

from readiness.models import Environment

from .people import a_member, ask, client_of, forget, get, queries
from .table import Result
from .ticks import items_to_tick, send_tick
from .timing import Timed, in_turns, load, ratio

MOST_RATIO = 3.0
MOST_MS = 100.0
MOST_KIB = 150.0
MOST_QUERIES = 12
PAGE, WHOLE, BARE = "/", "/?rows=all", "/bench/bare/"


def measure(*, times: int) -> Iterator[Result]:
    """Yield every line about the overview at the size that the database has."""
    client = client_of(a_member())
    sheets = Environment.objects.count()
    yield _answer_size(client, sheets)
    yield from _queries(client, sheets)
    for address, words in ((PAGE, "one page of results"), (WHOLE, f"all {sheets:,} environments")):
        yield from _against_sql(client, address, f"overview, {words}", times=times)


def growth(*, times: int) -> Iterator[Result]:
    """Yield how long the overview takes at the size that the database has, beside a bare page. It ticks a few items."""
    user = a_member()
    client, to_tick = client_of(user), items_to_tick(user)
    sheets = Environment.objects.count()
    news = Timed(lambda: get(client, PAGE), before=lambda: send_tick(client, next(to_tick)))
    for what, page in (
        ("one page", _warm(client, PAGE)),
        ("all", _warm(client, WHOLE)),
        ("one page, after somebody ticked", news),
    ):
        page.thing()
        took, bare = in_turns([page, _warm(client, BARE)], times=times)
        words = f"overview of {sheets:,} environments, {what}"
        yield Result(what=words, took=str(took), baseline=f"bare page {bare}", ratio=ratio(took, bare), load=load())


def _against_sql(client: Client, address: str, what: str, *, times: int) -> Iterator[Result]:
    forget()
    with queries() as all_of_it:
        get(client, address)
    with queries() as beside_what_is_kept:
        get(client, address)
    cold, warm, needs, still_needs, bare = in_turns(
        [
            Timed(lambda: get(client, address), before=forget),
            _warm(client, address),
            Timed(lambda: ask(all_of_it)),
            Timed(lambda: ask(beside_what_is_kept)),
            _warm(client, BARE),
        ],
        times=times,
    )
    whole = address == WHOLE
    goal = None if whole else MOST_RATIO
    yield _line(f"{what}, nothing kept", cold, needs, f"its {len(all_of_it)} queries", goal)
    yield _line(f"{what}, kept", warm, needs, "the same queries", goal)
    yield _line(f"{what}, kept", warm, still_needs, f"the {len(beside_what_is_kept)} queries that it still makes")
    yield _line(f"{what}, kept", warm, bare, "a bare page")
    if whole:
        goal = f"{MOST_MS:.0f} ms"
        yield Result(what=f"{what}, kept", took=str(warm), goal=goal, met=warm.middle <= MOST_MS, load=load())


def _line(what, thing, other, baseline, goal: float | None = None) -> Result:
    found = ratio(thing, other)
    return Result(
        what=what,
        took=str(thing),
        baseline=f"{baseline}: {other}",
        ratio=found,
        goal="" if goal is None else f"ratio {goal:g}",
        met=None if goal is None else found <= goal,
        load=load(),
    )


def _warm(client: Client, address: str) -> Timed:
    return Timed(lambda: get(client, address), before=lambda: get(client, address))


def _answer_size(client: Client, sheets: int) -> Result:
    content = get(client, WHOLE).content
    packed = len(gzip.compress(content, 6)) / 1024
    return Result(
        what=f"all {sheets:,} environments, compressed (gzip, level 6)",
        took=f"{packed:.0f} KiB of {len(content) / 1024:.0f} KiB",
        goal=f"{MOST_KIB:.0f} KiB",
        met=packed <= MOST_KIB,
    )


def _queries(client: Client, sheets: int) -> Iterator[Result]:
    for words, anew in (("nothing kept", True), ("kept", False)):
        if anew:
            forget()
        with queries() as found:
            get(client, WHOLE)
        what = f"queries of the overview of {sheets:,}, {words}"
        met = len(found) <= MOST_QUERIES
        yield Result(what=what, took=f"{len(found)} queries", goal=f"{MOST_QUERIES}", met=met)
