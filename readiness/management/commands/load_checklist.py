"""Load a checklist from its file; without a file, the Bastion one that ships with the product."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from readiness.actions.checklists import OlderVersion, load
from readiness.rules.checklist_file import ChecklistFileError, parse

SHIPPED = Path(__file__).resolve().parents[2] / "checklists" / "bastion.toml"


class Command(BaseCommand):
    """``manage.py load_checklist [FILE]``."""

    help = "Load a checklist from a TOML file (the shipped Bastion checklist where none is named)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("file", nargs="?", type=Path, default=SHIPPED)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Read, check and load."""
        path: Path = options["file"]
        try:
            file = parse(path.read_text(encoding="utf-8"))
            loaded = load(file, now=timezone.now())
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}") from None
        except ChecklistFileError as error:
            raise CommandError(f"{path} is not a checklist:\n{error}") from None
        except OlderVersion as error:
            raise CommandError(str(error)) from None
        done = "loaded" if loaded else "is loaded already"
        self.stdout.write(f"{file.name}, version {file.version}: {done}.")
