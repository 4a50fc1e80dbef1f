"""The shipped checklist in the test database, kept while tests come and go."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import models, transaction

from readiness.actions.checklists import land_shipped
from readiness.management.commands.load_checklist import SHIPPED
from readiness.models import Checklist, ChecklistVersion, Clause, Entry, Event, Section

LANDED_AT = datetime(2025, 1, 1, tzinfo=UTC)
"""Before the clocks of all tests: what is recorded before the checklist landed is folded the long way."""

KINDS: tuple[type[models.Model], ...] = (Checklist, ChecklistVersion, Section, Entry, Clause, Event)


@dataclass(frozen=True)
class StoredChecklist:
    """The rows that loading the checklist wrote, parents first."""

    rows: tuple[tuple[type[models.Model], tuple[models.Model, ...]], ...]

    @classmethod
    def load(cls) -> "StoredChecklist":
        """Land the shipped checklist as the command that people use does, before any test begins; remember its rows."""
        land_shipped(text=SHIPPED.read_text(encoding="utf-8"), now=LANDED_AT)
        return cls(tuple((kind, tuple(kind._default_manager.order_by("pk"))) for kind in KINDS))

    def bring_back(self) -> None:
        """Write the rows again where a test that emptied the tables has taken them away. One query where not."""
        if Checklist.objects.exists():
            return
        with transaction.atomic():
            for kind, rows in self.rows:
                kind._default_manager.bulk_create(rows)
