"""Evidence: dated statements about clauses. Append-only."""

from typing import Any

from django.db import models
from django.db.models import F, Q

from readiness.enums.words import Outcome

from .items import Item
from .people import User
from .runs import Run


class Evidence(models.Model):
    """One dated statement about one clause of an item, by a person or by a run.

    It carries its own words (``summary``) and outlives the probe and the checklist's wording. ``valid_until`` is the
    first instant at which a pass no longer counts; ``true_until`` is an instant, known when it was observed, from which
    it is no longer true however often it is observed (a key gets a year old). ``drill`` says that it was seen in a
    drill, ``meaning`` which meaning of the clause it answers. ``supported`` is false for a tick that lacks the link
    which its entry wants: it is kept and counts for nothing.
    """

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="evidence")
    clause = models.CharField(max_length=60)
    outcome = models.CharField(max_length=12, choices=Outcome.choices)
    summary = models.TextField()
    code = models.CharField(max_length=120, blank=True)
    params = models.JSONField(default=dict, blank=True)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="evidence")
    run = models.ForeignKey(Run, on_delete=models.PROTECT, null=True, blank=True, related_name="evidence")
    build = models.CharField(max_length=100, blank=True)
    supported = models.BooleanField(default=True)
    observed_at = models.DateTimeField()
    recorded_at = models.DateTimeField()
    valid_until = models.DateTimeField(null=True, blank=True)
    true_until = models.DateTimeField(null=True, blank=True)
    drill = models.BooleanField(default=False)
    meaning = models.PositiveSmallIntegerField(default=1)

    class Meta:
        ordering = ["-observed_at", "-id"]
        verbose_name_plural = "evidence"
        indexes = [
            models.Index(fields=["item", "clause", "-observed_at", "-id"], name="evidence_newest_of_clause"),
            models.Index(fields=["item", "-observed_at"], condition=Q(by__isnull=False), name="evidence_by_people"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(by__isnull=True, run__isnull=False) | Q(by__isnull=False, run__isnull=True),
                name="evidence_by_person_or_run",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.PASS, valid_until__isnull=False)
                | (~Q(outcome=Outcome.PASS) & Q(valid_until__isnull=True)),
                name="evidence_pass_has_an_end",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.WITHDRAWN) | Q(by__isnull=False), name="evidence_taken_back_by_a_person"
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.RETIRED) | Q(by__isnull=False), name="evidence_fail_retired_by_a_person"
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.FAIL) | Q(run__isnull=False), name="evidence_fail_by_a_run"
            ),
            models.CheckConstraint(condition=Q(recorded_at__gte=F("observed_at")), name="evidence_not_from_the_future"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} on {self.clause}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a second save of the same row is refused, since evidence is append-only."""
        if not self._state.adding:
            raise TypeError("Evidence is append-only: record a new statement instead.")
        super().save(*args, **kwargs)


class EvidenceLink(models.Model):
    """Where the evidence lives; files stay there."""

    evidence = models.ForeignKey(Evidence, on_delete=models.PROTECT, related_name="links")
    url = models.CharField(max_length=1000)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["evidence", "url"], name="evidence_link_once")]

    def __str__(self) -> str:
        return self.url
