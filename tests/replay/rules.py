"""Where one item stands at an instant, asked of its plain history.

``known`` is how many happenings are known; without it, those recorded by the instant itself, which is the rule of
replay. With fewer, or with an instant after the last of them, it is what would be if nothing more happened.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator

from readiness.enums.standing import Status
from tests.replay.clauses import Stand, stand
from tests.replay.world import BroughtBack, Changed, LeftOut, Waived, WaiverEnded, World


def stands(world: World, at: int, known: int | None = None) -> dict[str, Stand]:
    """Return where every clause stands that asks something at the instant."""
    known = world.known(at) if known is None else known
    key = ("stands", at, known)
    if key not in world.memo:
        all_of_them = {clause.name: stand(world, clause, at, known) for clause in world.clauses}
        world.memo[key] = {name: one for name, one in all_of_them.items() if one.asks}
    return world.memo[key]


def asks(world: World, at: int) -> bool:
    """Does any clause count yet? An entry that counts from a later date is not counted on a sheet before it."""
    return any(clause.counts_from <= at for clause in world.clauses)


def fails(world: World, at: int, known: int | None = None) -> bool:
    """Does a fail count on any clause?"""
    return any(one.fails for one in stands(world, at, known).values())


def is_met(world: World, at: int, known: int | None = None) -> bool:
    """Is every clause met, and no fail counts? Where no clause asks anything, nobody has met anything."""
    found = stands(world, at, known).values()
    return bool(found) and all(one.met and not one.fails for one in found)


def is_observed(world: World, at: int, known: int | None = None) -> bool:
    """Has every clause a fresh pass, and no fail counts?"""
    found = stands(world, at, known).values()
    return bool(found) and all(one.observed and not one.fails for one in found)


def unmet(world: World, at: int, known: int | None = None) -> frozenset[str]:
    """Return the clauses that are not met or fail: those that a waiver granted now would have to name."""
    return frozenset(name for name, one in stands(world, at, known).items() if not one.met or one.fails)


def was_met(world: World, at: int, known: int | None = None) -> bool:
    """Has there been a moment at which it was met, as it was known at that moment?"""
    known = world.known(at) if known is None else known
    return any(_met_within(world, count) for count in range(known)) or any(
        is_met(world, instant, known) for instant in _stretch(world, at, known)
    )


def named(world: World, place: int) -> frozenset[str]:
    """Return the clauses that the waiver names which is granted as the happening of this place."""
    return unmet(world, world.happened[place].told, place)


def status(world: World, at: int, known: int | None = None) -> Status:
    """Return the first row of the design's table that matches."""
    known = world.known(at) if known is None else known
    key = ("status", at, known)
    if key not in world.memo:
        world.memo[key] = _status(world, at, known)
    return world.memo[key]


def _status(world: World, at: int, known: int) -> Status:
    assert all(told <= at for told in world.tolds[:known]), "nothing is asked of an instant before it was known"
    if not_applicable(world, at, known):
        return Status.NOT_APPLICABLE
    if is_observed(world, at, known):
        return Status.VERIFIED
    if is_met(world, at, known):
        return Status.ATTESTED
    if waiver_covers(world, at, known):
        return Status.WAIVED
    if fails(world, at, known):
        return Status.FAILING
    return Status.STALE if was_met(world, at, known) else Status.OPEN


def not_applicable(world: World, at: int, known: int | None = None) -> bool:
    """Is it granted, not withdrawn, of the same meaning still, and has no fail counted since?"""
    known = world.known(at) if known is None else known
    withdrawn = [place for place, one in world.first(known, BroughtBack) if one.where == world.here]
    changes = [change.starts for _, change in world.first(known, Changed)]
    for place, grant in world.first(known, LeftOut):
        if grant.where != world.here or any(place < later for later in withdrawn):
            continue
        if any(grant.told < starts <= at for starts in changes):
            continue
        if not any(fails(world, instant, count) for count, instant in moments(world, at, known, place + 1)):
            return True
    return False


def waiver_covers(world: World, at: int, known: int | None = None) -> bool:
    """Does the newest waiver hold, and does it name every clause that is not met?"""
    known = world.known(at) if known is None else known
    grants = [(place, one) for place, one in world.first(known, Waived) if one.where == world.here]
    if not grants:
        return False
    place, grant = grants[-1]
    if any(place < later and one.where == world.here for later, one in world.first(known, WaiverEnded)):
        return False
    return grant.told <= at < grant.ends and unmet(world, at, known) <= named(world, place)


def moments(world: World, at: int, known: int, since: int = 0) -> Iterator[tuple[int, int]]:
    """Yield every moment up to one, from the happening of a place on: how much was known, and the instant."""
    for count in range(since, known):
        for instant in _stretch_until_the_next(world, count):
            yield count, instant
    for instant in _stretch(world, at, known):
        yield known, instant


def _stretch(world: World, at: int, known: int) -> list[int]:
    """Return the instants, up to one and with it, at which something could change while so much was known."""
    start = world.tolds[known - 1] if known else 0
    return [start, *world.instants[bisect_right(world.instants, start) : bisect_left(world.instants, at)], at]


def _stretch_until_the_next(world: World, known: int) -> list[int]:
    """Return the instants at which something could change, from one happening to the next."""
    start = world.tolds[known - 1] if known else 0
    end = world.tolds[known]
    return [start, *world.instants[bisect_right(world.instants, start) : bisect_left(world.instants, end)]]


def _met_within(world: World, known: int) -> bool:
    """Was it met at any moment from one happening to the next?"""
    key = ("met within", known)
    if key not in world.memo:
        world.memo[key] = any(is_met(world, at, known) for at in _stretch_until_the_next(world, known))
    return world.memo[key]
