"""A new version of a checklist: what is new is asked, what is gone is kept, and nothing stays green unseen."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from readiness.actions.checklists import land, land_shipped
from readiness.enums.standing import Status
from readiness.enums.words import Judgement
from readiness.management.commands.load_checklist import SHIPPED
from readiness.models import Clause, Entry, Environment, Event, Evidence, Item, User
from readiness.rules.checklist_file import ChecklistFile, ChecklistFileError, ClauseFile, EntryFile, parse
from readiness.selectors.sheets import sheet
from tests.checklist_texts import written
from tests.deeds import after, everything, observe, status, tick
from tests.factories import NOW, item_of, make_admin, make_environment, make_member

PASS = Judgement.PASS
pytestmark = pytest.mark.django_db


@pytest.fixture
def shipped() -> ChecklistFile:
    return parse(SHIPPED.read_text(encoding="utf-8"))


@pytest.fixture
def prod() -> Environment:
    return make_environment(name="prod")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team, "mia")


def next_version(file: ChecklistFile, **entries: EntryFile | None) -> ChecklistFile:
    """The next version of a file, with entries replaced, or left out where they are None; ``_`` stands for a hyphen."""
    changed = {slug.replace("_", "-"): entry for slug, entry in entries.items()}
    sections = tuple(
        replace(part, entries=tuple(kept for one in part.entries if (kept := changed.get(one.slug, one)) is not None))
        for part in file.sections
    )
    return replace(file, version=file.version + 1, sections=sections)


def entry_of(file: ChecklistFile, slug: str) -> EntryFile:
    return next(one for part in file.sections for one in part.entries if one.slug == slug)


def load(file: ChecklistFile, *, now: datetime) -> bool:
    """Land a file as an admin does; return whether there was anything to land."""
    admin = User.objects.filter(is_superuser=True).first() or make_admin()
    return land(by=admin, text=written(file), now=now) is not None


NEW_CLAUSE = ClauseFile(
    slug="cap-reviewed",
    text="Somebody reviewed it.",
    probe="",
    fresh_pass=None,
    fresh_tick=timedelta(days=90),
    tick_needs_link=False,
)


def test_the_same_version_is_landed_once(shipped: ChecklistFile) -> None:
    assert load(next_version(shipped), now=NOW) is True
    before = everything()
    assert load(next_version(shipped), now=after(days=1)) is False
    assert everything() == before


def test_the_shipped_checklist_is_landed_once() -> None:
    before = everything()
    assert land_shipped(text=SHIPPED.read_text(encoding="utf-8"), now=NOW) is None
    assert everything() == before


def test_an_older_version_is_refused(shipped: ChecklistFile) -> None:
    load(next_version(next_version(shipped)), now=NOW)
    for file in (shipped, next_version(shipped)):
        with pytest.raises(ChecklistFileError) as caught:
            load(replace(file, changes="Other words."), now=NOW)
        assert caught.value.problems == ("checklist: version 3 has landed: count 'version' up to 4",)


def test_an_item_does_not_stay_green_when_its_entry_asks_for_more(
    shipped: ChecklistFile, prod: Environment, mia: User
) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    assert status(item, NOW) is Status.VERIFIED

    old = entry_of(shipped, "spend-cap")
    load(next_version(shipped, spend_cap=replace(old, clauses=(*old.clauses, NEW_CLAUSE))), now=after(minutes=1))

    assert status(item, after(minutes=1)) is Status.STALE
    assert [one.clause for one in tick(mia, item, now=after(minutes=2))] == ["cap-reviewed"]
    assert status(item, after(minutes=2)) is Status.ATTESTED


def test_an_item_is_met_when_the_clause_that_it_lacked_is_gone(shipped: ChecklistFile, prod: Environment) -> None:
    item = item_of(prod, "key-in-secrets-manager")
    observe(prod, "key-validity", now=NOW, key_from_manager=PASS, key_accepted=PASS)
    assert status(item, NOW) is Status.OPEN

    old = entry_of(shipped, "key-in-secrets-manager")
    load(next_version(shipped, key_in_secrets_manager=replace(old, clauses=old.clauses[:2])), now=after(minutes=1))

    assert status(item, after(minutes=1)) is Status.VERIFIED
    assert Clause.objects.get(slug="no-key-in-repository").retired_at == after(minutes=1)


def test_what_a_probe_saw_no_longer_counts_where_no_probe_is_asked(shipped: ChecklistFile, prod: Environment) -> None:
    item = item_of(prod, "spend-cap")
    observe(prod, "spend-cap", now=NOW, cap_matches=PASS)
    old = entry_of(shipped, "spend-cap")
    by_people = replace(old.clauses[0], probe="", fresh_pass=None)
    load(next_version(shipped, spend_cap=replace(old, clauses=(by_people,))), now=after(minutes=1))

    assert status(item, after(minutes=1)) is Status.STALE


def test_an_entry_that_is_gone_is_kept_with_its_answers_and_not_counted(
    shipped: ChecklistFile, prod: Environment, mia: User
) -> None:
    tick(mia, item_of(prod, "spend-cap"))
    load(next_version(shipped, spend_cap=None), now=after(minutes=1))

    assert sheet(prod, after(minutes=1)).tally.total == 25
    assert (Entry.objects.get(slug="spend-cap").retired_at, Evidence.objects.count()) == (after(minutes=1), 1)
    again = replace(next_version(next_version(shipped)), changes="It is back.")
    load(again, now=after(minutes=2))
    assert sheet(prod, after(minutes=2)).tally.total == 26
    assert status(item_of(prod, "spend-cap"), after(minutes=2)) is Status.ATTESTED


def test_a_new_entry_is_asked_everywhere_it_applies(shipped: ChecklistFile, prod: Environment) -> None:
    staging = make_environment(prod.service, "staging", kind="staging")
    dev = make_environment(prod.service, "dev", kind="dev")
    new = replace(entry_of(shipped, "audit-log"), slug="audit-log-kept", title="Audit log kept")
    part = replace(shipped.sections[0], entries=(*shipped.sections[0].entries, new))
    load(replace(shipped, version=2, sections=(part, *shipped.sections[1:])), now=after(minutes=1))

    answered = Item.objects.filter(entry__slug="audit-log-kept").values_list("environment", flat=True)
    assert sorted(one or 0 for one in answered) == sorted([prod.pk, staging.pk])
    assert sheet(dev, after(minutes=1)).row("audit-log-kept").status is None  # type: ignore[union-attr]


def test_a_version_is_one_event(shipped: ChecklistFile) -> None:
    before = Event.objects.count()
    old = entry_of(shipped, "spend-cap")
    new = replace(old, clauses=(*old.clauses, replace(NEW_CLAUSE, counts_from=date(2026, 4, 1))))
    load(next_version(shipped, spend_cap=new, store_false=None), now=NOW)
    assert Event.objects.count() == before + 1
    event = Event.objects.latest("id")
    assert (event.kind, event.data) == (
        "checklist.landed",
        {
            "checklist": "bastion",
            "name": "Bastion production checklist",
            "team": None,
            "from": 1,
            "to": 2,
            "summary": "First version.",
            "changes": {"retired": ["store-false"], "clause-added": ["spend-cap/cap-reviewed"]},
            "announced": {"spend-cap/cap-reviewed": "2026-04-01T00:00:00+00:00"},
            "asked_again": ["spend-cap"],
        },
    )
