"""Random histories of one entry in one service, the same for the same seed.

``history(seed)`` gives a ``World``: the neutral form. Tell it to a product so:

1. Make an entry with ``world.clauses`` (``bound``; ``counts_from``, known from the beginning) and the service with
   ``world.environments``. No build is known yet. Every environment has an item of its own.
2. Do each of ``world.happened`` in turn, at its ``told``. Several may have one instant: their order is the list's.
   A ``Said`` is recorded at ``told`` as observed at ``seen``, on ``build``; ids rise with the order. Whatever is not a
   tick, bare-tick, back or retired is said by the clause's one probe. ``Waived`` renews a waiver that holds, and is
   only asked for while the item is not met; ``LeftOut`` only while no fail counts and it is not granted already.
   Nothing is said, built or done in an archived environment; ``world.here`` is never archived.
3. After ``n`` of them compare, for each ``at`` of ``questions(world, n, random)``, what the product says would be at
   ``at`` if nothing more happened with ``status(world, at, n)``, and, after all of them, what it replays for a past
   instant with ``status(world, at)``. ``world.of(name)`` asks the item of another environment.

``sheet(seed)`` gives several items of one environment, with the decisions that were taken on them.
"""

from dataclasses import dataclass, field
from random import Random

from tests.replay.rules import fails, is_met, not_applicable
from tests.replay.sheets import Condition, Decision, blockers
from tests.replay.world import (
    PASSES,
    Archived,
    BroughtBack,
    Built,
    Changed,
    Clause,
    Environment,
    Happening,
    LeftOut,
    Said,
    Waived,
    WaiverEnded,
    World,
    build_at,
)

MOST = 14
STEPS = (0, 1, 1, 3, 10, 29, 30, 31, 60, 300)
LASTS = (1, 10, 29, 30, 31, 60, 100, 300, 1000)
LATE = (0, 0, 0, 0, 1, 2, 30, 35)
BUILDS = ("", "one", "two")
WORDS = {
    "pass": 27,
    "fail": 16,
    "tick": 18,
    "unclear": 3,
    "drill-pass": 5,
    "drill-fail": 4,
    "bare-tick": 2,
    "back": 3,
    "retired": 3,
}
DEEDS = {"build": 7, "waive": 11, "leave-out": 8, "change": 3, "archive": 4}


def pick(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]


@dataclass
class Teller:
    """Makes up one history, happening by happening."""

    random: Random
    clauses: tuple[Clause, ...]
    environments: tuple[Environment, ...]
    here: str
    now: int = 0
    happened: list[Happening] = field(default_factory=list)
    archived: set[str] = field(default_factory=set)

    @property
    def world(self) -> World:
        return World(self.clauses, self.environments, tuple(self.happened), self.here)

    def go_on(self) -> None:
        """Let a step pass; often one that ends beside an instant at which something ends, begins or is confirmed."""
        near = self._bounds() if self.random.random() < 0.35 else []
        self.now = self.random.choice(near) if near else self.now + self.random.choice(STEPS)

    def _bounds(self) -> list[int]:
        found = {clause.counts_from for clause in self.clauses}
        for one in self.happened:
            if isinstance(one, Said) and one.what == "fail":
                found.add(one.seen + 30)
            elif isinstance(one, Changed):
                found.add(one.starts)
            elif isinstance(one, Said | Waived):
                found.add(one.ends)
        beside = {bound + off for bound in found for off in (-1, 0, 1)}
        return sorted(at for at in beside if self.now <= at <= self.now + 400)

    def somewhere(self) -> str:
        """Name a live environment, mostly the one that is asked of."""
        others = [name for name in self._live() if name != self.here]
        return self.random.choice(others) if others and self.random.random() < 0.4 else self.here

    def say(self, where: str, clause: str, what: str) -> None:
        by_probe = what in (*PASSES, "fail", "drill-fail", "unclear")
        late = self.random.choice(LATE) if by_probe else 0
        seen = max(self.now - late, 0)
        builds = [one for one in self.happened if isinstance(one, Built) and one.where == where]
        ends = seen + self.random.choice(LASTS) if what in (*PASSES, "tick", "bare-tick") else 0
        known_end = self.random.choice((None, None, ends, ends + 40, ends + 300)) if what == "pass" else None
        meaning = sum(1 for one in self.happened if isinstance(one, Changed) and clause in one.clauses)
        said = Said(
            told=self.now,
            where=where,
            id=len(self.happened) + 1,
            clause=clause,
            what=what,
            seen=seen,
            ends=ends,
            build=build_at(builds, seen),
            meaning=meaning,
            true_until=known_end,
        )
        self.happened.append(said)

    def speak(self) -> None:
        """Say something of one clause, or see to all of them: an item with many clauses is met often enough so."""
        where = self.somewhere()
        what = pick(self.random, WORDS)
        for clause in self.clauses:
            room = len(self.happened) < MOST
            if room and what in ("pass", "tick") and len(self.clauses) > 1 and self.random.random() < 0.6:
                self.say(where, clause.name, self.random.choice((what, what, "pass")))
        if len(self.happened) < MOST:
            self.say(where, self.random.choice(self.clauses).name, what)

    def act(self) -> None:
        """Do something; where a waiver holds or an item is not applicable, often end that."""
        before = len(self.happened)
        if self.random.random() < 0.4:
            self.random.choice((self._end_waiver, self._bring_back))()
        if len(self.happened) > before:
            return
        deed = pick(self.random, DEEDS)
        where = self.somewhere()
        getattr(self, f"_{deed.replace('-', '_')}")(where)

    def _build(self, where: str) -> None:
        builds = [one for one in self.happened if isinstance(one, Built) and one.where == where]
        elsewhere = [one.build for one in self.happened if isinstance(one, Built) and one.where != where]
        others = [one for one in (*BUILDS, *elsewhere) if one != build_at(builds, self.now)]
        self.happened.append(Built(self.now, where, self.random.choice(others)))

    def _waive(self, where: str) -> None:
        if not is_met(self.world.of(where), self.now):
            self.happened.append(Waived(self.now, where, self.now + self.random.choice(LASTS[3:])))

    def _end_waiver(self) -> None:
        for name in self._live():
            grants = [one for one in self.happened if isinstance(one, Waived | WaiverEnded) and one.where == name]
            if grants and isinstance(grants[-1], Waived) and self.now < grants[-1].ends:
                self.happened.append(WaiverEnded(self.now, name))
                return

    def _leave_out(self, where: str) -> None:
        world = self.world.of(where)
        if not fails(world, self.now) and not not_applicable(world, self.now):
            self.happened.append(LeftOut(self.now, where))

    def _bring_back(self) -> None:
        for name in self._live():
            if not_applicable(self.world.of(name), self.now):
                self.happened.append(BroughtBack(self.now, name))
                return

    def _change(self, where: str) -> None:
        earlier = max((one.starts for one in self.happened if isinstance(one, Changed)), default=0)
        clauses = frozenset(one.name for one in self.clauses if self.random.random() < 0.6)
        starts = max(self.now + self.random.choice((0, 1, 30, 60, 300)), earlier)
        self.happened.append(Changed(self.now, starts, clauses))

    def _archive(self, where: str) -> None:
        others = [name for name in self._live() if name != self.here]
        if others:
            self.archived.add(others[0])
            self.happened.append(Archived(self.now, others[0]))

    def _live(self) -> list[str]:
        names = [one.name for one in self.environments if one.name not in self.archived]
        return self.random.sample(names, len(names))


