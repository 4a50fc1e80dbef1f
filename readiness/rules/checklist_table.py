"""Reading one table of a checklist's file: each read takes a key off it and notes what is wrong with it."""

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from enum import Enum
from typing import TypeVar, cast

from django.utils.translation import gettext as _

from readiness.enums.words import Kind, Scope

from .marking import gettext_noop

MAX_SLUG_CHARACTERS = 50
MAX_VERSION = 9999
YEARS = range(2000, 3000)

LANGUAGES = ("fr",)
"""The languages beside that of the file in which its words may be had: each part may have a table of that name."""

FILE = gettext_noop("the file")
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")
_DURATION = re.compile(r"([1-9][0-9]{0,3})([hd])")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_SPACE = re.compile(r"[ \t\n]+")  # French sets a space that does not break before some signs: it stays.

Part = TypeVar("Part")


class Table:
    """One table of the file. Each read takes a key off it, notes what is wrong and gives a stand-in to go on with.

    Stand-ins are never seen outside: one exists only where a problem was noted, and then ``parse`` raises.
    """

    def __init__(self, table: Mapping[str, object], place: str, problems: list[str]) -> None:
        self._left = dict(table)
        self._problems = problems
        self.place = place

    def problem(self, what: str) -> None:
        place = _(FILE) if self.place == FILE else self.place
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

    def table(self, key: str) -> "Table":
        value = cast("dict[str, object] | None", self._take(key, dict, _("a table")))
        if value is None:
            return Table({}, key, [])  # Its keys are missing too, which goes without saying.
        return Table(value, key, self._problems)

    def translations(
        self, lines: Mapping[str, int | None], paragraphs: Sequence[str] = ()
    ) -> dict[str, dict[str, str]]:
        """Read the table of each language; ``lines`` are the names of short words with how long they may be."""
        found = {}
        for language in LANGUAGES:
            if language not in self._left:
                continue
            value = cast("dict[str, object] | None", self._take(language, dict, _("a table")))
            table = Table(value or {}, f"{self.place}, {language}", self._problems)
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

    def parts(self, key: str, read: Callable[["Table"], Part], *, named_by_slug: bool = False) -> tuple[Part, ...]:
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
        within = "" if self.place == FILE else f"{self.place}, "
        names: list[str] = []
        for number, value in enumerate(values, start=1):
            slug = value.get("slug")
            by_slug = f"{key} {slug!r}"
            is_usable = named_by_slug and isinstance(slug, str) and _SLUG.fullmatch(slug) and by_slug not in names
            names.append(by_slug if is_usable else f"{key} {number}")
        pairs = zip(names, values, strict=True)
        return tuple(read(Table(value, within + name, self._problems)) for name, value in pairs)


def _either(words: type[Enum]) -> str:
    return _("one of {these}").format(these=", ".join(str(word.value) for word in words))
