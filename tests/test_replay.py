"""An instant past is judged by what was asked then, whatever was changed since."""

from datetime import datetime

import pytest

from readiness.actions import probes, requests, services
from readiness.enums.standing import Status, Verdict
from readiness.enums.words import Judgement, Kind
from readiness.models import Environment, Team, User
from readiness.rules.steps import Act
from readiness.selectors.standing import Standing, verdict
from tests.checklist_deeds import landed
from tests.checklist_texts import checklist, clause, entry
from tests.deeds import REASON, after, ask, configure, observe, settle, tick
from tests.factories import NOW, item_of, make_admin, make_environment, make_member, make_service, make_team

pytestmark = pytest.mark.django_db
MUCH_LATER = after(days=9)


@pytest.fixture
def admin() -> User:
    return make_admin("ada")


@pytest.fixture
def team() -> Team:
    return make_team("Conversational")


@pytest.fixture
def mia(team: Team) -> User:
    return make_member(team, "mia")


@pytest.fixture
def dev(team: Team) -> Environment:
    return make_environment(make_service(team), "dev", kind="dev")


def replayed(environment: Environment, at: datetime) -> Standing:
    found = Environment.objects.select_related("service__team").get(pk=environment.pk)
    standing = verdict(found, at=at, now=MUCH_LATER)
    assert standing is not None
    return standing


def statuses(environment: Environment, at: datetime) -> dict[str, Status]:
    return {one.entry.slug: one.status for one in replayed(environment, at).items}


def test_an_environment_is_judged_by_the_kind_that_it_had(dev: Environment, mia: User) -> None:
    settle(dev, mia)
    configure(mia, dev, kind="prod", now=after(hours=1))
    configure(mia, dev, kind="staging", now=after(hours=2))
    configure(mia, dev, launch_on=None, name="late", now=after(hours=3))

    then = replayed(dev, after(minutes=30))
    assert (then.tally.verdict, then.tally.total, then.environment.kind) == (Verdict.READY, 9, "dev")
    since = [replayed(dev, after(hours=hours)) for hours in (1, 2, 3)]
    assert [one.environment.kind for one in since] == ["prod", "staging", "staging"]
    assert [one.tally.total for one in since] == [26, 26, 26]


def test_a_service_is_judged_by_the_checklists_of_the_team_that_it_had(
    admin: User, team: Team, dev: Environment, mia: User
) -> None:
    other = make_team("Platform")
    mia.memberships.create(team=other)
    landed(admin, checklist(entry(), slug="ours"), team=team)
    landed(admin, checklist(entry("licence"), slug="theirs"), team=other)
    tick(mia, item_of(dev, "ours--readme"))
    services.transfer_service(
        by=User.objects.get(pk=mia.pk),
        service=dev.service,
        team=other,
        reason=REASON,
        seen_version=dev.service.version,
        now=after(hours=1),
    )

    assert statuses(dev, after(minutes=59))["ours--readme"] is Status.ATTESTED
    assert "theirs--licence" not in statuses(dev, after(minutes=59))
    assert "ours--readme" not in statuses(dev, after(hours=1))
    assert statuses(dev, after(hours=1))["theirs--licence"] is Status.OPEN


def test_an_entry_that_was_retired_and_came_back_was_not_asked_in_between(
    admin: User, team: Team, dev: Environment
) -> None:
    landed(admin, checklist(entry(), entry("licence")), team=team)
    landed(admin, checklist(entry("licence"), version=2), now=after(hours=1))
    landed(admin, checklist(entry(), entry("licence"), version=3), now=after(hours=2))

    asked = ["release--readme" in statuses(dev, after(hours=hours)) for hours in (0, 0.9, 1, 1.9, 2)]
    assert asked == [True, True, False, False, True]


def test_an_entry_that_came_back_with_a_later_day_counted_before_it_went(
    admin: User, team: Team, dev: Environment
) -> None:
    landed(admin, checklist(entry(), entry("licence")), team=team)
    landed(admin, checklist(entry("licence"), version=2), now=after(hours=1))
    back = entry(counts_from=after(days=3).date())
    landed(admin, checklist(back, entry("licence"), version=3), now=after(hours=2))

    asked = ["release--readme" in statuses(dev, after(hours=hours)) for hours in (0, 1, 2, 48, 8 * 24)]
    assert asked == [True, False, False, False, True]


def test_an_entry_applied_where_the_version_in_force_said(admin: User, team: Team, dev: Environment) -> None:
    landed(admin, checklist(entry(kinds=(Kind.PROD,))), team=team)
    landed(admin, checklist(entry(), version=2), now=after(hours=1))

    assert "release--readme" not in statuses(dev, after(minutes=59))
    assert statuses(dev, after(hours=1))["release--readme"] is Status.OPEN


def test_the_next_step_is_the_one_that_was_next_then(admin: User, team: Team, dev: Environment, mia: User) -> None:
    landed(admin, checklist(entry("readme", clause("opens"))), team=team)
    landed(admin, checklist(entry("readme", clause("reads")), version=2), now=after(days=2))
    waiver_of = item_of(dev, "key-in-secrets-manager")
    asked = ask(mia, waiver_of, now=after(hours=1))
    requests.end(by=mia, request=asked, reason=REASON, now=after(hours=2))

    def acts(at: datetime) -> dict[str, Act]:
        return {one.entry.slug: one.step.act for one in replayed(dev, at).blockers}

    steps = [acts(after(hours=hours))["key-in-secrets-manager"] for hours in (0.9, 1, 1.9, 2)]
    assert steps[1:3] == [Act.ANSWER, Act.ANSWER]
    assert Act.ANSWER not in (steps[0], steps[3])
    clauses = [
        one.step.clause
        for at in (after(days=1), after(days=2))
        for one in replayed(dev, at).blockers
        if one.entry.slug == "release--readme"
    ]
    assert clauses == ["opens", "reads"]


def test_a_probe_was_off_only_while_it_was_off(admin: User, dev: Environment) -> None:
    observe(dev, "key-validity", now=NOW, key_accepted=Judgement.FAIL)
    slug = next(one.entry.slug for one in replayed(dev, NOW).items if one.status is Status.FAILING)
    off = probes.disable(by=admin, probe="key-validity", environment_id=dev.pk, reason=REASON, now=after(hours=1))
    probes.enable(by=admin, disabling_id=off.pk, now=after(hours=2))

    def act(at: datetime) -> Act:
        return next(one.step.act for one in replayed(dev, at).blockers if one.entry.slug == slug)

    was_off = [act(after(hours=hours)) is Act.ENABLE_OR_RETIRE for hours in (0.9, 1, 1.9, 2)]
    assert was_off == [False, True, True, False]
