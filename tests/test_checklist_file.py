"""The checklist file: the one that ships says what it must, and a bad one is refused with every fault and its place."""

from datetime import timedelta
from pathlib import Path

import pytest

from readiness.enums.words import Kind, Scope
from readiness.rules.checklist_file import ChecklistFile, ChecklistFileError, ClauseFile, EntryFile, SectionFile, parse

SHIPPED = Path(__file__).parent.parent / "readiness" / "checklists" / "bastion.toml"
VENDOR_LIST = Path(__file__).parent / "data" / "production-checklist.txt"

SECTIONS = [
    ("credentials", "Credentials", "Credentials", 4),
    ("reliability", "Reliability", "Reliability", 5),
    ("observability", "Observability", "Observability", 3),
    ("cost", "Cost and capacity", "Cost", 4),
    ("streaming", "Streaming-specific", "Streaming", 3),
    ("privacy", "Data and privacy", "Privacy", 4),
    ("drills", "Failure drills", "Drills", 3),
]

# An entry: slug, scope (S service, E environment, b build-bound), kinds of environment. Under it its clauses: slug, who
# observes, hours that a pass and a tick count, and whether a tick needs a link.
TABLE = """
key-in-secrets-manager | E | dev staging prod
  key-from-manager < key-validity | 24 / 2160
  key-accepted < key-validity | 24 / 2160
  no-key-in-repository < repository-secrets | 168 / 2160
  no-key-in-front-end < front-end-secrets | 168 / 2160
separate-keys | S | dev staging prod
  keys-distinct < key-fingerprints | 24 / 2160
rotation-runbook | S | dev staging prod
  runbook-reachable < evidence-links | 24 / 4320
  rotated-within-a-year < key-rotation | 24 / 4320
  runbook-followed < person | - / 4320 | link
logs-redacted | E | dev staging prod
  key-not-in-sinks < redaction | 168 / 2160
  sinks-complete < person | - / 2160
retry-with-backoff | E b | staging prod
  backs-off-on-5xx < drill | 2160 / 2160
  backs-off-on-429 < drill | 2160 / 2160
retry-after-honoured | E b | staging prod
  retry-after-honoured < drill | 2160 / 2160
no-retry-on-4xx | E b | staging prod
  client-errors-not-retried < drill | 2160 / 2160
stream-retried-whole | E b | staging prod
  stream-retried-whole < drill | 2160 / 2160
side-effects-once | E b | staging prod
  effect-once-per-call < drill | 2160 / 2160
  redelivery-guarded < person | - / 2160
dashboards | E | staging prod
  five-panels-answer < dashboard | 24 / 2160
  opens-in-30-s < person | - / 2160 | link
alerts | E | staging prod
  alerts-on-5xx < alert-rules | 24 / 2160 | link
  alerts-on-429 < alert-rules | 24 / 2160 | link
  alerts-on-402 < alert-rules | 24 / 2160 | link
  alerts-on-key-revoked < alert-rules | 24 / 2160 | link
sampled-logging | E | staging prod
  sampled-and-redacted < log-sampling | 168 / 2160
  retention-by-policy < person | - / 2160
spend-cap | E | dev staging prod
  cap-matches < spend-cap | 24 / 2160 | link
model-choice-documented | S | dev staging prod
  models-documented < model-use | 168 / 4320
  reasons-sound < person | - / 4320 | link
low-balance-warned | E | staging prod
  low-balance-warned < alert-rules | 24 / 2160 | link
token-budgets | E b | staging prod
  capped-in-traffic < drill | 2160 / 2160
  capped-in-source < call-sites | 168 / 2160
  smallest-reasonable < person | - / 2160
sse-not-buffered | E | staging prod
  stream-not-held < proxy-buffering | 24 / 720
  stream-not-compressed < proxy-buffering | 24 / 720
  stream-not-cached < proxy-buffering | 24 / 720
commit-after-clean-end | E b | staging prod
  cut-output-not-kept < drill | 2160 / 2160
  ui-shows-it < person | - / 2160 | link
cancellation | E b | staging prod
  upstream-closes-on-cancel < drill | 2160 / 2160
  stop-button-aborts < person | - / 2160
store-false | E b | dev staging prod
  store-false-in-traffic < drill | 2160 / 2160
  store-false-in-source < call-sites | 168 / 2160
pii-redacted | E b | dev staging prod
  planted-pii-not-sent < drill | 2160 / 2160
  agreement-covers-the-rest < person | - / 2160 | link
audit-log | E | staging prod
  user-and-call-paired < audit-log | 168 / 2160
  access-and-retention < person | - / 2160
data-residency | S | dev staging prod
  document-current < evidence-links | 24 / 4320
  dpa-refers-to-it < person | - / 4320 | link
drill-sustained-5xx | E b | staging prod
  survives-sustained-5xx < drill | 2160 / 2160 | link
drill-key-revoked | E b | staging prod
  survives-key-revoked < drill | 2160 / 2160 | link
drill-credit-limit | E b | staging prod
  survives-credit-limit < drill | 2160 / 2160 | link
"""

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
scope = "service"
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


