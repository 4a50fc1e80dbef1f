"""Finding what an address names. One door: everything here answers 404 for what is not there."""

from dataclasses import dataclass

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django_htmx.middleware import HtmxDetails

from readiness.models import Environment, Item, Service, User
from readiness.rules.permissions import change_refusals
from readiness.selectors.ownership import with_owners

MOST_DIGITS = 18
"""A number in an address or a form that is longer names nothing: every id fits into 63 bits."""


def number_in(text: str) -> int | None:
    """Return the number that an address or a form carries; None where it is none that could name anything."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What a page follows, ``*`` or a service, and what it was drawn from, as it says when it asks again."""

    what: str
    since: str


class Request(HttpRequest):
    """A request behind the sign-in, with htmx. ``following`` is there where its page follows the ledger as a whole."""

    user: User
    htmx: HtmxDetails
    following: Following


def find_service(slug: str) -> Service:
    """Return the service that an address names."""
    return get_object_or_404(Service.objects.select_related("team"), slug=slug)


def find_environment(service: str, environment: str) -> Environment:
    """Return the environment that an address names."""
    found = Environment.objects.select_related("service__team", "billing_source")
    return get_object_or_404(found, service__slug=service, name=environment)


def find_item(environment: Environment, entry: str) -> Item:
    """Return the item that a sheet shows for an entry: the environment's own, or its service's."""
    items = with_owners(Item.objects.select_related("entry__section", "service__team", "environment"))
    items = items.filter(service=environment.service, entry__slug=entry, entry__retired_at=None)
    found = [item for item in items if item.environment_id in (None, environment.pk)]
    applying = [item for item in found if item.entry.applies_to(environment.kind)]
    if not applying:
        return get_object_or_404(Item, pk=None)
    return applying[0]


def refusals_to_change(request: Request, service: Service) -> list[str]:
    """Return why this person may not change the items and settings of a service."""
    return change_refusals(request.user.actor, team_id=service.team_id, team=service.team.name)
