"""Launch reviews: who met about which environments, what was decided on what, and on which conditions."""

import json
from typing import Any

from django.db import models
from django.db.models import F, Q
from django.urls import reverse

from readiness.enums.words import DecisionKind

from .items import Item
from .people import User
from .services import Environment


class Review(models.Model):
    """A meeting: an agenda of environments, who was there, and what was said. ``version`` counts what people write.

    ``opened_at`` is when it began to be held. ``line`` is the environment of its agenda that the room looks at, since
    ``line_since``. ``quorum`` is how many people have to be in the room for a decision; None where none is set.
    """

    title = models.CharField(max_length=120)
    starts_at = models.DateTimeField()
    chair = models.ForeignKey(User, on_delete=models.PROTECT, related_name="reviews_chaired")
    attendees = models.ManyToManyField(User, related_name="reviews_attended", blank=True)
    minutes = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    planned_at = models.DateTimeField()
    quorum = models.PositiveSmallIntegerField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    opened_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="reviews_opened")
    line = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="looked_at_in")
    line_since = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="reviews_closed")

    class Meta:
        ordering = ["-starts_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at__isnull=True, closed_by__isnull=True)
                | Q(closed_at__isnull=False, closed_by__isnull=False),
                name="review_closed_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(opened_at__isnull=True, opened_by__isnull=True)
                | Q(opened_at__isnull=False, opened_by__isnull=False),
                name="review_opened_by_whom_and_when",
            ),
            models.CheckConstraint(
                condition=Q(line__isnull=True, line_since__isnull=True)
                | Q(line__isnull=False, line_since__isnull=False, opened_at__isnull=False),
                name="review_looks_at_a_line_since",
            ),
            models.CheckConstraint(
                condition=Q(quorum__isnull=True) | Q(quorum__gt=0), name="review_quorum_of_somebody"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        """Return its address."""
        return reverse("review", args=[self.pk])


class AgendaLine(models.Model):
    """One environment on the agenda of a review."""

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="agenda")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="agenda_lines")
    position = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["review", "position", "id"]
        constraints = [
            models.UniqueConstraint(fields=["review", "environment"], name="agenda_names_an_environment_once")
        ]

    def __str__(self) -> str:
        return f"{self.environment_id} in {self.review_id}"


class Decision(models.Model):
    """Go, go with conditions, or no-go, by a person at an instant, on a frozen snapshot of the sheet.

    ``snapshot`` is the canonical JSON of the sheet as it stood (``rules.snapshots``), and ``hash`` its SHA-256 in
    hexadecimal. A decision is never changed; a later one on the same environment takes its place. ``key`` is given by
    the page that sent it, so that one that is sent twice is made once; empty where none was given.
    """

    review = models.ForeignKey(Review, on_delete=models.PROTECT, related_name="decisions")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, related_name="decisions")
    kind = models.CharField(max_length=20, choices=DecisionKind.choices)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="decisions")
    at = models.DateTimeField()
    note = models.TextField(blank=True)
    verdict = models.CharField(max_length=20)
    snapshot = models.TextField()
    hash = models.CharField(max_length=64)
    key = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        ordering = ["-at", "-id"]
        indexes = [models.Index(fields=["environment", "-at", "-id"], name="decision_newest")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DecisionKind.values), name="decision_kind_known"),
            models.CheckConstraint(condition=~Q(snapshot="") & ~Q(hash=""), name="decision_on_a_snapshot"),
            models.UniqueConstraint(fields=["review", "by", "key"], condition=~Q(key=""), name="decision_sent_once"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} for {self.environment_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a decision is never changed."""
        if not self._state.adding:
            raise TypeError("A decision is never changed: record a new one instead.")
        super().save(*args, **kwargs)

    def get_absolute_url(self) -> str:
        """Return its address."""
        return reverse("decision", args=[self.pk])

    @property
    def frozen(self) -> dict[str, Any]:
        """The snapshot, read."""
        content: dict[str, Any] = json.loads(self.snapshot)
        return content


class Dissent(models.Model):
    """Somebody who was there and did not agree, by name, with why."""

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="dissents")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="dissents")
    reason = models.TextField()

    class Meta:
        ordering = ["decision", "id"]
        constraints = [
            models.UniqueConstraint(fields=["decision", "by"], name="dissent_once_a_person"),
            models.CheckConstraint(condition=~Q(reason=""), name="dissent_says_why"),
        ]

    def __str__(self) -> str:
        return f"{self.by_id} on {self.decision_id}"


class Condition(models.Model):
    """Why one unsettled item may wait under a go, who owns it, and until when.

    ``discharged_at`` is set, once and for good, in the transaction that settles the item.
    """

    decision = models.ForeignKey(Decision, on_delete=models.PROTECT, related_name="conditions")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="conditions")
    reason = models.TextField()
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="conditions")
    decided_at = models.DateTimeField()
    until = models.DateTimeField()
    discharged_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["decision", "until", "id"]
        indexes = [
            models.Index(fields=["item"], condition=Q(discharged_at__isnull=True), name="condition_open_of_item")
        ]
        constraints = [
            models.UniqueConstraint(fields=["decision", "item"], name="condition_once_an_item"),
            models.CheckConstraint(condition=~Q(reason=""), name="condition_says_why"),
            models.CheckConstraint(condition=Q(until__gt=F("decided_at")), name="condition_ends_after_the_decision"),
            models.CheckConstraint(
                condition=Q(discharged_at__isnull=True) | Q(discharged_at__gte=F("decided_at")),
                name="condition_discharged_after_the_decision",
            ),
        ]

    def __str__(self) -> str:
        return f"condition {self.pk} on {self.item_id}"
