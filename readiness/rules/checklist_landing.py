"""What landing a version of a checklist does to what is held: from when each part counts, and what is refused. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, tzinfo

from django.utils.translation import gettext as _

from readiness.enums.words import Scope

from .checklist_file import ChecklistFile, ClauseFile, EntryFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An entry or a clause as it is held: ``meanings`` and ``counts_from`` are as those of the records."""

    meanings: Mapping[str, str] = field(default_factory=dict)
    counts_from: datetime | None = None
    retired: bool = False

    @property
    def meaning(self) -> int:
        """The number of its newest meaning, also where that only holds from a later instant."""
        return max((int(number) for number in self.meanings), default=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldEntry(Held):
    """An entry as it is held, with its clauses by slug."""

    scope: str
    clauses: Mapping[str, Held]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """From when an entry or a clause counts, and from when each later meaning of it holds, as the records say it."""

    meanings: dict[str, str]
    counts_from: datetime | None

    def instants(self) -> Iterator[datetime]:
        """Yield every instant in it."""
        yield from (datetime.fromisoformat(at) for at in self.meanings.values())
        if self.counts_from is not None:
            yield self.counts_from


@dataclass(frozen=True, slots=True, kw_only=True)
class Landing:
    """When a version lands, and how. ``since`` is from when what is new counts by default: None for always.

    A ``lenient`` landing is that of the checklist that ships: somebody who skipped a release skips its meanings, and
    the days that it announced.
    """

    now: datetime
    zone: tzinfo
    since: datetime | None
    lenient: bool = False

    def begins(self, day: date | None) -> datetime | None:
        """Return the first instant of a day in the site's time zone, in UTC; None for none, and for one that began."""
        if day is None:
            return None
        start = datetime.combine(day, time.min, tzinfo=self.zone).astimezone(UTC)
        return start if start > self.now else None


def entry_timing(entry: EntryFile, held: HeldEntry | None, landing: Landing) -> Timing:
    """Return from when an entry counts, and from when its newest meaning holds."""
    begins = landing.begins(entry.counts_from)
    return _timing(held, landing, meaning=entry.meaning, begins=begins, holds_from=begins, since=landing.since)


def clause_timing(
    clause: ClauseFile, held: HeldEntry | None, entry: EntryFile, timing: Timing, landing: Landing
) -> Timing:
    """Return from when a clause counts. ``held`` is its entry as it was, ``timing`` what that of ``entry`` becomes.

    A clause that comes with its entry counts as soon as that does, unless it names a later day. Where an entry means
    another thing each of its clauses does: a clause's number in the records is counted up by either.
    """
    known = held.clauses.get(clause.slug) if held else None
    begins = landing.begins(clause.counts_from)
    found = _timing(
        known,
        landing,
        meaning=clause.meaning + entry.meaning - 1,
        begins=begins,
        holds_from=_holds_from(clause, known, held, entry, timing, landing),
        since=landing.now if held else None,
    )
    with_entry = held is None and found.counts_from is not None and found.counts_from == timing.counts_from
    return Timing(meanings=found.meanings, counts_from=None) if with_entry else found


def _holds_from(
    clause: ClauseFile, known: Held | None, held: HeldEntry | None, entry: EntryFile, timing: Timing, landing: Landing
) -> datetime | None:
    """Return from when the newest meaning of a clause holds: from its own day, or with that of its entry."""
    own = landing.begins(clause.counts_from) or landing.now
    if known is None or held is None:
        return own
    rises = [own] if clause.meaning > _own_meaning(known, held) else []
    if entry.meaning > held.meaning:
        rises.append(datetime.fromisoformat(timing.meanings[str(entry.meaning)]))
    if rises:
        return min(rises)
    with_entry = _newest(held) is not None and _newest(held) == _newest(known)
    return datetime.fromisoformat(timing.meanings[str(held.meaning)]) if with_entry else own


def _own_meaning(clause: Held, entry: HeldEntry) -> int:
    """Return the number that a clause has in its file."""
    return max(1, clause.meaning - entry.meaning + 1)


def _timing(
    held: Held | None,
    landing: Landing,
    *,
    meaning: int,
    begins: datetime | None,
    holds_from: datetime | None,
    since: datetime | None,
) -> Timing:
    now = landing.now
    if held is None:
        meanings = {str(meaning): now.isoformat()} if meaning > 1 else {}
        return Timing(meanings=meanings, counts_from=begins or since)
    meanings = dict(held.meanings)
    if held.retired or _ahead(held.counts_from, now):
        if meaning > held.meaning:
            meanings[str(meaning)] = now.isoformat()
        kept = now if _ahead(held.counts_from, now) else held.counts_from
        return Timing(meanings=meanings, counts_from=begins or kept)
    if meaning > held.meaning or _ahead(_newest(held), now):
        meanings[str(meaning)] = (holds_from or now).isoformat()
    return Timing(meanings=meanings, counts_from=held.counts_from)


def _newest(held: Held) -> datetime | None:
    """Return from when the newest meaning holds; None for the first one, which always held."""
    at = held.meanings.get(str(held.meaning))
    return datetime.fromisoformat(at) if at else None


def _ahead(instant: datetime | None, now: datetime) -> bool:
    return instant is not None and instant > now


def faults(file: ChecklistFile, held: Mapping[str, HeldEntry], landing: Landing) -> list[str]:
    """Return everything in a good file that may not land on what is held, each with its place; empty where it may.

    ``held`` are the entries of this checklist by the file's own slugs, retired ones too.
    """
    return [fault for entry in file.entries for fault in _entry_faults(entry, held.get(entry.slug), landing)]


def _entry_faults(entry: EntryFile, held: HeldEntry | None, landing: Landing) -> Iterator[str]:
    place = _("entry {slug!r}").format(slug=entry.slug)
    if held is not None and held.scope != entry.scope:
        yield (
            _(
                "{place}: its scope is {scope} and stays so, since answers are kept by it: retire this entry and "
                "add another one under another slug"
            ).format(place=place, scope=Scope(held.scope).value)
        )
    yield from _part_faults(place, entry, held, held.meaning if held else 1, landing)
    for clause in entry.clauses:
        known = held.clauses.get(clause.slug) if held else None
        meaning = _own_meaning(known, held) if known and held else 1
        yield from _part_faults(
            _("{place}, clause {slug!r}").format(place=place, slug=clause.slug), clause, known, meaning, landing
        )
    timing = entry_timing(entry, held, landing)
    starts = [clause_timing(clause, held, entry, timing, landing).counts_from for clause in entry.clauses]
    begins = max(timing.counts_from, landing.now) if timing.counts_from else landing.now
    if not any(start is None or start <= begins for start in starts):
        yield (
            _(
                "{place}: all its clauses count later than it does, so it would ask nothing until then: keep a "
                "clause that counts, or announce the entry"
            ).format(place=place)
        )


def _part_faults(
    place: str, file: EntryFile | ClauseFile, held: Held | None, meaning: int, landing: Landing
) -> Iterator[str]:
    if landing.lenient:
        return
    if held is not None:
        yield from _meaning_faults(place, file.meaning, meaning)
    if file.counts_from is None:
        return
    new = held is None or held.retired or file.meaning > meaning
    if not new and held is not None and not _announced(held, landing.now):
        if _same_day(file.counts_from, held, landing):
            return
        yield (
            _(
                "{place}: it counts already, so 'counts_from' cannot change: leave it as it was, or out; where "
                "something else is asked, count 'meaning' up"
            ).format(place=place)
        )
    elif landing.begins(file.counts_from) is None:
        yield (
            _(
                "{place}: 'counts_from' {counts_from} is not ahead: leave it out to count from the landing on, "
                "or name a later day"
            ).format(place=place, counts_from=file.counts_from)
        )


def _announced(held: Held, now: datetime) -> bool:
    return _ahead(held.counts_from, now) or _ahead(_newest(held), now)


def _same_day(day: date, held: Held, landing: Landing) -> bool:
    known = [instant.astimezone(landing.zone).date() for instant in (held.counts_from, _newest(held)) if instant]
    return day in known


def _meaning_faults(place: str, says: int, known: int) -> Iterable[str]:
    if says < known:
        yield (
            _(
                "{place}: 'meaning' goes down from {known} to {says}, and only counts up: {known} where the same "
                "is asked, {next} where something else is"
            ).format(place=place, known=known, says=says, next=known + 1)
        )
    if says > known + 1:
        yield _("{place}: 'meaning' skips from {known} to {says}: the next one is {next}").format(
            place=place, known=known, says=says, next=known + 1
        )
