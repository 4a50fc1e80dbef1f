"""The order of the overview, and what it counts."""

from datetime import timedelta

import pytest

from readiness.enums.words import DecisionKind
from readiness.models import Entry
from readiness.rules.calendar_months import month_of
from readiness.selectors import fleet
from readiness.selectors.calendar_month import Whose, calendar_month
from readiness.selectors.overview import Filters, overview
from tests.deeds import ask, decide_on, settle
from tests.factories import NOW, item_of, make_environment, make_member, make_reviewer, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


def test_launches_ahead_come_first_and_kinds_stand_as_people_name_them() -> None:
    team, ada = make_team(), make_reviewer()
    mia = make_member(team)
    service = make_service(team, "assistant")
    for kind in ("prod", "staging", "dev"):
        make_environment(service, kind, kind=kind)
    other = make_service(team, "batch")
    live, refused, _ = (
        make_environment(other, name, launch_on=NOW.date() - timedelta(days=9)) for name in ("live", "refused", "late")
    )
    settle(live, mia)
    decide_on(live, ada, DecisionKind.GO)
    decide_on(refused, ada, DecisionKind.NO_GO)
    make_environment(other, "later", launch_on=NOW.date() + timedelta(days=40))
    make_environment(other, "soon", launch_on=NOW.date() + timedelta(days=2))
    shown = overview(Filters(), NOW)
    late = calendar_month(month_of(NOW.date()), Whose(), NOW, first_weekday=0).overdue
    assert {str(launch.environment) for launch in late} == {"batch/late", "batch/refused"}, "As the calendar has it."
    assert [(group.heading, [str(row.environment) for row in group.rows]) for group in shown.groups] == [
        ("Launching within a week", ["batch/soon"]),
        ("Launching in April", ["batch/later"]),
        ("Overdue", ["batch/late", "batch/refused"]),
        ("Launched", ["batch/live"]),
        ("No launch date", ["assistant/dev", "assistant/staging", "assistant/prod"]),
    ]


def test_a_request_about_a_retired_entry_waits_for_nobody() -> None:
    member = make_member(make_team())
    environment = make_environment(make_service(member.teams.get(), by=member), by=member)
    ask(member, item_of(environment, "store-false"))
    assert overview(Filters(), NOW).waiting == 1
    Entry.objects.filter(slug="store-false").update(retired_at=NOW)
    fleet.forget()
    assert overview(Filters(), NOW).waiting == 0
