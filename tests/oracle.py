"""A second opinion on where an item stands: a slow replay, written from the words of the design and from nothing else.

It keeps no folded facts. It walks through every instant at which something happened or ended, in order, and asks the
rules' own questions of the plain history. Instants are whole seconds; ``None`` as an end means that it never came.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from readiness.enums.standing import Status

CONFIRMED_AFTER_S = 30


@dataclass(frozen=True)
class Said:
    """A statement about a clause: ``what`` is pass, fail, unclear, tick, bare-tick (no link though wanted), back.

    ``seen`` is when it was observed and ``told`` when it was recorded, never earlier.
    """

    id: int
    clause: str
    what: str
    seen: int
    told: int
    ends: int = 0
    build: str = ""


@dataclass(frozen=True)
class Built:
    """From ``at`` on the environment runs ``build``; empty means that nobody says."""

    at: int
    build: str


@dataclass(frozen=True)
class Waived:
    """A reviewer granted a waiver at ``at``, up to ``ends``; ``cut`` is when it was ended early or renewed."""

    at: int
    ends: int
    cut: int | None = None


@dataclass(frozen=True)
class LeftOut:
    """A reviewer granted "not applicable" at ``at``; ``cut`` is when people withdrew it."""

    at: int
    cut: int | None = None


@dataclass(frozen=True)
class World:
    """Everything that ever happened to one item."""

    clauses: tuple[str, ...]
    bound: bool
    said: tuple[Said, ...] = ()
    built: tuple[Built, ...] = (Built(0, ""),)
    waived: tuple[Waived, ...] = ()
    left_out: tuple[LeftOut, ...] = ()

    def by(self, at: int) -> "World":
        """Return the world as far as it was recorded at an instant."""
        return replace(self, said=tuple(one for one in self.said if one.told <= at))

    def build(self, at: int) -> str:
        """Return the build that the environment ran."""
        return [change.build for change in self.built if change.at <= at][-1]

    def instants(self, until: int) -> list[int]:
        """Return every instant up to one, at which anything could change."""
        found = {until}
        for one in self.said:
            found |= {one.seen, one.told, one.ends}
        found |= {change.at for change in self.built}
        for grant in (*self.waived, *self.left_out):
            found |= {grant.at, *([] if grant.cut is None else [grant.cut])}
        found |= {grant.ends for grant in self.waived}
        return sorted(at for at in found if at <= until)


def _is_met(world: World, heard: Sequence[Said], at: int) -> bool:
    """Is a clause met: until the later of the ends of its newest pass and of its standing tick?"""
    now = world.build(at)
    passes = [one for one in heard if one.what == "pass"]
    if world.bound and now:
        passes = [one for one in passes if one.build == now]
    if passes and at < passes[-1].ends:
        return True
    words = [one for one in heard if one.what in ("tick", "back")]
    return bool(words) and words[-1].what == "tick" and at < words[-1].ends


def _is_observed(world: World, heard: Sequence[Said], at: int) -> bool:
    return _is_met(world, [one for one in heard if one.what not in ("tick", "back")], at)


def _stand(world: World, clause: str, at: int) -> tuple[bool, bool, bool]:
    """Return whether a clause is met, is observed, and has a fail that counts, as the history known here tells it."""
    mine = sorted((one for one in world.said if one.clause == clause), key=lambda one: (one.seen, one.id))
    heard: list[Said] = []
    waiting: int | None = None
    counts = False
    for instant in world.instants(at):
        for one in [one for one in mine if one.seen == instant]:
            if one.what == "pass":
                waiting, counts = None, False
            elif one.what == "fail":
                if not _is_met(world, heard, instant):
                    counts = True
                elif waiting is None:
                    waiting = instant
                elif instant - waiting >= CONFIRMED_AFTER_S:
                    counts = True
            heard.append(one)
        if waiting is not None and not _is_met(world, heard, instant):
            counts = True
    return _is_met(world, heard, at), _is_observed(world, heard, at), counts


def _stands(world: World, at: int) -> dict[str, tuple[bool, bool, bool]]:
    known = world.by(at)
    return {clause: _stand(known, clause, at) for clause in world.clauses}


def fails(world: World, at: int) -> bool:
    """Does a fail count on any clause?"""
    return any(counts for _, _, counts in _stands(world, at).values())


def is_met(world: World, at: int) -> bool:
    """Is every clause met, and no fail counts?"""
    stands = _stands(world, at).values()
    return bool(stands) and all(met and not counts for met, _, counts in stands)


def unmet(world: World, at: int) -> set[str]:
    """Return the clauses that a waiver granted now would have to name."""
    return {clause for clause, (met, _, counts) in _stands(world, at).items() if not met or counts}


def _left_out(world: World, at: int) -> bool:
    """Is it not applicable: granted, not withdrawn, and no fail has counted since?"""
    for grant in world.left_out:
        if grant.at <= at and (grant.cut is None or at < grant.cut):
            since = [instant for instant in world.instants(at) if instant >= grant.at]
            if not any(fails(world, instant) for instant in since):
                return True
    return False


def _waived(world: World, at: int) -> bool:
    for grant in world.waived:
        ends = grant.ends if grant.cut is None else min(grant.ends, grant.cut)
        if grant.at <= at < ends and unmet(world, at) <= unmet(world, grant.at):
            return True
    return False


def status(world: World, at: int) -> Status:
    """Return the first row of the design's table that matches."""
    if _left_out(world, at):
        return Status.NOT_APPLICABLE
    if is_met(world, at):
        observed = all(seen for _, seen, _ in _stands(world, at).values())
        return Status.VERIFIED if observed else Status.ATTESTED
    if _waived(world, at):
        return Status.WAIVED
    if fails(world, at):
        return Status.FAILING
    if any(is_met(world, instant) for instant in _told(world, at)):
        return Status.STALE
    return Status.OPEN


def _told(world: World, at: int) -> Iterator[int]:
    """Every instant at which something was recorded: what is met becomes so at one of these."""
    recorded: Iterable[int] = {one.told for one in world.said} | {change.at for change in world.built}
    return (instant for instant in sorted(recorded) if instant <= at)
