"""Who owns an item, asked each time: nobody is rewritten where somebody leaves."""

from django.db.models import Exists, OuterRef, QuerySet

from readiness.models import Item, Membership
from readiness.rules.ownership import Owner


def here() -> Exists:
    """Return, for a queryset of items, whether the owner of each is an active member of its team."""
    return Exists(
        Membership.objects.filter(user=OuterRef("owner"), team=OuterRef("service__team"), user__is_active=True)
    )


def with_owners(items: QuerySet[Item]) -> QuerySet[Item]:
    """Return items with their owners joined, and whether those are still here. No query beside their own."""
    return items.select_related("owner").annotate(owner_here=here())


def owner_of(item: Item) -> Owner:
    """Return who owns an item. No query where it came from ``with_owners``, one where it did not."""
    owner = item.owner
    if owner is None:
        return Owner(name="", here=False)
    known = getattr(item, "owner_here", None)
    if known is None:
        team = item.service.team_id
        known = Membership.objects.filter(user=owner, team=team, user__is_active=True).exists()
    return Owner(name=str(owner), here=bool(known))
