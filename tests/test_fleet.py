"""What a process keeps of where everything stands is what it would read anew, whatever was done and whenever."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from readiness.actions import archiving, builds, items, ledger, rebuilding
from readiness.enums.words import DecisionKind, Judgement
from readiness.models import Environment, Event, Item, NotApplicable, Service, Team, User, Waiver
from readiness.rules.permissions import Refused
from readiness.selectors import fleet, waiting
from readiness.selectors.following import moved_by_time
from readiness.selectors.launches import launch_lines
from readiness.selectors.overview import GROUPINGS, Overview, overview, up_to_date
from readiness.selectors.overview_filters import NOBODY, Filters
from tests.deeds import ask, ask_to_leave_out, configure, decide, decide_on, end, observe, on_sheet, take_back, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.only_on("postgresql")]

FILTERS = (
    Filters(),
    Filters(kinds=frozenset({"prod"})),
    Filters(verdict="regressed"),
    Filters(waiting=True),
    Filters(window="month"),
    Filters(entry="store-false"),
    Filters(entry="store-false", state="attested"),
    Filters(owner=NOBODY, state="failing"),
    Filters(text="one"),
)


def told(shown: Overview) -> Any:
    """Everything that a page says, comparable."""
    return (
        [
            (
                group.heading,
                group.count,
                [
                    (
                        str(row.environment),
                        row.environment.launch_on,
                        row.environment.service.team.name,
                        {entry: str(status) for entry, status in row.statuses.items()},
                        row.tally,
                        row.under,
                        row.waiting,
                        row.strip,
                        shown.last_runs[row.environment.pk],
                        {entry: item.owner for entry, item in row.items.items()},
                    )
                    for row in group.rows
                ],
            )
            for group in shown.groups
        ],
        shown.figures,
        (shown.shown, shown.services, shown.held, shown.waiting, shown.settled, shown.observed, shown.items),
        shown.people,
        shown.seen,
    )


class World:
    """People who do at random what people and probes do."""

    def __init__(self, dice: Random) -> None:
        self.dice, self.now = dice, NOW
        team, other = make_team("Conversational"), make_team("Insurance")
        self.mia, self.ada = make_member(team, "mia"), make_reviewer("ada", teams=(other,))
        self.services = [make_service(team, "one", by=self.mia), make_service(other, "two", by=self.ada)]
        self.places = [
            make_environment(service, name, kind=name, by=self.by(service), build="b1", launch_on=self.day())
            for service in self.services
            for name in ("prod", "staging")
        ]

    def by(self, service: Service) -> User:
        return self.mia if service == self.services[0] else self.ada

    def day(self) -> Any:
        return (self.now + timedelta(days=self.dice.choice([-3, 2, 20, 50]))).date()

    def step(self) -> None:
        """Let time pass, and do one thing; what a rule refuses is not done."""
        self.now += self.dice.choice([timedelta(minutes=6), timedelta(hours=3), timedelta(days=4)])
        place = Environment.objects.select_related("service__team").get(pk=self.dice.choice(self.places).pk)
        by, item = self.by(place.service), self.dice.choice(on_sheet(place))
        act = self.dice.choice([getattr(self, name) for name in dir(self) if name.startswith("do_")])
        try:
            with transaction.atomic():
                act(place, by, item)
        except Refused:
            pass

    def do_tick(self, place: Environment, by: User, item: Item) -> None:
        for one in self.dice.sample(on_sheet(place), 12):
            tick(by, one, now=self.now)

    def do_take_back(self, place: Environment, by: User, item: Item) -> None:
        take_back(by, item, now=self.now)

    def do_observe(self, place: Environment, by: User, item: Item) -> None:
        if place.archived_at is None:
            observe(place, "spend-cap", now=self.now, cap_matches=self.dice.choice(list(Judgement)))

    def do_waive(self, place: Environment, by: User, item: Item) -> None:
        waiver = ask(by, item, days=self.dice.choice([1, 9]), now=self.now)
        if self.dice.random() < 0.7:
            decide(self.ada if by != self.ada else make_reviewer(), waiver, now=self.now)

    def do_leave_out(self, place: Environment, by: User, item: Item) -> None:
        decide(make_reviewer(), ask_to_leave_out(by, item, now=self.now), now=self.now)

    def do_end(self, place: Environment, by: User, item: Item) -> None:
        for kind in (Waiver, NotApplicable):
            for one in kind.objects.filter(ended_at=None).exclude(granted=False)[:1]:
                end(by, one, now=self.now)

    def do_assign(self, place: Environment, by: User, item: Item) -> None:
        owner = self.dice.choice([by, None])
        items.assign(by=by, item_id=item.pk, owner=owner, due_on=None, seen_version=item.version, now=self.now)

    def do_configure(self, place: Environment, by: User, item: Item) -> None:
        configure(by, place, launch_on=self.day(), now=self.now)

    def do_build(self, place: Environment, by: User, item: Item) -> None:
        build = self.dice.choice(["b1", "b2"])
        builds.set_build(by=by, environment_id=place.pk, build=build, now=self.now)

    def do_decide(self, place: Environment, by: User, item: Item) -> None:
        kind = self.dice.choice([DecisionKind.GO, DecisionKind.NO_GO])
        decide_on(place, make_reviewer(), kind, now=self.now)

    def do_archive(self, place: Environment, by: User, item: Item) -> None:
        reason = "It is not used by anybody any more."
        what = archiving.restore_environment if place.archived_at else archiving.archive_environment
        what(by=by, environment_id=place.pk, reason=reason, now=self.now)


@pytest.mark.parametrize("seed", range(2))
def test_what_is_kept_says_what_would_be_read_anew(seed: int) -> None:
    dice = Random(seed)
    world = World(dice)
    asked_at: list[datetime] = []
    for number in range(25):
        world.step()
        if dice.random() < 0.5:
            continue
        before = asked_at[-1:] if dice.random() < 0.2 else []
        later = world.now + timedelta(minutes=dice.randrange(60_000))
        for at in (world.now, later, later + timedelta(minutes=dice.randrange(600)), *before):
            overview(FILTERS[0], at)
            filters, grouping = dice.choice(FILTERS), dice.choice(list(GROUPINGS))
            kept = overview(filters, at, grouping=grouping)
            anew = overview(filters, at, grouping=grouping, kept=fleet.read(at))
            assert told(kept) == told(anew), (seed, number, filters, at)
            for person in (world.mia, world.ada):
                assert waiting.waiting_for(person, at) == waiting.counted(person, at).count, (seed, number, at)
            asked_at.append(at)
        places = list(Environment.objects.select_related("service__team", "billing_source"))
        lines = launch_lines(places, world.now)
        for group in (shown := overview(Filters(), world.now)).groups:
            for row in group.rows:
                line = lines[row.environment.pk]
                assert (row.tally, row.strip) == (line.tally, line.strip)
                assert shown.at_launch.get(row.environment.pk) == line.at_launch
    place, fact = world.places[0], {"observed_until": world.now + timedelta(days=9)}
    item = item_of(place, "audit-log")
    Item.objects.filter(pk=item.pk).update(**fact)
    rebuilding.rebuild(item.pk, write=True, now=world.now)
    assert Event.objects.latest("id").kind == "item.rebuilt"
    assert told(overview(Filters(), world.now)) == told(overview(Filters(), world.now, kept=fleet.read(world.now)))


def test_only_what_something_happened_to_is_read_again_and_a_page_is_told() -> None:
    places = [make_environment(make_service(make_team(), by=None)) for _ in range(3)]
    mia = make_member(places[0].service.team)
    first = overview(Filters(), NOW)
    rows = {row.environment.pk: row for group in first.groups for row in group.rows}
    assert up_to_date(first.seen, NOW, NOW)
    with CaptureQueriesContext(connection) as made:
        overview(Filters(), NOW)
    assert len(made) == 2
    tick(mia, item_of(places[0], "store-false"))
    assert not up_to_date(first.seen, NOW, NOW)
    second = overview(Filters(), NOW)
    same = [row for group in second.groups for row in group.rows if rows[row.environment.pk] is row]
    assert {row.environment.pk for row in same} == {one.pk for one in places[1:]}
    ends = item_of(places[0], "store-false").settled_until
    assert ends is not None
    at = ends - timedelta(seconds=1)
    overview(Filters(), at)
    drawn = fleet.fleet(at)
    rows, last = drawn.rows(at), ends - timedelta(microseconds=1)
    assert drawn.rows(last) is rows, "Nothing is put together again before a bound is passed."
    assert drawn.rows(ends) is not rows
    assert (drawn.moved(at, at), drawn.moved(at, ends)) == (False, True)
    told_by_what_is_kept = [moved_by_time(at, later) for later in (at, ends)]
    fleet.forget()
    assert told_by_what_is_kept == [moved_by_time(at, later) for later in (at, ends)] == [False, True]


def test_what_was_undone_is_not_kept() -> None:
    place = make_environment()
    mia = make_member(place.service.team)
    with transaction.atomic():
        tick(mia, item_of(place, "store-false"))
        assert overview(Filters(), NOW).settled == 1
        transaction.set_rollback(True)
    assert overview(Filters(), NOW).settled == 0
    tick(mia, item_of(place, "audit-log"))
    [[row]] = [group.rows for group in overview(Filters(), NOW).groups]
    assert row.statuses[item_of(place, "audit-log").entry_id] == "attested"


def test_what_somebody_with_a_faster_clock_wrote_counts_from_then_on() -> None:
    place = make_environment()
    mia, ada = make_member(place.service.team), make_reviewer()
    item = item_of(place, "store-false")
    overview(Filters(), NOW)
    ahead = NOW + timedelta(seconds=2)
    waiver = ask(mia, item, now=NOW)
    decide(ada, waiver, now=ahead)
    decide_on(place, ada, DecisionKind.NO_GO, now=ahead)
    for at in (NOW, NOW + timedelta(seconds=1), ahead):
        assert told(overview(Filters(), at)) == told(overview(Filters(), at, kept=fleet.read(at)))
    [[row]] = [group.rows for group in overview(Filters(), ahead).groups]
    assert row.under is not None
    assert row.tally.waived == 1
    soon, drawn = ahead + timedelta(seconds=2), ahead + timedelta(seconds=1)
    decide_on(place, ada, DecisionKind.NO_GO, now=soon)
    first = overview(Filters(), drawn)
    overview(Filters(), soon)
    assert not up_to_date(first.seen, drawn, soon), "Another page read it first; this one is told all the same."
    assert up_to_date(first.seen, soon, soon + timedelta(seconds=1))


def test_a_request_waits_only_where_a_sheet_shows_its_item() -> None:
    place = make_environment(kind="prod")
    mia = make_member(place.service.team)
    ask(mia, item_of(place, "audit-log"))
    assert overview(Filters(), NOW).waiting == 1
    configure(mia, place, kind="dev")
    assert overview(Filters(), NOW).waiting == 0


def test_what_is_about_no_service_reads_everything_again() -> None:
    place = make_environment()
    assert [team.name for team in overview(Filters(), NOW).teams] == [place.service.team.name]
    with transaction.atomic():
        Team.objects.update(name="Renamed")
        ledger.record("team.changed", by=None, at=NOW, data={"name": "Renamed"})
    assert [team.name for team in overview(Filters(), NOW).teams] == ["Renamed"]
    with transaction.atomic():
        ledger.record("token.made", by=None, at=NOW)
    with CaptureQueriesContext(connection) as made:
        overview(Filters(), NOW)
    assert len(made) == 2
