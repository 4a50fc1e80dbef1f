"""A preview says who would lose what, writes nothing, and says exactly what the landing then does."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from readiness.actions.checklists import Preview, preview
from readiness.enums.standing import Status
from readiness.enums.words import Kind, Scope
from readiness.models import (
    Environment,
    Item,
    Team,
    User,
)
from readiness.rules.checklist_file import ChecklistFile, EntryFile
from readiness.selectors.sheets import sheet
from tests.checklist_deeds import landed, on_sheet, rows
from tests.checklist_texts import checklist, clause, entry, written
from tests.deeds import after, ask_to_leave_out, decide, everything, status, tick
from tests.factories import (
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_reviewer,
    make_service,
    make_team,
)

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


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


def test_a_preview_writes_nothing(admin: User, prod: Environment, mia: User) -> None:
    landed(admin, checklist(entry(), entry("licence")))
    tick(mia, item_of(prod, "readme"))
    decide(make_reviewer(), ask_to_leave_out(mia, item_of(prod, "licence")))
    before = everything(), rows()
    new = checklist(entry(meaning=2), entry("licence", meaning=2), entry("third"), version=2)
    found = preview(by=admin, text=written(new), now=after(minutes=1))
    assert (everything(), rows()) == before
    assert found is not None
    assert told(found) == {
        ("readme", after(minutes=1)): (Status.ATTESTED, Status.STALE),
        ("licence", after(minutes=1)): (Status.NOT_APPLICABLE, Status.OPEN),
        ("third", after(minutes=1)): (None, Status.OPEN),
    }
    assert (found.lost, found.gained, found.seen) == (2, 1, 1)


def test_a_preview_of_what_has_landed_says_so(admin: User) -> None:
    landed(admin, checklist())
    assert preview(by=admin, text=written(checklist()), now=after(minutes=1)) is None


def test_a_preview_names_owners_and_verdicts(admin: User, team: Team, prod: Environment, mia: User) -> None:
    for item in Item.objects.filter(service=prod.service):
        tick(mia, item)
    landed(admin, checklist(entry()), team=team)
    item = item_of(prod, "release--readme")
    tick(mia, item)
    Item.objects.filter(pk=item.pk).update(owner=mia)
    found = preview(by=admin, text=written(checklist(entry(meaning=2), version=2)), now=after(minutes=1))
    assert found is not None
    (effect,) = found.effects
    assert [(one.entry.slug, one.owner) for one in effect.items] == [("release--readme", mia)]
    assert [(one.before, one.after) for one in effect.verdicts] == [("ready", "not-ready")]


def told(found: Preview) -> dict[tuple[str, datetime], tuple[Status | None, Status | None]]:
    return {(one.entry.slug, one.at): (one.before, one.after) for effect in found.effects for one in effect.items}


@pytest.mark.parametrize("seed", range(10))
def test_a_preview_says_exactly_what_the_landing_then_does(admin: User, team: Team, mia: User, seed: int) -> None:
    """Small checklists edited at random, on environments of two kinds whose items stand in every way."""
    chance = random.Random(seed)
    service = make_service(team)
    places = [make_environment(service, kind, kind=kind) for kind in ("dev", "prod")]
    reviewer = make_reviewer()
    file = checklist(*(random_entry(chance, f"entry-{number}") for number in range(4)))
    landed(admin, file, team=team)
    for step in range(3):
        now = after(days=step * 20)
        for item in Item.objects.filter(service=service, entry__section__checklist__slug="release"):
            answer(chance, mia, reviewer, item, now)
        file = random_edit(chance, file)
        lands = now + timedelta(minutes=1)
        found = preview(by=admin, text=written(file), now=lands)
        assert found is not None
        instants = [lands, *found.announced]
        before = {(at, place.pk): on_sheet(place, at) for at in instants for place in places}
        was = {at: verdicts(places, at) for at in instants}
        landed(admin, file, now=lands)
        after_it = {(at, place.pk): on_sheet(place, at) for at in instants for place in places}
        assert differences(before, after_it) == {
            (effect.environment.pk, one.entry.slug, one.at): (one.before, one.after)
            for effect in found.effects
            for one in effect.items
        }
        now_so = {at: verdicts(places, at) for at in instants}
        changed = {
            (place, was[at][place], now_so[at][place])
            for at in instants
            for place in was[at]
            if was[at][place] != now_so[at][place]
        }
        assert changed == {
            (effect.environment.pk, one.before, one.after) for effect in found.effects for one in effect.verdicts
        }


def verdicts(places: list[Environment], at: datetime) -> dict[int, str]:
    return {place.pk: sheet(place, at).tally.verdict for place in places}


def differences(
    before: dict[tuple[datetime, int], dict[str, Status]], now: dict[tuple[datetime, int], dict[str, Status]]
) -> dict[tuple[int, str, datetime], tuple[Status | None, Status | None]]:
    """What differs, but for what differs just as it did at the instant before."""
    found: dict[tuple[int, str, datetime], tuple[Status | None, Status | None]] = {}
    last: dict[tuple[int, str], tuple[Status | None, Status | None]] = {}
    for at, place in sorted(now):
        was, stands = before[(at, place)], now[(at, place)]
        for slug in {*was, *stands}:
            pair = (was.get(slug), stands.get(slug))
            known = last.get((place, slug))
            gone = known is not None and known[1] is None and pair[1] is None
            if pair[0] is not pair[1] and known != pair and not gone:
                found[(place, slug, at)] = last[(place, slug)] = pair
    return found


def random_entry(chance: random.Random, slug: str) -> EntryFile:
    clauses = [clause(name) for name in ("opens", "signed")[: chance.choice([1, 2])]]
    scope = chance.choice(list(Scope))
    return entry(slug, *clauses, scope=scope, kinds=tuple(Kind) if chance.random() < 0.7 else (Kind.PROD,))


def answer(chance: random.Random, mia: User, reviewer: User, item: Item, now: datetime) -> None:
    item.refresh_from_db()
    deed = chance.random()
    if deed < 0.5:
        tick(mia, item, now=now)
    elif deed < 0.7 and status(item, now) in (Status.OPEN, Status.STALE):
        decide(reviewer, ask_to_leave_out(mia, item, now=now), now=now)


def random_edit(chance: random.Random, file: ChecklistFile) -> ChecklistFile:
    day = chance.choice([None, date(2027, 1, 15), date(2027, 2, 1)])
    entries = [edited for one in file.entries if (edited := random_change(chance, one, file.version, day)) is not None]
    entries.append(replace(random_entry(chance, f"new-{file.version}"), counts_from=day))
    return checklist(*entries, version=file.version + 1)


def random_change(chance: random.Random, old: EntryFile, version: int, day: date | None) -> EntryFile | None:
    one = replace(old, counts_from=None, clauses=tuple(replace(part, counts_from=None) for part in old.clauses))
    first, *others = one.clauses
    return {
        "same": one,
        "gone": None,
        "words": replace(one, text=one.text + " Really."),
        "meaning": replace(one, meaning=one.meaning + 1, counts_from=day),
        "clause": replace(one, clauses=(replace(first, meaning=first.meaning + 1, counts_from=day), *others)),
        "more": replace(one, clauses=(*one.clauses, clause(f"more-{version}", counts_from=day))),
        "less": replace(one, clauses=(first,)),
        "kinds": replace(one, kinds=tuple(Kind) if len(one.kinds) == 1 else (Kind.PROD,)),
    }[chance.choice(["same", "gone", "words", "meaning", "clause", "more", "less", "kinds"])]
