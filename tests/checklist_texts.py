"""Checklists as texts: a file written back as TOML, and small ones to begin with."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from readiness.enums.words import Kind, Scope
from readiness.rules.checklist_file import ChecklistFile, ClauseFile, EntryFile, SectionFile


def written(file: ChecklistFile) -> str:
    """Return the text of a file: reading it gives the file again."""
    return "\n".join(_lines(file)) + "\n"


def _lines(file: ChecklistFile) -> Iterator[str]:
    yield "[checklist]"
    for name in ("slug", "name", "version", "changes"):
        yield f"{name} = {_value(getattr(file, name))}"
    yield from _translations("checklist", file)
    for section in file.sections:
        yield "[[section]]"
        for name in ("slug", "name", "short"):
            yield f"{name} = {_value(getattr(section, name))}"
        yield from _translations("section", section)
        for entry in section.entries:
            yield "[[section.entry]]"
            yield from _fields(entry, "clauses")
            yield from _translations("section.entry", entry)
            for clause in entry.clauses:
                yield "[[section.entry.clause]]"
                yield from _fields(clause)
                yield from _translations("section.entry.clause", clause)


def _translations(table: str, part: ChecklistFile | SectionFile | EntryFile | ClauseFile) -> Iterator[str]:
    for language, words in part.translations.items():
        yield f"[{table}.{language}]"
        yield from (f"{name} = {_value(value)}" for name, value in words.items())


def _fields(part: EntryFile | ClauseFile, *left_out: str) -> Iterator[str]:
    for name in part.__dataclass_fields__:
        value = getattr(part, name)
        if name in (*left_out, "translations") or (name == "counts_from" and value is None):
            continue
        yield f"{name} = {value.isoformat() if name == 'counts_from' else _value(value)}"


def _value(value: object) -> str:
    if value is None:
        return '""'
    if isinstance(value, timedelta):
        return f'"{value // timedelta(hours=1)}h"'
    if isinstance(value, tuple):
        return json.dumps([str(one) for one in value])
    return json.dumps(value, ensure_ascii=False)


def clause(slug: str = "opens", **given: object) -> ClauseFile:
    """A clause that a person answers."""
    usual = ClauseFile(
        slug=slug,
        text=f"It {slug}.",
        probe="",
        fresh_pass=None,
        fresh_tick=timedelta(days=90),
        tick_needs_link=False,
    )
    return replace(usual, **given)  # type: ignore[arg-type]


def entry(slug: str = "readme", *clauses: ClauseFile, **given: object) -> EntryFile:
    """An entry of every environment, with one clause unless told."""
    usual = EntryFile(
        slug=slug,
        title=slug.capitalize(),
        text=f"The {slug} is right.",
        scope=Scope.ENVIRONMENT,
        kinds=tuple(Kind),
        build_bound=False,
        why="Because.",
        how="Look.",
        evidence="Say.",
        not_covered="",
        clauses=clauses or (clause(),),
    )
    return replace(usual, **given)  # type: ignore[arg-type]


def checklist(*entries: EntryFile, slug: str = "release", version: int = 1) -> ChecklistFile:
    """A checklist of one section."""
    section = SectionFile(slug="docs", name="Documents", short="Docs", entries=entries or (entry(),))
    return ChecklistFile(slug=slug, name=slug.capitalize(), version=version, changes="News.", sections=(section,))
