"""Save and delete overviews that a person comes back to.

They are a convenience of that person alone and say nothing of readiness: the ledger has no event of them.
"""

from datetime import datetime

from django.db import transaction

from readiness.models import SavedFilter, User
from readiness.rules.permissions import insist
from readiness.rules.saved_filters import save_refusals


@transaction.atomic
def save(*, by: User, name: str, query: str, now: datetime) -> SavedFilter:
    """Save a query under a name; what they saved under it before is replaced."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # Two forms sent at once take turns.
    held = set(SavedFilter.objects.filter(by=by).values_list("name", flat=True))
    insist(save_refusals(name, query, held=held))
    saved, _ = SavedFilter.objects.update_or_create(by=by, name=name, defaults={"query": query, "at": now})
    return saved


def delete(*, by: User, filter_id: int) -> bool:
    """Delete one of one's own; return whether there was one."""
    return bool(SavedFilter.objects.filter(by=by, pk=filter_id).delete()[0])
