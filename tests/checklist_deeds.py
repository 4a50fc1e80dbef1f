"""What tests of checklists do: land, see what is refused, and look at sheets."""

from datetime import datetime
from typing import Any

import pytest

from readiness.actions.checklists import land, preview
from readiness.enums.standing import Status
from readiness.models import (
    Checklist,
    ChecklistVersion,
    Clause,
    Entry,
    Environment,
    Event,
    Item,
    NotApplicable,
    Team,
    User,
)
from readiness.rules.checklist_file import ChecklistFile, ChecklistFileError
from readiness.selectors.checklists import next_text
from readiness.selectors.sheets import sheet
from readiness.views.checklists import digest
from tests.checklist_texts import written
from tests.deeds import everything
from tests.factories import NOW


def landed(admin: User, file: ChecklistFile, *, team: Team | None = None, now: datetime = NOW) -> ChecklistVersion:
    version = land(by=admin, text=written(file), team=team, now=now)
    assert version is not None
    return version


def faults(admin: User, file: ChecklistFile, *, team: Team | None = None, now: datetime = NOW) -> tuple[str, ...]:
    before = everything(), rows()
    with pytest.raises(ChecklistFileError) as caught:
        land(by=admin, text=written(file), team=team, now=now)
    assert (everything(), rows()) == before, "Whatever is refused has written nothing."
    with pytest.raises(ChecklistFileError) as previewed:
        preview(by=admin, text=written(file), team=team, now=now)
    assert previewed.value.problems == caught.value.problems
    return caught.value.problems


def rows() -> list[list[dict[str, Any]]]:
    kinds = (Checklist, ChecklistVersion, Entry, Clause, Item, NotApplicable, Event)
    return [list(kind.objects.order_by("pk").values()) for kind in kinds]


def on_sheet(environment: Environment, at: datetime) -> dict[str, Status]:
    found = Environment.objects.select_related("service__team").get(pk=environment.pk)
    return {row.entry.slug: row.status for row in sheet(found, at).rows if row.status is not None}


def next_checklist(slug: str) -> str:
    """The text of the next version of a checklist, which says what it changes and changes nothing."""
    return next_text(Checklist.objects.get(slug=slug)).replace('changes = ""', 'changes = "Nothing much."')


def landing_form(text: str, *, seen: int) -> dict[str, Any]:
    """What the page of a preview sends to land what it showed."""
    return {"text": text, "team": "", "step": "land", "seen": seen, "digest": digest(text, None, seen)}
