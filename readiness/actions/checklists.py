"""Checklists as versioned data: previewed, landed, and kept word for word. Slugs are identities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from readiness.models import Checklist, ChecklistVersion, Team, User
from readiness.rules.checklist_changes import ChangeGroup, ChangeKind, changes
from readiness.rules.checklist_file import ChecklistFile, as_written, parse
from readiness.rules.permissions import change_checklist_refusals, insist
from readiness.selectors.checklists import newest_version, version_file
from readiness.selectors.landings import EnvironmentEffect, difference, picture

from . import ledger
from .answering import hold_checklists_to_land
from .checklist_rows import Plan, plan, write, write_translations


class ChecklistCrossed(Exception):
    """Another version landed since somebody looked. Nothing was written."""

    def __init__(self, checklist: Checklist, *, by: str) -> None:
        super().__init__(
            _("{by} landed version {version} of this checklist first.").format(by=by, version=checklist.version)
        )
        self.checklist = checklist
        self.by = by


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What landing a text would do. ``seen`` is the version that is held, 0 for none.

    ``announced`` are the instants to come at which something begins to count; ``effects`` holds what differs now and
    at each of them, in every live environment.
    """

    file: ChecklistFile
    team: Team | None
    seen: int
    at: datetime
    changes: Sequence[ChangeGroup]
    announced: Sequence[datetime]
    effects: Sequence[EnvironmentEffect]

    @property
    def lost(self) -> int:
        """How many items on how many sheets were settled and would not be."""
        return sum(one.lost for one in self.effects)

    @property
    def gained(self) -> int:
        """How many items would be new on sheets and not settled."""
        return sum(one.gained for one in self.effects)


def preview(*, by: User | None, text: str, team: Team | None = None, now: datetime) -> Preview | None:
    """Return what landing a text would do to whom, or None where exactly this has landed. Nothing is written.

    It lands in a transaction that is undone, so it cannot say anything else than what a landing at this instant does.
    Raises what ``land`` raises.
    """
    with ledger.rehearsal():
        prepared = _prepare(by, text, team, now, seen=None)
        if prepared is None:
            return None
        announced = sorted(at for at in prepared.instants() if at > now)
        instants = [now, *announced]
        before = picture(instants)
        write(prepared, text=text, by=by, now=now)
        after = picture(instants)
    held = prepared.held
    return Preview(
        file=prepared.file,
        team=prepared.team,
        seen=held.version if held else 0,
        at=now,
        changes=changes(version_file(held), prepared.file),
        announced=announced,
        effects=difference(before, after),
    )


@transaction.atomic
def land(
    *, by: User, text: str, team: Team | None = None, seen: int | None = None, now: datetime
) -> ChecklistVersion | None:
    """Bring a checklist to the version that a text describes; None where exactly this has landed already.

    ``team`` says whose a new checklist is: None for everybody's. ``seen`` is the version that was held when the person
    looked, 0 for none. Raises ``ChecklistFileError`` with everything wrong in the text, ``Refused``, or
    ``ChecklistCrossed`` where another version landed since.
    """
    return _land(by, text, team, seen, now, lenient=False)


@transaction.atomic
def land_shipped(*, text: str, now: datetime) -> ChecklistVersion | None:
    """Land the checklist that ships with the product; None where nothing has to be, or may be, landed.

    One that people changed here is left as it is, and an older version never replaces a newer one. Where the same
    version comes with other translations, these are taken: they mean nothing else, so that is no event.
    """
    hold_checklists_to_land()
    file = parse(text)
    held = Checklist.objects.filter(slug=file.slug).first()
    if held is not None:
        newest = held.versions.order_by("-version").first()
        changed_here = newest is not None and newest.landed_by_id is not None
        if changed_here or file.version < held.version:
            return None
        if file.version == held.version:
            if newest is not None and newest.text != text and as_written(parse(newest.text)) == as_written(file):
                write_translations(held, newest, file, text=text)
            return None
    return _land(None, text, None, None, now, lenient=True)


def _land(
    by: User | None, text: str, team: Team | None, seen: int | None, now: datetime, *, lenient: bool
) -> ChecklistVersion | None:
    prepared = _prepare(by, text, team, now, seen=seen, lenient=lenient)
    if prepared is None:
        return None
    told = _as_json(prepared, changes(version_file(prepared.held), prepared.file), now)
    version = write(prepared, text=text, by=by, now=now)
    ledger.record("checklist.landed", by=by, at=now, data=told)
    return version


def _prepare(
    by: User | None, text: str, team: Team | None, now: datetime, *, seen: int | None, lenient: bool = False
) -> Plan | None:
    """Take the lock, read and judge the text; None where exactly this has landed."""
    if by is not None:
        insist(change_checklist_refusals(by.actor))
    file = parse(text)
    hold_checklists_to_land()
    held = Checklist.objects.select_related("team").filter(slug=file.slug).first()
    if held is not None and held.versions.filter(version=held.version, text=text).exists():
        return None
    if held is not None and seen is not None and seen != held.version:
        last = newest_version(held)
        raise ChecklistCrossed(held, by=str(last.landed_by) if last and last.landed_by else _("Somebody"))
    return plan(file, held=held, team=team, lenient=lenient, now=now)


def _as_json(prepared: Plan, told: Sequence[ChangeGroup], now: datetime) -> dict[str, object]:
    by_kind = {group.kind: [_name(one.entry, one.clause) for one in group.changes] for group in told}
    return {
        "checklist": prepared.file.slug,
        "name": prepared.file.name,
        "team": prepared.team.slug if prepared.team else None,
        "from": prepared.held.version if prepared.held else None,
        "to": prepared.file.version,
        "summary": prepared.file.changes,
        "changes": {str(kind): sorted(set(by_kind[kind])) for kind in ChangeKind if kind in by_kind},
        "announced": prepared.announced(now),
        "asked_again": sorted(entry.slug for entry in prepared.asked_again),
    }


def _name(entry: str, clause: str) -> str:
    return f"{entry}/{clause}" if clause else entry
