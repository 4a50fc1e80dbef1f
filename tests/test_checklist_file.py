"""A checklist file: a good one is read whole, a bad one is refused with every fault and its place."""

from datetime import date, timedelta

import pytest
from hypothesis import given, strategies

from readiness.enums.words import Kind, Scope
from readiness.rules.checklist_file import (
    ChecklistFile,
    ChecklistFileError,
    ClauseFile,
    EntryFile,
    SectionFile,
    next_version,
    parse,
)

HEAD = """
[checklist]
slug = "release"
name = "Release"
version = 2
changes = "Two more."
"""
SECTION = """
[[section]]
slug = "docs"
name = "Documents"
short = "Docs"
"""
ENTRY = """
[[section.entry]]
slug = "readme"
title = "Readme"
text = "The readme is up to date."
scope = "environment"
kinds = ["prod", "dev"]
build_bound = true
why = "Because."
how = "Write it."
evidence = "Link it."
not_covered = ""
"""
CLAUSE = """
[[section.entry.clause]]
slug = "opens"
text = "It opens."
probe = "evidence-links"
fresh_pass = "36h"
fresh_tick = "10d"
tick_needs_link = true
"""
SMALL = HEAD + SECTION + ENTRY + CLAUSE

AT_CHECKLIST = "checklist: "
AT_SECTION = "section 'docs': "
AT_ENTRY = "section 'docs', entry 1: "
AT_CLAUSE = "section 'docs', entry 1, clause 1: "


def slug_problem(key_and_value: str) -> str:
    return (
        f"{key_and_value} is not a slug: lower-case letters and digits in words joined by single hyphens, "
        "at most 50 characters"
    )


def duration_problem(key_and_value: str) -> str:
    return f"{key_and_value} is not a duration: a whole number of hours or days, like '24h' or '90d'"


def changed(old: str, new: str) -> str:
    assert SMALL.count(old) == 1, old
    return SMALL.replace(old, new)


def problems_of(text: str) -> tuple[str, ...]:
    with pytest.raises(ChecklistFileError) as caught:
        parse(text)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


# Reading


def test_every_value_of_a_file_is_read() -> None:
    checklist = parse(SMALL)
    (section,) = checklist.sections
    (entry,) = section.entries
    assert entry.clauses == (
        ClauseFile(
            slug="opens",
            text="It opens.",
            probe="evidence-links",
            fresh_pass=timedelta(hours=36),
            fresh_tick=timedelta(days=10),
            tick_needs_link=True,
        ),
    )
    assert entry == EntryFile(
        slug="readme",
        title="Readme",
        text="The readme is up to date.",
        scope=Scope.ENVIRONMENT,
        kinds=(Kind.DEV, Kind.PROD),
        build_bound=True,
        why="Because.",
        how="Write it.",
        evidence="Link it.",
        not_covered="",
        clauses=entry.clauses,
    )
    assert section == SectionFile(slug="docs", name="Documents", short="Docs", entries=(entry,))
    assert checklist == ChecklistFile(
        slug="release", name="Release", version=2, changes="Two more.", sections=(section,)
    )


def test_a_clause_that_only_a_person_answers_has_no_time_for_a_pass() -> None:
    text = SMALL.replace('"evidence-links"', '""').replace('"36h"', '""')
    clause = parse(text).sections[0].entries[0].clauses[0]
    assert (clause.probe, clause.fresh_pass, clause.fresh_tick) == ("", None, timedelta(days=10))


def test_lines_of_a_paragraph_are_joined_and_blank_lines_part_paragraphs() -> None:
    text = changed(
        'how = "Write it."', 'how = """\n  First,\n  write it.\n\n \nThen read  it.\r\n\r\nThen sign it.\n"""'
    )
    assert parse(text).sections[0].entries[0].how == "First, write it.\n\nThen read it.\n\nThen sign it."


def test_the_same_clause_slug_may_stand_in_two_entries() -> None:
    text = SMALL + ENTRY.replace('"readme"', '"licence"') + CLAUSE
    assert [entry.clauses[0].slug for entry in parse(text).sections[0].entries] == ["opens", "opens"]


def test_a_title_of_forty_characters_fits() -> None:
    assert parse(changed('"Readme"', f'"{"x" * 40}"')).sections[0].entries[0].title == "x" * 40


@pytest.mark.parametrize("day", ["2027-01-15", "'2027-01-15'", '"2027-01-15"'])
def test_a_meaning_and_a_day_to_count_from_are_read_of_entries_and_of_clauses(day: str) -> None:
    more = f"meaning = 3\ncounts_from = {day}\n"
    (entry,) = parse(HEAD + SECTION + ENTRY + more + CLAUSE + more).entries
    assert (entry.meaning, entry.counts_from) == (3, date(2027, 1, 15))
    assert (entry.clauses[0].meaning, entry.clauses[0].counts_from) == (3, date(2027, 1, 15))


