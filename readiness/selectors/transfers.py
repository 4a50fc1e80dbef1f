"""What follows where a service is handed to another team, told before anybody does it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, OuterRef

from readiness import policy
from readiness.models import ApiToken, Checklist, Environment, Item, Membership, Service, Team, User, Waiver
from readiness.rules.references import reference_refusals


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An environment whose key reference the new team may not use, and why."""

    environment: Environment
    reasons: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What follows. ``leaving`` are owners outside the new team, each with how many items; ``keys`` are refused there.

    ``dropped`` are checklists that are asked no more, ``asked`` those that are asked from then on; ``waivers`` and
    ``tokens`` count what holds.
    """

    leaving: Sequence[tuple[User, int]]
    keys: Sequence[Key]
    dropped: Sequence[Checklist]
    asked: Sequence[Checklist]
    waivers: int
    tokens: int

    @property
    def ownerless(self) -> int:
        """How many items nobody owns from then on."""
        return sum(count for _, count in self.leaving)


def effects(service: Service, team: Team, at: datetime) -> Effects:
    """Return what follows where a service is handed to a team at an instant. Six queries, whatever there is."""
    member = Membership.objects.filter(user=OuterRef("owner"), team=team, user__is_active=True)
    owned = Item.objects.filter(~Exists(member), service=service, owner__isnull=False, entry__retired_at=None)
    counts = dict(owned.order_by().values_list("owner").annotate(count=Count("pk")))
    places = Environment.objects.filter(service=service, archived_at=None).exclude(key_reference="")
    policed = policy.references()
    keys = [
        Key(environment=one, reasons=reasons)
        for one in places.select_related("service").order_by("name")
        if (reasons := reference_refusals(one.key_reference, team=team.slug, policy=policed))
    ]
    waivers = Waiver.objects.filter(item__service=service, item__entry__retired_at=None, granted=True)
    lists = list(Checklist.objects.filter(team__in=[service.team_id, team.pk]).order_by("name"))
    return Effects(
        leaving=[(one, counts[one.pk]) for one in User.objects.filter(pk__in=counts)],
        keys=keys,
        dropped=[one for one in lists if one.team_id == service.team_id],
        asked=[one for one in lists if one.team_id == team.pk],
        waivers=waivers.filter(ended_at=None, until__gt=at).count(),
        tokens=ApiToken.objects.filter(team=service.team_id, revoked_at=None, expires_at__gt=at).count(),
    )
