"""What a person keeps for themselves: filters of the overview by name, and how far they have read a sheet."""

from django.db import models
from django.db.models import Q

from .people import User
from .services import Environment


class SavedFilter(models.Model):
    """An overview that a person comes back to: its filters as the query of its address, without the question mark."""

    by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_filters")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["by", "name"], name="saved_filter_once_a_name"),
            models.CheckConstraint(condition=~Q(name=""), name="saved_filter_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Visit(models.Model):
    """How far a person has read a sheet: ``seen`` is the id of the newest event that it told them of."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="visits")
    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="visits")
    seen = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["user", "environment"]
        constraints = [models.UniqueConstraint(fields=["user", "environment"], name="visit_once_a_sheet")]

    def __str__(self) -> str:
        return f"{self.user_id} of {self.environment_id}"
