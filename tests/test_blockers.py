"""The blocker list is complete and minimal: settling all of its lines makes a sheet ready, all but one does not."""

from dataclasses import replace
from datetime import timedelta
from itertools import combinations
from random import Random

import pytest

from readiness.enums.standing import Status, Verdict
from readiness.enums.words import Judgement
from readiness.models import Environment, Item, User
from readiness.rules.status import ItemFacts
from readiness.rules.steps import Act
from readiness.rules.verdicts import Stand, tally
from readiness.selectors.standing import Standing, verdict
from tests.deeds import after, ask, ask_to_leave_out, decide, observe, status, tick, version
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]
READY = (Verdict.READY, Verdict.READY_WITH_WAIVERS)
AHEAD, PAST = NOW + timedelta(days=1), NOW - timedelta(days=1)
STATES = {
    Status.VERIFIED: ItemFacts(observed_until=AHEAD, settled_until=AHEAD, first_met_at=PAST),
    Status.ATTESTED: ItemFacts(settled_until=AHEAD, first_met_at=PAST),
    Status.WAIVED: ItemFacts(waived_from=PAST, waived_until=AHEAD),
    Status.NOT_APPLICABLE: ItemFacts(not_applicable_from=PAST),
    Status.FAILING: ItemFacts(failing_since=PAST, first_met_at=PAST),
    Status.STALE: ItemFacts(first_met_at=PAST),
    Status.OPEN: ItemFacts(),
}


@pytest.fixture
def dev() -> Environment:
    """A small sheet: nine items."""
    return make_environment(kind="dev", now=NOW - timedelta(days=30))


def standing_of(environment: Environment) -> Standing:
    found = verdict(Environment.objects.get(pk=environment.pk), at=NOW, now=NOW)
    assert found is not None
    return found


def test_every_way_to_settle_some_of_the_lines_is_ready_only_with_all_of_them(dev: Environment) -> None:
    """Brute force over every subset of the lines of sixty random sheets."""
    random = Random(3)
    lines: set[int] = set()
    for _ in range(60):
        for item in Item.objects.filter(service=dev.service):
            chosen = random.choice(list(STATES))
            facts = STATES[chosen]
            Item.objects.filter(pk=item.pk).update(**{name: getattr(facts, name) for name in ItemFacts.names()})
        found = standing_of(dev)
        blocking = [blocker.item.pk for blocker in found.blockers]
        assert len(set(blocking)) == len(blocking), "One line an item."
        lines.add(len(blocking))
        for count in range(len(blocking) + 1):
            for settled in combinations(blocking, count):
                assert (_settled(found, set(settled)) in READY) is (count == len(blocking))
    assert len(lines) > 4, "Sheets with few lines and with many were looked at."


def _settled(found: Standing, settled: set[int]) -> Verdict:
    """The verdict of the sheet if these items were met."""
    stands: list[Stand] = [
        replace(one.stand, status=Status.ATTESTED) if one.item.pk in settled else one.stand for one in found.items
    ]
    return tally(stands, under=None, at=NOW).verdict


def test_doing_what_the_list_says_makes_the_sheet_ready_at_the_last_line_and_not_before(dev: Environment) -> None:
    mia, ada = make_member(dev.service.team), make_reviewer()
    observe(dev, "spend-cap", now=NOW - timedelta(hours=3), cap_matches=Judgement.FAIL)
    asked = ask(mia, item_of(dev, "logs-redacted"), now=NOW - timedelta(hours=2))
    decide(ada, ask_to_leave_out(mia, item_of(dev, "store-false"), now=NOW - timedelta(hours=2)), now=NOW)
    assert standing_of(dev).tally.total == 9

    while blockers := standing_of(dev).blockers:
        assert standing_of(dev).tally.verdict not in READY
        blocker = blockers[0]
        if blocker.step.act is Act.ANSWER:
            decide(ada, asked, now=NOW)
        elif blocker.status is Status.FAILING:
            observe(dev, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
        else:
            tick(mia, blocker.item, now=NOW)
        assert blocker.item.pk not in {one.item.pk for one in standing_of(dev).blockers}, blocker.step.sentence

    assert standing_of(dev).tally.verdict is Verdict.READY_WITH_WAIVERS


def test_each_line_says_who_owns_it_and_what_to_do_next(dev: Environment) -> None:
    mia = make_member(dev.service.team)
    cap, keys = item_of(dev, "spend-cap"), item_of(dev, "rotation-runbook")
    observe(dev, "spend-cap", now=NOW, cap_matches=Judgement.FAIL)
    tick(mia, keys, now=NOW - timedelta(days=200))
    lines = {blocker.item.pk: blocker for blocker in standing_of(dev).blockers}

    assert (lines[cap.pk].status, lines[cap.pk].step.act) in [
        (Status.FAILING, Act.CONFIGURE),
        (Status.FAILING, Act.FIX),
    ]
    assert (lines[keys.pk].status, lines[keys.pk].step.act) == (Status.STALE, Act.TICK_ANEW)
    assert lines[keys.pk].step.sentence.startswith("Look again and tick it anew")
    for blocker in lines.values():
        assert blocker.step.sentence.strip()[-1] in ".?"


def test_a_waiver_that_ends_now_is_on_the_list_at_this_very_instant(dev: Environment, ada: User) -> None:
    mia = make_member(dev.service.team)
    item = item_of(dev, "logs-redacted")
    waiver = decide(ada, ask(mia, item, days=2), now=after(minutes=1))
    millisecond = timedelta(milliseconds=1)

    def listed(at: timedelta) -> bool:
        found = verdict(dev, at=waiver.until + at, now=waiver.until + at)
        assert found is not None
        return item.pk in {blocker.item.pk for blocker in found.blockers}

    assert (status(item, waiver.until - millisecond), version(item)) == (Status.WAIVED, 3)
    assert [listed(at) for at in (-millisecond, timedelta(0), millisecond)] == [False, True, True]


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")
