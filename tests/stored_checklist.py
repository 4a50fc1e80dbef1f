"""The shipped checklist in the test database, kept while tests come and go."""

from dataclasses import dataclass

from django.core.management import call_command
from django.db import models, transaction

from readiness.models import Checklist, ChecklistVersion, Clause, Entry, Event, Section

KINDS: tuple[type[models.Model], ...] = (Checklist, ChecklistVersion, Section, Entry, Clause, Event)


@dataclass(frozen=True)
class StoredChecklist:
    """The rows that loading the checklist wrote, parents first."""

    rows: tuple[tuple[type[models.Model], tuple[models.Model, ...]], ...]

    @classmethod
    def load(cls) -> "StoredChecklist":
        """Load the shipped checklist with the command that people use, and remember its rows."""
        call_command("load_checklist", verbosity=0, stdout=_Nowhere())
        return cls(tuple((kind, tuple(kind._default_manager.order_by("pk"))) for kind in KINDS))

    def bring_back(self) -> None:
        """Write the rows again where a test that emptied the tables has taken them away. One query where not."""
        if Checklist.objects.exists():
            return
        with transaction.atomic():
            for kind, rows in self.rows:
                kind._default_manager.bulk_create(rows)


class _Nowhere:
    def write(self, _text: str) -> None:
        """Drop it."""
