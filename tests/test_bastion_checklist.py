"""The checklist file that ships says what the vendor's list and our table of entries say."""

from datetime import timedelta
from pathlib import Path

import pytest

from readiness.enums.words import Scope
from readiness.rules.checklist_file import ChecklistFile, EntryFile, parse

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


@pytest.fixture(scope="module")
def shipped() -> ChecklistFile:
    return parse(SHIPPED.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def entries(shipped: ChecklistFile) -> list[EntryFile]:
    return [entry for section in shipped.sections for entry in section.entries]


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
