"""Which build an environment runs: said at the form, or by a program with a token."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from readiness.enums.words import TokenScope
from readiness.models import ApiToken, Deployment, Environment, Item, Service, User
from readiness.rules.environments import build_refusals
from readiness.rules.permissions import change_refusals, insist, insist_live
from readiness.rules.tokens import scope_refusals, team_refusals

from . import ledger
from .folding import lock_item, refresh


def record_build(environment: Environment, build: str, *, by: User | ApiToken, now: datetime) -> None:
    """Set the build of a locked environment, which the caller saves, and keep since when it runs.

    Who waited for the lock may have an earlier clock than who had it: the build that is said last runs last.
    """
    since = max(now, environment.build_since or now)
    environment.build, environment.build_since = build, since
    person, token = (by, None) if isinstance(by, User) else (None, by)
    Deployment.objects.create(environment=environment, build=build, at=since, by=person, token=token)


def refold_what_builds_bind(environment: Environment, *, now: datetime) -> None:
    """Fold the build-bound items again: another build makes their passes stale, and a rollback revives them."""
    bound = Item.objects.filter(environment=environment, entry__build_bound=True).order_by("pk")
    for item in [lock_item(item_id) for item_id in bound.values_list("pk", flat=True)]:
        refresh(item, now=now)


class TokenEnded(Exception):
    """The token ended or was revoked before anything could be written with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """What an environment runs once it was said. ``since`` is None where nobody ever knew."""

    build: str
    since: datetime | None
    changed: bool


@transaction.atomic
def set_build(*, by: User | ApiToken, environment_id: int, build: str, now: datetime) -> Running:
    """Say which build an environment runs now; empty says that nobody knows.

    The same build again changes nothing and writes nothing, so a program may repeat itself. Of who revokes a token
    and who uses it at once one is first. Raises ``Refused``, which may be ``Archived``, or ``TokenEnded``.
    """
    insist(build_refusals(build))
    items = Item.objects.filter(environment=environment_id).order_by("pk").select_for_update(no_key=True)
    list(items.values_list("pk", flat=True))
    environment = Environment.objects.select_for_update(no_key=True).get(pk=environment_id)
    # Read once the lock is held: a join would tell whose it was when the wait began.
    service = environment.service = Service.objects.select_related("team").get(pk=environment.service_id)
    if isinstance(by, User):
        insist(change_refusals(by.actor, team_id=service.team_id, team=service.team.name))
    else:
        _insist_on_token(by, service, now)
    insist_live(service.archived_at, environment.archived_at)
    before = environment.build
    if before == build:
        return Running(build=build, since=environment.build_since, changed=False)
    record_build(environment, build, by=by, now=now)
    environment.version += 1
    environment.settings_changed_at = max(now, environment.settings_changed_at)
    environment.save(update_fields=["build", "build_since", "version", "settings_changed_at"])
    refold_what_builds_bind(environment, now=now)
    person, program = (by, {}) if isinstance(by, User) else (None, {"token": by.pk, "token_name": by.name})
    ledger.record(
        "build.set",
        by=person,
        at=now,
        service=service,
        environment=environment,
        data={"from": before, "to": build, **program},
    )
    return Running(build=build, since=environment.build_since, changed=True)


def _insist_on_token(token: ApiToken, service: Service, now: datetime) -> None:
    """Ask again what the token may, as it is now; nobody revokes it until this is written."""
    held = ApiToken.objects.select_for_update(no_key=True).get(pk=token.pk)
    if not held.works_at(now):
        raise TokenEnded
    insist(scope_refusals(held.scopes, needed=TokenScope.WRITE_BUILDS))
    insist(team_refusals(held.team_id, team_id=service.team_id, team=service.team.name))
