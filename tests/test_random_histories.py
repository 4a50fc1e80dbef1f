"""Random histories: the product never says anything greener than a replay of the rules, and its database says the same.

The replay (``tests.replay``) was written from the words of the design alone. ``SOAK_HISTORIES`` says how many
histories are told; ``make soak`` tells a million.
"""

import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest

from readiness.enums.standing import Status, Verdict
from readiness.enums.words import DecisionKind
from readiness.models import Environment, Item
from readiness.rules.forecasts import forecast
from readiness.rules.status import ItemFacts, status_at
from readiness.rules.verdicts import Under, stand_at, tally
from readiness.selectors.status_sql import status_expression
from tests.factories import item_of, make_environment
from tests.folded import START, Folded, instant
from tests.replay import rules, sheets
from tests.replay.histories import Sheet, history, questions, sheet
from tests.replay.world import PROBES, Changed, LeftOut, Said, World
from tests.servers.environment import DATABASES

HISTORIES = int(os.environ.get("SOAK_HISTORIES", "20000"))
A_SLICE = 2500
SLICES = [
    pytest.param(
        range(start, min(start + A_SLICE, HISTORIES)),
        id=f"from-{start}",
        marks=pytest.mark.only_on(DATABASES[start // A_SLICE % 2]),  # No database is asked: each process takes half.
    )
    for start in range(0, HISTORIES, A_SLICE)
]
GREEN = {Status.VERIFIED: 3, Status.NOT_APPLICABLE: 3, Status.ATTESTED: 2, Status.WAIVED: 1}
"""How green a status is; what is not here is not green at all."""

READY = {Verdict.READY: 2, Verdict.READY_WITH_WAIVERS: 1}
ROWS = 2000


def may_be_stricter(world: World) -> bool:
    """Whether the product is allowed to be less green than the words ask.

    It gives up a "not applicable" that was granted at the very instant at which the entry began to mean another thing.
    """
    starts = {one.starts for one in world.happened if isinstance(one, Changed)}
    return any(isinstance(one, LeftOut) and one.told in starts for one in world.happened)


def compared(seed: int) -> Iterator[tuple[Status, Status]]:
    """Tell one history; yield what the product says after each happening, and the rules, at several instants."""
    world, random = history(seed), Random(seed)
    folded = Folded(world)
    strict = not may_be_stricter(world)
    for known, one in enumerate(world.happened, start=1):
        folded.tell(one)
        for at in questions(world, known, random):
            ours, theirs = status_at(folded.facts, instant(at)), rules.status(world, at, known)
            if ours is not theirs:
                said = f"history {seed}: after {known} happenings, at {at}, {ours} where the rules say {theirs}"
                assert GREEN.get(ours, 0) <= GREEN.get(theirs, 0), said
                assert not strict, said
            yield ours, theirs


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLICES)
def test_the_product_is_never_greener_than_the_rules(seeds: range) -> None:
    said = Counter(pair for seed in seeds for pair in compared(seed))

    assert {theirs for _, theirs in said} == set(Status), "A comparison that never sees a status proves nothing of it."
    differing = sum(count for (ours, theirs), count in said.items() if ours is not theirs)
    assert differing * 100 < said.total(), "Being stricter is for rare cases."


@pytest.mark.parametrize("seed", [302046, 304637, 341580])
def test_a_fail_that_never_counted_undoes_no_pass(seed: int) -> None:
    """Else the clause is named by a waiver, and covered by it later."""
    assert all(ours is theirs for ours, theirs in compared(seed))


@pytest.mark.timeout(900)
@pytest.mark.django_db
@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(n, HISTORIES, len(DATABASES)), id=database, marks=pytest.mark.only_on(database))
        for n, database in enumerate(DATABASES)
    ],
)
def test_the_database_says_what_the_rules_say_of_every_history(seeds: range) -> None:
    """Facts are moved in time so that one instant asks of all rows: at it, and a millisecond either side."""
    service = make_environment().service
    entry = item_of(make_environment(service, kind="dev"), "spend-cap").entry
    places = Environment.objects.bulk_create(
        Environment(service=service, name=f"place-{number}", kind="prod", settings_changed_at=START)
        for number in range(ROWS)
    )
    reached: set[str] = set()
    for first in range(0, len(seeds), ROWS):
        states = [_state(seed) for seed in seeds[first : first + ROWS]]
        rows = [
            Item(entry=entry, service=service, environment=place, **{n: getattr(facts, n) for n in ItemFacts.names()})
            for place, facts in zip(places, states, strict=False)
        ]
        ids = [row.pk for row in Item.objects.bulk_create(rows)]
        for at in (START - MS, START, START + MS):
            stored = Item.objects.filter(pk__in=ids).annotate(said=status_expression(at))
            found = dict(stored.values_list("pk", "said"))
            assert found == {pk: str(status_at(facts, at)) for pk, facts in zip(ids, states, strict=True)}
            reached.update(found.values())
        Item.objects.filter(pk__in=ids).delete()
    assert reached == {str(status) for status in Status}


