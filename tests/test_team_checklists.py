"""A team's own checklist beside everybody's: on its sheets, on no others, and handed over with a service."""

import pytest

from readiness.actions import services
from readiness.enums.standing import Status
from readiness.enums.words import Scope
from readiness.models import (
    Environment,
    Evidence,
    Item,
    Team,
    User,
)
from tests.checklist_deeds import faults, landed, on_sheet
from tests.checklist_texts import checklist, entry
from tests.deeds import REASON, after, tick
from tests.factories import (
    NOW,
    item_of,
    make_admin,
    make_environment,
    make_member,
    make_service,
    make_team,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin() -> User:
    return make_admin("ada")


@pytest.fixture
def team() -> Team:
    return make_team("Conversational")


@pytest.fixture
def prod(team: Team) -> Environment:
    return make_environment(make_service(team), "prod")


@pytest.fixture
def mia(team: Team) -> User:
    return make_member(team, "mia")


def test_a_teams_checklist_is_on_its_sheets_and_on_no_others(admin: User, team: Team, prod: Environment) -> None:
    other = make_environment(name="prod")
    landed(admin, checklist(entry()), team=team)
    assert len(on_sheet(prod, NOW)) == 27
    assert on_sheet(prod, NOW)["release--readme"] is Status.OPEN
    assert len(on_sheet(other, NOW)) == 26
    assert not Item.objects.filter(entry__slug="release--readme").exclude(environment=prod).exists()


def test_two_teams_may_use_the_same_words_for_their_entries(admin: User, team: Team, prod: Environment) -> None:
    there = make_environment(name="prod")
    landed(admin, checklist(entry(), slug="ours"), team=team)
    landed(admin, checklist(entry(text="Another."), slug="theirs"), team=there.service.team)
    assert "ours--readme" in on_sheet(prod, NOW)
    assert "theirs--readme" in on_sheet(there, NOW)
    landed(admin, checklist(entry("licence"), slug="ours", version=2), now=after(minutes=1))
    assert "theirs--readme" in on_sheet(there, after(minutes=1))
    assert "ours--readme" not in on_sheet(prod, after(minutes=1))


def test_everybodys_second_checklist_may_not_use_a_slug_that_is_taken(admin: User, team: Team) -> None:
    (fault,) = faults(admin, checklist(entry("spend-cap")))
    assert fault == (
        "entry 'spend-cap': the slug is taken by an entry of Bastion production checklist: choose another one, or "
        "import this as a team's own checklist"
    )
    landed(admin, checklist(entry("spend-cap")), team=team)


def test_a_checklist_stays_with_its_team(admin: User, team: Team) -> None:
    landed(admin, checklist(), team=team)
    assert faults(admin, checklist(version=2), team=make_team()) == (
        "checklist: 'release' is Conversational's and stays so: choose another slug",
    )
    assert landed(admin, checklist(version=2)).checklist.team == team


def test_a_service_that_is_handed_over_answers_the_other_teams_checklist(
    admin: User, team: Team, prod: Environment
) -> None:
    other = make_team("Platform")
    both = make_member(team)
    both.memberships.create(team=other)
    landed(admin, checklist(entry(), slug="ours"), team=team)
    landed(admin, checklist(entry("licence", scope=Scope.SERVICE), slug="theirs"), team=other)
    tick(both, item_of(prod, "ours--readme"))
    hand_over(both, prod, other)
    assert "ours--readme" not in on_sheet(prod, after(minutes=1))
    assert on_sheet(prod, after(minutes=1))["theirs--licence"] is Status.OPEN
    assert Evidence.objects.filter(item__entry__slug="ours--readme").count() == 1

    hand_over(both, prod, team)
    assert on_sheet(prod, after(minutes=1))["ours--readme"] is Status.ATTESTED


def hand_over(by: User, environment: Environment, team: Team) -> None:
    service = environment.service
    service.refresh_from_db()
    services.transfer_service(
        by=User.objects.get(pk=by.pk),
        service=service,
        team=team,
        reason=REASON,
        seen_version=service.version,
        now=after(minutes=1),
    )
