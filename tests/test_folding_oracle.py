"""The folded facts against a slow replay of the same history, on random histories."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from readiness.enums.standing import Status
from readiness.enums.words import Outcome
from readiness.rules.folding import ClauseFacts, Grant, Statement, fold_clause, fold_item
from readiness.rules.status import ItemFacts, status_at
from tests import oracle
from tests.oracle import Built, LeftOut, Said, Waived, World

START = datetime(2026, 3, 1, tzinfo=UTC)
OUTCOMES = {"pass": Outcome.PASS, "fail": Outcome.FAIL, "tick": Outcome.PASS, "bare-tick": Outcome.PASS}
PEOPLE = ("tick", "bare-tick", "back")
CLAUSES = "abcd"
GREEN = {Status.VERIFIED: 3, Status.NOT_APPLICABLE: 3, Status.ATTESTED: 2, Status.WAIVED: 1}
"""How green a status is; what is not here is not green at all."""


def instant(second: int) -> datetime:
    return START + timedelta(seconds=second)


@dataclass
class Folded:
    """What the product keeps of an item: its statements, its standing requests, and the facts folded at each change."""

    clauses: tuple[str, ...]
    bound: bool
    statements: dict[str, list[Statement]] = field(default_factory=dict)
    build: str = ""
    build_since: int = 0
    waiver: Grant | None = None
    left_out: int | None = None
    facts: ItemFacts = field(default_factory=ItemFacts)

    def stands(self) -> list[ClauseFacts]:
        return [
            fold_clause(
                clause,
                self.statements.get(clause, []),
                build_bound=self.bound,
                build=self.build,
                build_since=instant(self.build_since),
            )
            for clause in self.clauses
        ]

    def hear(self, said: Said) -> None:
        if said.what == "unclear":
            return
        self.statements.setdefault(said.clause, []).append(
            Statement(
                id=said.id,
                outcome=OUTCOMES.get(said.what, Outcome.WITHDRAWN),
                observed_at=instant(said.seen),
                valid_until=instant(said.ends) if said.ends else None,
                by_person=said.what in PEOPLE,
                supported=said.what != "bare-tick",
                build=said.build,
            )
        )

    def grant(self, now: int, ends: int) -> None:
        named = [
            one.clause
            for one in self.stands()
            if not one.met_at(instant(now)) or (one.failing_since is not None and one.failing_since <= instant(now))
        ]
        self.waiver = Grant(start=instant(now), end=instant(ends), clauses=frozenset(named))

    def refresh(self, now: int) -> None:
        stands = self.stands()
        since = [self.facts.failing_since, *(one.failing_since for one in stands)]
        if any(one is not None and one <= instant(now) for one in since):
            self.left_out = None
        self.facts = fold_item(
            stands,
            waiver=self.waiver,
            not_applicable_from=None if self.left_out is None else instant(self.left_out),
            first_met_at=self.facts.first_met_at,
            at=instant(now),
        )


STEP = st.sampled_from([1, 1, 3, 10, 29, 30, 31, 60, 300])
LASTS = st.sampled_from([1, 10, 40, 100, 400, 1000])
WORDS = st.tuples(
    st.sampled_from(["pass", "pass", "fail", "fail", "fail", "unclear", "tick", "tick", "bare-tick", "back"]),
    st.integers(0, 3),
    LASTS,
    st.sampled_from([0, 0, 0, 0, 2, 35]),
    st.booleans(),
)
DEEDS = st.tuples(st.sampled_from(["waive", "end", "leave-out", "bring-back", "build"]), st.integers(0, 2), LASTS)
HISTORY = st.lists(st.tuples(STEP, st.one_of(WORDS, WORDS, WORDS, DEEDS)), max_size=14)


@dataclass
class Told:
    """One random history, as the oracle knows it and as the product folded it, up to now."""

    world: World
    folded: Folded
    now: int = 0
    delays: bool = False
    ties: bool = False

    def word(self, step: int, said: tuple[Any, ...]) -> None:
        what, which, lasts, late, at_once = said
        if at_once and self.world.said and self.world.said[-1].told == self.now:
            self.ties = True
        else:
            self.now += step
        clause = self.world.clauses[which % len(self.world.clauses)]
        seen = max(self.now - (0 if what in PEOPLE or not self.delays else late), 0)
        ends = seen + lasts if what in ("pass", "tick", "bare-tick") else 0
        one = Said(len(self.world.said) + 1, clause, what, seen, self.now, ends, self.world.build(seen))
        self.world = replace(self.world, said=(*self.world.said, one))
        self.folded.hear(one)
        self.folded.refresh(self.now)

    def deed(self, step: int, done: tuple[Any, ...]) -> None:
        what, which, lasts = done
        self.now += step
        world, now = self.world, self.now
        if what == "build":
            build = ("", "one", "two")[which]
            if build != world.build(now):
                self.world = replace(world, built=(*world.built, Built(now, build)))
                self.folded.build, self.folded.build_since = build, now
        elif what == "waive" and not oracle.is_met(world, now):
            cut = tuple(replace(one, cut=now) if one.cut is None and now < one.ends else one for one in world.waived)
            self.world = replace(world, waived=(*cut, Waived(now, now + lasts)))
            self.folded.grant(now, now + lasts)
        elif what == "end" and world.waived:
            self.world = replace(world, waived=tuple(one if one.cut else replace(one, cut=now) for one in world.waived))
            self.folded.waiver = None
        elif what == "leave-out" and not oracle.fails(world, now):
            self.world = replace(world, left_out=(*world.left_out, LeftOut(now)))
            self.folded.left_out = self.folded.left_out or now
        elif what == "bring-back":
            cut_out = tuple(one if one.cut else replace(one, cut=now) for one in world.left_out)
            self.world, self.folded.left_out = replace(world, left_out=cut_out), None
        self.folded.refresh(self.now)

    def compare(self, after: int) -> None:
        """At an instant after the newest change, both say the same; the product is never the greener of the two."""
        at = self.now + after
        ours, theirs = status_at(self.folded.facts, instant(at)), oracle.status(self.world, at)
        if ours is theirs:
            return
        assert GREEN.get(ours, 0) <= GREEN.get(theirs, 0), f"at {at} the product says {ours}, the rules say {theirs}"
        assert self.may_be_stricter, f"at {at} the product says {ours}, the rules say {theirs}"

    @property
    def may_be_stricter(self) -> bool:
        """Whether the product knows less than the rules ask: of builds before the newest, and within one instant."""
        return self.ties or (self.world.bound and len(self.world.built) > 2)


def tell(bound: bool, clauses: int, history: list[tuple[int, tuple[Any, ...]]], afters: list[int], late: bool) -> Told:
    names = tuple(CLAUSES[:clauses])
    told = Told(World(names, bound), Folded(names, bound), delays=late)
    for step, one in history:
        told.word(step, one) if len(one) == 5 else told.deed(step, one)
        for after in afters:
            told.compare(after)
    return told


def word(what: str, lasts: int = 100, clause: int = 0, late: int = 0) -> tuple[Any, ...]:
    return (what, clause, lasts, late, False)


@settings(max_examples=800, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    bound=st.booleans(),
    clauses=st.integers(1, 4),
    history=HISTORY,
    afters=st.lists(st.sampled_from([0, 1, 9, 10, 29, 30, 100, 399, 400, 1000]), min_size=1, max_size=3),
    late=st.booleans(),
)
@example(
    bound=False, clauses=1, history=[(1, word("pass")), (3, word("fail")), (30, word("fail"))], afters=[0], late=False
)
@example(
    bound=False, clauses=1, history=[(1, word("tick")), (3, word("back")), (1, word("fail"))], afters=[0], late=False
)
@example(
    bound=True,
    clauses=1,
    history=[(1, word("pass")), (1, ("build", 1, 1)), (1, word("fail")), (1, ("build", 0, 1))],
    afters=[0, 1],
    late=False,
)
def test_folded_facts_say_what_a_replay_of_the_rules_says(
    bound: bool, clauses: int, history: list[tuple[int, tuple[Any, ...]]], afters: list[int], late: bool
) -> None:
    tell(bound, clauses, history, afters, late)


def test_random_histories_reach_every_status() -> None:
    """A comparison of two rules that only ever say "open" would prove nothing."""
    reached: set[Status] = set()

    @settings(max_examples=400, deadline=None, database=None, derandomize=True)
    @given(clauses=st.integers(1, 2), history=HISTORY)
    def tell_many(clauses: int, history: list[tuple[int, tuple[Any, ...]]]) -> None:
        told = tell(False, clauses, history, [], late=False)
        reached.add(status_at(told.folded.facts, instant(told.now)))

    tell_many()
    assert reached == set(Status)
