"""One section of a sheet: the items that answer it."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Q

from readiness.models import Environment, Item, Section

from .strips import counting


def items_in(environment: Environment, section: Section, at: datetime) -> list[Item]:
    """Return the items that a section has on a sheet at an instant, in the order of the checklist. One query.

    They are the environment's own and its service's, where their entries apply and count.
    """
    mine = Q(environment=environment) | Q(environment=None)
    items = Item.objects.filter(mine, service=environment.service_id, entry__section=section, entry__retired_at=None)
    found = list(items.select_related("entry", "environment", "service__team").order_by("entry__position"))
    counted = {entry.pk for entry in counting((item.entry for item in found), at)}
    return [item for item in found if item.entry_id in counted and item.entry.applies_to(environment.kind)]


def seen_text(versions: Mapping[int, int]) -> str:
    """Return the versions of items as one hidden field carries them: "12:3,13:1"."""
    return ",".join(f"{item}:{version}" for item, version in sorted(versions.items()))


def seen_in(text: str) -> dict[int, int] | None:
    """Return what ``seen_text`` wrote; None where it is anything else."""
    found: dict[int, int] = {}
    for part in text.split(",") if text else []:
        item, _, version = part.partition(":")
        if not (item.isascii() and item.isdecimal() and version.isascii() and version.isdecimal()) or len(part) > 30:
            return None
        found[int(item)] = int(version)
    return found
