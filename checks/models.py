"""What the workers remember between runs. Nothing here is a fact about readiness."""

from datetime import timedelta

from django.db import models

PROVEN_FOR = timedelta(hours=24)
"""A probe proves itself again after this long; a failed proof is tried again at the next run."""


class Heartbeat(models.Model):
    """When a process last showed that it works, by name."""

    name = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class KeyUse(models.Model):
    """When Bastion was last asked with a key, known by its fingerprint alone."""

    fingerprint = models.CharField(max_length=40, primary_key=True)
    asked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.fingerprint


class ProbeProof(models.Model):
    """When a version of a probe last told its known-good from its known-bad targets, or failed to."""

    probe = models.CharField(max_length=60)
    version = models.PositiveSmallIntegerField()
    at = models.DateTimeField()
    proven = models.BooleanField()
    detail = models.TextField(blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["probe", "version"], name="proof_once_a_version")]

    def __str__(self) -> str:
        return f"{self.probe} {self.version}"
