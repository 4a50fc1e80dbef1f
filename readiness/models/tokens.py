"""Tokens with which programs call the API: scoped, hashed at rest, shown once."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from .people import Team, User


class ApiToken(models.Model):
    """What a program shows to be let in. Only ``digest`` is kept: SHA-256 of the whole token, in hexadecimal.

    ``prefix`` is the part by which people recognise it and by which it is found. With a ``team`` it speaks of that
    team's services alone. It always has an end.
    """

    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=list)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, null=True, blank=True, related_name="tokens")
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="tokens_created")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    revoked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="tokens_revoked")
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="token_ends_after_it_was_made"),
            models.CheckConstraint(
                condition=Q(revoked_at__isnull=True, revoked_by__isnull=True)
                | Q(revoked_at__isnull=False, revoked_by__isnull=False),
                name="token_revoked_by_whom_and_when",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def works_at(self, at: datetime) -> bool:
        """Return whether it lets anybody in at an instant."""
        return self.revoked_at is None and at < self.expires_at
