"""The chain that seals the ledger: how a line is written and sealed, and what does not hold in a stream of rows."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from itertools import islice
from typing import Any

from django.utils.translation import gettext as _

from .spoken import number

FIRST_HASH = "0" * 64
"""What the first event is sealed over."""

REPEATED = {
    "at": "at",
    "kind": "kind",
    "by": "actor",
    "service": "service",
    "environment": "environment",
    "item": "item",
}
"""What columns repeat of the sealed text, beside the number: the text's name for it, and the column's."""


def canonical(line: Mapping[str, Any]) -> str:
    """Return the one way to write this line as JSON: sorted keys, no spaces, no escapes beyond what JSON needs."""
    return json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def seal(previous_hash: str, text: str) -> str:
    """Return the hash of an event: SHA-256 over the hash before, a line feed and the text, in hexadecimal."""
    return sha256(f"{previous_hash}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def instant_text(at: datetime) -> str:
    """Return the one way to write an instant: UTC, to the microsecond."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One event as it was found. ``columns`` has what its columns say, by the text's names; an export has none.

    The column ``at`` is given as ``instant_text`` writes it, or as it is stored where it is no instant.
    """

    id: int
    text: str
    previous_hash: str
    hash: str
    columns: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """A place in the stream where an event should be and something else is. ``id`` is its number, where known."""

    place: str
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest event when the head was taken, how many there were up to it, and when that was (``instant_text``)."""

    id: int
    hash: str
    at: str
    count: int


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that does not hold, in words that begin with its place. ``id`` is the number of the event, if one."""

    id: int | None
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What came of judging a stream: its length, its last event, the first faults, and how many more there are."""

    count: int
    last: int
    faults: tuple[Fault, ...]
    more: int

    @property
    def holds(self) -> bool:
        """Whether there is no fault."""
        return not self.faults


def report(
    rows: Iterable[Row | Unreadable], *, after: int = 0, head: Head | None = None, most_shown: int = 20
) -> Report:
    """Judge a stream of events to its end, in memory that does not grow with it."""
    judge = Judge(after=after, head=head)
    faults = judge.faults(rows)
    shown = tuple(islice(faults, most_shown))
    more = sum(1 for _ in faults)
    return Report(count=judge.count, last=judge.last, faults=shown, more=more)


def faults_of_one(row: Row) -> list[Fault]:
    """Return what does not hold in an event by itself: its seal and its columns. What stands around it is not asked."""
    return list(Judge(after=row.id - 1).faults([row]))


