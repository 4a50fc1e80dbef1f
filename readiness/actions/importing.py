"""Importing services and environments from a file: what was previewed, all of it or nothing."""

from datetime import datetime

from django.db import IntegrityError, transaction

from readiness.models import Environment, Item, Service, User
from readiness.rules.import_file import ImportFile
from readiness.rules.permissions import add_service_refusals, insist
from readiness.selectors.importing import Line, Plan, State, plan

from . import ledger
from .answering import hold_checklists
from .services import EnvironmentCrossed, ServiceCrossed, add_environment, add_service, change_environment
from .services import change_service as save_service


class ImportCrossed(Exception):
    """What is stored is another than what the preview showed. Nothing was written."""


def import_file(*, by: User, file: ImportFile, digest: str, now: datetime) -> Plan:
    """Carry out what a preview showed, with one event for each thing, and return it; refused lines stay out.

    Nothing is deleted, archived or handed over. Raises ``ImportCrossed`` where it would do another thing by now.
    """
    insist(add_service_refusals(by.actor))
    try:
        return _import(by=by, file=file, digest=digest, now=now)
    except (ServiceCrossed, EnvironmentCrossed, IntegrityError):  # Somebody was as fast, after it was compared.
        raise ImportCrossed from None


@transaction.atomic
def _import(*, by: User, file: ImportFile, digest: str, now: datetime) -> Plan:
    hold_checklists()
    _lock(plan(file, by.actor))
    found = plan(file, by.actor)
    if found.digest != digest:
        raise ImportCrossed
    added: dict[str, Service] = {}
    with ledger.at_the_end():
        for line in found.lines:
            if line.written:
                _write(line, added, by=by, now=now)
    return found


def _lock(found: Plan) -> None:
    """Lock everything that will change in the order of everybody: items, then environments, then services."""
    places = sorted(line.environment.pk for line in found.lines if line.environment and line.written)
    named = sorted({line.service.pk for line in found.lines if line.service and line.written})
    items = Item.objects.filter(environment__in=places).order_by("pk").select_for_update(no_key=True)
    list(items.values_list("pk", flat=True))
    for kind, keys in ((Environment, places), (Service, named)):
        list(kind.objects.filter(pk__in=keys).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _write(line: Line, added: dict[str, Service], *, by: User, now: datetime) -> None:
    if line.settings is None and line.team is not None:
        if line.service is None:
            added[line.name] = add_service(by=by, team=line.team, slug=line.name, description=line.description, now=now)
        else:
            seen = line.service.version
            added[line.name] = save_service(
                by=by, service=line.service, description=line.description, seen_version=seen, now=now
            )
    elif line.settings is not None:
        service = added.get(line.name) or line.service
        if line.state is State.CHANGED and line.environment is not None:
            seen = line.environment.version
            change_environment(
                by=by, environment_id=line.environment.pk, settings=line.settings, seen_version=seen, now=now
            )
        elif service is not None:
            add_environment(by=by, service=service, settings=line.settings, now=now)