def test_a_checklist_that_says_nothing_of_meanings_means_what_it_always_meant() -> None:
    (entry,) = parse(SMALL).entries
    assert [(part.meaning, part.counts_from) for part in (entry, *entry.clauses)] == [(1, None), (1, None)]


# Writing the next one


def test_the_next_version_is_the_same_text_with_its_number_counted_up_and_the_changes_to_write() -> None:
    begun = HEAD.replace('version = 2\nchanges = "Two more."', 'version = 3\nchanges = ""')
    assert next_version(SMALL, 2) == SMALL.replace(HEAD, begun)
    long = SMALL.replace('"Two more."', '"""\nTwo more:\n\n[one] and "two".\n"""')
    assert parse(next_version(long, 2).replace('changes = ""', 'changes = "x"')).version == 3


@given(strategies.text(max_size=200))
def test_the_next_version_of_any_text_is_a_text(text: str) -> None:
    assert isinstance(next_version(text, 1), str)


# Refusing


CHANGES_AND_THEIR_PROBLEMS = [
    ("version = 2\n", "", AT_CHECKLIST + "missing key 'version'"),
    ('short = "Docs"\n', "", AT_SECTION + "missing key 'short'"),
    ('why = "Because."\n', "", AT_ENTRY + "missing key 'why'"),
    ('fresh_tick = "10d"\n', "", AT_CLAUSE + "missing key 'fresh_tick'"),
    ("version = 2", "version = 2\nby = 1", AT_CHECKLIST + "unknown key 'by'"),
    (SECTION, SECTION + "note = 1\n", AT_SECTION + "unknown key 'note'"),
    (ENTRY, ENTRY + "owner = 1\n", AT_ENTRY + "unknown key 'owner'"),
    ('"release"', '"Re lease"', AT_CHECKLIST + slug_problem("'slug' 'Re lease'")),
    ('"docs"', '"-docs"', "section 1: " + slug_problem("'slug' '-docs'")),
    ('"readme"', '"read--me"', AT_ENTRY + slug_problem("'slug' 'read--me'")),
    ('"opens"', '"öffnet"', AT_CLAUSE + slug_problem("'slug' 'öffnet'")),
    ('"opens"', f'"{"x" * 51}"', AT_CLAUSE + slug_problem(f"'slug' '{'x' * 51}'")),
    ('"evidence-links"', '"Links"', AT_CLAUSE + slug_problem("'probe' 'Links'")),
    ('"36h"', '"1.5d"', AT_CLAUSE + duration_problem("'fresh_pass' '1.5d'")),
    ('"10d"', '"10"', AT_CLAUSE + duration_problem("'fresh_tick' '10'")),
    ('"10d"', '"0d"', AT_CLAUSE + duration_problem("'fresh_tick' '0d'")),
    ('"10d"', '"99999d"', AT_CLAUSE + duration_problem("'fresh_tick' '99999d'")),
    ('"10d"', '"\u0663d"', AT_CLAUSE + duration_problem("'fresh_tick' '\u0663d'")),
    ('"10d"', '""', AT_CLAUSE + "'fresh_tick' is empty"),
    ('"10d"', "10", AT_CLAUSE + "'fresh_tick' is not a text"),
    ('"36h"', '""', AT_CLAUSE + "'fresh_pass' is empty, though 'evidence-links' observes this clause"),
    ('"evidence-links"', '""', AT_CLAUSE + "'fresh_pass' is given, though no probe observes this clause"),
    ('"environment"', '"team"', AT_ENTRY + "unknown scope 'team': one of service, environment"),
    ('"dev"]', '"qa"]', AT_ENTRY + "unknown kind 'qa': one of dev, staging, prod"),
    ('"dev"]', "3]", AT_ENTRY + "unknown kind 3: one of dev, staging, prod"),
    ('"dev"]', '"prod"]', AT_ENTRY + "'kinds' names a kind twice"),
    ('["prod", "dev"]', "[]", AT_ENTRY + "'kinds' is empty"),
    ('["prod", "dev"]', '"prod"', AT_ENTRY + "'kinds' is not a list"),
    ('"Documents"', '""', AT_SECTION + "'name' is empty"),
    ('"The readme is up to date."', '" "', AT_ENTRY + "'text' is empty"),
    ('"Link it."', '"""\n\n"""', AT_ENTRY + "'evidence' is empty"),
    ('"It opens."', '""', AT_CLAUSE + "'text' is empty"),
    ('"Two more."', '""', AT_CHECKLIST + "'changes' is empty"),
    ('"It opens."', '"It\\nopens."', AT_CLAUSE + "'text' is more than one line"),
    ('"Because."', '"\\u0000"', AT_ENTRY + "'why' has a control character"),
    ('"Readme"', f'"{"x" * 41}"', AT_ENTRY + "'title' has 41 characters, at most 40 fit"),
    ('"Docs"', f'"{"x" * 41}"', AT_SECTION + "'short' has 41 characters, at most 30 fit"),
    ("version = 2", "version = 0", AT_CHECKLIST + "'version' is not between 1 and 9999"),
    ("version = 2", "version = true", AT_CHECKLIST + "'version' is not a whole number"),
    ("build_bound = true", "build_bound = 1", AT_ENTRY + "'build_bound' is not true or false"),
    (
        '"environment"',
        '"service"',
        AT_ENTRY + "'build_bound' is true, and a service runs no one build: say false, or give it another scope",
    ),
    ('"release"', '"import"', AT_CHECKLIST + "'slug' 'import' is part of an address here: choose another word"),
    ('"Release"', f'"{"x" * 121}"', AT_CHECKLIST + "'name' has 121 characters, at most 120 fit"),
    ('"Documents"', f'"{"x" * 81}"', AT_SECTION + "'name' has 81 characters, at most 80 fit"),
    (ENTRY, ENTRY + "meaning = 0\n", AT_ENTRY + "'meaning' is not between 1 and 9999"),
    (ENTRY, ENTRY + "meaning = '2'\n", AT_ENTRY + "'meaning' is not a whole number"),
    (ENTRY, ENTRY + "counts_from = 2027-01-15T00:00:00\n", AT_ENTRY + "'counts_from' is not a day, like 2027-01-15"),
    (ENTRY, ENTRY + "counts_from = '2027-02-29'\n", AT_ENTRY + "'counts_from' is not a day, like 2027-01-15"),
    (ENTRY, ENTRY + "counts_from = '20270115'\n", AT_ENTRY + "'counts_from' is not a day, like 2027-01-15"),
    (ENTRY, ENTRY + "counts_from = ''\n", AT_ENTRY + "'counts_from' is not a day, like 2027-01-15"),
    (ENTRY, ENTRY + "counts_from = 9999-12-31\n", AT_ENTRY + "'counts_from' is not between the years 2000 and 2999"),
]