class Judge:
    """Judges events in the order in which they come, which should be that of their numbers, without gaps.

    ``after`` is the number of the event before the first; a head that was taken there says over what the first one is
    sealed. After each fault the judge goes on from what is found, so that one fault is not told of twice.
    """

    def __init__(self, *, after: int = 0, head: Head | None = None) -> None:
        self.count = 0
        self.last = after
        self._after = after
        self._expected = after + 1
        self._head = head
        self._head_was_met = head is not None and head.id <= after
        # The hashes that the next event may be sealed over; none where that cannot be known.
        self._links: frozenset[str] = frozenset({FIRST_HASH} if after == 0 else ())
        if head is not None and head.id == after:
            self._links = frozenset({head.hash})
        self._before_last = ""

    def faults(self, rows: Iterable[Row | Unreadable]) -> Iterator[Fault]:
        """Yield every fault, each with its place, and at the end what the head says."""
        for row, following in _with_next(rows):
            self.count += 1
            if isinstance(row, Unreadable):
                yield from self._unreadable(row)
            else:
                yield from self._row(row, following)
                yield from self._met_head(row)
        yield from self._missed_head()

    def _unreadable(self, row: Unreadable) -> Iterator[Fault]:
        number = self._expected if row.id is None else row.id
        if number > self._expected:
            yield self._missing(number)
        yield Fault(row.id, _("{place} cannot be read.").format(place=row.place))
        if number >= self._expected:
            self._step(number, frozenset(), "")

    def _row(self, row: Row, following: Row | Unreadable | None) -> Iterator[Fault]:
        said, computed = _said(row.text), seal(row.previous_hash, row.text)
        number = said.get("id") if said is not None else None
        if computed == row.hash and said is not None and number != row.id:
            yield Fault(
                row.id,
                _("Event {id}: under this number stands the sealed text of event {shown}.").format(
                    id=row.id, shown=_shown(number)
                ),
            )
            if row.id == self._expected:
                self._step(row.id, frozenset(), row.previous_hash)
            return
        if row.id < self._expected:
            yield self._out_of_order(row)
            yield from self._alone(row, said, computed)
            return
        if row.id > self._expected:
            yield self._missing(row.id)
            self._links, self._before_last = frozenset(), ""
        if computed == row.hash:
            yield from self._link(row)
            yield from _column_faults(row, said)
        else:
            yield from self._broken_seal(row, said, computed, following)
        self._step(row.id, frozenset({row.hash, computed}), row.previous_hash)

    def _alone(self, row: Row, said: dict[str, Any] | None, computed: str) -> Iterator[Fault]:
        if computed == row.hash:
            yield from _column_faults(row, said)
        else:
            yield Fault(
                row.id,
                _("Event {id}: its text and its hash do not belong together: one was changed.").format(id=row.id),
            )

    def _broken_seal(
        self, row: Row, said: dict[str, Any] | None, computed: str, following: Row | Unreadable | None
    ) -> Iterator[Fault]:
        """Say which of text, hash and previous hash was changed, as far as the events on either side can tell."""
        place = _("Event {id}").format(id=row.id)
        vouched = following.previous_hash if isinstance(following, Row) else None
        if row.previous_hash not in self._links and any(seal(one, row.text) == row.hash for one in self._links):
            yield Fault(
                row.id,
                _("{place}: its previous hash was changed; it is not that of the event before.").format(place=place),
            )
        elif vouched == computed:
            yield Fault(
                row.id,
                _("{place}: its hash was changed; the next event carries the one that its text gives.").format(
                    place=place
                ),
            )
        elif vouched == row.hash:
            yield Fault(
                row.id,
                _("{place}: its text was changed; it does not give the hash that the next event carries.").format(
                    place=place
                ),
            )
            return
        else:
            yield Fault(
                row.id, _("{place}: its text and its hash do not belong together: one was changed.").format(place=place)
            )
            return
        yield from _column_faults(row, said)

    def _link(self, row: Row) -> Iterator[Fault]:
        if not self._links or row.previous_hash in self._links:
            return
        if row.id == 1:
            yield Fault(
                row.id, _("Event 1: it is not sealed over zeros, as the first one is. The chain begins elsewhere.")
            )
        elif row.previous_hash == self._before_last:
            yield Fault(
                row.id,
                _("Event {id}: it is sealed over the same event as event {before}. The chain forks.").format(
                    id=row.id, before=row.id - 1
                ),
            )
        else:
            yield Fault(
                row.id,
                _("Event {id}: it is not sealed over event {before}. The chain is cut there.").format(
                    id=row.id, before=row.id - 1
                ),
            )

    def _missing(self, found: int) -> Fault:
        first, last = self._expected, found - 1
        if first == last:
            return Fault(
                first, _("Event {first}: it is missing before event {found}.").format(first=first, found=found)
            )
        return Fault(
            first,
            _("Events {first} to {last}: they are missing before event {found}.").format(
                first=first, last=last, found=found
            ),
        )

    def _out_of_order(self, row: Row) -> Fault:
        if row.id == self.last and row.id > self._after:
            return Fault(row.id, _("Event {id}: it stands there twice.").format(id=row.id))
        return Fault(
            row.id,
            _("Event {id}: it comes after event {last}, out of order or for a second time.").format(
                id=row.id, last=self.last
            ),
        )

    def _step(self, number: int, links: frozenset[str], before_last: str) -> None:
        self.last, self._expected = number, number + 1
        self._links, self._before_last = links, before_last

    def _met_head(self, row: Row) -> Iterator[Fault]:
        if self._head is None or self._head_was_met or row.id != self._head.id:
            return
        self._head_was_met = True
        if row.hash != self._head.hash:
            yield Fault(
                row.id,
                _(
                    "Event {id}: its hash is not the one of the head. This event or one before it was written anew, "
                    "or the head was taken of another ledger."
                ).format(id=row.id),
            )
        if self.count + self._after != self._head.count:
            yield Fault(
                row.id,
                _("Event {id}: there are {found} events up to this one, and {count} when the head was taken.").format(
                    id=row.id, found=number(self.count + self._after), count=number(self._head.count)
                ),
            )

    def _missed_head(self) -> Iterator[Fault]:
        if self._head is None or self._head_was_met:
            return
        if self.last < self._head.id:
            first, last = self.last + 1, self._head.id
            said = (
                _("Event {last}: cut off. The head was taken at event {last}.")
                if first == last
                else _("Events {first} to {last}: cut off. The head was taken at event {last}.")
            )
            yield Fault(self._head.id, said.format(first=first, last=last))
        else:
            yield Fault(
                self._head.id, _("Event {id}: the head was taken at it, and it is not there.").format(id=self._head.id)
            )


def _column_faults(row: Row, said: dict[str, Any] | None) -> Iterator[Fault]:
    """Yield where columns do not say what the text says. Types count: 1 is neither "1" nor true."""
    if said is None:
        yield Fault(row.id, _("Event {id}: its text is not written as the ledger writes it.").format(id=row.id))
        return
    for name, column in REPEATED.items():
        if name not in said:
            yield Fault(row.id, _("Event {id}: its text does not say its {column}.").format(id=row.id, column=column))
        elif name in row.columns:
            text, found = said[name], row.columns[name]
            if type(text) is not type(found) or text != found:
                yield Fault(
                    row.id,
                    _("Event {id}: the column {column} says {shown}, and the sealed text {text}.").format(
                        id=row.id, column=column, shown=_shown(found), text=_shown(text)
                    ),
                )


def _said(text: str) -> dict[str, Any] | None:
    """Return what a text says; None where the ledger would not have written it so."""
    try:
        said = json.loads(text)
        if isinstance(said, dict) and "id" in said and type(said["id"]) is int and canonical(said) == text:
            return said
    except (ValueError, RecursionError):
        pass
    return None


def _shown(value: object) -> str:
    words = (
        _("nothing") if value is None else str(value) if isinstance(value, int) else _("“{text}”").format(text=value)
    )
    return words if len(words) <= 80 else words[:79] + "…"


def _with_next(rows: Iterable[Row | Unreadable]) -> Iterator[tuple[Row | Unreadable, Row | Unreadable | None]]:
    """Yield each with the one after it; None after the last."""
    stream = iter(rows)
    for row in stream:
        current = row
        for following in stream:
            yield current, following
            current = following
        yield current, None
