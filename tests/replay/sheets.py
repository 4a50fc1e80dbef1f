"""What the items of a sheet add up to at an instant, and where they will stand at an instant to come."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from readiness.enums.standing import Status, Verdict
from tests.replay.clauses import Heard, ground, stream
from tests.replay.rules import asks, moments, status, was_met
from tests.replay.world import PROBES, World

NEVER = 10**12


@dataclass(frozen=True)
class Condition:
    """An unsettled item may wait until ``ends``, the first instant at which it may not."""

    item: str
    ends: int


@dataclass(frozen=True)
class Decision:
    """A decision at an instant: ``kind`` is go, go-with-conditions or no-go. The newest stands."""

    at: int
    kind: str
    conditions: tuple[Condition, ...] = ()


def blockers(items: Mapping[str, World], at: int, known_at: int | None = None) -> list[str]:
    """Return the items that count and are not settled; settling all of these is what is left to do."""
    return [name for name, one in items.items() if asks(one, at) and not _status(one, at, known_at).settled]


def verdict(
    items: Mapping[str, World], at: int, decisions: Sequence[Decision] = (), known_at: int | None = None
) -> Verdict | None:
    """Return what the statuses of a sheet add up to; None where its environment is archived.

    ``known_at`` is the instant up to which things are known, the instant asked of where it is left out. The worlds of
    all items of an environment have it as their ``here``; items of the service have worlds of their own.
    """
    known_at = at if known_at is None else known_at
    if any(one.archived(one.here, at, one.known(known_at)) for one in items.values()):
        return None
    counted = {name: one for name, one in items.items() if asks(one, at)}
    unsettled = set(blockers(counted, at, known_at))
    if counted and not unsettled:
        waived = any(_status(one, at, known_at) is Status.WAIVED for one in counted.values())
        return Verdict.READY_WITH_WAIVERS if waived else Verdict.READY
    made = [one for one in decisions if one.at <= known_at]
    newest = max(reversed(made), key=lambda one: one.at) if made else None
    failing = any(
        _status(one, at, known_at) is Status.FAILING and was_met(one, at, one.known(known_at))
        for one in counted.values()
    )
    if failing or (newest is not None and _broken(newest, counted, unsettled, at, known_at)):
        return Verdict.REGRESSED
    return Verdict.NOT_READY


def _broken(newest: Decision, items: Mapping[str, World], unsettled: set[str], at: int, known_at: int) -> bool:
    """Does the sheet that is not ready contradict the decision that stands?"""
    if newest.kind == "go":
        return True
    if newest.kind != "go-with-conditions":
        return False
    inside = {
        one.item
        for one in newest.conditions
        if one.item in items and not discharged(items[one.item], newest.at, at, known_at)
    }
    overdue = any(one.ends <= at and one.item in unsettled for one in newest.conditions)
    return overdue or not unsettled <= inside


def discharged(world: World, decided: int, at: int, known_at: int | None = None) -> bool:
    """Has the item been settled at any moment from the decision on, as it was known at that moment?"""
    known = world.known(at if known_at is None else known_at)
    then = world.known(decided)
    return status(world, decided, then).settled or any(
        decided < instant and status(world, instant, count).settled
        for count, instant in moments(world, at, known, then)
    )


def foreseen(world: World, now: int, scheduled: Collection[str]) -> World:
    """Return the world as it is known now, in which every probe that passes now on a schedule keeps passing.

    A pass for which an instant is known from which it will not be true ends there. Ask ``status`` and ``verdict`` of
    it, for an instant to come.
    """
    known = world.known(now)
    lasting = {}
    for clause in world.clauses:
        heard = [
            one
            for one in stream(world, clause, now, known)
            if one.what in PROBES and (one.what != "unclear" or one.where == world.here)
        ]  # That a probe cannot tell elsewhere says nothing of the one that runs here.
        if clause.name not in scheduled or not heard or heard[-1].what != "pass":
            continue
        newest = heard[-1]
        if ground(world, clause, known).observed(Heard((newest,)), now):
            lasting[newest.id] = NEVER if newest.true_until is None else newest.true_until
    happened = [
        replace(one, ends=lasting[one.id]) if getattr(one, "id", None) in lasting else one
        for one in world.happened[:known]
    ]
    return replace(world, happened=tuple(happened))


def forecast(world: World, now: int, at: int, scheduled: Collection[str] = ()) -> Status:
    """Return where the item will stand at an instant to come, as far as is known now."""
    coming = foreseen(world, now, scheduled)
    return status(coming, at, len(coming.happened))


def _status(world: World, at: int, known_at: int | None) -> Status:
    return status(world, at, None if known_at is None else world.known(known_at))
