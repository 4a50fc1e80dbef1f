"""Archiving services and environments, and bringing them back. Nothing is deleted that someone relied on."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from readiness.enums.words import Kind
from readiness.models import Environment, Item, Service, User
from readiness.rules.permissions import Refused, change_refusals, insist
from readiness.rules.texts import reason_refusals

from . import ledger
from .folding import lock_item, refresh

WITH_SERVICE = gettext_noop("The whole service is archived. Bring that back first.")


@transaction.atomic
def archive_environment(*, by: User, environment_id: int, reason: str, now: datetime) -> Environment:
    """Archive an environment: no verdict and no runs from here on, and production takes over nothing from it."""
    environment, borrowing = _locked(environment_id, by=by)
    insist(reason_refusals(reason))
    if environment.archived_at is not None:
        raise Refused([_("This is archived already.")])
    if environment.service.archived_at is not None:
        raise Refused([_(WITH_SERVICE)])
    return _set(environment, borrowing, now, by=by, kind="environment.archived", reason=reason, now=now)


@transaction.atomic
def restore_environment(*, by: User, environment_id: int, reason: str, now: datetime) -> Environment:
    """Bring an archived environment back, with all that is known of it."""
    environment, borrowing = _locked(environment_id, by=by)
    insist(reason_refusals(reason))
    if environment.archived_at is None:
        raise Refused([_("This is not archived.")])
    if environment.service.archived_at is not None:
        raise Refused([_(WITH_SERVICE)])
    return _set(environment, borrowing, None, by=by, kind="environment.restored", reason=reason, now=now)


def _locked(environment_id: int, *, by: User) -> tuple[Environment, list[Item]]:
    """Lock what an environment answers and what production takes over from it, then the environment itself."""
    service = Service.objects.get(environments=environment_id)
    bound = Item.objects.filter(service=service, entry__build_bound=True, environment__kind=Kind.PROD).order_by("pk")
    borrowing = [lock_item(item_id) for item_id in bound.values_list("pk", flat=True)]
    found = Environment.objects.select_for_update(of=("self",), no_key=True).select_related("service__team")
    environment = found.get(pk=environment_id)
    team = environment.service.team
    insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    return environment, borrowing


def _set(
    environment: Environment,
    borrowing: list[Item],
    archived_at: datetime | None,
    *,
    by: User,
    kind: str,
    reason: str,
    now: datetime,
) -> Environment:
    environment.archived_at = archived_at
    environment.version += 1
    environment.save(update_fields=["archived_at", "version"])
    for item in borrowing:
        refresh(item, now=now)
    ledger.record(kind, by=by, at=now, service=environment.service, environment=environment, data={"reason": reason})
    return environment


@transaction.atomic
def archive_service(*, by: User, service_id: int, reason: str, now: datetime) -> Service:
    """Archive a service with all its environments."""
    return _set_service(service_id, now, by=by, kind="service.archived", reason=reason, now=now)


@transaction.atomic
def restore_service(*, by: User, service_id: int, reason: str, now: datetime) -> Service:
    """Bring an archived service back; environments that were archived by themselves stay archived."""
    return _set_service(service_id, None, by=by, kind="service.restored", reason=reason, now=now)


def _set_service(
    service_id: int, archived_at: datetime | None, *, by: User, kind: str, reason: str, now: datetime
) -> Service:
    environments = Environment.objects.filter(service=service_id).order_by("pk").select_for_update(no_key=True)
    list(environments.values_list("pk", flat=True))  # A run that ends there meanwhile asks whether they are archived.
    service = Service.objects.select_for_update(of=("self",), no_key=True).select_related("team").get(pk=service_id)
    insist(change_refusals(by.actor, team_id=service.team_id, team=service.team.name) + reason_refusals(reason))
    if (service.archived_at is None) == (archived_at is None):
        raise Refused([_("This is archived already.") if archived_at else _("This is not archived.")])
    service.archived_at = archived_at
    service.version += 1
    service.save(update_fields=["archived_at", "version"])
    ledger.record(kind, by=by, at=now, service=service, data={"reason": reason})
    return service