MS = timedelta(milliseconds=1)


def _state(seed: int) -> ItemFacts:
    """Return what a history folded to, moved so that one of the instants that are worth asking of comes to START."""
    world, random = history(seed), Random(seed)
    folded = Folded(world)
    for one in world.happened:
        folded.tell(one)
    moved = START - instant(random.choice(questions(world, len(world.happened), random)))
    found = {name: getattr(folded.facts, name) for name in ItemFacts.names()}
    return ItemFacts(**{name: at if at is None else at + moved for name, at in found.items()})


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLICES[:2])
def test_a_forecast_is_never_greener_than_the_rules(seeds: range) -> None:
    said: Counter[bool] = Counter()
    for seed in seeds:
        world, random = history(seed), Random(seed)
        folded = Folded(world)
        for one in world.happened:
            folded.tell(one)
        now = world.tolds[-1]
        scheduled = {clause.name for clause in world.clauses if random.random() < 0.7} - _unclear(world)
        facts = forecast(
            folded.clauses(),
            waiver=folded.waiver,
            left_out=folded.left_out,
            first_met_at=folded.facts.first_met_at,
            scheduled=scheduled,
            now=instant(now),
        )
        for at in {now + 1, now + 2000, *questions(world, len(world.happened), random)}:
            ours, theirs = status_at(facts, instant(at)), sheets.forecast(world, now, at, scheduled)
            assert GREEN.get(ours, 0) <= GREEN.get(theirs, 0), f"history {seed} at {at}: {ours}, the rules say {theirs}"
            if at == now + 2000:
                said[GREEN.get(ours, 0) > 1] += 1
            lent = any(clause.lent_by for clause in folded.clauses())
            assert ours is theirs or lent or may_be_stricter(world), f"history {seed} at {at}: {ours}, not {theirs}"
    assert said[True] > len(seeds) // 100, "Some keep passing for as long as anybody asks."


def _unclear(world: World) -> set[str]:
    """Clauses whose probe could not tell when it looked last: ``selectors.grounds.running_of`` leaves them out."""
    newest = sorted((one for one in world.said if one.what in PROBES and one.where == world.here), key=_when)
    return {clause for clause, one in {one.clause: one for one in newest}.items() if one.what == "unclear"}


def _when(one: Said) -> tuple[int, int]:
    return one.seen, one.id


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", SLICES[:2])
def test_a_verdict_is_never_better_than_the_rules(seeds: range) -> None:
    said = Counter(pair for seed in seeds for pair in _verdicts(sheet(seed)))

    assert {theirs for _, theirs in said} == set(Verdict)


def _verdicts(told: Sheet) -> Iterator[tuple[Verdict, Verdict]]:
    """Tell a sheet; yield the product's verdict and the rules' at every instant at which something was recorded."""
    moments = sorted(
        {one.told for world in told.items.values() for one in world.happened}
        | {one.at for one in told.decisions}
        | {condition.ends for one in told.decisions for condition in one.conditions}
    )
    folded = {name: Folded(world) for name, world in told.items.items()}
    discharged: set[tuple[int, str]] = set()
    for at in [moment for moment in moments if moment <= told.until]:
        made = [one for one in told.decisions if one.at <= at]
        for name, world in told.items.items():
            for one in [one for one in world.happened if one.told == at]:
                folded[name].tell(one)
                if status_at(folded[name].facts, instant(at)).settled:
                    discharged |= {(number, name) for number, _ in enumerate(made)}
        for number, _ in enumerate(made):
            newest = {name for name in folded if status_at(folded[name].facts, instant(at)).settled}
            discharged |= {(number, name) for name in newest}
        counted = {name: one for name, one in folded.items() if rules.asks(told.items[name], at)}
        names = sorted(counted)
        stands = [stand_at(names.index(name), one.facts, instant(at)) for name, one in counted.items()]
        ours = tally(stands, under=_under(made, discharged, names), at=instant(at)).verdict
        theirs = sheets.verdict(told.items, at, told.decisions)
        assert theirs is not None
        assert READY.get(ours, 0) <= READY.get(theirs, 0), f"at {at}: {ours}, the rules say {theirs}"
        assert ours is theirs or any(may_be_stricter(world) for world in told.items.values()), f"{at}: {ours}, {theirs}"
        yield ours, theirs


def _under(made: list[sheets.Decision], discharged: set[tuple[int, str]], names: list[str]) -> Under | None:
    if not made:
        return None
    number = len(made) - 1
    waiting = {
        names.index(one.item): instant(one.ends)
        for one in made[number].conditions
        if one.item in names and (number, one.item) not in discharged
    }
    return Under(kind=DecisionKind(made[number].kind), conditions=waiting)
