"""The overview: every live environment with its verdict and strip, and what is left."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from readiness.enums.standing import Status, Verdict
from readiness.models import Entry, Team
from readiness.rules.calendar_months import is_overdue
from readiness.rules.spoken import month_name
from readiness.rules.verdicts import Tally

from . import fleet as fleets
from .forecasted import looked
from .kept import Fleet, Person, Row
from .overview_filters import Filters, fitting
from .strips import counting

ROWS = 100
"""How many rows a page has."""
MOST_KEPT = 64
"""So many answers to different filters are kept, for as long as no row changes."""
GROUPINGS = {
    "launch": gettext_lazy("launch date"),
    "team": gettext_lazy("team"),
    "section": gettext_lazy("section"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows under one heading: "Launching this week". ``count`` is how many it has on all pages.

    Where ``section`` is one, the rows are shown for it alone: the environments with unsettled items in it. ``settled``
    and ``items`` then count the section's items in all environments that the filters leave.
    """

    heading: str
    rows: list[Row]
    count: int
    section: int | None = None
    settled: int = 0
    items: int = 0
    overdue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """How many rows there would be without one of the filters."""

    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the page shows: one page of rows, and figures about all that the filters leave.

    ``figures`` count verdicts over what all filters but that of the verdict leave, ``waiting`` the rows that wait for a
    reviewer over what all but its own leave. ``held`` is how many environments there are without any filter, ``seen``
    and ``seal`` are the number and the hash of the event as of which they stand. Teams may have checklists of their
    own: ``strips`` are the different orders of entries on this page. ``drawn`` is where what rests on no event is kept.
    """

    groups: list[Group]
    figures: Mapping[Verdict, int]
    shown: int
    services: int
    held: int
    entries: list[Entry]
    waiting: int
    settled: int
    observed: int
    items: int
    section_names: list[str]
    teams: list[Team]
    people: list[tuple[str, str]]
    owners: Mapping[int, Person]
    seen: int
    seal: str
    page: int = 1
    pages: int = 1
    first: int = 0
    last: int = 0
    strips: list[Sequence[Entry]] = field(default_factory=list)
    strip_of_team: Mapping[int, int] = field(default_factory=dict)
    last_runs: Mapping[int, datetime | None] = field(default_factory=dict)
    at_launch: Mapping[int, Tally] = field(default_factory=dict)
    without: list[Without] = field(default_factory=list)
    drawn: dict[Any, Any] = field(default_factory=dict)

    @property
    def environments(self) -> int:
        """How many environments the filters leave."""
        return self.shown

    @property
    def settled_percent(self) -> int:
        """Share of items settled, in percent, rounded down."""
        return self.settled * 100 // self.items if self.items else 0

    @property
    def observed_percent(self) -> int:
        """Share of items verified by probes, in percent, rounded down."""
        return self.observed * 100 // self.items if self.items else 0


def overview(
    filters: Filters,
    at: datetime,
    *,
    grouping: str = "launch",
    page: int = 1,
    size: int | None = ROWS,
    kept: Fleet | None = None,
) -> Overview:
    """Return one page of the overview at an instant; ``size`` is None for all rows on one. A page beyond is the last.

    Two queries, whatever the number of environments, where nothing has happened since it was asked last; ``fleets``
    says what more. ``kept`` is given where a test compares.
    """
    kept = kept or fleets.fleet(at)
    left = _left(kept, filters, grouping, at)
    groups, page, pages, first, last = _one_page(left.groups, page, size)
    runs = looked((row for group in groups for row in group.rows), kept, at)
    strips, strip_of_team = _strips(groups)
    return replace(
        left,
        groups=groups,
        page=page,
        pages=pages,
        first=first,
        last=last,
        strips=strips,
        strip_of_team=strip_of_team,
        last_runs=runs.last_runs,
        at_launch=runs.at_launch,
        drawn=kept.drawn,
    )


def _left(kept: Fleet, filters: Filters, grouping: str, at: datetime) -> Overview:
    """Return what the filters leave, as one page of all of it. Kept for as long as no row changes."""
    stretch, today = kept.stretch(at), timezone.localdate(at)
    key = "overview", filters, grouping, today, get_language()
    known: Overview | None = stretch.drawn.get(key)
    if known is None:
        if len(stretch.drawn) >= MOST_KEPT:
            stretch.drawn.clear()
        known = stretch.drawn[key] = _reckoned(kept, stretch.rows, filters, grouping, at)
    return known


def _reckoned(kept: Fleet, everything: Sequence[Row], filters: Filters, grouping: str, at: datetime) -> Overview:
    today = timezone.localdate(at)
    near = fitting(everything, filters.without("verdict", "waiting"), kept=kept, today=today)
    figures = Counter(row.tally.verdict for row in near if row.waiting or not filters.waiting)
    shown = [
        row
        for row in near
        if (not filters.verdict or row.tally.verdict == filters.verdict) and (row.waiting or not filters.waiting)
    ]
    entries = counting(kept.asked.entries, at)
    return Overview(
        groups=_groups(shown, entries, grouping, today),
        figures={verdict: figures[verdict] for verdict in Verdict},
        shown=len(shown),
        services=len({row.order[1] for row in shown}),
        held=len(everything),
        entries=entries,
        waiting=sum(1 for row in near if row.waiting and filters.verdict in ("", row.tally.verdict)),
        settled=sum(row.settled for row in shown),
        observed=sum(row.tally.counts[Status.VERIFIED] for row in shown),
        items=sum(row.total for row in shown),
        section_names=list(dict.fromkeys(entry.section.short for entry in entries)),
        teams=_teams(everything),
        owners=kept.people,
        people=sorted(((one.username, one.name) for one in kept.people.values()), key=lambda one: one[1].casefold()),
        seen=kept.seen,
        seal=kept.seal,
        without=[] if shown else _without(everything, filters, kept, today),
    )


def up_to_date(seen: int, drawn: datetime, at: datetime) -> bool:
    """Return whether neither an event nor time alone changed anything since a page was drawn. One query.

    Time does where evidence or a waiver ended, a fail or an entry began to count, a condition ended, or a day began.
    """
    kept = fleets.fleet(at)
    return kept.seen == seen and not kept.moved(drawn, at)


def _strips(groups: Sequence[Group]) -> tuple[list[Sequence[Entry]], dict[int, int]]:
    """Return the different orders of entries of some rows, and which of them each team has."""
    strips: dict[tuple[int, ...], Sequence[Entry]] = {}
    by_team = {row.team: row.entries for group in groups for row in group.rows}
    keys = {team: tuple(entry.pk for entry in entries) for team, entries in by_team.items()}
    for team, key in keys.items():
        strips.setdefault(key, by_team[team])
    numbers = {key: number for number, key in enumerate(strips)}
    return list(strips.values()), {team: numbers[key] for team, key in keys.items()}


def _teams(rows: Sequence[Row]) -> list[Team]:
    found = {row.team: row for row in rows}
    return sorted((row.environment.service.team for row in found.values()), key=lambda team: team.name.casefold())


def _without(everything: Sequence[Row], filters: Filters, kept: Fleet, today: date) -> list[Without]:
    """Return what dropping each filter would leave, where it leaves anything."""
    found = [
        Without(name=name, count=len(fitting(everything, filters.without(name), kept=kept, today=today)))
        for name in filters.active()
    ]
    return [one for one in found if one.count]


# --- groups and pages -------------------------------------------------------------------------------------------------
def _groups(rows: Sequence[Row], entries: Sequence[Entry], grouping: str, today: date) -> list[Group]:
    if grouping == "section":
        return _by_section(rows, entries)
    groups: dict[str, list[Row]] = {}
    if grouping == "team":
        for row in sorted(rows, key=lambda row: row.environment.service.team.name.casefold()):
            groups.setdefault(row.environment.service.team.name, []).append(row)
    else:
        headings: dict[tuple[date | None, bool], tuple[int, str]] = {}
        for row in rows:
            if (row.launch_on, row.is_go) not in headings:
                headings[row.launch_on, row.is_go] = _placed_heading(row, today)
        for row in sorted(rows, key=lambda row: headings[row.launch_on, row.is_go][0]):
            groups.setdefault(headings[row.launch_on, row.is_go][1], []).append(row)
    overdue = _("Overdue") if grouping == "launch" else None
    return [
        Group(heading=heading, rows=found, count=len(found), overdue=heading == overdue)
        for heading, found in groups.items()
    ]


def _by_section(rows: Sequence[Row], entries: Sequence[Entry]) -> list[Group]:
    found = []
    for section, name in {entry.section_id: entry.section.name for entry in entries}.items():
        counted = [(row, row.tally_in(section)) for row in rows]
        left = [row for row, mine in counted if mine.left]
        settled, items = sum(mine.settled for _row, mine in counted), sum(mine.total for _row, mine in counted)
        if left:
            found.append(Group(heading=name, rows=left, count=len(left), section=section, settled=settled, items=items))
    return found


def _one_page(groups: Sequence[Group], page: int, size: int | None) -> tuple[list[Group], int, int, int, int]:
    """Return the groups of one page, its number, how many there are, and the numbers of its first and last row."""
    total = sum(group.count for group in groups)
    if size is None:
        return list(groups), 1, 1, min(1, total), total
    pages = max(1, -(-total // size))
    page = min(max(1, page), pages)
    start, end = (page - 1) * size, min(page * size, total)
    found, passed = [], 0
    for group in groups:
        rows = group.rows[max(0, start - passed) : max(0, end - passed)]
        passed += group.count
        if rows:
            found.append(replace(group, rows=rows))
    return found, page, pages, min(start + 1, total), end


def _placed_heading(row: Row, today: date) -> tuple[int, str]:
    """Return the heading that an environment stands under by its launch date, and the place of that heading.

    Launches ahead come first, then what is overdue, then what has launched, then what has no date.
    """
    if row.launch_on is None:
        return 3, _("No launch date")
    if is_overdue(row.launch_on, today=today, is_go=row.is_go):
        return 1, _("Overdue")
    if row.launch_on < today:
        return 2, _("Launched")
    return 0, launch_heading(row.launch_on, today)


def launch_heading(launch_on: date, today: date) -> str:
    """Return the heading of a launch to come, by when it is, seen from today."""
    days = (launch_on - today).days
    if days < 7:
        return _("Launching within a week")
    if (launch_on.year, launch_on.month) == (today.year, today.month):
        return _("Launching this month")
    month = month_name(launch_on.month)
    if launch_on.year == today.year:
        return _("Launching in {month}").format(month=month)
    return _("Launching in {month} {year}").format(month=month, year=launch_on.year)
