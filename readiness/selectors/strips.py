"""The strip: one cell an entry, in the order of the checklist, with a gap between sections."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.translation import gettext as _

from readiness.enums.standing import Status
from readiness.models import Entry
from readiness.rules.spoken import counted_words, status_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell. ``status`` is None where the entry does not apply to this kind of environment."""

    slug: str
    title: str
    status: Status | None

    @property
    def word(self) -> str:
        """The status in words."""
        return status_words(self.status) if self.status else _("does not apply here")


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The cells of one sheet, section by section. ``sentence`` says the same for those who cannot see it."""

    sections: tuple[tuple[Cell, ...], ...]
    sentence: str


def entries_in_order(*, team_id: int | None = None) -> list[Entry]:
    """Return the entries that are asked, in the order of the checklists, with their sections. One query.

    Those that only begin to count at an instant to come are among them. With a team: those that its services answer;
    without one every team's.
    """
    found = Entry.objects.filter(retired_at=None).select_related("section__checklist")
    return list(found if team_id is None else found.filter(_answered_by(team_id)))


def entries_at(at: datetime, *, team_id: int) -> list[Entry]:
    """Return the entries that count for a team's services at an instant, in order. One query."""
    counted = Q(counts_from=None) | Q(counts_from__lte=at)
    asked = Q(retired_at=None) | Q(retired_at__gt=at)
    found = Entry.objects.filter(counted & asked & _answered_by(team_id))
    return list(found.select_related("section__checklist"))


def counting(entries: Iterable[Entry], at: datetime) -> list[Entry]:
    """Return those of the entries that count at an instant."""
    return [entry for entry in entries if entry.counts_from is None or entry.counts_from <= at]


def answered_by(entries: Iterable[Entry], team_id: int) -> list[Entry]:
    """Return those of the entries that a team's services answer: everybody's checklists, and its own."""
    return [entry for entry in entries if entry.section.checklist.team_id in (None, team_id)]


def _answered_by(team_id: int) -> Q:
    return Q(section__checklist__team=None) | Q(section__checklist__team=team_id)


def strip(entries: Sequence[Entry], statuses: Mapping[int, Status]) -> Strip:
    """Return the strip of a sheet; ``statuses`` are by entry, and an entry without one does not apply."""
    sections: dict[int, list[Cell]] = {}
    for entry in entries:
        cell = Cell(slug=entry.slug, title=entry.title, status=statuses.get(entry.pk))
        sections.setdefault(entry.section_id, []).append(cell)
    return Strip(sections=tuple(tuple(cells) for cells in sections.values()), sentence=in_words(statuses))


def in_words(statuses: Mapping[int, Status]) -> str:
    """Return how many items stand where: "14 verified, 7 attested, 1 waived, 2 failing"."""
    values = list(statuses.values())
    counted = [(values.count(status), status) for status in Status]
    return ", ".join(counted_words(status, count) for count, status in counted if count) or _("no items")
