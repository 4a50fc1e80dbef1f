"""Check, preview or land a version of a checklist from a file."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from readiness.actions import checklists as actions
from readiness.models import Team, User
from readiness.rules.checklist_file import ChecklistFileError, parse
from readiness.rules.permissions import Refused
from readiness.selectors.landings import EnvironmentEffect

NOWHERE = "not asked"


class Command(BaseCommand):
    """``manage.py checklist check | preview | land FILE``."""

    help = "Check the file of a checklist, preview who would lose what by it, or land it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parts = parser.add_subparsers(dest="part", required=True, metavar="check|preview|land")
        check = parts.add_parser("check", help="read the file and name every fault in it")
        preview = parts.add_parser("preview", help="show what landing it changes, and for whom; nothing is written")
        land = parts.add_parser("land", help="land it")
        for part in (check, preview, land):
            part.add_argument("file", type=Path)
        for part in (preview, land):
            part.add_argument("--team", help="the slug of the team that a new checklist belongs to")
        land.add_argument("--by", required=True, help="the name that the admin who lands it signs in with")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do the part that was asked for."""
        part = {"check": self._check, "preview": self._preview, "land": self._land}[options["part"]]
        try:
            text = options["file"].read_text(encoding="utf-8-sig")
            part(text, options)
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from None
        except ChecklistFileError as error:
            raise CommandError(f"{options['file']}:\n{error}") from None
        except Refused as refused:
            raise CommandError(str(refused)) from None

    def _check(self, text: str, _options: dict[str, Any]) -> None:
        file = parse(text)
        self.stdout.write(f"{file.name}, version {file.version}: {len(file.entries)} entries, no fault.")

    def _preview(self, text: str, options: dict[str, Any]) -> None:
        found = actions.preview(by=None, text=text, team=_team(options), now=timezone.now())
        if found is None:
            self.stdout.write("Exactly this has landed.")
            return
        for group in found.changes:
            self.stdout.write(f"{group.kind.heading}:")
            for change in group.changes:
                self.stdout.write(f"  {' '.join(filter(None, (change.entry, change.clause, change.what)))}")
        for effect in found.effects:
            self._tell(effect)
        self.stdout.write(f"{found.lost} settled items to settle again, {found.gained} new ones to settle.")

    def _tell(self, effect: EnvironmentEffect) -> None:
        self.stdout.write(f"{effect.environment}:")
        for verdict in effect.verdicts:
            self.stdout.write(f"  {verdict.before} -> {verdict.after}, from {verdict.at:%Y-%m-%d}")
        for item in effect.items:
            moves = f"{item.before or NOWHERE} -> {item.after or NOWHERE}"
            owner = f", {item.owner}" if item.owner else ""
            self.stdout.write(f"  {item.entry.title}: {moves}, from {item.at:%Y-%m-%d}{owner}")

    def _land(self, text: str, options: dict[str, Any]) -> None:
        by = User.objects.filter(username=options["by"], is_active=True).first()
        if by is None:
            raise CommandError(f"Nobody signs in as {options['by']!r}.")
        landed = actions.land(by=by, text=text, team=_team(options), now=timezone.now())
        file = parse(text)
        self.stdout.write(f"{file.name}, version {file.version}: {'landed' if landed else 'had landed already'}.")


def _team(options: dict[str, Any]) -> Team | None:
    if not options["team"]:
        return None
    team = Team.objects.filter(slug=options["team"]).first()
    if team is None:
        raise CommandError(f"There is no team {options['team']!r}.")
    return team
