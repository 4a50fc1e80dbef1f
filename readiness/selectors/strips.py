"""The strip: one cell an entry, in the order of the checklist, with a gap between sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from readiness.enums.standing import Status
from readiness.models import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell. ``status`` is None where the entry does not apply to this kind of environment."""

    slug: str
    title: str
    status: Status | None

    @property
    def word(self) -> str:
        """The status in words."""
        return self.status.replace("-", " ") if self.status else "does not apply here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The cells of one sheet, section by section. ``sentence`` says the same for those who cannot see it."""

    sections: tuple[tuple[Cell, ...], ...]
    sentence: str


def entries_in_order() -> list[Entry]:
    """Return the entries that count, in the order of the checklist, with their sections. One query."""
    return list(Entry.objects.filter(retired_at=None).select_related("section__checklist"))


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
    counted = [(values.count(status), status.replace("-", " ")) for status in Status]
    return ", ".join(f"{count} {word}" for count, word in counted if count) or "no items"
