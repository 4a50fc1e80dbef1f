"""What was asked of whom at an instant past, where it was changed since: told back from the ledger and from files."""

from collections.abc import Iterable
from copy import copy
from datetime import datetime, time
from typing import Any

from django.utils import timezone

from readiness.models import ChecklistVersion, Entry, Environment, Event, Team
from readiness.rules.checklist_file import EntryFile, parse

from .strips import answered_by


def kind_at(environment: Environment, at: datetime) -> str:
    """Return the kind that an environment had at an instant past. One query."""
    return str(_before(_changes(environment, at)).get("kind", environment.kind))


def environment_at(environment: Environment, at: datetime) -> Environment:
    """Return an environment of the kind and the team that it had at an instant past. Two queries, or three.

    The rest of it is as it is now. A team that has another address since is not found: then it is today's.
    """
    found, service = copy(environment), copy(environment.service)
    found.kind, found.service = kind_at(environment, at), service
    kinds = ("service.changed", "service.transferred")
    handed = Event.objects.filter(service=service, environment=None, kind__in=kinds, at__gt=at)
    slug = _before(handed.order_by("id")).get("team", service.team.slug)
    if slug != service.team.slug:
        service.team = Team.objects.filter(slug=slug).first() or service.team
    return found


def entries_asked_at(at: datetime, *, team_id: int) -> list[Entry]:
    """Return the entries that counted for a team's services at an instant past, in today's order.

    Where another version landed since, the file that was in force says which they were and where they applied: they
    may be retired by now, or have been, or apply elsewhere. Two queries; what was landed before files were kept is
    judged by its rows.
    """
    files = _files_superseded(at)
    found = []
    for entry in answered_by(Entry.objects.select_related("section__checklist"), team_id):
        checklist = entry.section.checklist
        file = files.get(checklist.pk)
        if file is None:
            counted = entry.retired_at is None or at < entry.retired_at
        else:
            asked = file.get(entry.slug.removeprefix(f"{checklist.slug}--") if checklist.team_id else entry.slug)
            counted = asked is not None
            if asked is not None:
                entry.kinds = [str(kind) for kind in asked.kinds]
                entry.counts_from = None if _counted(asked, at) else entry.counts_from
        if counted and (entry.counts_from is None or entry.counts_from <= at):
            found.append(entry)
    return found


def _files_superseded(at: datetime) -> dict[int, dict[str, EntryFile]]:
    """Return, of each checklist of which a version landed after an instant, what was asked before, by slug."""
    landed = ChecklistVersion.objects.order_by("landed_at", "version").only("checklist_id", "landed_at", "text")
    in_force: dict[int, ChecklistVersion] = {}
    since = set()
    for version in landed:
        if version.landed_at <= at:
            in_force[version.checklist_id] = version
        else:
            since.add(version.checklist_id)
    return {
        checklist: {entry.slug: entry for entry in parse(version.text).entries}
        for checklist, version in in_force.items()
        if checklist in since
    }


def _counted(asked: EntryFile, at: datetime) -> bool:
    """Return whether an entry of the file in force had begun to count: at once, or on the day that it announces."""
    day = asked.counts_from
    return day is None or datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone()) <= at


def _changes(environment: Environment, after: datetime) -> Iterable[Event]:
    found = Event.objects.filter(environment=environment, kind="environment.changed", at__gt=after)
    return found.order_by("id")


def _before(changes: Iterable[Event]) -> dict[str, Any]:
    """Return what the first of several changes changed it from, by setting."""
    found: dict[str, Any] = {}
    for event in changes:
        for name, value in event.data["from"].items():
            found.setdefault(name, value)
    return found
