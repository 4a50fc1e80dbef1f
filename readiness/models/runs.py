"""Runs: the queue of probes and the record of what they saw. A Celery message is only a nudge to look here."""

from django.db import models
from django.db.models import F, Q

from readiness.enums.words import RunReason, RunState

from .people import User
from .services import Environment

OPEN_STATES = (RunState.QUEUED, RunState.RUNNING)


class Run(models.Model):
    """One attempt by a probe on one environment.

    ``due_at`` is the first instant at which it may start. While it runs, ``claim`` names the attempt that owns it and
    ``lease_until`` the instant at which another worker may take it over. ``facts`` and ``findings`` are what it saw
    and concluded; ``error`` is our own failure, in words, and concludes nothing.
    """

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="runs")
    probe = models.CharField(max_length=60)
    probe_version = models.PositiveSmallIntegerField(default=0)
    state = models.CharField(max_length=10, choices=RunState.choices, default=RunState.QUEUED)
    reason = models.CharField(max_length=12, choices=RunReason.choices)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="runs")
    queued_at = models.DateTimeField()
    due_at = models.DateTimeField()
    nudged_at = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    claim = models.CharField(max_length=32, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    build = models.CharField(max_length=100, blank=True)
    facts = models.JSONField(default=dict, blank=True)
    findings = models.JSONField(default=list, blank=True)
    error = models.TextField(blank=True)

    class Meta:
        ordering = ["-queued_at", "-id"]
        indexes = [
            models.Index(fields=["environment", "probe", "-queued_at", "-id"], name="run_newest_of_probe"),
            models.Index(fields=["environment", "-finished_at"], condition=Q(state="done"), name="run_ended_last"),
            models.Index(fields=["due_at"], condition=Q(state__in=["queued", "running"]), name="run_open"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "probe"],
                condition=Q(state__in=["queued", "running"]),
                name="run_one_open_of_a_probe_on_a_target",
            ),
            models.CheckConstraint(condition=Q(state__in=RunState.values), name="run_state_known"),
            models.CheckConstraint(
                condition=~Q(state=RunState.RUNNING)
                | (Q(started_at__isnull=False, lease_until__isnull=False) & ~Q(claim="")),
                name="run_running_under_a_lease",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["queued", "running"], finished_at__isnull=True)
                | Q(state__in=["done", "errored"], finished_at__isnull=False),
                name="run_finished_when_over",
            ),
            models.CheckConstraint(condition=~Q(state=RunState.ERRORED) | ~Q(error=""), name="run_errored_says_why"),
            models.CheckConstraint(
                condition=Q(due_at__gte=F("queued_at")) | Q(reason="asked"), name="run_due_once_queued"
            ),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.probe} on {self.environment_id}"

    @property
    def is_open(self) -> bool:
        """Whether it still waits or runs."""
        return self.state in OPEN_STATES
