"""What people say beside an item. It settles nothing, and nobody's form crosses it."""

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.models import Comment, User
from readiness.rules.permissions import Refused, comment_refusals, insist, remove_comment_refusals
from readiness.rules.texts import comment_refusals as text_refusals

from . import ledger
from .folding import lock_item
from .items import live_refusals


@transaction.atomic
def add(*, by: User, item_id: int, text: str, now: datetime) -> Comment:
    """Comment on an item. The event names the comment and not its words, so that they can be taken back."""
    insist(comment_refusals(by.actor) + text_refusals(text))
    item = lock_item(item_id)
    insist(live_refusals(item))
    comment = Comment.objects.create(item=item, by=by, text=text, at=now)
    ledger.record_of_item("comment.added", item, by=by, at=now, data={"comment": comment.pk, "letters": len(text)})
    return comment


@transaction.atomic
def remove(*, by: User, comment_id: int, now: datetime) -> Comment:
    """Take one's own comment back: its words are gone, and that there was one stays."""
    item = lock_item(Comment.objects.values_list("item_id", flat=True).get(pk=comment_id))
    comment = Comment.objects.get(pk=comment_id)
    insist(remove_comment_refusals(by.actor, by_id=comment.by_id))
    insist(live_refusals(item))
    if comment.removed_at is not None:
        raise Refused([_("This comment is taken back already.")])
    comment.text, comment.removed_at = "", max(now, comment.at)
    comment.save(update_fields=["text", "removed_at"])
    ledger.record_of_item("comment.removed", item, by=by, at=now, data={"comment": comment.pk})
    return comment
