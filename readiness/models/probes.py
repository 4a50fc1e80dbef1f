"""Probes that an admin switched off, everywhere or in one environment, and why."""

from django.db import models
from django.db.models import F, Q

from .people import User
from .services import Environment


class Disabling(models.Model):
    """A probe does not look, from ``at`` until ``ended_at``: in one environment, or everywhere where there is none.

    What it saw before stands; only a reviewer retires its fail.
    """

    probe = models.CharField(max_length=60)
    environment = models.ForeignKey(
        Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="disablings"
    )
    reason = models.TextField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="disablings")
    at = models.DateTimeField()
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="disablings_ended")
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["probe", "environment"],
                condition=Q(ended_at__isnull=True, environment__isnull=False),
                name="disabling_once_a_probe_and_environment",
            ),
            models.UniqueConstraint(
                fields=["probe"],
                condition=Q(ended_at__isnull=True, environment__isnull=True),
                name="disabling_everywhere_once_a_probe",
            ),
            models.CheckConstraint(
                condition=Q(ended_at__isnull=True, ended_by__isnull=True)
                | Q(ended_at__isnull=False, ended_by__isnull=False, ended_at__gte=F("at")),
                name="disabling_ended_by_whom_and_when",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="disabling_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.probe} off in {self.environment_id or 'every environment'}"
