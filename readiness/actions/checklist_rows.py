"""Write a version of a checklist into its rows, and fold again exactly what it changed."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from django.db import models
from django.db.models import F
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from readiness.models import Checklist, ChecklistVersion, Clause, Entry, Environment, Item, Section, Team, User
from readiness.rules.checklist_file import ChecklistFile, ChecklistFileError, ClauseFile, EntryFile
from readiness.rules.checklist_landing import (
    Held,
    HeldEntry,
    Landing,
    Timing,
    clause_timing,
    entry_timing,
    faults,
)

from .folding import lock_item, refresh
from .services import add_missing_items

_Row = TypeVar("_Row", bound=models.Model)

Asked = tuple[object, ...]
"""What the items of an entry are folded by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedEntry:
    """An entry as it will be. ``row`` is what is held of it, None where it is new; ``clauses`` are timed in order."""

    file: EntryFile
    slug: str
    row: Entry | None
    rows: Mapping[str, Clause]
    timing: Timing
    clauses: tuple[tuple[ClauseFile, Timing], ...]

    @property
    def asked(self) -> Asked:
        """What its items will be folded by."""
        clauses = tuple(
            (clause.slug, clause.probe, timing.counts_from, _same(timing.meanings)) for clause, timing in self.clauses
        )
        return (self.file.build_bound, _same(self.timing.meanings), None, clauses)

    @property
    def asked_before(self) -> Asked | None:
        """What its items are folded by now; None for a new entry."""
        if self.row is None:
            return None
        clauses = tuple(
            (clause.slug, clause.probe, clause.counts_from, _same(clause.meanings))
            for clause in sorted(self.rows.values(), key=lambda one: one.position)
            if clause.retired_at is None
        )
        return (self.row.build_bound, _same(self.row.meanings), self.row.retired_at, clauses)

    @property
    def asks_again(self) -> bool:
        """Whether a person who saw the entry before would answer something else, or less, than it asks."""
        if self.row is None:
            return False
        if self.timing.meanings != self.row.meanings:
            return True
        known = {slug: clause.meanings for slug, clause in self.rows.items() if clause.retired_at is None}
        return any(known.get(clause.slug) != timing.meanings for clause, timing in self.clauses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What landing a file does. ``gone`` are the entries that it retires."""

    file: ChecklistFile
    held: Checklist | None
    team: Team | None
    entries: tuple[PlannedEntry, ...]
    gone: tuple[Entry, ...]

    def instants(self) -> set[datetime]:
        """Return every instant at which something begins to count or to mean another thing, before and after."""
        found = {at for entry in self.entries for timing in _timings(entry) for at in timing.instants()}
        for entry in self.entries:
            for row in (entry.row, *entry.rows.values()):
                if row is not None:
                    found |= set(Timing(meanings=row.meanings, counts_from=row.counts_from).instants())
        return found

    @property
    def changed(self) -> list[Entry]:
        """The held entries whose items have to be folded again."""
        return [one.row for one in self.entries if one.row is not None and one.asked_before != one.asked]

    @property
    def asked_again(self) -> list[Entry]:
        """Those of them of which whoever saw their items before has to be told."""
        return [one.row for one in self.entries if one.row is not None and one.asks_again]

    def announced(self, now: datetime) -> dict[str, str]:
        """Return from when the entries and clauses count that do not count yet, by their slugs in the file."""
        found: dict[str, str] = {}
        for entry in self.entries:
            named = [(entry.file.slug, entry.timing)]
            named += [(f"{entry.file.slug}/{clause.slug}", timing) for clause, timing in entry.clauses]
            for name, timing in named:
                ahead = [at for at in timing.instants() if at > now]
                if ahead:
                    found[name] = min(ahead).isoformat()
        return found


def _timings(entry: PlannedEntry) -> Iterator[Timing]:
    yield entry.timing
    yield from (timing for _, timing in entry.clauses)


def plan(file: ChecklistFile, *, held: Checklist | None, team: Team | None, lenient: bool, now: datetime) -> Plan:
    """Return what landing a file does to what is held; raises ``ChecklistFileError`` with each reason why it may not.

    The checklists must be held for landing.
    """
    owner = held.team if held else team
    prefix = f"{file.slug}--" if owner else ""
    rows = list(Entry.objects.filter(section__checklist=held).prefetch_related("clauses")) if held else []
    by_slug = {row.slug.removeprefix(prefix): row for row in rows}
    known = {slug: _held(row) for slug, row in by_slug.items()}
    always = held is None and not Environment.objects.exists()
    landing = Landing(now=now, zone=timezone.get_current_timezone(), since=None if always else now, lenient=lenient)
    problems = [*_version_faults(file, held, team), *_clashes(file, held, prefix), *faults(file, known, landing)]
    if problems:
        raise ChecklistFileError(problems)
    asked = {entry.slug for entry in file.entries}
    return Plan(
        file=file,
        held=held,
        team=owner,
        entries=tuple(
            _planned(entry, prefix, by_slug.get(entry.slug), known.get(entry.slug), landing) for entry in file.entries
        ),
        gone=tuple(row for slug, row in by_slug.items() if slug not in asked and row.retired_at is None),
    )


def _planned(
    entry: EntryFile, prefix: str, row: Entry | None, held: HeldEntry | None, landing: Landing
) -> PlannedEntry:
    timing = entry_timing(entry, held, landing)
    return PlannedEntry(
        file=entry,
        slug=prefix + entry.slug,
        row=row,
        rows={clause.slug: clause for clause in row.clauses.all()} if row else {},
        timing=timing,
        clauses=tuple((clause, clause_timing(clause, held, entry, timing, landing)) for clause in entry.clauses),
    )


def _held(row: Entry) -> HeldEntry:
    return HeldEntry(
        meanings=row.meanings,
        counts_from=row.counts_from,
        retired=row.retired_at is not None,
        scope=row.scope,
        clauses={
            clause.slug: Held(
                meanings=clause.meanings, counts_from=clause.counts_from, retired=clause.retired_at is not None
            )
            for clause in row.clauses.all()
        },
    )


def _version_faults(file: ChecklistFile, held: Checklist | None, team: Team | None) -> Iterator[str]:
    if held is None:
        return
    if team is not None and team.pk != held.team_id:
        yield (
            _("checklist: {slug!r} is {team}'s and stays so: choose another slug").format(
                slug=file.slug, team=held.team
            )
            if held.team
            else _("checklist: {slug!r} is everybody's and stays so: choose another slug").format(slug=file.slug)
        )
    if file.version <= held.version:
        yield _("checklist: version {version} has landed: count 'version' up to {next}").format(
            version=held.version, next=held.version + 1
        )


def _clashes(file: ChecklistFile, held: Checklist | None, prefix: str) -> Iterator[str]:
    taken = Entry.objects.filter(slug__in=[prefix + entry.slug for entry in file.entries])
    if held is not None:
        taken = taken.exclude(section__checklist=held)
    for row in taken.select_related("section__checklist"):
        yield (
            _(
                "entry {slug!r}: the slug is taken by an entry of {checklist}: choose another one, or import "
                "this as a team's own checklist"
            ).format(slug=row.slug, checklist=row.section.checklist)
        )


def write(plan: Plan, *, text: str, by: User | None, now: datetime) -> ChecklistVersion:
    """Write the rows of a plan and fold the items again that it changes. The ledger is the caller's.

    Items are locked by key before anything is written. Where an entry asks something else, or more, than it did, its
    items' version counts up: who saw the older one and answers now is told.
    """
    keys = Item.objects.filter(entry__in=plan.changed).order_by("pk").select_for_update(no_key=True)
    locked = list(keys.values_list("pk", flat=True))
    again = [entry.pk for entry in plan.asked_again]
    elsewhere = any(_asked_elsewhere(entry) for entry in plan.entries)
    version = _write_rows(plan, text, by, now)
    if elsewhere:
        for environment in Environment.objects.select_related("service"):
            add_missing_items(environment)
    Item.objects.filter(pk__in=locked, entry__in=again).update(version=F("version") + 1)
    for item_id in locked:
        refresh(lock_item(item_id), now=now)
    return version


def _same(meanings: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(meanings.items()))


def _asked_elsewhere(entry: PlannedEntry) -> bool:
    """Whether an environment may lack an item of it: it is new, came back, or applies to other kinds."""
    row = entry.row
    return row is None or row.retired_at is not None or set(row.kinds) != {str(kind) for kind in entry.file.kinds}


def _write_rows(plan: Plan, text: str, by: User | None, now: datetime) -> ChecklistVersion:
    file = plan.file
    held = plan.held
    checklist = Checklist.objects.get(pk=held.pk) if held else Checklist(slug=file.slug, team=plan.team)
    _save(checklist, name=file.name, version=file.version, changes=file.changes, translations=file.translations)
    version = ChecklistVersion.objects.create(
        checklist=checklist, version=file.version, text=text, changes=file.changes, landed_at=now, landed_by=by
    )
    by_slug = {entry.file.slug: entry for entry in plan.entries}
    known = {section.slug: section for section in Section.objects.filter(checklist=checklist)}
    for number, part in enumerate(file.sections):
        section = known.get(part.slug) or Section(checklist=checklist, slug=part.slug)
        _save(section, name=part.name, short=part.short, position=number, translations=part.translations)
        for place, entry in enumerate(part.entries):
            _write_entry(by_slug[entry.slug], section, place, now)
    Entry.objects.filter(pk__in=[row.pk for row in plan.gone]).update(retired_at=now)
    return version


def _write_entry(entry: PlannedEntry, section: Section, place: int, now: datetime) -> None:
    file = entry.file
    row = entry.row or Entry(slug=entry.slug)
    _save(
        row,
        section=section,
        title=file.title,
        text=file.text,
        scope=str(file.scope),
        kinds=[str(kind) for kind in file.kinds],
        build_bound=file.build_bound,
        why=file.why,
        how=file.how,
        evidence=file.evidence,
        not_covered=file.not_covered,
        position=place,
        translations=file.translations,
        meanings=entry.timing.meanings,
        counts_from=entry.timing.counts_from,
        retired_at=None,
    )
    kept = set()
    for number, (clause, timing) in enumerate(entry.clauses):
        held = entry.rows.get(clause.slug) or Clause(entry=row, slug=clause.slug)
        _save(
            held,
            text=clause.text,
            probe=clause.probe,
            fresh_pass=clause.fresh_pass,
            fresh_tick=clause.fresh_tick,
            tick_needs_link=clause.tick_needs_link,
            position=number,
            translations=clause.translations,
            meanings=timing.meanings,
            counts_from=timing.counts_from,
            retired_at=None,
        )
        kept.add(held.pk)
    gone = [one.pk for one in entry.rows.values() if one.pk not in kept and one.retired_at is None]
    Clause.objects.filter(pk__in=gone).update(retired_at=now)


def write_translations(held: Checklist, newest: ChecklistVersion, file: ChecklistFile, *, text: str) -> None:
    """Take the translations of a file that says the same as the newest version in its own language."""
    _save(newest, text=text)
    _save(held, translations=file.translations)
    sections = {section.slug: section for section in held.sections.prefetch_related("entries__clauses")}
    prefix = f"{file.slug}--" if held.team_id else ""
    for part in file.sections:
        _save(sections[part.slug], translations=part.translations)
        rows = {row.slug: row for row in sections[part.slug].entries.all()}
        for entry in part.entries:
            row = rows[prefix + entry.slug]
            _save(row, translations=entry.translations)
            clauses = {clause.slug: clause for clause in row.clauses.all()}
            for clause in entry.clauses:
                _save(clauses[clause.slug], translations=clause.translations)


def _save(row: _Row, **columns: Any) -> None:
    """Insert a new row, or update what is another value than what was written before, whoever reads it how."""
    with translation.override(None):
        changed = [name for name, value in columns.items() if row.pk is None or getattr(row, name) != value]
    for name in changed:
        setattr(row, name, columns[name])
    if row.pk is None:
        row.save()
    elif changed:
        row.save(update_fields=changed)
