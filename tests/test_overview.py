"""The order of the overview, and what it counts."""

from datetime import timedelta

import pytest

from readiness.models import Entry
from readiness.selectors import fleet
from readiness.selectors.overview import Filters, overview
from tests.deeds import ask
from tests.factories import NOW, item_of, make_environment, make_member, make_service, make_team

pytestmark = [pytest.mark.django_db, pytest.mark.either_database]


def test_launches_ahead_come_first_and_kinds_stand_as_people_name_them() -> None:
    team = make_team()
    service = make_service(team, "assistant")
    for kind in ("prod", "staging", "dev"):
        make_environment(service, kind, kind=kind)
    other = make_service(team, "batch")
    make_environment(other, "live", launch_on=NOW.date() - timedelta(days=9))
    make_environment(other, "later", launch_on=NOW.date() + timedelta(days=40))
    make_environment(other, "soon", launch_on=NOW.date() + timedelta(days=2))
    shown = overview(Filters(), NOW)
    assert [(group.heading, [str(row.environment) for row in group.rows]) for group in shown.groups] == [
        ("Launching within a week", ["batch/soon"]),
        ("Launching in April", ["batch/later"]),
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
