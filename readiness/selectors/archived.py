"""What is archived: since when, by whom and why."""

from django.db.models import QuerySet

from readiness.models import Environment, Event, Service

from .histories import Line, lines
from .sheets import in_order


def archived(environment: Environment) -> Line | None:
    """Return who archived an environment, by itself or with its service, whichever was first; None where it lives."""
    if environment.archived_since is None:
        return None
    alone = environment.archived_at is not None and environment.archived_at == environment.archived_since
    if not alone:
        return archived_service(environment.service)
    return _newest(environment.events.filter(kind="environment.archived"))


def archived_service(service: Service) -> Line | None:
    """Return who archived a service; None where it lives."""
    if service.archived_at is None:
        return None
    return _newest(service.events.filter(kind="service.archived"))


def archived_environments(service: Service) -> list[tuple[Environment, Line | None]]:
    """Return the environments of a service that were archived by themselves, with who did it. At most two queries."""
    found = in_order(service.environments.filter(archived_at__isnull=False).select_related("service"))
    told = (
        Event.objects.filter(environment__in=found, kind="environment.archived").select_related("actor").order_by("id")
    )
    newest = {event.environment_id: event for event in told} if found else {}
    who = dict(zip(newest, lines(newest.values()), strict=True))
    return [(one, who.get(one.pk)) for one in found]


def archived_services() -> list[tuple[Service, Line | None]]:
    """Return the services that are archived, the latest first, with who did it and why. Two queries at most."""
    found = list(Service.objects.filter(archived_at__isnull=False).select_related("team").order_by("-archived_at"))
    told = Event.objects.filter(service__in=found, kind="service.archived").select_related("actor").order_by("id")
    newest = {event.service_id: event for event in told} if found else {}
    who = dict(zip(newest, lines(newest.values()), strict=True))
    return [(one, who.get(one.pk)) for one in found]


def _newest(events: QuerySet[Event]) -> Line | None:
    return next(iter(lines(events.order_by("-id")[:1])), None)
