"""What moved on a sheet between a decision's snapshot and a later instant, item by item. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from readiness.enums.standing import Status

from .forecasts import rank
from .snapshots import FrozenItem
from .spoken import in_language


class Way(StrEnum):
    """Which way an item moved. Verified for attested and stale for open weigh the same: those moved aside."""

    WORSE = "worse"
    NEW = "new"
    BETTER = "better"
    ASIDE = "aside"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStands:
    """One item of the sheet as it stands."""

    item: int
    entry: str
    title: str
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One item that stands otherwise than it was frozen.

    ``before`` is None where it was not on the sheet then, ``after`` where it is not on it any more. The title is
    today's, and the frozen one of an item that is gone.
    """

    item: int
    entry: str
    title: str
    way: Way
    before: Status | None
    after: Status | None


def moves(frozen: Iterable[FrozenItem], now: Iterable[ItemStands]) -> list[Move]:
    """Return the items that stand otherwise than they were frozen: what got worse first, and then as ``Way`` lists.

    Within one way they keep the order of the sheet. Only the status counts: a new owner or more evidence is no move.
    """
    then = {one.item: one for one in frozen}
    here = {one.item: one for one in now}
    found = [_move(then.get(key), one) for key, one in here.items()]
    found += [
        Move(item=key, entry=one.entry, title=_title(one), way=Way.GONE, before=Status(one.status), after=None)
        for key, one in then.items()
        if key not in here
    ]
    ways = list(Way)
    return sorted((one for one in found if one.before != one.after), key=lambda one: ways.index(one.way))


def _title(one: FrozenItem) -> str:
    return in_language(one.title, one.translations, "title")


def _move(then: FrozenItem | None, now: ItemStands) -> Move:
    before = Status(then.status) if then is not None else None
    return Move(
        item=now.item, entry=now.entry, title=now.title, way=_way(before, now.status), before=before, after=now.status
    )


def _way(before: Status | None, after: Status) -> Way:
    if before is None:
        return Way.NEW
    if rank(after) == rank(before):
        return Way.ASIDE
    return Way.BETTER if rank(after) > rank(before) else Way.WORSE
