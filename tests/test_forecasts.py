"""What gets worse until an instant to come: each reversal at its instant, with its cause, and no other."""

from datetime import UTC, datetime, timedelta

import pytest

from readiness.enums.standing import Status, Verdict
from readiness.enums.words import Judgement
from readiness.models import BillingSource, Clause, Entry, Environment, Evidence, Item, User
from readiness.rules.folding import ClauseFacts, Grant, LeftOut, fold_item
from readiness.rules.forecasts import Cause, Reversal, forecast, keep_passing, reversals
from readiness.rules.status import status_at
from readiness.selectors.standing import Known, verdict
from tests.deeds import after, ask, decide, observe, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer
from tests.reading import words

START = datetime(2026, 3, 1, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def at(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


def turns(
    *clauses: ClauseFacts,
    scheduled: tuple[str, ...] = (),
    waiver: Grant | None = None,
    left_out: LeftOut | None = None,
    until: float = 1000,
) -> list[tuple[float, str, str]]:
    """The reversals after second 10: when, why, and which clause."""
    kept = keep_passing(clauses, scheduled=scheduled, now=at(10))
    facts = fold_item(kept, waiver=waiver, left_out=left_out, first_met_at=None, at=at(10))
    found = reversals(kept, facts, waiver=waiver, left_out=left_out, after=at(10), until=at(until))
    assert all(_turns_at(facts, one) for one in found)
    return [((one.at - START).total_seconds(), str(one.cause), one.clause) for one in found]


def _turns_at(facts: object, one: Reversal) -> bool:
    """Whether the status is the one before, a millisecond earlier, and the one after at the instant itself."""
    return (status_at(facts, one.at - MS), status_at(facts, one.at)) == (one.before, one.after)  # type: ignore[arg-type]


PASSING = ClauseFacts(clause="a", pass_until=at(50), passing=True)
KEY = ClauseFacts(clause="key", pass_until=at(50), true_until=at(400), passing=True)
TICKED = ClauseFacts(clause="b", tick_until=at(300))
DRILLED = ClauseFacts(clause="c", pass_until=at(200), passing=True, drill=True)
LENT = ClauseFacts(clause="d", pass_until=at(200), passing=True, lent_by=7)
DOUBTED = ClauseFacts(clause="e", pass_until=at(200), failing_since=at(200))
LATE = ClauseFacts(clause="late", counts_from=at(500))


@pytest.mark.parametrize(
    ("clauses", "scheduled", "expected"),
    [
        pytest.param([PASSING], ("a",), [], id="a probe that passes on a schedule keeps passing"),
        pytest.param([PASSING], (), [(50, "observation-ages", "a")], id="one that does not run by itself does not"),
        pytest.param([KEY], ("key",), [(400, "no-longer-true", "key")], id="a key gets a year old all the same"),
        pytest.param([TICKED], ("b",), [(300, "tick-ages", "b")], id="a word ends when it ends"),
        pytest.param([DRILLED], ("c",), [(200, "observation-ages", "c")], id="what a drill saw ends when it ends"),
        pytest.param([LENT], ("d",), [(200, "observation-ages", "d")], id="what was observed elsewhere too"),
        pytest.param([DOUBTED], ("e",), [(200, "fail-counts", "e")], id="a fail that waits counts at the end"),
        pytest.param([PASSING, LATE], ("a",), [(500, "begins-to-count", "late")], id="a clause begins to count"),
        pytest.param(
            [TICKED, DRILLED], (), [(200, "observation-ages", "c")], id="an item turns once, at its first clause"
        ),
        pytest.param([ClauseFacts(clause="open")], (), [], id="what is open turns nothing"),
    ],
)
def test_what_turns_when_and_why(
    clauses: list[ClauseFacts], scheduled: tuple[str, ...], expected: list[tuple[float, str, str]]
) -> None:
    assert turns(*clauses, scheduled=scheduled) == expected


def test_a_waiver_and_a_leaving_out_end_where_they_end() -> None:
    waiver = Grant(start=at(5), end=at(600), clauses=frozenset({"open"}))
    left_out = LeftOut(start=at(5), end=at(700))

    assert turns(ClauseFacts(clause="open"), waiver=waiver) == [(600, "waiver-ends", "")]
    assert turns(ClauseFacts(clause="open"), left_out=left_out) == [(700, "means-another-thing", "")]
    assert turns(TICKED, ClauseFacts(clause="open"), waiver=waiver) == [(300, "tick-ages", "b")]


def test_the_instant_that_is_asked_of_belongs_to_it() -> None:
    assert turns(TICKED, until=300) == [(300, "tick-ages", "b")]
    assert turns(TICKED, until=299.999) == []


def test_two_things_that_end_at_one_instant_are_both_named() -> None:
    other = ClauseFacts(clause="z", tick_until=at(300))

    assert turns(TICKED, other) == [(300, "tick-ages", "b"), (300, "tick-ages", "z")]


def test_a_forecast_folds_what_keeps_passing() -> None:
    facts = forecast([PASSING], waiver=None, left_out=None, first_met_at=None, scheduled={"a"}, now=at(10))

    assert status_at(facts, at(10**9)) is Status.VERIFIED
    assert status_at(facts, at(10)) is Status.VERIFIED


@pytest.fixture
def prod(db: None) -> Environment:
    return make_environment(kind="dev", spend_cap=100, spend_cap_currency="CAD")


@pytest.fixture
def mia(prod: Environment) -> User:
    return make_member(prod.service.team)


@pytest.mark.django_db
def test_a_sheet_names_every_reversal_until_its_launch_date_in_order(prod: Environment, mia: User) -> None:
    first, second = item_of(prod, "logs-redacted"), item_of(prod, "store-false")
    tick(mia, first, now=after(days=-89))
    waiver = decide(make_reviewer(), ask(mia, second, days=20), now=after(minutes=1))

    coming = verdict(prod, at=after(days=60), now=after(hours=1))

    assert coming is not None
    assert (coming.known, [(turn.item, turn.reversal.at, turn.reversal.cause) for turn in coming.turns]) == (
        Known.FORECAST,
        [
            (first, after(days=1), Cause.TICK_AGES),
            (first, after(days=1), Cause.TICK_AGES),
            (second, waiver.until, Cause.WAIVER_ENDS),
        ],
    )
    assert {turn.clause for turn in coming.turns if turn.item == first} == set(
        first.entry.clauses.values_list("text", flat=True)
    )


@pytest.mark.django_db
def test_a_probe_that_could_not_tell_when_it_looked_last_is_not_taken_to_keep_passing(prod: Environment) -> None:
    source = BillingSource.objects.create(
        name="Billing",
        url="https://billing.example.ca/caps.json",
        environment_expression="[0]",
        cap_expression="cap",
        currency_expression="currency",
    )
    Environment.objects.filter(pk=prod.pk).update(billing_source=source, billing_name="prod")
    item = item_of(prod, "spend-cap")

    def in_a_month(now: datetime) -> Status:
        found = verdict(Environment.objects.get(pk=prod.pk), at=after(days=30), now=now)
        assert found is not None
        return next(one.status for one in found.items if one.item == item)

    observe(prod, "spend-cap", now=NOW, cap_matches=Judgement.PASS)
    assert in_a_month(after(minutes=1)) is Status.VERIFIED
    observe(prod, "spend-cap", now=after(hours=1), cap_matches=Judgement.INCONCLUSIVE)
    assert in_a_month(after(hours=2)) is Status.STALE


@pytest.mark.django_db
def test_an_entry_that_begins_to_count_turns_the_sheet_at_its_instant(prod: Environment, mia: User) -> None:
    begins = after(days=3)
    for item in Item.objects.filter(service=prod.service):
        tick(mia, item)
    Entry.objects.filter(slug="logs-redacted").update(counts_from=begins)
    late = item_of(prod, "logs-redacted")
    Evidence.objects.filter(item=late).update(valid_until=after(days=1))
    Clause.objects.filter(entry=late.entry).update(counts_from=begins)
    Item.objects.filter(pk=late.pk).update(settled_until=begins, standing=[])

    for off, expected in ((-MS, Verdict.READY), (0 * MS, Verdict.NOT_READY)):
        found = verdict(prod, at=begins + off, now=after(hours=1))
        assert found is not None
        assert found.tally.verdict is expected
    assert [(turn.item, turn.reversal.cause) for turn in found.turns] == [(late, Cause.BEGINS_TO_COUNT)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("asked", "status", "said"),
    [
        ("2026-03-02T09:00", 200, "recomputed from what was recorded by that instant"),
        ("2031-01-01T00:00", 422, "At most a year ahead can be judged"),
        ("2020-01-01T00:00", 422, "The environment was not here yet"),
        ("soon", 422, "Give a date and a time of day"),
        ("", 422, "Give a date and a time of day"),
    ],
)
def test_the_page_shows_any_instant_or_says_what_to_give(
    client: object, prod: Environment, mia: User, asked: str, status: int, said: str
) -> None:
    client.force_login(mia, backend="django.contrib.auth.backends.ModelBackend")  # type: ignore[attr-defined]
    response = client.get(f"/services/{prod.service.slug}/{prod.name}/at/", {"at": asked})  # type: ignore[attr-defined]

    assert (response.status_code, said in words(response)) == (status, True)
