"""What people say about an item beside its evidence."""

from django.db import models
from django.db.models import F, Q

from .items import Item
from .people import User


class Comment(models.Model):
    """A remark on an item, told in the order of time. It settles nothing.

    Who wrote it takes it back: then its text is gone and the line says so.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="comments")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="comments")
    text = models.TextField(blank=True)
    at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]
        indexes = [models.Index(fields=["item", "at", "id"], name="comments_of_an_item")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(removed_at__isnull=True) & ~Q(text=""))
                | Q(removed_at__isnull=False, text="", removed_at__gte=F("at")),
                name="comment_has_text_until_it_is_removed",
            )
        ]

    def __str__(self) -> str:
        return f"{self.by} on {self.item_id}"
