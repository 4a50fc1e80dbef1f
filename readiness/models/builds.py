"""Which build each environment ran, and since when."""

from django.db import models
from django.db.models import Q

from .people import User
from .services import Environment
from .tokens import ApiToken


class Deployment(models.Model):
    """From ``at`` on an environment runs ``build``, until the next one; empty means that nobody knows which.

    Said by a person at the form or by a program with a token.
    """

    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="deployments")
    build = models.CharField(max_length=100, blank=True)
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="deployments")
    token = models.ForeignKey(ApiToken, on_delete=models.PROTECT, null=True, blank=True, related_name="deployments")

    class Meta:
        ordering = ["environment", "at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(by__isnull=True, token__isnull=False) | Q(by__isnull=False, token__isnull=True),
                name="deployment_said_by_a_person_or_a_program",
            )
        ]

    def __str__(self) -> str:
        return f"{self.build or 'no known build'} in {self.environment_id}"
