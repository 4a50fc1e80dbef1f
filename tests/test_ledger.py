"""The ledger: one stream without gaps, each line sealed over the one before."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from hashlib import sha256
from random import Random
from threading import Barrier, Thread

import pytest
from django.db import IntegrityError, connection, transaction

from readiness.actions import ledger
from readiness.enums.words import Judgement
from readiness.models import Event, Item, NotApplicable, User, Waiver
from readiness.rules.chain import FIRST_HASH
from readiness.rules.permissions import Refused
from tests.deeds import REASON, ask, ask_to_leave_out, decide, end, everything, observe, take_back, tick
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer

pytestmark = pytest.mark.django_db


def assert_sealed() -> list[Event]:
    """Recompute the whole chain from the texts alone, as an auditor would; return its lines."""
    lines = list(Event.objects.order_by("id"))
    before = "0" * 64
    for number, line in enumerate(lines, 1):
        assert (line.pk, line.previous_hash) == (number, before)
        assert line.hash == sha256(f"{before}\n{line.text}".encode()).hexdigest()
        said = json.loads(line.text)
        assert json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False) == line.text
        columns = {"id": line.pk, "kind": line.kind, "by": line.actor_id, "item": line.item_id}
        columns |= {"service": line.service_id, "environment": line.environment_id}
        assert {name: said[name] for name in columns} == columns
        assert datetime.fromisoformat(said["at"]) == line.at
        before = line.hash
    return lines


class Crowd:
    """People and a probe that do whatever comes to mind, most of it allowed."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.prod = make_environment()
        self.member = make_member(self.prod.service.team, f"Zoë “{seed}”")
        self.reviewer = make_reviewer()
        self.items = [item_of(self.prod, slug) for slug in ("spend-cap", "rotation-runbook", "key-in-secrets-manager")]
        self.deeds: list[Callable[[User, Item, datetime], object]] = [
            lambda by, item, now: tick(
                by, item, links=self.random.choice([[], ["https://docs.example.ca/é"]]), now=now
            ),
            lambda by, item, now: take_back(by, item, now=now),
            lambda by, item, now: ask(by, item, now=now),
            lambda by, item, now: ask_to_leave_out(by, item, now=now),
            lambda by, item, now: decide(self.reviewer, self.request(), grant=True, now=now),
            lambda by, item, now: decide(self.reviewer, self.request(), grant=False, note=REASON, now=now),
            lambda by, item, now: end(by, self.request(), now=now),
            lambda by, item, now: observe(
                self.prod, "spend-cap", now=now, cap_matches=self.random.choice(list(Judgement))
            ),
        ]

    def request(self) -> Waiver | NotApplicable:
        found = [one for kind in (Waiver, NotApplicable) for one in kind.objects.filter(ended_at=None)]
        if not found:
            raise Refused(["Nothing was asked."])
        return self.random.choice(found)

    def act(self, now: datetime) -> bool:
        by = self.member if self.random.random() < 0.9 else self.reviewer
        try:
            self.random.choice(self.deeds)(by, self.random.choice(self.items), now)
        except Refused:
            return False
        return True


@pytest.mark.parametrize("seed", range(6))
def test_the_chain_holds_after_whatever_people_and_probes_did(seed: int) -> None:
    crowd = Crowd(seed)
    done = 0
    for step in range(80):
        before = everything()
        if crowd.act(NOW + timedelta(hours=step)):
            done += 1
        else:
            assert everything() == before, "What is refused writes nothing."
    assert min(done, len(assert_sealed())) > 25


def test_a_line_says_when_in_one_way_whatever_zone_it_was_given_in() -> None:
    elsewhere = datetime(2026, 3, 1, 20, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
    with transaction.atomic():
        event = ledger.record("test.said", by=None, at=elsewhere, data={"é": "“quoted”", "a": [1, None, True]})

    event.refresh_from_db()
    assert event.text == (
        '{"at":"2026-03-01T15:00:00.000000+00:00","by":null,"by_name":null,'
        '"data":{"a":[1,null,true],"é":"“quoted”"},"environment":null,'
        f'"id":{event.pk},"item":null,"kind":"test.said","service":null}}'
    )
    assert event.data == {"é": "“quoted”", "a": [1, None, True]}


def test_the_first_line_is_sealed_over_zeros() -> None:
    first = Event.objects.order_by("id").first()
    assert first is not None
    assert (first.pk, first.previous_hash, FIRST_HASH) == (1, "0" * 64, "0" * 64)


def test_a_line_that_is_changed_breaks_the_seal() -> None:
    make_environment()
    Event.objects.filter(pk=1).update(text=Event.objects.get(pk=1).text.replace("checklist", "checklast"))
    with pytest.raises(AssertionError):
        assert_sealed()


def test_a_change_that_is_rolled_back_leaves_no_line_and_no_gap() -> None:
    with transaction.atomic():
        ledger.record("test.said", by=None, at=NOW)
        transaction.set_rollback(True)
    make_environment()
    assert_sealed()


def test_a_line_is_written_once() -> None:
    event = Event.objects.earliest("id")
    with pytest.raises(TypeError, match="append-only"):
        event.save()


def test_the_database_lets_the_chain_neither_fork_nor_start_at_nothing() -> None:
    last = Event.objects.latest("id")
    for number, before, seal in ((last.pk + 1, last.previous_hash, "a" * 64), (0, "b" * 64, "c" * 64)):
        with pytest.raises(IntegrityError), transaction.atomic():
            Event.objects.create(id=number, at=NOW, kind="x", text="{}", previous_hash=before, hash=seal)
    with pytest.raises(IntegrityError), transaction.atomic():
        Event.objects.create(id=last.pk + 1, at=NOW, kind="x", text="{}", previous_hash=last.hash, hash=last.hash)


@pytest.mark.django_db(transaction=True)
def test_a_line_outside_a_transaction_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="transaction of its change"):
        ledger.record("test.said", by=None, at=NOW)


@pytest.mark.django_db(transaction=True)
def test_writers_at_the_same_time_leave_no_gap_and_no_fork() -> None:
    """Real connections, real commits: what one process alone could never get wrong."""
    writers, lines_each = 6, 15
    already = Event.objects.count()
    ready, broken = Barrier(writers), []

    def write(writer: int) -> None:
        try:
            ready.wait(20)
            for number in range(lines_each):
                with transaction.atomic():
                    ledger.record("test.said", by=None, at=datetime.now(UTC), data={"writer": writer, "number": number})
        except Exception as error:  # noqa: BLE001 - the test reports whatever it was
            broken.append(error)
        finally:
            connection.close()

    threads = [Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert broken == []
    lines = [line for line in assert_sealed() if line.kind == "test.said"]
    assert Event.objects.count() == already + writers * lines_each
    for writer in range(writers):
        mine = [line.data["number"] for line in lines if line.data["writer"] == writer]
        assert mine == list(range(lines_each)), "Each writer's own lines stand in the order it wrote them."
