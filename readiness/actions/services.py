"""Services and environments: added and changed by their team, with the items that they answer."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from readiness import policy
from readiness.enums.words import Scope
from readiness.models import Entry, Environment, Item, Service, Team, User
from readiness.rules.environments import EnvironmentSettings, settings_refusals
from readiness.rules.permissions import Refused, archived_refusals, change_refusals, insist
from readiness.rules.texts import reason_refusals
from readiness.rules.transfers import transfer_refusals

from . import ledger
from .answering import hold_checklists
from .builds import record_build, refold_what_builds_bind


class EnvironmentCrossed(Exception):
    """Somebody else, or a program, saved the environment first. Nothing was written."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(_("Somebody saved these settings first."))
        self.environment = environment


class ServiceCrossed(Exception):
    """Somebody else saved the service first. Nothing was written."""

    def __init__(self, service: Service) -> None:
        super().__init__(_("Somebody saved this service first."))
        self.service = service


@transaction.atomic
def add_service(*, by: User, team: Team, slug: str, description: str, now: datetime) -> Service:
    """Add a service to a team that this person is in."""
    insist(change_refusals(by.actor, team_id=team.pk, team=team.name))
    service = Service.objects.create(team=team, slug=slug, description=description)
    ledger.record(
        "service.added",
        by=by,
        at=now,
        service=service,
        data={"name": slug, "team": team.slug, "description": description},
    )
    return service


@transaction.atomic
def change_service(*, by: User, service: Service, description: str, seen_version: int, now: datetime) -> Service:
    """Change what a service is about. Raises ``ServiceCrossed`` where somebody else saved first."""
    service = Service.objects.select_for_update(of=("self",), no_key=True).select_related("team").get(pk=service.pk)
    insist(change_refusals(by.actor, team_id=service.team_id, team=service.team.name))
    insist(archived_refusals(service.archived_at))
    if service.version != seen_version:
        raise ServiceCrossed(service)
    before, after = {"description": service.description}, {"description": description}
    if before == after:
        return service
    service.description = description
    service.version += 1
    service.save(update_fields=["description", "version"])
    ledger.record("service.changed", by=by, at=now, service=service, data=_difference(before, after))
    return service


@transaction.atomic
def transfer_service(
    *, by: User, service: Service, team: Team, reason: str, seen_version: int, now: datetime
) -> Service:
    """Hand a service to another team at once, for a reason: what it answers, what was granted and its history go along.

    What the first team's checklists asked is kept and asked no more. Raises ``ServiceCrossed`` where somebody else
    saved first.
    """
    hold_checklists()
    service = Service.objects.select_for_update(of=("self",), no_key=True).select_related("team").get(pk=service.pk)
    insist(change_refusals(by.actor, team_id=service.team_id, team=service.team.name))
    insist(archived_refusals(service.archived_at))
    if service.version != seen_version:
        raise ServiceCrossed(service)
    insist(reason_refusals(reason) + transfer_refusals(from_id=service.team_id, to_id=team.pk, team=team.name))
    data = {"from": {"team": service.team.slug}, "to": {"team": team.slug}, "reason": reason}
    service.team = team
    service.version += 1
    service.save(update_fields=["team", "version"])
    for environment in Environment.objects.filter(service=service).select_related("service"):
        add_missing_items(environment)
    ledger.record("service.transferred", by=by, at=now, service=service, data=data)
    return service


@transaction.atomic
def add_environment(*, by: User, service: Service, settings: EnvironmentSettings, now: datetime) -> Environment:
    """Add an environment to a service, with its items."""
    hold_checklists()
    service = Service.objects.select_for_update(of=("self",), no_key=True).select_related("team").get(pk=service.pk)
    insist(change_refusals(by.actor, team_id=service.team_id, team=service.team.name))
    insist(archived_refusals(service.archived_at))
    _insist_on_settings(service, settings)
    environment = Environment.objects.create(service=service, settings_changed_at=now, added_at=now, **settings)
    if settings["build"]:
        record_build(environment, settings["build"], by=by, now=now)
        environment.save(update_fields=["build", "build_since"])
    add_missing_items(environment)
    ledger.record(
        "environment.added",
        by=by,
        at=now,
        service=service,
        environment=environment,
        data={"settings": _as_json(settings)},
    )
    return environment


