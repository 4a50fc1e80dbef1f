"""Days and times of day are those of the site's time zone, wherever that is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions.decisions import NewCondition
from readiness.enums.standing import Verdict
from readiness.enums.words import DecisionKind
from readiness.models import Condition, Environment, Review, User
from readiness.selectors.launches import launch_lines
from readiness.selectors.standing import verdict
from tests.checklist_deeds import landed, on_sheet
from tests.checklist_texts import checklist, entry
from tests.deeds import REASON, ask, decide, decide_on, settle
from tests.factories import item_of, make_admin, make_environment, make_member, make_reviewer, make_service, make_team
from tests.reading import words

pytestmark = pytest.mark.django_db
FIRST = date(2026, 3, 2)
LAUNCH = date(2026, 3, 8)
"""The clocks go forward in Toronto at two o'clock of this day, and in Havana at midnight, where it begins at one."""
TICK = timedelta(milliseconds=1)


@pytest.fixture(params=["America/Toronto", "America/Havana", "Asia/Kolkata", "Pacific/Kiritimati"])
def zone(request: pytest.FixtureRequest, settings: Any) -> ZoneInfo:
    settings.TIME_ZONE = request.param
    return ZoneInfo(request.param)


@pytest.fixture(autouse=True)
def clock(zone: ZoneInfo) -> Iterator[Any]:
    """Half an hour before midnight: another day than in UTC on one side or the other."""
    with time_machine.travel(datetime(2026, 3, 2, 23, 30, tzinfo=zone), tick=False) as travelled:
        yield travelled


@pytest.fixture
def mia() -> User:
    return make_member(make_team(), "mia")


@pytest.fixture
def ada() -> User:
    return make_reviewer("ada")


@pytest.fixture
def prod(mia: User) -> Environment:
    service = make_service(mia.teams.get(), by=mia)
    return make_environment(service, by=mia, launch_on=LAUNCH, now=timezone.now())


@pytest.fixture
def page(ada: User, client: Client) -> Client:
    client.force_login(ada, backend="django.contrib.auth.backends.ModelBackend")
    return client


def test_a_review_starts_when_its_form_said_on_every_page(
    page: Client, prod: Environment, ada: User, zone: ZoneInfo
) -> None:
    form = {"title": "Launches", "starts_at": "2026-03-08T03:05", "chair": ada.pk, "agenda": [prod.pk]}
    assert page.post(reverse("review-add"), form).status_code == 302
    review = Review.objects.get()
    assert review.starts_at == datetime(2026, 3, 8, 3, 5, tzinfo=zone)
    assert 'value="2026-03-08T03:05"' in page.get(reverse("review-change", args=[review.pk])).content.decode()
    for address in (review.get_absolute_url(), reverse("launches")):
        assert "03:05" in words(page.get(address))


def test_a_condition_runs_to_the_end_of_its_day(
    page: Client, prod: Environment, mia: User, ada: User, zone: ZoneInfo, clock: Any
) -> None:
    now = timezone.now()
    settle(prod, mia, but=["spend-cap"], now=now)
    condition = NewCondition(item_id=item_of(prod, "spend-cap").pk, reason=REASON, owner=mia, until=FIRST)
    made = decide_on(prod, ada, DecisionKind.GO_WITH_CONDITIONS, conditions=[condition], now=now)
    end_of_day = datetime(2026, 3, 3, tzinfo=zone)
    assert Condition.objects.get().until == end_of_day
    for instant, overdue in ((end_of_day - TICK, False), (end_of_day, True)):
        clock.move_to(instant)
        standing = verdict(Environment.objects.get(), at=instant, now=instant)
        assert standing is not None
        assert standing.tally.verdict is (Verdict.REGRESSED if overdue else Verdict.NOT_READY)
        assert ("overdue" in words(page.get(made.get_absolute_url())).lower()) is overdue


def test_a_launch_is_judged_as_its_day_begins(prod: Environment, mia: User, ada: User) -> None:
    now = timezone.now()
    settle(prod, mia, but=["spend-cap"], now=now)
    for last_day, at_launch in ((LAUNCH - timedelta(days=1), Verdict.NOT_READY), (LAUNCH, Verdict.READY_WITH_WAIVERS)):
        decide(ada, ask(mia, item_of(prod, "spend-cap"), until=last_day, now=now), now=now)
        tally = launch_lines([Environment.objects.get()], now)[prod.pk].at_launch
        assert tally is not None
        assert tally.verdict is at_launch, last_day


def test_an_entry_counts_from_the_beginning_of_its_day(prod: Environment, zone: ZoneInfo) -> None:
    landed(make_admin(), checklist(replace(entry(), counts_from=LAUNCH)), now=timezone.now())
    begins = datetime(2026, 3, 8, tzinfo=zone).astimezone(ZoneInfo("UTC"))
    assert "readme" not in on_sheet(prod, begins - TICK)
    assert "readme" in on_sheet(prod, begins)
