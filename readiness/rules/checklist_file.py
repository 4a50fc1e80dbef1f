"""The file format of a checklist: TOML in, checked dataclasses out; all that is wrong is said at once."""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum
from typing import TypeVar, cast

from django.utils.translation import gettext as _

from readiness.enums.words import Kind, Scope

from .marking import gettext_noop

MAX_TITLE_CHARACTERS = 40
MAX_SLUG_CHARACTERS = 50
MAX_NAME_CHARACTERS = 120
MAX_SECTION_CHARACTERS = 80
MAX_SHORT_CHARACTERS = 30
MAX_VERSION = 9999
YEARS = range(2000, 3000)

RESERVED_SLUGS = frozenset({"import", "new", "edit"})
"""Words that addresses use beside the slugs of checklists."""

LANGUAGES = ("fr",)
"""The languages beside that of the file in which its words may be had: each part may have a table of that name."""

Translations = Mapping[str, Mapping[str, str]]
"""Words by language and by the name of what they translate; what is not in it has no translation."""

_FILE = gettext_noop("the file")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DURATION = re.compile(r"([1-9][0-9]{0,3})([hd])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_SPACE = re.compile(r"[ \t\n]+")  # French sets a space that does not break before some signs: it stays.

_Part = TypeVar("_Part")


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
    checklist = _checklist(_Table(document, _FILE, problems))
    if problems:
        raise ChecklistFileError(problems)
    return checklist


class _Table:
    """One table of the file. Each read takes a key off it, notes what is wrong and gives a stand-in to go on with.

    Stand-ins are never seen outside: one exists only where a problem was noted, and then ``parse`` raises.
    """

    def __init__(self, table: Mapping[str, object], place: str, problems: list[str]) -> None:
        self._left = dict(table)
        self._problems = problems
        self.place = place

    def problem(self, what: str) -> None:
        place = _(_FILE) if self.place == _FILE else self.place
        self._problems.append(_("{place}: {what}").format(place=place, what=what))

    def done(self) -> None:
        """Note every key that nothing has read."""
        for key in self._left:
            self.problem(_("unknown key {key!r}").format(key=key))

    def _take(self, key: str, kind: type, words: str) -> object:
        if key not in self._left:
            self.problem(_("missing key {key!r}").format(key=key))
            return None
        value = self._left.pop(key)
        if type(value) is not kind:  # An exact match: to isinstance, true is a whole number.
            self.problem(_("{key!r} is not {words}").format(key=key, words=words))
            return None
        return value

    def _text(self, key: str, *, may_be_empty: bool = False) -> str | None:
        """Return the text without the white space around it, ``None`` where a problem was noted."""
        value = cast("str | None", self._take(key, str, _("a text")))
        if value is None:
            return None
        value = value.replace("\r\n", "\n").strip()
        if _CONTROL.search(value):
            self.problem(_("{key!r} has a control character").format(key=key))
            return None
        if not value and not may_be_empty:
            self.problem(_("{key!r} is empty").format(key=key))
            return None
        return value

    def line(self, key: str, *, max_characters: int | None = None, may_be_empty: bool = False) -> str:
        value = self._text(key, may_be_empty=may_be_empty) or ""
        if "\n" in value:
            self.problem(_("{key!r} is more than one line").format(key=key))
        if max_characters is not None and len(value) > max_characters:
            self.problem(
                _("{key!r} has {value} characters, at most {max_characters} fit").format(
                    key=key, value=len(value), max_characters=max_characters
                )
            )
        return value

    def paragraphs(self, key: str, *, may_be_empty: bool = False) -> str:
        value = self._text(key, may_be_empty=may_be_empty) or ""
        folded = (" ".join(_SPACE.split(paragraph.strip())) for paragraph in _BLANK_LINE.split(value))
        return "\n\n".join(paragraph for paragraph in folded if paragraph)

    def slug(self, key: str, *, may_be_empty: bool = False) -> str:
        value = self._text(key, may_be_empty=may_be_empty) or ""
        if value and (len(value) > MAX_SLUG_CHARACTERS or not _SLUG.fullmatch(value)):
            self.problem(
                _(
                    "{key!r} {value!r} is not a slug: lower-case letters and digits in words joined by single "
                    "hyphens, at most {max_slug_characters} characters"
                ).format(key=key, value=value, max_slug_characters=MAX_SLUG_CHARACTERS)
            )
        return value

    def flag(self, key: str) -> bool:
        return self._take(key, bool, _("true or false")) is True

    def version(self, key: str, *, may_be_missing: bool = False) -> int:
        if may_be_missing and key not in self._left:
            return 1
        value = cast("int | None", self._take(key, int, _("a whole number")))
        if value is None:
            return 1
        if not 1 <= value <= MAX_VERSION:
            self.problem(_("{key!r} is not between 1 and {max_version}").format(key=key, max_version=MAX_VERSION))
        return value

    def day(self, key: str) -> date | None:
        """Return a day, written as a TOML date or as a text; None where the key is missing."""
        value = self._left.pop(key, None)
        if isinstance(value, str) and _DAY.fullmatch(value):
            with suppress(ValueError):
                value = date.fromisoformat(value)
        if value is None:
            return None
        if type(value) is not date:  # An exact match: a date with a time of day is a date to isinstance.
            self.problem(_("{key!r} is not a day, like 2027-01-15").format(key=key))
            return None
        if value.year not in YEARS:
            self.problem(
                _("{key!r} is not between the years {first} and {last}").format(key=key, first=YEARS[0], last=YEARS[-1])
            )
            return None
        return value

    def duration(self, key: str, *, problem_if_empty: str = "") -> timedelta | None:
        value = self._text(key, may_be_empty=True)
        if value == "" and problem_if_empty:
            self.problem(problem_if_empty)
        if not value:
            return None
        match = _DURATION.fullmatch(value)
        if match is None:
            self.problem(
                _("{key!r} {value!r} is not a duration: a whole number of hours or days, like '24h' or '90d'").format(
                    key=key, value=value
                )
            )
            return None
        count = int(match[1])
        return timedelta(hours=count) if match[2] == "h" else timedelta(days=count)

    def scope(self, key: str) -> Scope:
        value = self._text(key)
        if value is None:
            return Scope.ENVIRONMENT
        if value not in Scope.values:
            self.problem(_("unknown scope {value!r}: {either}").format(value=value, either=_either(Scope)))
            return Scope.ENVIRONMENT
        return Scope(value)

    def kinds(self, key: str) -> tuple[Kind, ...]:
        """Return the kinds in the order of ``Kind``, whatever the order in the file."""
        values = cast("list[object] | None", self._take(key, list, _("a list")))
        if values is None:
            return ()
        if not values:
            self.problem(_("{key!r} is empty").format(key=key))
        for value in values:
            if value not in Kind.values:
                self.problem(_("unknown kind {value!r}: {either}").format(value=value, either=_either(Kind)))
        if len(values) != len({str(value) for value in values}):
            self.problem(_("{key!r} names a kind twice").format(key=key))
        return tuple(kind for kind in Kind if kind in values)

    def table(self, key: str) -> "_Table":
        value = cast("dict[str, object] | None", self._take(key, dict, _("a table")))
        if value is None:
            return _Table({}, key, [])  # Its keys are missing too, which goes without saying.
        return _Table(value, key, self._problems)

    def translations(
        self, lines: Mapping[str, int | None], paragraphs: Sequence[str] = ()
    ) -> dict[str, dict[str, str]]:
        """Read the table of each language; ``lines`` are the names of short words with how long they may be."""
        found = {}
        for language in LANGUAGES:
            if language not in self._left:
                continue
            value = cast("dict[str, object] | None", self._take(language, dict, _("a table")))
            table = _Table(value or {}, f"{self.place}, {language}", self._problems)
            words = table.words(lines, paragraphs)
            table.done()
            if words:
                found[language] = words
        return found

    def words(self, lines: Mapping[str, int | None], paragraphs: Sequence[str]) -> dict[str, str]:
        """Read the words that are there; what is empty counts as not there."""
        short = {
            key: self.line(key, max_characters=most, may_be_empty=True) for key, most in lines.items() if self.has(key)
        }
        long = {key: self.paragraphs(key, may_be_empty=True) for key in paragraphs if self.has(key)}
        return {key: word for key, word in (short | long).items() if word}

    def has(self, key: str) -> bool:
        return key in self._left

    def parts(self, key: str, read: Callable[["_Table"], _Part], *, named_by_slug: bool = False) -> tuple[_Part, ...]:
        """Read each table of the list under ``key``, which may not be empty.

        The place of a part is its number in the list, from 1, or its slug where ``named_by_slug`` and it is the first
        to have that one.
        """
        values = self._left.pop(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            self.problem(_("{key!r} is not a list of tables").format(key=key))
            return ()
        if not values:
            self.problem(_("no {key}").format(key=key))
        within = "" if self.place == _FILE else f"{self.place}, "
        names: list[str] = []
        for number, value in enumerate(values, start=1):
            slug = value.get("slug")
            by_slug = f"{key} {slug!r}"
            is_usable = named_by_slug and isinstance(slug, str) and _SLUG.fullmatch(slug) and by_slug not in names
            names.append(by_slug if is_usable else f"{key} {number}")
        pairs = zip(names, values, strict=True)
        return tuple(read(_Table(value, within + name, self._problems)) for name, value in pairs)


def _either(words: type[Enum]) -> str:
    return _("one of {these}").format(these=", ".join(str(word.value) for word in words))


def _checklist(file: _Table) -> ChecklistFile:
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


def _section(section: _Table, section_places: dict[str, str], entry_places: dict[str, str]) -> SectionFile:
    slug = _own_slug(section, section_places)
    name = section.line("name", max_characters=MAX_SECTION_CHARACTERS)
    short = section.line("short", max_characters=MAX_SHORT_CHARACTERS)
    entries = section.parts("entry", lambda part: _entry(part, entry_places))
    translations = section.translations({"name": MAX_SECTION_CHARACTERS, "short": MAX_SHORT_CHARACTERS})
    section.done()
    return SectionFile(slug=slug, name=name, short=short, entries=entries, translations=translations)


def _entry(entry: _Table, entry_places: dict[str, str]) -> EntryFile:
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


def _clause(clause: _Table, clause_places: dict[str, str]) -> ClauseFile:
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


def _own_slug(part: _Table, places: dict[str, str]) -> str:
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
