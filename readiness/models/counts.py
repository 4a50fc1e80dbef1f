"""How many items were settled, counted once a day: the trend is drawn from it, and no verdict rests on it."""

from django.db import models
from django.db.models import F, Q

from .services import Environment


class DayCount(models.Model):
    """What a sheet counted at ``at``, the first instant of ``day`` in the site's time zone or soon after it.

    ``verified`` of the ``settled`` were so by probes alone. An environment that was archived then has no row.
    """

    environment = models.ForeignKey(Environment, on_delete=models.CASCADE, related_name="day_counts")
    day = models.DateField()
    at = models.DateTimeField()
    items = models.PositiveSmallIntegerField()
    settled = models.PositiveSmallIntegerField()
    verified = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["day", "environment"]
        constraints = [
            models.UniqueConstraint(fields=["day", "environment"], name="counted_once_a_day"),
            models.CheckConstraint(
                condition=Q(verified__lte=F("settled"), settled__lte=F("items")), name="counted_parts_fit_in_the_whole"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.settled} of {self.items} on {self.day}"