def history(seed: int) -> World:
    """Return a random history of at most fourteen happenings on one to four clauses, in up to three environments."""
    random = Random(seed)
    names = "abcd"[: random.choices((1, 2, 3, 4), (4, 3, 2, 1))[0]]
    teller = _teller(random, names)
    happenings = random.randint(len(teller.happened) + 1, MOST)
    while len(teller.happened) < happenings:
        _one_more(teller)
    return teller.world


def _teller(random: Random, names: str) -> Teller:
    bound = random.random() < 0.65
    later = random.random() < 0.15
    clauses = tuple(
        Clause(name, bound, random.choice((30, 100, 300)) if later and place else 0) for place, name in enumerate(names)
    )
    others = random.choices((0, 1, 2), (3, 4, 4) if bound else (8, 2, 1))[0]
    lenders = tuple(Environment(name, kind) for name, kind in (("staging", "staging"), ("dev", "dev"))[:others])
    teller = Teller(random, clauses, (Environment("prod", "prod"), *lenders), "prod")
    if random.random() < 0.7:
        for one in teller.environments:
            teller.happened.append(Built(0, one.name, "one"))
    return teller


def _one_more(teller: Teller) -> None:
    teller.go_on()
    if teller.random.random() < 0.78:
        teller.speak()
    else:
        teller.act()


def questions(world: World, known: int, random: Random, most: int = 4) -> list[int]:
    """Return instants to ask at while so much is known: now, and instants at a bound and a second either side."""
    now = world.tolds[known - 1] if known else 0
    later = [one for one in world.happened[:known] if isinstance(one, Said | Waived | Changed)]
    bounds = {one.starts if isinstance(one, Changed) else one.ends for one in later}
    bounds |= {one.seen + 30 for one in later if isinstance(one, Said)} | {one.counts_from for one in world.clauses}
    near = sorted(bound + off for bound in bounds for off in (-1, 0, 1) if bound + off > now)
    asked = random.sample(near, min(most - 1, len(near)))
    return sorted({now, *asked})


@dataclass(frozen=True)
class Sheet:
    """Several items of one environment over one stretch of time, the decisions taken on them, and its last instant."""

    items: dict[str, World]
    decisions: tuple[Decision, ...]
    until: int


def sheet(seed: int) -> Sheet:
    """Return a random sheet of one to three items, without archiving, with up to three decisions.

    A go is decided only where nothing is unsettled, and a go with conditions names every unsettled item, sometimes
    all but one.
    """
    random = Random(seed)
    items = {f"item-{place}": _lone(random) for place in range(random.randint(1, 3))}
    until = max(one.tolds[-1] for one in items.values()) + random.choice(LASTS)
    decisions = []
    for at in sorted(random.randint(0, until) for _ in range(random.choice((0, 1, 1, 2, 3)))):
        open_items = blockers(items, at)
        kind = random.choice(("go-with-conditions", "go-with-conditions", "no-go")) if open_items else "go"
        named = open_items[random.random() < 0.15 :] if kind == "go-with-conditions" else []
        conditions = tuple(Condition(name, at + random.choice(LASTS)) for name in named)
        decisions.append(Decision(at, kind, conditions))
    return Sheet(items, tuple(decisions), until)


def _lone(random: Random) -> World:
    teller = _teller(random, "ab"[: random.randint(1, 2)])
    teller = Teller(random, teller.clauses, teller.environments[:1], "prod")
    for _ in range(random.randint(1, 6)):
        _one_more(teller)
    if not teller.happened:
        teller.say("prod", "a", "pass")
    return teller.world
