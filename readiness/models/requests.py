"""What a team asks of a reviewer: that an item may wait (waiver), or that it does not apply."""

from django.db import models
from django.db.models import F, Q
from django.db.models.constraints import BaseConstraint

from readiness.enums.words import Stance

from .items import Item
from .people import User


def _request_constraints(prefix: str) -> list[BaseConstraint]:
    return [
        models.CheckConstraint(
            condition=Q(decided_at__isnull=True, decided_by__isnull=True, granted__isnull=True)
            | Q(decided_at__isnull=False, decided_by__isnull=False, granted__isnull=False),
            name=f"{prefix}_decided_by_whom_and_when",
        ),
        models.CheckConstraint(
            condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")), name=f"{prefix}_granter_did_not_ask"
        ),
        models.CheckConstraint(
            condition=(Q(ended_at__isnull=True) & Q(end_reason="")) | (Q(ended_at__isnull=False) & ~Q(end_reason="")),
            name=f"{prefix}_ended_when_and_why",
        ),
        models.UniqueConstraint(
            fields=["item"], condition=Q(decided_at__isnull=True, ended_at__isnull=True), name=f"{prefix}_one_waiting"
        ),
        models.UniqueConstraint(
            fields=["item"], condition=Q(granted=True, ended_at__isnull=True), name=f"{prefix}_one_standing"
        ),
    ]


class Request(models.Model):
    """The part that a waiver and a "not applicable" share: asked, then granted or refused, then perhaps ended early."""

    item = models.ForeignKey(Item, on_delete=models.PROTECT, related_name="%(class)ss")
    reason = models.TextField()
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="%(class)ss_asked")
    asked_at = models.DateTimeField()
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="%(class)ss_decided"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    granted = models.BooleanField(null=True, blank=True)
    decision_note = models.TextField(blank=True)
    ended_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="%(class)ss_ended")
    ended_at = models.DateTimeField(null=True, blank=True)
    end_reason = models.TextField(blank=True)

    class Meta:
        abstract = True
        ordering = ["-asked_at", "-id"]

    @property
    def waiting(self) -> bool:
        """Whether a reviewer still has to say something."""
        return self.decided_at is None and self.ended_at is None

    @property
    def standing(self) -> bool:
        """Whether it was granted and nobody ended it; a waiver may be past its end all the same."""
        return bool(self.granted) and self.ended_at is None


class Waiver(Request):
    """A named reviewer lets an item wait, with a reason and an end. It holds in ``[decided_at, until)``.

    ``clauses`` are the slugs that were not met when it was granted: a fail elsewhere reads failing.
    """

    stance = models.CharField(max_length=20, choices=Stance.choices)
    until = models.DateTimeField()
    clauses = models.JSONField(default=list)

    class Meta(Request.Meta):
        constraints = [
            *_request_constraints("waiver"),
            models.CheckConstraint(condition=Q(until__gt=F("asked_at")), name="waiver_ends_after_it_was_asked"),
            models.CheckConstraint(
                condition=Q(granted__isnull=True) | Q(granted=False) | Q(until__gt=F("decided_at")),
                name="waiver_ends_after_its_grant",
            ),
        ]

    def __str__(self) -> str:
        return f"waiver {self.pk} of {self.item_id}"


class NotApplicable(Request):
    """A named reviewer agrees that an entry does not apply. It has no end, and falls at a counting fail.

    ``meaning`` is which meaning of the entry it was asked about: it falls where another one begins to hold. ``batch``
    is the same for what was asked at once for a whole section; empty for what was asked alone.
    """

    meaning = models.PositiveSmallIntegerField(default=1)
    batch = models.CharField(max_length=32, blank=True)

    class Meta(Request.Meta):
        constraints = [*_request_constraints("not_applicable")]
        verbose_name_plural = "not applicable"

    def __str__(self) -> str:
        return f"not applicable {self.pk} of {self.item_id}"
