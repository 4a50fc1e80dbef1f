"""What happens in a review while it is held: who is in the room, and what people write down."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q

from .reviews import Review
from .services import Environment


class Presence(models.Model):
    """Somebody in the room of a review.

    ``seen_at`` is when their page was last heard of. ``named`` says that they were named, by themselves or by the
    chair, so that they are there without being heard of. ``gone_at`` is when they left or were taken out.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="presences")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="presences")
    came_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    named = models.BooleanField(default=False)
    gone_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["came_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "user"], name="presence_once_a_person"),
            models.CheckConstraint(condition=Q(seen_at__gte=F("came_at")), name="presence_seen_after_it_began"),
            models.CheckConstraint(
                condition=Q(gone_at__isnull=True) | Q(gone_at__gte=F("came_at"), named=False),
                name="presence_ends_after_it_began",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id} in {self.review_id}"


class MeetingNote(models.Model):
    """What somebody wrote down in a review, about one line of its agenda or about none. Never changed.

    ``key`` is given by the page that sent it, so that a note that is sent twice is kept once.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="notes")
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="meeting_notes"
    )
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="meeting_notes")
    at = models.DateTimeField()
    text = models.TextField()
    key = models.CharField(max_length=40)

    class Meta:
        ordering = ["review", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "by", "key"], name="meeting_note_sent_once"),
            models.CheckConstraint(condition=~Q(text="") & ~Q(key=""), name="meeting_note_says_something"),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} in {self.review_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a note is never changed."""
        if not self._state.adding:
            raise TypeError("A note is never changed: write another one.")
        super().save(*args, **kwargs)