@transaction.atomic
def change_environment(
    *, by: User, environment_id: int, settings: EnvironmentSettings, seen_version: int, now: datetime
) -> Environment:
    """Change an environment's settings. Raises ``EnvironmentCrossed`` where somebody else saved first."""
    hold_checklists()
    environment = lock_with_items(environment_id)
    service = environment.service
    insist(change_refusals(by.actor, team_id=service.team_id, team=service.team.name))
    insist(archived_refusals(service.archived_at, environment.archived_at))
    if environment.version != seen_version:
        raise EnvironmentCrossed(environment)
    _insist_on_settings(service, settings)
    before = _as_json({name: getattr(environment, name) for name in settings})
    after = _as_json(settings)
    if before == after:
        return environment
    for name, value in settings.items():
        setattr(environment, name, value)
    environment.version += 1
    environment.settings_changed_at = now
    if before["build"] != after["build"]:
        record_build(environment, settings["build"], by=by, now=now)
    environment.save()
    if before["kind"] != after["kind"]:
        _ask_what_its_kind_asks(environment)
    if before["build"] != after["build"] or before["kind"] != after["kind"]:
        refold_what_builds_bind(environment, now=now)
    ledger.record(
        "environment.changed",
        by=by,
        at=now,
        service=service,
        environment=environment,
        data=_difference(before, after),
    )
    return environment


def _ask_what_its_kind_asks(environment: Environment) -> None:
    """Add what an environment of another kind answers; its service's team cannot change from here on."""
    locked = Service.objects.select_for_update(no_key=True)
    environment.service.team_id = locked.values_list("team_id", flat=True).get(pk=environment.service_id)
    add_missing_items(environment)


def add_missing_items(environment: Environment) -> int:
    """Make the items that this environment and its service answer and do not have yet; return how many."""
    service = environment.service
    asked = Entry.objects.filter(retired_at=None).filter(
        Q(section__checklist__team=None) | Q(section__checklist__team=service.team_id)
    )
    entries = [entry for entry in asked if entry.applies_to(environment.kind)]
    answered = set(Item.objects.filter(service=service, environment=None).values_list("entry_id", flat=True)) | set(
        Item.objects.filter(environment=environment).values_list("entry_id", flat=True)
    )
    missing = [
        Item(
            entry=entry,
            service=service,
            environment=environment if entry.scope == Scope.ENVIRONMENT else None,
        )
        for entry in entries
        if entry.pk not in answered
    ]
    Item.objects.bulk_create(missing, ignore_conflicts=True)
    return len(missing)


def lock_with_items(environment_id: int) -> Environment:
    """Return the environment, locked after its items: who writes about an item holds that, then asks for this.

    Without ``no_key`` every event about the environment would wait for this lock, and whoever writes one holds the
    ledger, which this transaction wants last.
    """
    items = Item.objects.filter(environment=environment_id).order_by("pk").select_for_update(no_key=True)
    list(items.values_list("pk", flat=True))
    found = Environment.objects.select_for_update(of=("self",), no_key=True).select_related("service__team")
    return found.get(pk=environment_id)


def _insist_on_settings(service: Service, settings: EnvironmentSettings) -> None:
    refusals = settings_refusals(
        settings, team=service.team.slug, references=policy.references(), networks=policy.networks()
    )
    if refusals:
        raise Refused([reason for reasons in refusals.values() for reason in reasons])


def _as_json(settings: Any) -> dict[str, Any]:
    return {
        name: value if value is None or isinstance(value, str | int | bool) else str(value)
        for name, value in settings.items()
    }


def _difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    changed = [name for name in after if before.get(name) != after[name]]
    return {"from": {name: before.get(name) for name in changed}, "to": {name: after[name] for name in changed}}
