"""Recompute every item's facts from its evidence, and report differences."""

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from readiness.actions.rebuilding import Difference, never_folded, rebuild
from readiness.models import Item


class Command(BaseCommand):
    """``manage.py rebuild``: exit code 1 where a row says something else than its evidence."""

    help = (
        "Recompute the facts of every item from its evidence, waivers and builds, and print where the stored ones "
        "differ. Writes nothing without --write."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("--write", action="store_true", help="store what was recomputed")
        parser.add_argument("--service", default="", help="only the items of this service")
        parser.add_argument("--missing", action="store_true", help="only items that were last folded by an old version")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Go through the items one by one, each in a transaction of its own."""
        items = Item.objects.order_by("pk").values_list("pk", flat=True)
        if options["service"]:
            items = items.filter(service__slug=options["service"])
            if not items.exists():
                raise CommandError(f"There is no service {options['service']!r} with items.")
        chosen = never_folded() if options["missing"] else list(items)
        different = 0
        for item_id in chosen:
            found = rebuild(item_id, write=options["write"], now=timezone.now())
            different += bool(found)
            for difference in found:
                self.stdout.write(_line(difference))
        verb = "corrected" if options["write"] else "different"
        self.stdout.write(f"{len(chosen)} items recomputed, {different} {verb}.")
        if different and not options["write"]:
            raise CommandError("Some rows say something else than what they are folded from. --write corrects them.")


def _line(difference: Difference) -> str:
    """Return a difference in a line: which item, which fact, what the row holds and what it is folded from says."""
    item = difference.item
    place = f"{item.service.slug}/{item.environment.name}" if item.environment else item.service.slug
    held, folded = _words(difference.held), _words(difference.folded)
    return f"{place} {item.entry.slug} {difference.fact}: row {held}, evidence {folded}"


def _words(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)
