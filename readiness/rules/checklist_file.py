"""The file format of a checklist: TOML in, checked dataclasses out; all that is wrong is said at once."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from django.utils.translation import gettext as _

from readiness.enums.words import Kind, Scope

from .checklist_table import FILE, Table

MAX_TITLE_CHARACTERS = 40
MAX_NAME_CHARACTERS = 120
MAX_SECTION_CHARACTERS = 80
MAX_SHORT_CHARACTERS = 30

RESERVED_SLUGS = frozenset({"import", "new", "edit"})
"""Words that addresses use beside the slugs of checklists."""

Translations = Mapping[str, Mapping[str, str]]
"""Words by language and by the name of what they translate; what is not in it has no translation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseFile:
    """One part of an entry. ``probe`` is empty, and ``fresh_pass`` ``None``, where only a person can answer it.

    ``meaning`` is counted up when something else is asked. ``counts_from`` is the day on which the clause, or its
    newest meaning, begins to count; None: when the version lands.
    """

    slug: str
    text: str
    probe: str
    fresh_pass: timedelta | None
    fresh_tick: timedelta
    tick_needs_link: bool
    meaning: int = 1
    counts_from: date | None = None
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFile:
    """One line of a checklist, with what stands beside it. ``not_covered`` may be empty; no other text is.

    ``meaning`` and ``counts_from`` are as those of a clause.
    """

    slug: str
    title: str
    text: str
    scope: Scope
    kinds: tuple[Kind, ...]
    build_bound: bool
    why: str
    how: str
    evidence: str
    not_covered: str
    clauses: tuple[ClauseFile, ...]
    meaning: int = 1
    counts_from: date | None = None
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionFile:
    """A run of entries under one heading. ``short`` is its name where there is little room."""

    slug: str
    name: str
    short: str
    entries: tuple[EntryFile, ...]
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChecklistFile:
    """One version of a checklist. ``changes`` says what is new in it."""

    slug: str
    name: str
    version: int
    changes: str
    sections: tuple[SectionFile, ...]
    translations: Translations = field(default_factory=dict)

    @property
    def entries(self) -> tuple[EntryFile, ...]:
        """Every entry, in order."""
        return tuple(entry for section in self.sections for entry in section.entries)


class ChecklistFileError(ValueError):
    """A text that is no checklist. ``problems`` are its faults, each with its place; the message has one a line."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


def parse(text: str) -> ChecklistFile:
    """Return the checklist that ``text`` describes, or raise ``ChecklistFileError`` with everything wrong in it.

    Text values lose the white space around them. Those that may have paragraphs (``changes``, ``why``, ``how``,
    ``evidence``, ``not_covered``) come back with one line a paragraph and a blank line between two, however the file
    wraps them.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise ChecklistFileError([_("the file: not TOML: {error}").format(error=error)]) from error
    problems: list[str] = []
    checklist = _checklist(Table(document, FILE, problems))
    if problems:
        raise ChecklistFileError(problems)
    return checklist


def _checklist(file: Table) -> ChecklistFile:
    head = file.table("checklist")
    slug, name = head.slug("slug"), head.line("name", max_characters=MAX_NAME_CHARACTERS)
    if slug in RESERVED_SLUGS:
        head.problem(_("'slug' {slug!r} is part of an address here: choose another word").format(slug=slug))
    version, changes = head.version("version"), head.paragraphs("changes")
    translations = head.translations({"name": MAX_NAME_CHARACTERS}, ["changes"])
    head.done()
    section_places: dict[str, str] = {}
    entry_places: dict[str, str] = {}
    sections = file.parts("section", lambda part: _section(part, section_places, entry_places), named_by_slug=True)
    file.done()
    return ChecklistFile(
        slug=slug, name=name, version=version, changes=changes, sections=sections, translations=translations
    )


def _section(section: Table, section_places: dict[str, str], entry_places: dict[str, str]) -> SectionFile:
    slug = _own_slug(section, section_places)
    name = section.line("name", max_characters=MAX_SECTION_CHARACTERS)
    short = section.line("short", max_characters=MAX_SHORT_CHARACTERS)
    entries = section.parts("entry", lambda part: _entry(part, entry_places))
    translations = section.translations({"name": MAX_SECTION_CHARACTERS, "short": MAX_SHORT_CHARACTERS})
    section.done()
    return SectionFile(slug=slug, name=name, short=short, entries=entries, translations=translations)


