"""What a new installation still lacks before its first item is settled, told from its data alone."""

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings
from django.db.models import Exists

from readiness.enums.words import Outcome, RunState
from readiness.models import Environment, Evidence, Membership, Run, Service, Team, User

PUT_AWAY = "first-steps-put-away"


class FirstStep(StrEnum):
    """One thing to do first, in this order."""

    TEAM = "team"
    PEOPLE = "people"
    SERVICE = "service"
    ENVIRONMENT = "environment"
    PROBES = "probes"
    TICK = "tick"


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstSteps:
    """What is done, and where to go on: the first team, service and environment there are."""

    done: frozenset[FirstStep]
    team: Team | None = None
    service: Service | None = None
    environment: Environment | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return len(self.done) == len(FirstStep)


def put_away_cookie() -> str:
    """Return the name of the cookie of a browser in which the steps were put away: bound to the host over HTTPS."""
    return f"{settings.COOKIE_PREFIX}{PUT_AWAY}"


def first_steps(user: User) -> FirstSteps:
    """Return what is done of the first steps. One query where all is done, four where not."""
    environments = Environment.objects.filter(archived_at=None, service__archived_at=None)
    found = {
        FirstStep.TEAM: Exists(Team.objects.all()),
        FirstStep.PEOPLE: Exists(Membership.objects.filter(user__is_active=True)),
        FirstStep.SERVICE: Exists(Service.objects.all()),
        FirstStep.ENVIRONMENT: Exists(environments.exclude(key_reference="")),
        FirstStep.PROBES: Exists(Run.objects.filter(state=RunState.DONE)),
        FirstStep.TICK: Exists(Evidence.objects.filter(by__isnull=False, outcome=Outcome.PASS)),
    }
    row = User.objects.filter(pk=user.pk).values_list(*found.values()).get()
    done = frozenset(step for step, holds in zip(found, row, strict=True) if holds)
    if len(done) == len(FirstStep):
        return FirstSteps(done=done)
    return FirstSteps(
        done=done,
        team=Team.objects.order_by("pk").first(),
        service=Service.objects.filter(archived_at=None).select_related("team").order_by("pk").first(),
        environment=environments.select_related("service__team").order_by("pk").first(),
    )
