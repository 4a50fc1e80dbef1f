"""Whether a decision still covers, after each thing that people, probes, builds and time do."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pytest

from readiness.actions import items, services
from readiness.actions.archiving import archive_environment
from readiness.actions.builds import set_build
from readiness.actions.decisions import NewCondition
from readiness.enums.standing import Status, Verdict
from readiness.enums.words import DecisionKind, Judgement
from readiness.models import Clause, Decision, Entry, Environment, Event, Item, User, Waiver
from readiness.rules.decisions import Worsening
from readiness.rules.environments import EnvironmentSettings
from readiness.selectors.coverage import Coverage
from readiness.selectors.reviews import decision_page
from readiness.selectors.standing import verdict
from tests.deeds import (
    REASON,
    after,
    ask,
    ask_to_leave_out,
    decide,
    decide_on,
    end,
    observe,
    on_sheet,
    settle,
    take_back,
    tick,
    version,
)
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]

GO, CONDITIONAL, NO_GO = DecisionKind.GO, DecisionKind.GO_WITH_CONDITIONS, DecisionKind.NO_GO
PASS, FAIL, INCONCLUSIVE = Judgement.PASS, Judgement.FAIL, Judgement.INCONCLUSIVE
CAP, LEFT = "spend-cap", "store-false"
THEN = after(hours=1)
AT = after(hours=2)
MS = timedelta(milliseconds=1)


@dataclass
class Place:
    """A dev environment under a go: its cap is verified by a probe, one item is left out, all else is ticked."""

    dev: Environment
    mia: User
    ada: User
    decision: Decision

    def item(self, entry: str) -> Item:
        return item_of(self.dev, entry)

    def coverage(self, at: datetime = AT) -> Coverage:
        page = decision_page(Decision.objects.select_related("review").get(pk=self.decision.pk), at)
        assert page.coverage is not None
        return page.coverage


def under_a_go() -> Place:
    dev = make_environment(name="dev", kind="dev", build="b1")
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    settle(dev, mia, but=[CAP, LEFT])
    observe(dev, CAP, now=NOW, cap_matches=PASS)
    decide(ada, ask_to_leave_out(mia, item_of(dev, LEFT)))
    return Place(dev=dev, mia=mia, ada=ada, decision=decide_on(dev, ada, GO, now=after(minutes=1)))


@pytest.fixture
def place() -> Place:
    return under_a_go()


def probe_fails(place: Place) -> None:
    """A fail on what was verified counts from the next one on that confirms it."""
    observe(place.dev, CAP, now=THEN - timedelta(minutes=1), cap_matches=FAIL)
    observe(place.dev, CAP, now=THEN, cap_matches=FAIL)


def tick_is_taken_back(place: Place) -> None:
    take_back(place.mia, place.item("logs-redacted"), now=THEN)


def left_out_is_brought_back(place: Place) -> None:
    request = place.item(LEFT).notapplicables.get()
    end(place.mia, request, now=THEN)


def waived_after_its_tick_was_taken_back(place: Place) -> None:
    tick_is_taken_back(place)
    decide(place.ada, ask(place.mia, place.item("logs-redacted"), now=THEN), now=THEN)


MATERIAL: dict[str, tuple[Callable[[Place], None], str, Worsening, str, str]] = {
    "a fail that counts": (probe_fails, CAP, Worsening.UNSETTLED, "verified", "failing"),
    "a tick taken back": (tick_is_taken_back, "logs-redacted", Worsening.UNSETTLED, "attested", "stale"),
    "not applicable ended": (left_out_is_brought_back, LEFT, Worsening.UNSETTLED, "not-applicable", "open"),
    "only waived now": (
        waived_after_its_tick_was_taken_back,
        "logs-redacted",
        Worsening.ONLY_WAIVED,
        "attested",
        "waived",
    ),
}


@pytest.mark.parametrize("name", MATERIAL)
def test_a_go_no_longer_covers_when_a_fact_gets_worse_and_names_it(place: Place, name: str) -> None:
    happens, entry, what, before, now = MATERIAL[name]
    assert place.coverage(THEN - MS).covers
    happens(place)
    coverage = place.coverage()
    (fact,) = coverage.facts
    assert not coverage.covers
    assert (fact.entry, fact.what, fact.before, fact.after) == (entry, what, before, now)
    assert fact.since == coverage.since == THEN


def test_a_fail_on_what_was_verified_takes_the_go_away_from_when_it_counts(place: Place) -> None:
    observe(place.dev, CAP, now=after(minutes=2), cap_matches=FAIL)
    assert place.coverage(after(minutes=3)).covers
    observe(place.dev, CAP, now=after(minutes=4), cap_matches=FAIL)
    assert place.coverage(after(minutes=4) - MS).covers
    coverage = place.coverage(after(minutes=4))
    assert not coverage.covers
    assert coverage.since == after(minutes=4)
    observe(place.dev, CAP, now=after(minutes=6), cap_matches=PASS)
    assert place.coverage(after(minutes=6)).covers


@pytest.mark.parametrize(("moved", "covers"), [(-1, True), (0, False), (1, False)])
def test_evidence_that_ends_ends_the_cover_to_the_millisecond_with_nobody_at_work(
    place: Place, moved: int, covers: bool
) -> None:
    ends = min(item.settled_until for item in on_sheet(place.dev) if item.settled_until)
    events = Event.objects.count()
    coverage = place.coverage(ends + timedelta(milliseconds=moved))
    assert coverage.covers is covers
    assert coverage.since == (None if covers else ends)
    assert Event.objects.count() == events


@pytest.mark.parametrize(("moved", "covers"), [(-1, True), (0, False), (1, False)])
def test_a_waiver_that_ends_ends_the_cover_to_the_millisecond(moved: int, covers: bool) -> None:
    dev = make_environment(kind="dev")
    mia, ada = make_member(dev.service.team), make_reviewer()
    settle(dev, mia, but=[CAP])
    waiver = decide(ada, ask(mia, item_of(dev, CAP), days=3))
    place = Place(dev=dev, mia=mia, ada=ada, decision=decide_on(dev, ada, GO))
    coverage = place.coverage(waiver.until + timedelta(milliseconds=moved))
    assert (coverage.covers, coverage.since) == (covers, None if covers else waiver.until)


def test_a_waiver_that_is_revoked_ends_the_cover_when_it_was_revoked() -> None:
    dev = make_environment(kind="dev")
    mia, ada = make_member(dev.service.team), make_reviewer()
    settle(dev, mia, but=[CAP])
    waiver = decide(ada, ask(mia, item_of(dev, CAP), days=30))
    place = Place(dev=dev, mia=mia, ada=ada, decision=decide_on(dev, ada, GO))
    end(ada, waiver, now=THEN)
    (fact,) = place.coverage().facts
    assert (fact.what, fact.before, fact.after, fact.since) == (Worsening.UNSETTLED, "waived", "open", THEN)


def ticked_again(place: Place) -> None:
    tick(place.mia, place.item("logs-redacted"), now=THEN)


def observed_again(place: Place) -> None:
    observe(place.dev, CAP, now=THEN, cap_matches=PASS)


def cannot_tell(place: Place) -> None:
    observe(place.dev, CAP, now=after(minutes=5), cap_matches=INCONCLUSIVE)
    observed_again(place)


def attested_for_verified(place: Place) -> None:
    tick(place.mia, place.item(CAP), now=after(minutes=5))


def verified_for_attested(place: Place) -> None:
    attested_for_verified(place)
    observed_again(place)


def other_owner(place: Place) -> None:
    for item in on_sheet(place.dev):
        items.assign(by=place.mia, item_id=item.pk, owner=place.mia, due_on=None, seen_version=version(item), now=THEN)


def reworded(place: Place) -> None:
    Entry.objects.update(title="Another title", text="Other words.")
    Clause.objects.update(text="Other words.")


def other_launch_date(place: Place) -> None:
    settings = {name: getattr(place.dev, name) for name in EnvironmentSettings.__annotations__}
    settings["launch_on"] = date(2026, 6, 1)
    services.change_environment(
        by=place.mia,
        environment_id=place.dev.pk,
        settings=settings,  # type: ignore[arg-type]
        seen_version=place.dev.version,
        now=THEN,
    )


def asked_for_a_waiver(place: Place) -> None:
    take_back(place.mia, place.item("logs-redacted"), now=THEN)
    ask(place.mia, place.item("logs-redacted"), now=THEN)
    ticked_again(place)


@pytest.mark.parametrize(
    "happens",
    [
        ticked_again,
        observed_again,
        cannot_tell,
        attested_for_verified,
        verified_for_attested,
        other_owner,
        reworded,
        other_launch_date,
        asked_for_a_waiver,
    ],
)
def test_a_go_covers_after_every_change_that_makes_nothing_worse(
    place: Place, happens: Callable[[Place], None]
) -> None:
    happens(place)
    assert place.coverage(THEN + MS).facts == []
    assert place.coverage(THEN + MS).covers


def test_a_waiver_that_is_renewed_changes_nothing() -> None:
    dev = make_environment(kind="dev")
    mia, ada = make_member(dev.service.team), make_reviewer()
    settle(dev, mia, but=[CAP])
    decide(ada, ask(mia, item_of(dev, CAP), days=3))
    place = Place(dev=dev, mia=mia, ada=ada, decision=decide_on(dev, ada, GO))
    decide(ada, ask(mia, item_of(dev, CAP), days=40, now=THEN), now=THEN)
    assert Waiver.objects.filter(ended_at=THEN).exists()
    assert place.coverage(after(days=20)).covers


def test_a_no_go_covers_nothing_and_names_no_fact(place: Place) -> None:
    place.decision = decide_on(place.dev, place.ada, NO_GO, now=after(minutes=2))
    probe_fails(place)
    coverage = place.coverage()
    assert (coverage.covers, coverage.facts, coverage.appeared) == (False, [], [])


def test_an_entry_that_was_not_on_the_sheet_then_is_listed_apart(place: Place) -> None:
    entry = Entry.objects.exclude(pk__in=[item.entry_id for item in on_sheet(place.dev)]).first()
    assert entry is not None
    Entry.objects.filter(pk=entry.pk).update(kinds=["dev", "staging", "prod"])
    services.add_missing_items(place.dev)
    coverage = place.coverage(after(minutes=10))
    assert coverage.covers
    assert [one.entry for one in coverage.appeared] == [entry.slug]


def test_a_later_decision_takes_the_place_of_an_earlier_one(place: Place) -> None:
    later = decide_on(place.dev, place.ada, NO_GO, now=after(minutes=2))
    page = decision_page(Decision.objects.select_related("review").get(pk=place.decision.pk), AT)
    assert page.later == later
    assert page.coverage is None


def test_an_archived_environment_is_covered_by_nothing(place: Place) -> None:
    archive_environment(by=place.mia, environment_id=place.dev.pk, reason=REASON, now=THEN)
    page = decision_page(Decision.objects.select_related("review").get(pk=place.decision.pk), AT)
    assert page.line.tally is None
    assert page.coverage is None or not page.coverage.covers


def under_conditions(*entries: str) -> Place:
    dev = make_environment(name="dev", kind="dev")
    mia, ada = make_member(dev.service.team, "mia"), make_reviewer("ada")
    settle(dev, mia, but=entries)
    conditions = [
        NewCondition(item_id=item_of(dev, entry).pk, reason=REASON, owner=mia, until=date(2026, 3, 4))
        for entry in entries
    ]
    return Place(dev=dev, mia=mia, ada=ada, decision=decide_on(dev, ada, CONDITIONAL, conditions=conditions))


@pytest.mark.parametrize(("moved", "covers"), [(-1, True), (0, False), (1, False)])
def test_a_condition_that_is_overdue_ends_the_cover_and_regresses_the_verdict(moved: int, covers: bool) -> None:
    place = under_conditions(CAP)
    until = place.decision.conditions.get().until
    at = until + timedelta(milliseconds=moved)
    coverage = place.coverage(at)
    assert [fact.what for fact in coverage.facts] == ([] if covers else [Worsening.OVERDUE])
    assert [one.item.entry.slug for one in coverage.open_conditions] == [CAP]
    standing = verdict(place.dev, at=at, now=at)
    assert standing is not None
    assert standing.tally.verdict == (Verdict.NOT_READY if covers else Verdict.REGRESSED)


def test_an_item_under_a_condition_that_begins_to_fail_ends_the_cover() -> None:
    place = under_conditions(CAP)
    observe(place.dev, CAP, now=after(hours=1), cap_matches=FAIL)
    (fact,) = place.coverage(after(hours=2)).facts
    assert (fact.what, fact.before, fact.after) == (Worsening.BEGAN_TO_FAIL, Status.OPEN, Status.FAILING)
    assert fact.since == after(hours=1)


def test_a_condition_that_was_met_and_fell_again_ends_the_cover_and_regresses_the_verdict() -> None:
    place = under_conditions(CAP)
    tick(place.mia, place.item(CAP), now=after(hours=1))
    assert place.coverage(after(hours=2)).open_conditions == []
    take_back(place.mia, place.item(CAP), now=after(hours=3))
    at = after(hours=4)
    (fact,) = place.coverage(at).facts
    assert (fact.what, fact.since) == (Worsening.UNSETTLED_AGAIN, after(hours=3))
    standing = verdict(place.dev, at=at, now=at)
    assert standing is not None
    assert standing.tally.verdict == Verdict.REGRESSED


def test_another_build_ends_the_cover_of_what_is_bound_to_the_old_one_and_a_rollback_brings_it_back() -> None:
    prod = make_environment(name="prod", kind="prod", build="b1")
    mia, ada = make_member(prod.service.team, "mia"), make_reviewer("ada")
    settle(prod, mia, but=["retry-after-honoured"])
    observe(prod, "drill", now=NOW, retry_after_honoured=PASS)
    place = Place(dev=prod, mia=mia, ada=ada, decision=decide_on(prod, ada, GO, now=after(minutes=1)))
    set_build(by=mia, environment_id=prod.pk, build="b2", now=after(minutes=5))
    coverage = place.coverage(after(minutes=6))
    assert [(fact.entry, fact.since) for fact in coverage.facts] == [("retry-after-honoured", after(minutes=5))]
    set_build(by=mia, environment_id=prod.pk, build="b1", now=after(minutes=7))
    assert place.coverage(after(minutes=8)).covers
