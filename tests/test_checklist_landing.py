"""Landing versions of small checklists: what counts from when, what is refused, and whose a checklist is."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from readiness.actions import items
from readiness.actions.checklists import ChecklistCrossed, land, land_shipped, preview
from readiness.actions.items import Crossed
from readiness.enums.standing import Status
from readiness.enums.words import Scope
from readiness.models import (
    Checklist,
    ChecklistVersion,
    Clause,
    Entry,
    Environment,
    Item,
    Team,
    User,
)
from readiness.rules.checklist_file import ChecklistFile, EntryFile
from readiness.selectors.crossings import saved_about
from tests.checklist_deeds import faults, landed, on_sheet
from tests.checklist_texts import checklist, clause, entry, written
from tests.deeds import SUMMARY, after, ask_to_leave_out, decide, refused, status, tick
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)

pytestmark = pytest.mark.django_db

ANNOUNCED = date(2026, 4, 1)
COUNTS = datetime.fromisoformat("2026-04-01T00:00:00+00:00")
A_MILLISECOND = timedelta(milliseconds=1)


@pytest.fixture
def admin() -> User:
    return make_admin("ada")


@pytest.fixture
def team() -> Team:
    return make_team("Conversational")


@pytest.fixture
def prod(team: Team) -> Environment:
    return make_environment(make_service(team), "prod")


@pytest.fixture
def mia(team: Team) -> User:
    return make_member(team, "mia")


# Answers carried over


def test_other_words_with_the_same_meaning_keep_every_answer(
    admin: User, team: Team, prod: Environment, mia: User
) -> None:
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    version = Item.objects.get(pk=item.pk).version
    landed(
        admin,
        checklist(entry("readme", clause(text="Other words."), text="Quite other words."), version=2),
        now=after(minutes=1),
    )
    assert status(item, after(minutes=1)) is Status.ATTESTED
    assert Item.objects.get(pk=item.pk).version == version
    assert Entry.objects.get(slug="release--readme").text == "Quite other words."


@pytest.mark.parametrize(
    ("of_entry", "of_clause"), [(2, 1), (1, 2), (2, 2)], ids=["the entry's", "the clause's", "both"]
)
def test_an_answer_to_an_older_meaning_stops_counting_when_the_new_one_lands(
    admin: User, team: Team, prod: Environment, mia: User, of_entry: int, of_clause: int
) -> None:
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    lands = after(minutes=1)
    landed(admin, checklist(entry("readme", clause(meaning=of_clause), meaning=of_entry), version=2), now=lands)
    assert status(item, lands - A_MILLISECOND) is Status.ATTESTED
    assert status(item, lands) is Status.STALE
    tick(mia, item, now=after(minutes=2))
    assert status(item, after(minutes=2)) is Status.ATTESTED


@pytest.mark.parametrize("whose", ["entry", "clause"])
def test_an_answer_to_an_older_meaning_counts_until_the_day_that_was_announced(
    admin: User, team: Team, prod: Environment, mia: User, whose: str
) -> None:
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    more = {"meaning": 2, "counts_from": ANNOUNCED}
    new = entry(**more) if whose == "entry" else entry("readme", clause(**more))
    landed(admin, checklist(new, version=2), now=after(minutes=1))
    assert status(item, COUNTS - A_MILLISECOND) is Status.ATTESTED
    assert status(item, COUNTS) is Status.STALE

    tick(mia, item, now=after(days=1))
    assert status(item, COUNTS - A_MILLISECOND) is Status.ATTESTED
    assert status(item, COUNTS) is Status.ATTESTED


def test_an_announced_meaning_can_be_moved_until_it_holds_and_never_after(
    admin: User, team: Team, prod: Environment, mia: User
) -> None:
    def version(number: int, day: date | None) -> ChecklistFile:
        return checklist(entry(meaning=2, counts_from=day), version=number)

    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    landed(admin, version(2, ANNOUNCED), now=after(minutes=1))
    landed(admin, version(3, ANNOUNCED + timedelta(days=1)), now=after(minutes=2))
    assert status(item, COUNTS) is Status.ATTESTED
    assert status(item, COUNTS + timedelta(days=1)) is Status.STALE
    (fault,) = faults(admin, version(4, ANNOUNCED), now=COUNTS + timedelta(days=2))
    assert "it counts already" in fault
    landed(admin, version(4, ANNOUNCED + timedelta(days=1)), now=COUNTS + timedelta(days=2))
    landed(admin, version(5, None), now=COUNTS + timedelta(days=3))
    assert status(item, COUNTS) is Status.ATTESTED, "What held when is not changed afterwards."


def test_an_announced_meaning_without_its_day_holds_at_once(
    admin: User, team: Team, prod: Environment, mia: User
) -> None:
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    landed(admin, checklist(entry(meaning=2, counts_from=ANNOUNCED), version=2), now=after(minutes=1))
    landed(admin, checklist(entry(meaning=2), version=3), now=after(minutes=2))
    assert status(item, after(minutes=2)) is Status.STALE


def test_not_applicable_is_asked_again_when_the_entry_means_another_thing(
    admin: User, team: Team, prod: Environment, mia: User
) -> None:
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    granted = decide(make_reviewer(), ask_to_leave_out(mia, item))
    landed(admin, checklist(entry("readme", clause(meaning=2)), version=2), now=after(minutes=1))
    assert status(item, after(minutes=1)) is Status.NOT_APPLICABLE, "The entry itself means what it meant."
    landed(
        admin,
        checklist(entry("readme", clause(meaning=2), meaning=2, counts_from=ANNOUNCED), version=3),
        now=after(minutes=2),
    )
    assert status(item, COUNTS - A_MILLISECOND) is Status.NOT_APPLICABLE
    assert status(item, COUNTS) is Status.OPEN
    landed(admin, checklist(entry("readme", clause(meaning=2), meaning=2), version=4), now=after(minutes=3))
    granted.refresh_from_db()
    assert (granted.ended_at, status(item, after(minutes=3))) == (after(minutes=3), Status.OPEN)


def test_whoever_saw_the_older_meaning_and_ticks_now_is_told(
    admin: User, team: Team, prod: Environment, mia: User
) -> None:
    landed(admin, checklist(entry(), entry("licence")), team=team)
    item, other = item_of(prod, "release--readme"), item_of(prod, "release--licence")
    landed(admin, checklist(entry(meaning=2), entry("licence"), version=2), now=after(minutes=1))
    versions = [Item.objects.get(pk=one.pk).version for one in (item, other)]
    assert versions == [item.version + 1, other.version]
    with pytest.raises(Crossed, match="ada saved this item first"):
        items.tick(by=mia, item_id=item.pk, summary=SUMMARY, links=[], seen_version=item.version, now=after(minutes=2))
    (saved,) = saved_about(Item.objects.get(pk=item.pk), item.version)
    assert (saved.line.who, saved.line.what) == ("ada", "landed a version of the checklist")
    items.tick(by=mia, item_id=other.pk, summary=SUMMARY, links=[], seen_version=other.version, now=after(minutes=2))


# Counting from a later date


def test_what_is_announced_counts_from_the_beginning_of_its_day(admin: User, team: Team, prod: Environment) -> None:
    landed(admin, checklist(entry()), team=team)
    landed(admin, checklist(entry(), entry("licence", counts_from=ANNOUNCED), version=2), now=after(minutes=1))
    assert "release--licence" not in on_sheet(prod, COUNTS - A_MILLISECOND)
    assert on_sheet(prod, COUNTS)["release--licence"] is Status.OPEN


def test_an_announced_entry_that_nobody_answered_is_open_and_never_was_met(
    admin: User, team: Team, prod: Environment, mia: User
) -> None:
    two = entry("licence", clause(), clause("signed"), counts_from=ANNOUNCED)
    landed(admin, checklist(entry()), team=team)
    landed(admin, checklist(entry(), two, version=2), now=after(minutes=1))
    item = item_of(prod, "release--licence")
    assert status(item, COUNTS) is Status.OPEN
    tick(mia, item, now=after(minutes=2))
    assert on_sheet(prod, COUNTS)["release--licence"] is Status.ATTESTED


def test_a_day_is_one_of_the_sites_time_zone(admin: User, team: Team, prod: Environment, settings: Any) -> None:
    settings.TIME_ZONE = "America/Toronto"
    landed(admin, checklist(entry()), team=team)
    landed(admin, checklist(entry(), entry("licence", counts_from=ANNOUNCED), version=2), now=after(minutes=1))
    begins = datetime.fromisoformat("2026-04-01T00:00:00-04:00")
    assert Entry.objects.get(slug="release--licence").counts_from == begins


def test_an_announced_clause_is_not_asked_before(admin: User, team: Team, prod: Environment, mia: User) -> None:
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    new = entry("readme", clause(), clause("signed", counts_from=ANNOUNCED))
    landed(admin, checklist(new, version=2), now=after(minutes=1))
    assert status(item, COUNTS - A_MILLISECOND) is Status.ATTESTED
    assert status(item, COUNTS) is Status.STALE


def test_what_is_new_counts_from_its_landing_and_not_before(admin: User, team: Team, prod: Environment) -> None:
    landed(admin, checklist(entry()), team=team)
    lands = after(minutes=1)
    landed(admin, checklist(entry("readme", clause(), clause("signed")), entry("licence"), version=2), now=lands)
    known = {one.slug: one.counts_from for one in Entry.objects.filter(section__checklist__slug="release")}
    assert known == {"release--readme": NOW, "release--licence": lands}
    clauses = Clause.objects.filter(entry__section__checklist__slug="release")
    assert {(one.entry.slug, one.slug): one.counts_from for one in clauses} == {
        ("release--readme", "opens"): None,
        ("release--readme", "signed"): lands,
        ("release--licence", "opens"): None,
    }
    assert "release--licence" not in on_sheet(prod, lands - A_MILLISECOND)


def test_a_first_checklist_without_anybody_to_answer_it_always_counted(admin: User) -> None:
    landed(admin, checklist(entry()))
    assert Entry.objects.get(slug="readme").counts_from is None


# What is refused


YESTERDAY = date(2026, 3, 1)
REFUSED: list[tuple[EntryFile, EntryFile, str]] = [
    (
        entry(meaning=2),
        entry(),
        (
            "entry 'readme': 'meaning' goes down from 2 to 1, and only counts up: 2 where the same is asked, 3 where "
            "something else is"
        ),
    ),
    (entry(), entry(meaning=3), "entry 'readme': 'meaning' skips from 1 to 3: the next one is 2"),
    (
        entry(),
        entry("readme", clause(meaning=3)),
        "entry 'readme', clause 'opens': 'meaning' skips from 1 to 3: the next one is 2",
    ),
    (
        entry(),
        entry(meaning=2, counts_from=YESTERDAY),
        (
            "entry 'readme': 'counts_from' 2026-03-01 is not ahead: leave it out to count from the landing on, or "
            "name a later day"
        ),
    ),
    (
        entry(),
        entry("readme", clause(), clause("signed", counts_from=date(2026, 3, 2))),
        (
            "entry 'readme', clause 'signed': 'counts_from' 2026-03-02 is not ahead: leave it out to count from the "
            "landing on, or name a later day"
        ),
    ),
    (
        entry(),
        entry(counts_from=ANNOUNCED),
        (
            "entry 'readme': it counts already, so 'counts_from' cannot change: leave it as it was, or out; where "
            "something else is asked, count 'meaning' up"
        ),
    ),
    (
        entry(),
        entry(scope=Scope.SERVICE),
        (
            "entry 'readme': its scope is environment and stays so, since answers are kept by it: retire this entry "
            "and add another one under another slug"
        ),
    ),
    (
        entry(),
        entry("readme", clause("signed", counts_from=ANNOUNCED)),
        (
            "entry 'readme': all its clauses count later than it does, so it would ask nothing until then: keep "
            "a clause that counts, or announce the entry"
        ),
    ),
]


@pytest.mark.parametrize(("old", "new", "fault"), REFUSED)
def test_what_may_not_land_is_refused_with_its_place(
    admin: User, prod: Environment, old: EntryFile, new: EntryFile, fault: str
) -> None:
    landed(admin, checklist(old))
    assert faults(admin, checklist(new, version=2), now=after(minutes=1)) == (fault,)


def test_only_admins_land_and_preview(mia: User) -> None:
    for deed in (land, preview):
        with refused("Only an admin changes checklists"):
            deed(by=mia, text=written(checklist()), now=NOW)
    assert not Checklist.objects.filter(slug="release").exists()


def test_a_landing_on_another_version_than_was_seen_is_refused(admin: User) -> None:
    landed(admin, checklist(), now=NOW)
    landed(admin, checklist(version=2), now=NOW)
    with pytest.raises(ChecklistCrossed, match="ada landed version 2 of this checklist first"):
        land(by=admin, text=written(replace(checklist(version=2), changes="Mine.")), seen=1, now=NOW)
    assert Checklist.objects.get(slug="release").version == 2


def test_a_version_that_skipped_numbers_lands(admin: User) -> None:
    landed(admin, checklist())
    landed(admin, checklist(version=7))
    assert Checklist.objects.get(slug="release").version == 7


def test_a_version_keeps_its_text_word_for_word(admin: User) -> None:
    text = "# Ours.\n" + written(checklist()) + "\n# The end.\n"
    version = land(by=admin, text=text, now=NOW)
    assert version is not None
    version.refresh_from_db()
    assert (version.text, version.landed_by, version.landed_at) == (text, admin, NOW)


def test_the_shipped_checklist_leaves_one_that_was_changed_here(admin: User) -> None:
    shipped = ChecklistVersion.objects.get(checklist__slug="bastion")
    newer = shipped.text.replace("version = 1", "version = 5", 1)
    land(by=admin, text=shipped.text.replace("version = 1", "version = 2", 1), now=NOW)
    assert land_shipped(text=newer, now=after(days=1)) is None
    assert Checklist.objects.get(slug="bastion").version == 2


def test_the_shipped_checklist_may_skip_versions_with_their_meanings_and_days() -> None:
    def text(version: int, more: str) -> str:
        shipped = ChecklistVersion.objects.filter(checklist__slug="bastion").order_by("version")[0].text
        counted = shipped.replace("version = 1", f"version = {version}", 1)
        return counted.replace('slug = "spend-cap"\n', f'slug = "spend-cap"\n{more}', 1)

    assert land_shipped(text=text(3, "meaning = 3\ncounts_from = 2026-01-01\n"), now=NOW) is not None
    assert Entry.objects.get(slug="spend-cap").meanings == {"3": NOW.isoformat()}
