"""Taking an item that nobody owns, or whose owner has left."""

from datetime import datetime

from django.db import transaction

from readiness.models import Item, User
from readiness.rules.ownership import take_refusals
from readiness.rules.permissions import insist
from readiness.selectors.ownership import owner_of

from .items import assign, item_to_change


@transaction.atomic
def take(*, by: User, item_id: int, seen_version: int, now: datetime) -> Item:
    """Make oneself the owner of an item that nobody looks after; the due date stays.

    Raises ``Refused`` where somebody owns it, and ``Crossed`` as every change of an item does.
    """
    item = item_to_change(item_id, by=by, seen_version=seen_version)
    team = item.service.team
    insist(take_refusals(owner_of(item), is_member=team.pk in by.actor.teams, team=team.name))
    return assign(by=by, item_id=item_id, owner=by, due_on=item.due_on, seen_version=seen_version, now=now)