def _entry(entry: Table, entry_places: dict[str, str]) -> EntryFile:
    clause_places: dict[str, str] = {}
    read = EntryFile(
        slug=_own_slug(entry, entry_places),
        title=entry.line("title", max_characters=MAX_TITLE_CHARACTERS),
        text=entry.line("text"),
        scope=entry.scope("scope"),
        kinds=entry.kinds("kinds"),
        build_bound=entry.flag("build_bound"),
        why=entry.paragraphs("why"),
        how=entry.paragraphs("how"),
        evidence=entry.paragraphs("evidence"),
        not_covered=entry.paragraphs("not_covered", may_be_empty=True),
        clauses=entry.parts("clause", lambda part: _clause(part, clause_places)),
        meaning=entry.version("meaning", may_be_missing=True),
        counts_from=entry.day("counts_from"),
        translations=entry.translations(
            {"title": MAX_TITLE_CHARACTERS, "text": None}, ["why", "how", "evidence", "not_covered"]
        ),
    )
    if read.build_bound and read.scope is Scope.SERVICE:
        entry.problem(_("'build_bound' is true, and a service runs no one build: say false, or give it another scope"))
    entry.done()
    return read


def _clause(clause: Table, clause_places: dict[str, str]) -> ClauseFile:
    slug, text = _own_slug(clause, clause_places), clause.line("text")
    probe = clause.slug("probe", may_be_empty=True)
    fresh_pass = clause.duration(
        "fresh_pass",
        problem_if_empty=_("'fresh_pass' is empty, though {probe!r} observes this clause").format(probe=probe)
        if probe
        else "",
    )
    if fresh_pass and not probe:
        clause.problem(_("'fresh_pass' is given, though no probe observes this clause"))
    fresh_tick = clause.duration("fresh_tick", problem_if_empty=_("'fresh_tick' is empty"))
    tick_needs_link = clause.flag("tick_needs_link")
    meaning, counts_from = clause.version("meaning", may_be_missing=True), clause.day("counts_from")
    translations = clause.translations({"text": None})
    clause.done()
    return ClauseFile(
        slug=slug,
        text=text,
        probe=probe,
        fresh_pass=fresh_pass,
        fresh_tick=fresh_tick or timedelta(),
        tick_needs_link=tick_needs_link,
        meaning=meaning,
        counts_from=counts_from,
        translations=translations,
    )


def _own_slug(part: Table, places: dict[str, str]) -> str:
    """Read the part's slug, which no part in ``places`` may have, and remember where it stands."""
    slug = part.slug("slug")
    if slug in places:
        part.problem(_("slug {slug!r} is taken by {places}").format(slug=slug, places=places[slug]))
    elif slug:
        places[slug] = part.place
    return slug


def as_written(file: ChecklistFile) -> ChecklistFile:
    """Return a checklist in its own language alone."""
    sections = (
        replace(
            section,
            translations={},
            entries=tuple(
                replace(
                    entry,
                    translations={},
                    clauses=tuple(replace(clause, translations={}) for clause in entry.clauses),
                )
                for entry in section.entries
            ),
        )
        for section in file.sections
    )
    return replace(file, translations={}, sections=tuple(sections))


_HEAD = re.compile(r"^\[checklist\][^\n]*\n(?P<body>.*?)(?=^\[\[section\]\]|\Z)", re.MULTILINE | re.DOTALL)
_VERSION = re.compile(r"^(?P<before>version[ \t]*=[ \t]*)[0-9]+", re.MULTILINE)
_CHANGES = re.compile(
    r'^(?P<before>changes[ \t]*=[ \t]*)(?:""".*?"""|"(?!"")(?:[^"\\\n]|\\.)*")', re.MULTILINE | re.DOTALL
)


def next_version(text: str, version: int) -> str:
    """Return a good file as one begins its next version: the number counted up from ``version``, ``changes`` empty.

    Everything else stays word for word. Where the head is written in another way than ours, it stays too.
    """
    head = _HEAD.search(text)
    if head is None:
        return text
    body = _VERSION.sub(rf"\g<before>{version + 1}", head["body"], count=1)
    body = _CHANGES.sub(r'\g<before>""', body)
    return text[: head.start("body")] + body + text[head.end("body") :]
