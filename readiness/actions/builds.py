"""Which build an environment runs: said at the form, or by a program with a token."""

from datetime import datetime

from django.db import transaction

from readiness.models import ApiToken, Deployment, Environment, Item, User
from readiness.rules.environments import build_refusals
from readiness.rules.permissions import archived_refusals, change_refusals, insist
from readiness.rules.tokens import token_refusals

from . import ledger
from .folding import lock_item, refresh


def record_build(environment: Environment, build: str, *, by: User | ApiToken, now: datetime) -> None:
    """Set the build of a locked environment, which the caller saves, and keep since when it runs."""
    environment.build, environment.build_since = build, now
    person, token = (by, None) if isinstance(by, User) else (None, by)
    Deployment.objects.create(environment=environment, build=build, at=now, by=person, token=token)


def refold_what_builds_bind(environment: Environment, *, now: datetime) -> None:
    """Fold the build-bound items again: another build makes their passes stale, and a rollback revives them."""
    bound = Item.objects.filter(environment=environment, entry__build_bound=True).order_by("pk")
    for item in [lock_item(item_id) for item_id in bound.values_list("pk", flat=True)]:
        refresh(item, now=now)


@transaction.atomic
def set_build(*, by: User | ApiToken, environment_id: int, build: str, now: datetime) -> bool:
    """Say which build an environment runs now; return whether that is another one than before.

    The same build again changes nothing and writes nothing, so a program may repeat itself.
    """
    insist(build_refusals(build))
    items = Item.objects.filter(environment=environment_id).order_by("pk").select_for_update(no_key=True)
    list(items.values_list("pk", flat=True))
    locked = Environment.objects.select_for_update(of=("self",), no_key=True).select_related("service__team")
    environment = locked.get(pk=environment_id)
    service, team = environment.service, environment.service.team
    if isinstance(by, User):
        insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    else:
        insist(token_refusals(by.team_id, team_id=team.pk, team=team.name))
    insist(archived_refusals(service.archived_at, environment.archived_at))
    before = environment.build
    if before == build:
        return False
    record_build(environment, build, by=by, now=now)
    environment.version += 1
    environment.settings_changed_at = now
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
    return True
