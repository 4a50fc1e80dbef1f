"""People, teams, services and environments for tests, made the way the product makes them.

Each takes what the test is about and fills in the rest; names count up, so that two of a kind may live together.
"""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import Q

from readiness.actions import services
from readiness.models import Environment, Item, Membership, Service, Team, User
from readiness.rules.environments import EnvironmentSettings

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
"""When factories write, unless told: a Monday morning."""

PASSWORD = "a password for tests"
_HASHED = make_password(PASSWORD, hasher="md5")
_number = count(1)


def make_team(name: str = "") -> Team:
    """Return a team without members."""
    name = name or f"Team {next(_number)}"
    return Team.objects.create(name=name, slug=name.lower().replace(" ", "-"))


def make_person(username: str = "", *, teams: tuple[Team, ...] = (), **columns: Any) -> User:
    """Return a person who can sign in with PASSWORD; without a team they read everything and change nothing."""
    person = User.objects.create(username=username or f"person-{next(_number)}", password=_HASHED, **columns)
    Membership.objects.bulk_create(Membership(user=person, team=team) for team in teams)
    return person


def make_member(team: Team, username: str = "") -> User:
    """Return a person of a team."""
    return make_person(username, teams=(team,))


def make_reviewer(username: str = "", *, teams: tuple[Team, ...] = ()) -> User:
    """Return a reviewer, who is in no team unless told."""
    return make_person(username, teams=teams, is_reviewer=True)


def make_admin(username: str = "") -> User:
    """Return an admin, who is in no team."""
    return make_person(username, is_staff=True, is_superuser=True)


def make_service(team: Team, slug: str = "", *, by: User | None = None, now: datetime = NOW) -> Service:
    """Return a service of a team, added by a member of it (a new one unless told)."""
    return services.add_service(
        by=by or make_member(team), team=team, slug=slug or f"service-{next(_number)}", description="", now=now
    )


def make_environment(
    service: Service | None = None,
    name: str = "",
    *,
    kind: str = "prod",
    by: User | None = None,
    now: datetime = NOW,
    **settings: Any,
) -> Environment:
    """Return an environment with its items, of a new service of a new team unless told; nothing else is configured.

    ``settings`` are those of ``EnvironmentSettings``; a loopback address needs ``settings.ALLOWED_NETWORKS``.
    """
    service = service or make_service(make_team(), now=now)
    given: EnvironmentSettings = {
        "name": name or f"{kind}-{next(_number)}",
        "kind": kind,
        "service_url": "",
        "stream_route": "",
        "bastion_url": "",
        "key_reference": "",
        "spend_cap": None,
        "spend_cap_currency": "",
        "billing_source_id": None,
        "billing_name": "",
        "build": "",
        "launch_on": None,
    }
    unknown = set(settings) - set(given)
    if unknown:
        raise TypeError(f"An environment has no {', '.join(sorted(unknown))}.")
    given.update(settings)  # type: ignore[typeddict-item]
    return services.add_environment(by=by or make_member(service.team), service=service, settings=given, now=now)


def item_of(environment: Environment, entry: str) -> Item:
    """Return the item of an environment, or of its service, that answers an entry."""
    items = Item.objects.select_related("entry", "service__team", "environment__service")
    either = Q(environment=environment) | Q(environment=None)
    return items.get(either, entry__slug=entry, service=environment.service)