@pytest.mark.parametrize(("old", "new", "problem"), CHANGES_AND_THEIR_PROBLEMS)
def test_a_fault_in_a_value_is_named_with_its_place(old: str, new: str, problem: str) -> None:
    assert problems_of(changed(old, new)) == (problem,)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (SMALL.replace(HEAD, ""), "the file: missing key 'checklist'"),
        ("author = 1\n" + SMALL, "the file: unknown key 'author'"),
        (SMALL + "colour = 1\n", AT_CLAUSE + "unknown key 'colour'"),
        (SMALL + ENTRY + CLAUSE, "section 'docs', entry 2: slug 'readme' is taken by section 'docs', entry 1"),
        (
            SMALL + SECTION.replace('"docs"', '"more"') + ENTRY + CLAUSE,
            "section 'more', entry 1: slug 'readme' is taken by section 'docs', entry 1",
        ),
        (
            SMALL + SECTION + ENTRY.replace('"readme"', '"licence"') + CLAUSE,
            "section 2: slug 'docs' is taken by section 'docs'",
        ),
        (
            SMALL + CLAUSE,
            "section 'docs', entry 1, clause 2: slug 'opens' is taken by section 'docs', entry 1, clause 1",
        ),
        (HEAD, "the file: no section"),
        (HEAD + SECTION, AT_SECTION + "no entry"),
        (HEAD + SECTION + ENTRY, AT_ENTRY + "no clause"),
        ("section = 1\n" + HEAD, "the file: 'section' is not a list of tables"),
        (HEAD + SECTION + ENTRY + "clause = ['opens']\n", AT_ENTRY + "'clause' is not a list of tables"),
        ("checklist = 1\n" + SECTION + ENTRY + CLAUSE, "the file: 'checklist' is not a table"),
    ],
)
def test_a_fault_of_structure_is_named_with_its_place(text: str, problem: str) -> None:
    assert problems_of(text) == (problem,)


def test_a_file_that_is_not_toml_is_refused() -> None:
    (problem,) = problems_of("[checklist\n")
    assert problem.startswith("the file: not TOML: ")
    assert "line 1" in problem


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, f"a = {'9' * 5000}"], ids=["nested too deep", "number too long"])
def test_a_file_made_to_break_the_reader_is_refused(text: str) -> None:
    (problem,) = problems_of(text)
    assert problem.startswith("the file: not TOML: ")


def test_all_faults_are_named_at_once() -> None:
    text = (
        SMALL.replace("version = 2\n", "")
        .replace('"Documents"', '""')
        .replace('"environment"', '"team"')
        .replace('"36h"', '"soon"')
        .replace('"10d"', '""')
        + ENTRY
        + "size = 3\n"
    )
    assert problems_of(text) == (
        AT_CHECKLIST + "missing key 'version'",
        AT_SECTION + "'name' is empty",
        AT_ENTRY + "unknown scope 'team': one of service, environment",
        AT_CLAUSE + duration_problem("'fresh_pass' 'soon'"),
        AT_CLAUSE + "'fresh_tick' is empty",
        "section 'docs', entry 2: slug 'readme' is taken by section 'docs', entry 1",
        "section 'docs', entry 2: no clause",
        "section 'docs', entry 2: unknown key 'size'",
    )
