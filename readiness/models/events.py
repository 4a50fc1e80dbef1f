"""The ledger: who changed what, from what, to what. One stream, each event sealed over the one before."""

import json
from typing import Any

from django.db import models
from django.db.models import F, Q

from .items import Item
from .people import User
from .services import Environment, Service


class Event(models.Model):
    """One line of the ledger.

    ``id`` is given by ``actions.ledger`` without gaps, under a lock, so that a reader who asks for ``id > last`` never
    misses one. ``text`` is the canonical JSON of the whole line, and ``hash`` is SHA-256 over the hash of the event
    before and ``text``. The other columns repeat parts of ``text`` for queries.
    """

    id = models.BigIntegerField(primary_key=True)
    at = models.DateTimeField()
    kind = models.CharField(max_length=60)
    actor = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    item = models.ForeignKey(Item, on_delete=models.PROTECT, null=True, blank=True, related_name="events")
    text = models.TextField()
    previous_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64, unique=True)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["environment", "-id"], name="event_newest_of_environment"),
            models.Index(fields=["item", "-id"], name="event_newest_of_item"),
            # The ledger's page and readers of the past ask for kinds by how they begin, whatever the collation.
            models.Index(
                fields=["kind", "-id"], name="event_newest_of_kind", opclasses=["varchar_pattern_ops", "int8_ops"]
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["previous_hash"], name="event_chain_does_not_fork"),
            models.CheckConstraint(condition=Q(id__gt=0), name="event_counts_from_one"),
            models.CheckConstraint(condition=~Q(hash=F("previous_hash")), name="event_seals_something"),
        ]

    def __str__(self) -> str:
        return f"{self.id} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert; a line of the ledger is never written twice."""
        if not self._state.adding:
            raise TypeError("The ledger is append-only.")
        super().save(*args, **kwargs)

    @property
    def said(self) -> dict[str, Any]:
        """The whole line, from the sealed text."""
        content: dict[str, Any] = json.loads(self.text)
        return content

    @property
    def data(self) -> dict[str, Any]:
        """What changed, from the sealed text."""
        content: dict[str, Any] = self.said["data"]
        return content
