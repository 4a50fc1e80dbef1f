"""Where one clause stands: the stream of statements that count for it, walked instant by instant."""

from bisect import bisect_right
from dataclasses import dataclass

from tests.replay.world import FAILS, PASSES, PROBES, Built, Changed, Clause, Said, World, build_at

CONFIRMED_AFTER_S = 30


@dataclass(frozen=True)
class Stand:
    """Where a clause stands at an instant; ``asks`` is false before the instant from which it counts."""

    met: bool
    observed: bool
    fails: bool
    asks: bool = True


ASKS_NOTHING = Stand(met=True, observed=True, fails=False, asks=False)


@dataclass(frozen=True)
class Heard:
    """What of a stream still matters after an instant: passes that no counting fail spoke against, the newest of
    ticks and takings back, and the fails since the last pass or retirement, with whether they count."""

    passes: tuple[Said, ...] = ()
    word: Said | None = None
    row: tuple[Said, ...] = ()
    counts: bool = False


@dataclass(frozen=True)
class Ground:
    """What the walk of one clause stands on: its environment's builds and the changes of its meaning, as known."""

    clause: Clause
    here: str
    builds: list[Built]
    changes: list[Changed]

    def of_the_meaning(self, one: Said, at: int) -> bool:
        """Was it given to the meaning in force, or to a later one that was announced already?"""
        in_force = max((number for number, change in enumerate(self.changes, 1) if change.starts <= at), default=0)
        return one.meaning >= in_force

    def observed(self, heard: Heard, at: int) -> bool:
        """Has the newest pass that is true of the build not come to its end?"""
        build = build_at(self.builds, at) if self.clause.bound else ""
        for one in reversed(heard.passes):
            if not self.clause.bound or (one.build == build if build else one.where == self.here):
                return at < one.ends and self.of_the_meaning(one, at)
        return False

    def attested(self, heard: Heard, at: int) -> bool:
        """Does a tick stand, and has it not come to its end?"""
        word = heard.word
        return word is not None and word.what == "tick" and at < word.ends and self.of_the_meaning(word, at)

    def met(self, heard: Heard, at: int) -> bool:
        return self.observed(heard, at) or self.attested(heard, at)


def stream(world: World, clause: Clause, at: int, known: int) -> list[Said]:
    """Return the statements that count for a clause at an instant, oldest first.

    They are the environment's own. To production's, on a build-bound clause, come those that probes made in any
    environment which is not archived, on the very build that production runs at the instant.
    """
    key = ("stream", clause.name, known, at)
    if key in world.memo:
        return world.memo[key]
    build = world.build(at, known) if clause.bound and world.in_production else ""
    found = []
    for _, one in world.first(known, Said):
        if one.clause != clause.name:
            continue
        lent = build and one.what in PROBES and one.build == build
        if one.where == world.here or (lent and not world.archived(one.where, at, known)):
            found.append(one)
    found.sort(key=lambda one: (one.seen, one.id))
    world.memo[key] = found
    return found


def ground(world: World, clause: Clause, known: int) -> Ground:
    """Return what the walk of a clause stands on, as known."""
    key = ("ground", clause.name, known)
    if key not in world.memo:
        changes = [change for _, change in world.first(known, Changed) if clause.name in change.clauses]
        world.memo[key] = Ground(clause, world.here, world.builds(known), changes)
    return world.memo[key]


def stand(world: World, clause: Clause, at: int, known: int) -> Stand:
    """Return where a clause stands at an instant, as the first happenings tell it."""
    if at < clause.counts_from:
        return ASKS_NOTHING
    told = stream(world, clause, at, known)
    on = ground(world, clause, known)
    key = ("walk", clause.name, tuple(one.id for one in told), len(on.builds), len(on.changes))
    if key not in world.memo:
        world.memo[key] = walk(on, told)
    instants, states = world.memo[key]
    place = bisect_right(instants, at)
    heard = states[place - 1] if place else Heard()
    observed = on.observed(heard, at)
    return Stand(met=observed or on.attested(heard, at), observed=observed, fails=heard.counts)


def walk(on: Ground, told: list[Said]) -> tuple[list[int], list[Heard]]:
    """Return every instant at which the clause could change, and what was heard by then; between them nothing does."""
    found = {one.seen for one in told} | {one.ends for one in told}
    found |= {change.told for change in on.builds} | {change.starts for change in on.changes}
    instants, states, heard = sorted(found), [], Heard()
    for instant in instants:
        heard = _waited(on, heard, instant)
        for one in [one for one in told if one.seen == instant]:
            heard = _waited(on, _hear(on, heard, one), instant)
        states.append(heard)
    return instants, states


def _hear(on: Ground, heard: Heard, one: Said) -> Heard:
    if one.what in PASSES:
        return Heard((*heard.passes, one), heard.word)
    if one.what in FAILS:
        row = (*heard.row, one)
        at_once = one.what == "drill-fail" or not on.met(heard, one.seen)
        if heard.counts or at_once or one.seen - row[0].seen >= CONFIRMED_AFTER_S:
            return _counting(on, heard, row)
        return Heard(heard.passes, heard.word, row)
    if one.what in ("tick", "back"):
        return Heard(heard.passes, one, heard.row, heard.counts)
    if one.what == "retired":
        return Heard(heard.passes, heard.word)
    return heard


def _waited(on: Ground, heard: Heard, at: int) -> Heard:
    """A fail that waits for its confirmation counts once the clause is not met."""
    if heard.row and not heard.counts and not on.met(heard, at):
        return _counting(on, heard, heard.row)
    return heard


def _counting(on: Ground, heard: Heard, row: tuple[Said, ...]) -> Heard:
    """The fails count, and stand over every earlier pass that speaks of the same build."""
    passes = tuple(one for one in heard.passes if not any(_speaks_against(on, fail, one) for fail in row))
    return Heard(passes, heard.word, row, counts=True)


def _speaks_against(on: Ground, fail: Said, earlier: Said) -> bool:
    if not on.clause.bound:
        return True
    return fail.build == earlier.build or not fail.build or not earlier.build
