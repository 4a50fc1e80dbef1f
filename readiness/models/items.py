"""Items: one entry answered for one service or one environment, with the facts that its status follows from."""

from django.db import models
from django.db.models import F, Q

from readiness.rules.folding import ClauseFacts
from readiness.rules.status import ItemFacts

from .checklists import Entry
from .people import User
from .services import Environment, Service


class Item(models.Model):
    """The record of one entry for one service or one environment.

    The columns from ``observed_until`` on are folded from evidence and waivers in the transaction that changes these
    (``actions.folding``). There is no status here: it depends on the clock (``rules.status``). ``standing`` is where
    each clause stands, as ``rules.folding.ClauseFacts`` writes itself.
    ``version`` counts what people write, not what probes do.
    """

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="items")
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="items")
    environment = models.ForeignKey(Environment, on_delete=models.PROTECT, null=True, blank=True, related_name="items")
    owner = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="owned_items")
    due_on = models.DateField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    observed_until = models.DateTimeField(null=True)
    settled_until = models.DateTimeField(null=True)
    failing_since = models.DateTimeField(null=True)
    waived_from = models.DateTimeField(null=True)
    waived_until = models.DateTimeField(null=True)
    not_applicable_from = models.DateTimeField(null=True)
    not_applicable_until = models.DateTimeField(null=True)
    first_met_at = models.DateTimeField(null=True)
    standing = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["entry", "service"], condition=Q(environment__isnull=True), name="item_once_a_service"
            ),
            models.UniqueConstraint(
                fields=["entry", "environment"], condition=Q(environment__isnull=False), name="item_once_an_environment"
            ),
            models.CheckConstraint(
                condition=Q(waived_from__isnull=True, waived_until__isnull=True)
                | Q(waived_from__isnull=False, waived_until__isnull=False, waived_until__gt=F("waived_from")),
                name="item_waived_between_two_instants",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.entry.slug} of {self.environment or self.service}"

    @property
    def clauses(self) -> list[ClauseFacts]:
        """Where each clause stands, as it was folded last."""
        return [ClauseFacts.from_json(one) for one in self.standing]

    @property
    def facts(self) -> ItemFacts:
        """The folded facts, as the rules take them."""
        return ItemFacts(**{name: getattr(self, name) for name in ItemFacts.names()})
