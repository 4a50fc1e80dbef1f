"""Land the checklist that ships with the product, where it is newer than the one that is held."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from readiness.actions.checklists import land_shipped
from readiness.rules.checklist_file import ChecklistFileError, parse

SHIPPED = Path(__file__).resolve().parents[2] / "checklists" / "bastion.toml"


class Command(BaseCommand):
    """``manage.py load_checklist``."""

    help = "Land the Bastion checklist that ships with Readiness. One that was changed here is left as it is."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Read, check and land."""
        text = SHIPPED.read_text(encoding="utf-8")
        try:
            file = parse(text)
            landed = land_shipped(text=text, now=timezone.now())
        except ChecklistFileError as error:
            raise CommandError(f"The checklist that ships cannot land:\n{error}") from None
        done = "landed" if landed else "nothing to land"
        self.stdout.write(f"{file.name}, version {file.version}: {done}.")
