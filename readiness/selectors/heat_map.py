"""Entries against services or teams: how much of each entry is settled where, and which is missing most."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Min, Q

from readiness.enums.standing import Status
from readiness.models import Entry, Environment, Section, Service, Team

from .everywhere import SETTLED, on_sheets
from .strips import counting, entries_in_order

MOST_SERVICES = 16
"""So many services stand side by side; where there are more, their teams do, and a team is opened for its services."""

DARKEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address asks for: kinds of environment (none: all), one team by its slug, and the order of the rows."""

    kinds: frozenset[str] = frozenset()
    team: str = ""
    missing_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One entry in one column: on how many sheets it is asked, on how many it is settled, and on how many it fails.

    ``sheet`` is where it is missing, if that is in one place only.
    """

    total: int = 0
    settled: int = 0
    failing: int = 0
    sheet: Environment | None = None

    @property
    def missing(self) -> int:
        """On how many sheets it is not settled."""
        return self.total - self.settled

    @property
    def percent(self) -> int:
        """Share of sheets on which it is settled, rounded down so that 100 means all."""
        return self.settled * 100 // self.total if self.total else 0

    @property
    def tone(self) -> int:
        """How dark it is drawn: 0 where nothing is missing, up to 4 where everything is."""
        return -(-self.missing * DARKEST // self.total) if self.total else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A service or a team. ``team`` is the slug of the team either way."""

    key: int
    slug: str
    name: str
    team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One entry: a cell for each column, and what they add up to."""

    entry: Entry
    cells: list[tuple[Column, Cell]]
    whole: Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows of one section; ``section`` is None where the rows stand in another order."""

    section: Section | None
    rows: list[Row]


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """What the page shows. ``by_team`` says that the columns are teams; ``services`` is how many there are."""

    columns: list[Column]
    groups: list[Group]
    by_team: bool
    services: int
    teams: list[Team]

    @property
    def rows(self) -> list[Row]:
        """Every row, in the order of the page."""
        return [row for group in self.groups for row in group.rows]


def heat_map(filters: Filters, at: datetime) -> HeatMap:
    """Return entries against services or teams at an instant, added up by the database.

    Seven queries at most, whatever the number of services.
    """
    teams = list(Team.objects.all())
    live = Service.objects.filter(_environments(filters), archived_at=None).distinct().order_by("slug")
    services = live.count()
    by_team = services > MOST_SERVICES and not filters.team
    columns = _team_columns(teams) if by_team else _service_columns(live)
    cells = _cells(filters, at, by_team=by_team)
    asked = {entry for entry, _ in cells}
    filled = {key for _, key in cells}
    columns = [column for column in columns if column.key in filled]
    entries = [entry for entry in counting(entries_in_order(), at) if entry.pk in asked]
    rows = [_row(entry, columns, cells) for entry in entries]
    return HeatMap(
        columns=columns,
        groups=_groups(rows, missing_first=filters.missing_first),
        by_team=by_team,
        services=services,
        teams=teams,
    )


def _environments(filters: Filters) -> Q:
    wanted = Q(environments__archived_at__isnull=True, environments__isnull=False)
    if filters.kinds:
        wanted &= Q(environments__kind__in=filters.kinds)
    return wanted & Q(team__slug=filters.team) if filters.team else wanted


def _team_columns(teams: Iterable[Team]) -> list[Column]:
    return [Column(key=team.pk, slug=team.slug, name=team.name, team=team.slug) for team in teams]


def _service_columns(services: Iterable[Service]) -> list[Column]:
    rows = services.values_list("pk", "slug", "team__slug")  # type: ignore[attr-defined]
    return [Column(key=pk, slug=slug, name=slug, team=team) for pk, slug, team in rows]


def _cells(filters: Filters, at: datetime, *, by_team: bool) -> dict[tuple[int, int], Cell]:
    """Return what is asked and settled, by entry and column. Two queries, and one for the sheets that are linked to."""
    column = F("service__team") if by_team else F("service")
    found: list[tuple[Any, ...]] = []
    for rows in on_sheets(at, kinds=filters.kinds, teams=[filters.team] if filters.team else ()):
        counted = rows.annotate(column=column).values("entry", "column")
        counted = counted.annotate(
            of=Count("pk"),
            settled=Count("pk", filter=Q(status__in=SETTLED)),
            failing=Count("pk", filter=Q(status=Status.FAILING)),
            where=Min("sheet", filter=~Q(status__in=SETTLED)),
        )
        found += counted.values_list("entry", "column", "of", "settled", "failing", "where")
    alone = {} if by_team else _sheets(row[5] for row in found if row[2] - row[3] == 1)
    return {
        (entry, key): Cell(
            total=of, settled=settled, failing=failing, sheet=alone.get(where) if of - settled == 1 else None
        )
        for entry, key, of, settled, failing, where in found
    }


def _sheets(keys: Iterable[int | None]) -> dict[int, Environment]:
    wanted = {key for key in keys if key is not None}
    return Environment.objects.select_related("service").in_bulk(wanted) if wanted else {}


def _row(entry: Entry, columns: Sequence[Column], cells: dict[tuple[int, int], Cell]) -> Row:
    mine = [(column, cells.get((entry.pk, column.key), Cell())) for column in columns]
    whole = Cell(
        total=sum(cell.total for _, cell in mine),
        settled=sum(cell.settled for _, cell in mine),
        failing=sum(cell.failing for _, cell in mine),
    )
    return Row(entry=entry, cells=mine, whole=whole)


def _groups(rows: list[Row], *, missing_first: bool) -> list[Group]:
    if missing_first:
        worst = sorted(rows, key=lambda row: (-row.whole.missing, -row.whole.failing))
        return [Group(section=None, rows=worst)] if worst else []
    found: dict[int, Group] = {}
    for row in rows:
        group = found.setdefault(row.entry.section_id, Group(section=row.entry.section, rows=[]))
        group.rows.append(row)
    return list(found.values())
