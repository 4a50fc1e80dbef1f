"""Checklists for their pages: what each asks, from when, and what each version changed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Prefetch, Q

from readiness.models import Checklist, ChecklistVersion, Clause, Entry, Section
from readiness.observers import Observer, observers
from readiness.rules.checklist_changes import ChangeGroup, changes
from readiness.rules.checklist_file import ChecklistFile, next_version, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistLine:
    """One checklist of the list: its newest version (None where its file was not kept), and how many entries it has."""

    checklist: Checklist
    newest: ChecklistVersion | None
    entries: int


def checklists() -> list[ChecklistLine]:
    """Return every checklist, everybody's first. Two queries."""
    asked = Q(sections__entries__retired_at=None, sections__entries__isnull=False)
    found = Checklist.objects.select_related("team").annotate(asked=Count("sections__entries", filter=asked))
    landed = ChecklistVersion.objects.select_related("landed_by").defer("text").order_by("version")
    versions = {one.checklist_id: one for one in landed}
    lines = [ChecklistLine(checklist=one, newest=versions.get(one.pk), entries=one.asked) for one in found]
    return sorted(lines, key=lambda line: (line.checklist.team is not None, line.checklist.name.lower()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """An instant to come from which something counts; ``meaning`` where it is another meaning of what counts now."""

    at: datetime
    meaning: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseLine:
    """One clause of the page. ``observer`` is None where no installed probe observes it."""

    clause: Clause
    observer: Observer | None
    announced: Announced | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryLine:
    """One entry of the page, under the slug that its file gives it."""

    entry: Entry
    slug: str
    clauses: Sequence[ClauseLine]
    announced: Announced | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionLines:
    """One section of the page."""

    section: Section
    entries: Sequence[EntryLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class VersionLine:
    """One version that landed, with what it changed against the one before it."""

    version: ChecklistVersion
    changes: Sequence[ChangeGroup]
    first: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistPage:
    """What the page of a checklist shows."""

    checklist: Checklist
    sections: Sequence[SectionLines]
    versions: Sequence[VersionLine]

    @property
    def count(self) -> int:
        """How many entries it has."""
        return sum(len(section.entries) for section in self.sections)

    @property
    def announced(self) -> Sequence["AnnouncedPart"]:
        """What counts only from an instant to come, the nearest first: entries, and clauses of those that count."""
        return sorted(_all_announced(self.sections), key=lambda part: part.announced.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnouncedPart:
    """An entry, or one clause of it, that counts only from an instant to come."""

    entry: EntryLine
    clause: Clause | None
    announced: Announced


def _all_announced(sections: Sequence[SectionLines]) -> Iterator[AnnouncedPart]:
    for line in (line for section in sections for line in section.entries):
        own = [(one.clause, one.announced) for one in line.clauses if one.announced != line.announced]
        parts = [(None, line.announced), *own]
        for clause, announced in parts:
            if announced is not None:
                yield AnnouncedPart(entry=line, clause=clause, announced=announced)


def checklist_page(checklist: Checklist, at: datetime) -> ChecklistPage:
    """Return a checklist with its entries as they are asked, and its versions, the newest first. Four queries."""
    clauses = Clause.objects.filter(retired_at=None).order_by("position")
    found = Entry.objects.filter(section__checklist=checklist, retired_at=None).select_related("section")
    sections: dict[int, tuple[Section, list[EntryLine]]] = {}
    known = observers()
    for entry in found.prefetch_related(Prefetch("clauses", clauses)):
        _, lines = sections.setdefault(entry.section_id, (entry.section, []))
        lines.append(_entry_line(entry, checklist, known, at))
    return ChecklistPage(
        checklist=checklist,
        sections=[SectionLines(section=section, entries=lines) for section, lines in sections.values()],
        versions=_versions(checklist),
    )


def _entry_line(entry: Entry, checklist: Checklist, known: dict[str, Observer], at: datetime) -> EntryLine:
    return EntryLine(
        entry=entry,
        slug=entry.slug.removeprefix(f"{checklist.slug}--"),
        clauses=[
            ClauseLine(clause=clause, observer=known.get(clause.probe), announced=announced(clause, at))
            for clause in entry.clauses.all()
        ],
        announced=announced(entry, at),
    )


def announced(part: Entry | Clause, at: datetime) -> Announced | None:
    """Return from when an entry or a clause counts, or means another thing, where that is still to come."""
    if part.counts_from is not None and part.counts_from > at:
        return Announced(at=part.counts_from, meaning=False)
    later = [datetime.fromisoformat(one) for one in part.meanings.values()]
    ahead = [instant for instant in later if instant > at]
    return Announced(at=min(ahead), meaning=True) if ahead else None


def _versions(checklist: Checklist) -> list[VersionLine]:
    found = list(checklist.versions.select_related("landed_by").order_by("version"))
    files = [parse(version.text) for version in found]
    lines = [
        VersionLine(version=version, changes=changes(before, file), first=before is None)
        for version, before, file in zip(found, [None, *files], files, strict=False)
    ]
    return lines[::-1]


def newest_version(checklist: Checklist) -> ChecklistVersion | None:
    """Return the version that is held, with its text; None where that was not kept."""
    return checklist.versions.filter(version=checklist.version).select_related("landed_by").first()


def version_file(checklist: Checklist | None) -> ChecklistFile | None:
    """Return the file of the version that is held; None where there is none."""
    held = newest_version(checklist) if checklist is not None else None
    return parse(held.text) if held is not None else None


def next_text(checklist: Checklist) -> str:
    """Return the file of a checklist as its next version begins; empty where it was not kept."""
    held = newest_version(checklist)
    return next_version(held.text, held.version) if held is not None else ""


def unknown_probes(file: ChecklistFile, *, held: ChecklistFile | None) -> list[str]:
    """Return the probes that a file names, that are not installed, and that the version held does not name already."""
    known = {*observers(), *(_probes(held) if held else ())}
    return [probe for probe in _probes(file) if probe not in known]


def _probes(file: ChecklistFile) -> list[str]:
    return list(dict.fromkeys(clause.probe for entry in file.entries for clause in entry.clauses if clause.probe))
