"""Two reviewers at one moment, and whoever writes on a sheet while it is decided on."""

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from django.db import connection
from django.utils import timezone

from readiness.actions import items, reviews
from readiness.actions.decisions import DecisionCrossed, decide
from readiness.enums.words import DecisionKind, Judgement
from readiness.models import Condition, Decision, Environment, Event, Item, Review, User
from readiness.rules.permissions import Refused
from readiness.rules.snapshots import read
from readiness.rules.status import status_at
from tests.deeds import SUMMARY, observe, on_sheet, plan_review, settle
from tests.factories import item_of, make_environment, make_member, make_reviewer

LINKS = ["https://docs.example.ca/a"]

pytestmark = pytest.mark.django_db(transaction=True)


def together(*deeds: Callable[[], object]) -> list[BaseException | object]:
    """Do each in a thread and on a connection of its own, from one moment on; return what each gave or raised."""
    ready = Barrier(len(deeds))
    found: list[BaseException | object] = [None] * len(deeds)

    def do(place: int, deed: Callable[[], object]) -> None:
        try:
            ready.wait(20)
            found[place] = deed()
        except Exception as error:  # noqa: BLE001 - judged in the test
            found[place] = error
        finally:
            connection.close()

    threads = [Thread(target=do, args=pair) for pair in enumerate(deeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def decision(review: Review, dev: Environment, by: User, kind: DecisionKind = DecisionKind.NO_GO) -> Decision:
    return decide(
        by=User.objects.get(pk=by.pk),
        review_id=review.pk,
        environment_id=dev.pk,
        kind=kind,
        note="",
        dissents=[],
        conditions=[],
        seen_decision=None,
        now=timezone.now(),
    )


def test_of_two_reviewers_at_once_one_decides_and_the_other_is_told_who_and_what() -> None:
    dev = make_environment(kind="dev")
    reviewers = [make_reviewer("ada"), make_reviewer("sam")]
    review = plan_review(dev, by=reviewers[0])
    found = together(*(lambda by=by: decision(review, dev, by) for by in reviewers))  # type: ignore[misc]
    (made,) = (one for one in found if isinstance(one, Decision))
    (crossed,) = (one for one in found if isinstance(one, DecisionCrossed))
    assert crossed.decision == made
    assert str(crossed) == f"{made.by} decided first: No-go."
    assert Decision.objects.get() == made
    assert Event.objects.filter(kind="decision.made").count() == 1


def test_of_two_who_write_minutes_at_once_one_is_told_and_nothing_is_lost() -> None:
    ada, sam = make_reviewer("ada"), make_reviewer("sam")
    review = plan_review(make_environment(kind="dev"), by=ada)

    def write(by: User) -> Review:
        person = User.objects.get(pk=by.pk)
        return reviews.write_minutes(
            by=person, review_id=review.pk, minutes=f"{person} was there.", seen_version=1, now=timezone.now()
        )

    found = together(lambda: write(ada), lambda: write(sam))
    (crossed,) = (one for one in found if isinstance(one, reviews.ReviewCrossed))
    review.refresh_from_db()
    assert review.minutes == f"{crossed.by} was there."
    assert crossed.review.minutes == review.minutes


def test_what_a_snapshot_says_is_how_the_sheet_stood_at_its_instant_whoever_writes_meanwhile() -> None:
    """A tick is taken back at the same moment: the go is refused, or it was made before and froze the tick."""
    for _ in range(4):
        dev = make_environment(kind="dev")
        mia, ada = make_member(dev.service.team), make_reviewer()
        settle(dev, mia, now=timezone.now())
        review, item = plan_review(dev, by=ada), item_of(dev, "spend-cap")

        def take_back(item: Item = item, by: User = mia) -> object:
            person = User.objects.get(pk=by.pk)
            return items.take_back(
                by=person, item_id=item.pk, summary=SUMMARY, seen_version=item.version, now=timezone.now()
            )

        def go(review: Review = review, dev: Environment = dev, by: User = ada) -> object:
            return decision(review, dev, by, DecisionKind.GO)

        taken, decided = together(take_back, go)
        assert isinstance(taken, list)
        assert isinstance(decided, Decision | Refused)
        if isinstance(decided, Decision):
            assert all(one.status == "attested" for one in read(decided.snapshot).items)


def test_probes_people_and_reviewers_at_once_wait_for_each_other_and_none_is_thrown_out() -> None:
    dev = make_environment(kind="dev")
    mia, reviewers = make_member(dev.service.team), [make_reviewer(), make_reviewer()]
    settle(dev, mia, now=timezone.now())
    review = plan_review(dev, by=reviewers[0])

    def tick_all() -> None:
        person = User.objects.get(pk=mia.pk)
        for item in on_sheet(dev):
            now = timezone.now()
            items.tick(by=person, item_id=item.pk, summary=SUMMARY, links=LINKS, seen_version=item.version, now=now)

    def probe() -> None:
        for _ in range(5):
            observe(dev, "spend-cap", now=timezone.now(), cap_matches=Judgement.PASS)

    def decide_often(by: User) -> None:
        for _ in range(5):
            try:
                decision(review, dev, by)
            except DecisionCrossed:
                continue

    found = together(tick_all, probe, *(lambda by=by: decide_often(by) for by in reviewers))  # type: ignore[misc]
    assert found == [None] * 4
    now = timezone.now()
    assert all(status_at(item.facts, now).met for item in on_sheet(dev))
    assert not Condition.objects.exists()
