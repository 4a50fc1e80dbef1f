"""Addresses under which calendar programs fetch launches: hashed at rest, shown once."""

from django.db import models
from django.db.models import F, Q

from .people import Team, User


class CalendarFeed(models.Model):
    """An address of whoever made it, for their own calendar, or for that of their ``team``.

    As of an API token only ``digest`` is kept of its secret part, and ``prefix`` is what it is found and recognised by.
    It works for as long as it was not revoked, its maker is active, and is in the team. ``language`` is what it speaks.
    """

    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="calendar_feeds")
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="calendar_feeds")
    made_at = models.DateTimeField()
    language = models.CharField(max_length=10)
    revoked_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="calendar_feeds_revoked"
    )
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-made_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["made_by"], condition=Q(team=None, revoked_at=None), name="feed_one_works_for_a_person"
            ),
            models.UniqueConstraint(
                fields=["made_by", "team"],
                condition=Q(team__isnull=False, revoked_at=None),
                name="feed_one_works_for_a_member",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False, revoked_at__gte=F("made_at")),
                name="feed_revoked_by_whom_and_when",
            ),
            models.CheckConstraint(condition=~Q(language=""), name="feed_speaks_a_language"),
        ]

    def __str__(self) -> str:
        return f"{self.team or self.made_by}"
