"""Random histories told to the product itself, through its actions and its database, and replayed from what is stored.

``tests/test_random_histories.py`` holds the folding; this holds what stands around it: which rows are read, who is
folded again, what is kept for replay, and that a rebuild finds nothing to correct.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from django.db import transaction

from readiness.actions import archiving, builds, folding, requests
from readiness.actions.rebuilding import rebuild
from readiness.enums.standing import Status
from readiness.enums.words import Judgement, Kind, Outcome, RunReason, RunState, Stance
from readiness.models import Clause, Entry, Environment, Evidence, Item, NotApplicable, Run, Service, User, Waiver
from readiness.rules.status import status_at
from readiness.selectors.standing import verdict
from tests.deeds import REASON
from tests.factories import item_of, make_environment, make_member, make_reviewer, make_service, make_team
from tests.folded import START, instant
from tests.replay import rules
from tests.replay import world as told
from tests.replay.histories import history, questions
from tests.servers.environment import DATABASES
from tests.test_random_histories import GREEN, may_be_stricter

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(900)]
HISTORIES = int(os.environ.get("SOAK_STORED_HISTORIES", "40"))
LONG_BEFORE = START - timedelta(days=1)
RECORDS = {
    "pass": Outcome.PASS,
    "drill-pass": Outcome.PASS,
    "fail": Outcome.FAIL,
    "drill-fail": Outcome.FAIL,
    "tick": Outcome.PASS,
    "bare-tick": Outcome.PASS,
    "back": Outcome.WITHDRAWN,
    "retired": Outcome.RETIRED,
}


@dataclass
class Stage:
    """A service with an entry of as many clauses as a history has, and the people of it."""

    service: Service
    member: User
    reviewer: User
    entry: Entry
    places: dict[str, Environment] = field(default_factory=dict)

    @classmethod
    def set_up(cls, world: told.World) -> "Stage":
        team = make_team()
        member = make_member(team)
        service = make_service(team, by=member, now=LONG_BEFORE)
        entry = Entry.objects.get(slug="sse-not-buffered")
        entry.clauses.update(retired_at=LONG_BEFORE)
        Entry.objects.filter(pk=entry.pk).update(build_bound=world.clauses[0].bound, kinds=list(Kind.values))
        for number, clause in enumerate(world.clauses):
            Clause.objects.create(
                entry=entry,
                slug=clause.name,
                text=clause.name,
                probe="watcher",
                fresh_pass=timedelta(days=1),
                fresh_tick=timedelta(days=1),
                position=number,
                counts_from=instant(clause.counts_from) if clause.counts_from else None,
            )
        entry.refresh_from_db()
        stage = cls(service, member, make_reviewer(), entry)
        for one in world.environments:
            stage.places[one.name] = make_environment(service, one.name, kind=one.kind, by=member, now=LONG_BEFORE)
        return stage

    def item(self, where: str) -> Item:
        return item_of(self.places[where], "sse-not-buffered")

    def tell(self, one: told.Happening) -> None:
        now = instant(one.told)
        match one:
            case told.Said():
                self.say(one)
            case told.Built():
                builds.set_build(by=self.member, environment_id=self.places[one.where].pk, build=one.build, now=now)
            case told.Archived():
                place = self.places[one.where]
                archiving.archive_environment(by=self.member, environment_id=place.pk, reason=REASON, now=now)
            case told.Waived():
                asked = Waiver.objects.create(
                    item=self.item(one.where),
                    stance=Stance.ACCEPT_RISK,
                    reason=REASON,
                    asked_by=self.member,
                    asked_at=now,
                    until=instant(one.ends),
                )
                requests.decide(by=self.reviewer, request=asked, grant=True, note="", now=now)
            case told.WaiverEnded():
                standing = Waiver.objects.get(item=self.item(one.where), granted=True, ended_at=None)
                requests.end(by=self.reviewer, request=standing, reason=REASON, now=now)
            case told.LeftOut():
                item = self.item(one.where)
                left = requests.ask_not_applicable(
                    by=self.member, item_id=item.pk, reason=REASON, seen_version=item.version, now=now
                )
                requests.decide(by=self.reviewer, request=left, grant=True, note="", now=now)
            case told.BroughtBack():
                granted = NotApplicable.objects.get(item=self.item(one.where), granted=True, ended_at=None)
                requests.end(by=self.member, request=granted, reason=REASON, now=now)
            case told.Changed():
                self.change(one)

    def say(self, one: told.Said) -> None:
        """Record a statement at its instants, as a run and as people do, and fold whatever rests on it."""
        if one.what == "unclear":
            return
        now, by_person = instant(one.told), one.what in told.PEOPLE
        with transaction.atomic():
            item = self.item(one.where)
            touched = {item.pk} if by_person else {item.pk} | folding.borrowers_of([item.pk])
            locked = [folding.lock_item(pk) for pk in sorted(touched)]
            Evidence.objects.create(
                item=item,
                clause=one.clause,
                outcome=RECORDS[one.what],
                summary="Said.",
                by=self.member if by_person else None,
                run=None if by_person else self.run(one),
                build=one.build,
                supported=one.what != "bare-tick",
                drill=one.what.startswith("drill"),
                meaning=one.meaning + 1,
                observed_at=instant(one.seen),
                recorded_at=now,
                valid_until=instant(one.ends) if RECORDS[one.what] == Outcome.PASS else None,
                true_until=None if one.true_until is None else instant(one.true_until),
            )
            for other in locked:
                folding.refresh(other, now=now)

    def run(self, one: told.Said) -> Run:
        return Run.objects.create(
            environment=self.places[one.where],
            probe="watcher",
            state=RunState.DONE,
            reason=RunReason.SCHEDULED,
            queued_at=instant(one.seen),
            due_at=instant(one.seen),
            finished_at=instant(one.told),
            findings=[{"clause": one.clause, "judgement": Judgement.PASS}],
        )

    def change(self, one: told.Changed) -> None:
        """Do to the rows what landing a version does that gives the entry, and some clauses, another meaning."""
        with transaction.atomic():
            items = [folding.lock_item(self.item(name).pk) for name in self.places]
            starts = instant(one.starts).isoformat()
            for clause in Clause.objects.filter(entry=self.entry, slug__in=one.clauses):
                clause.meanings[str(clause.meaning + 1)] = starts
                clause.save(update_fields=["meanings"])
            self.entry.refresh_from_db()
            self.entry.meanings[str(self.entry.meaning + 1)] = starts
            self.entry.save(update_fields=["meanings"])
            for item in items:
                item.entry.meanings = self.entry.meanings
                folding.refresh(item, now=instant(one.told))


def stored(seed: int) -> Iterator[tuple[Status, Status]]:
    """Tell a history to the product; yield what it says, and what the rules say: as it went on, and replayed."""
    world, random = history(seed), Random(seed)
    stage = Stage.set_up(world)
    strict = not may_be_stricter(world)
    ties = len(set(world.tolds)) < len(world.tolds)
    for known, one in enumerate(world.happened, start=1):
        stage.tell(one)
        item = stage.item(world.here)
        for at in questions(world, known, random, most=3):
            yield _agree(seed, status_at(item.facts, instant(at)), rules.status(world, at, known), strict, f"then {at}")
    prod, now = stage.places[world.here], instant(world.tolds[-1] + 5000)
    prod.refresh_from_db()
    for at in random.sample(range(world.tolds[-1] + 2), min(4, world.tolds[-1] + 2)):
        replayed = verdict(prod, at=instant(at), now=now)
        assert replayed is not None
        [ours] = [one.status for one in replayed.items if one.entry == stage.entry]
        yield _agree(seed, ours, rules.status(world, at), strict, f"replayed {at}")
    for name in stage.places:
        found = rebuild(stage.item(name).pk, write=False, now=instant(world.tolds[-1]))
        # Of what was recorded at one instant a rebuild sees all: that it was met in between it cannot know.
        assert {one.fact for one in found} <= ({"first_met_at"} if ties else set()), f"history {seed}, {name}: {found}"


def _agree(seed: int, ours: Status, theirs: Status, strict: bool, when: str) -> tuple[Status, Status]:
    said = f"history {seed}, {when}: {ours} where the rules say {theirs}"
    assert GREEN.get(ours, 0) <= GREEN.get(theirs, 0), said
    assert ours is theirs or not strict, said
    return ours, theirs


@pytest.mark.parametrize(
    "seeds",
    [
        pytest.param(range(n, HISTORIES, len(DATABASES)), id=database, marks=pytest.mark.only_on(database))
        for n, database in enumerate(DATABASES)
    ],
)
def test_what_is_stored_says_what_the_rules_say_now_and_replayed(seeds: range) -> None:
    seen: set[Status] = set()
    for seed in seeds:
        with transaction.atomic():
            seen |= {theirs for _, theirs in stored(seed)}
            transaction.set_rollback(True)
    assert seen == set(Status)