@pytest.fixture(scope="module")
def shipped() -> ChecklistFile:
    return parse(SHIPPED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def entries(shipped: ChecklistFile) -> list[EntryFile]:
    return [entry for section in shipped.sections for entry in section.entries]


# The file that ships


def test_the_shipped_file_is_the_first_version_of_the_bastion_checklist(shipped: ChecklistFile) -> None:
    assert (shipped.slug, shipped.name, shipped.version, shipped.changes) == (
        "bastion",
        "Bastion production checklist",
        1,
        "First version.",
    )


def test_the_shipped_sections_have_their_names_and_sizes(shipped: ChecklistFile) -> None:
    assert [(s.slug, s.name, s.short, len(s.entries)) for s in shipped.sections] == SECTIONS


def test_the_shipped_texts_and_headings_are_the_vendors_word_for_word(shipped: ChecklistFile) -> None:
    lines = VENDOR_LIST.read_text(encoding="utf-8").splitlines()
    headings = [name for _, name, _, _ in SECTIONS]
    in_the_list = [line.strip() for line in lines if line.strip().startswith("•") or line in headings]
    in_the_file = [
        line
        for section in shipped.sections
        for line in [section.name, *(f"• {entry.text}" for entry in section.entries)]
    ]
    assert sum(line.startswith("•") for line in in_the_list) == 26
    assert in_the_file == in_the_list


def test_the_shipped_entries_have_the_scopes_kinds_and_clauses_of_the_table(entries: list[EntryFile]) -> None:
    def hours(duration: timedelta) -> str:
        return f"{duration / timedelta(hours=1):g}"

    rows = []
    for entry in entries:
        scope = {Scope.SERVICE: "S", Scope.ENVIRONMENT: "E"}[entry.scope] + (" b" if entry.build_bound else "")
        rows.append(f"{entry.slug} | {scope} | {' '.join(entry.kinds)}")
        for c in entry.clauses:
            fresh = f"{'-' if c.fresh_pass is None else hours(c.fresh_pass)} / {hours(c.fresh_tick)}"
            rows.append(f"  {c.slug} < {c.probe or 'person'} | {fresh}{' | link' * c.tick_needs_link}")
    assert rows == TABLE.strip().splitlines()


def test_every_shipped_entry_shows_an_example_of_good_evidence_and_each_its_own(entries: list[EntryFile]) -> None:
    without = [entry.slug for entry in entries if not entry.evidence.split("\n\n")[-1].startswith("Example: ")]
    assert without == []
    for values in ([e.evidence for e in entries], [e.why for e in entries], [e.how for e in entries]):
        assert len(set(values)) == 26
    assert len({entry.title for entry in entries}) == 26


def test_every_shipped_why_is_two_to_four_sentences(entries: list[EntryFile]) -> None:
    lengths = {entry.slug: entry.why.count(". ") + 1 for entry in entries}
    assert {slug: length for slug, length in lengths.items() if not 2 <= length <= 4} == {}


def test_the_shipped_texts_are_plain_text(entries: list[EntryFile]) -> None:
    texts = [t for e in entries for t in (e.why, e.how, e.evidence, e.not_covered, *(c.text for c in e.clauses))]
    marks = ("`", "](", "# ", "</")
    assert [text for text in texts if any(mark in text for mark in marks)] == []
    assert [c.text for e in entries for c in e.clauses if not c.text.endswith(".")] == []


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
        scope=Scope.SERVICE,
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
    ('"service"', '"team"', AT_ENTRY + "unknown scope 'team': one of service, environment"),
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
    ('"Docs"', f'"{"x" * 41}"', AT_SECTION + "'short' has 41 characters, at most 40 fit"),
    ("version = 2", "version = 0", AT_CHECKLIST + "'version' is not between 1 and 9999"),
    ("version = 2", "version = true", AT_CHECKLIST + "'version' is not a whole number"),
    ("build_bound = true", "build_bound = 1", AT_ENTRY + "'build_bound' is not true or false"),
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
        .replace('"service"', '"team"')
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
