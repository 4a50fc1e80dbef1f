"""Which environments the overview shows: what may be asked for, and which rows fit."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date

from django.utils.translation import gettext_lazy

from readiness.enums.standing import Status
from readiness.rules.calendar_months import is_overdue

from .kept import Fleet, Person, Row

NOBODY = "-nobody"
"""Chosen in place of a person: items that nobody owns, or whose owner has left. No user name begins with a hyphen."""
MISSING = "unsettled"
WINDOWS = {
    "overdue": gettext_lazy("Overdue"),
    "week": gettext_lazy("Launching within a week"),
    "month": gettext_lazy("Launching within 30 days"),
    "later": gettext_lazy("Launching later"),
    "past": gettext_lazy("Date passed"),
    "none": gettext_lazy("No launch date"),
}
"""When something launches, seen from today. Overdue is a date that passed without a go."""
STATES = (MISSING, *(str(status) for status in Status))
"""Where an item may stand: any that is not settled, or one status."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What the address asks for. Empty means: all.

    ``entry``, ``state`` and ``owner`` are about one item of the environment: all that are given hold for the same one,
    which is unsettled unless ``state`` says where it stands.
    """

    kinds: frozenset[str] = frozenset()
    teams: frozenset[str] = frozenset()
    window: str = ""
    verdict: str = ""
    entry: str = ""
    state: str = ""
    owner: str = ""
    waiting: bool = False
    text: str = ""

    def active(self) -> list[str]:
        """Return which of them leave anything out."""
        return [one.name for one in fields(self) if getattr(self, one.name)]

    def without(self, *names: str) -> "Filters":
        """Return the others."""
        return replace(self, **{name: getattr(NO_FILTERS, name) for name in names})

    @property
    def of_items(self) -> bool:
        """Whether they ask about single items."""
        return bool(self.entry or self.state or self.owner)


NO_FILTERS = Filters()


def fitting(rows: Iterable[Row], filters: Filters, *, kept: Fleet, today: date) -> list[Row]:
    """Return the rows that the filters leave, in the order given."""
    tests = _tests(filters, kept, today)
    return [row for row in rows if all(test(row) for test in tests)]


def _tests(filters: Filters, kept: Fleet, today: date) -> list[Callable[[Row], bool]]:
    found: list[Callable[[Row], bool]] = []
    if filters.kinds:
        found.append(lambda row: row.environment.kind in filters.kinds)
    if filters.teams:
        found.append(lambda row: row.environment.service.team.slug in filters.teams)
    if filters.window:
        found.append(lambda row: _in_window(row, filters.window, today))
    if filters.verdict:
        found.append(lambda row: row.tally.verdict == filters.verdict)
    if filters.waiting:
        found.append(lambda row: row.waiting > 0)
    if filters.text:
        words = filters.text.casefold()
        found.append(lambda row: words in _text(row))
    if filters.of_items:
        found.append(_item_test(filters, kept))
    return found


def _in_window(row: Row, window: str, today: date) -> bool:
    day = row.environment.launch_on
    if day is None:
        return window == "none"
    days = (day - today).days
    if window == "overdue":
        return is_overdue(day, today=today, is_go=row.is_go)
    within = {"past": (-(10**7), 0), "week": (0, 7), "month": (0, 31), "later": (31, 10**7)}.get(window)
    return within is not None and within[0] <= days < within[1]


def _text(row: Row) -> str:
    one = row.environment
    return "\n".join((one.service.slug, one.service.description, one.service.team.name, one.name)).casefold()


def _item_test(filters: Filters, kept: Fleet) -> Callable[[Row], bool]:
    entries = {one.pk for one in kept.asked.entries if one.slug == filters.entry} if filters.entry else None
    state = "" if filters.state == MISSING else filters.state
    owned = _owned(filters.owner, kept.people) if filters.owner else None

    def fits(row: Row) -> bool:
        for entry, status in row.statuses.items():
            if entries is not None and entry not in entries:
                continue
            if status.settled if not state else status != state:
                continue
            if owned is None or owned(row, row.items[entry].owner):
                return True
        return False

    return fits


def _owned(owner: str, people: Mapping[int, Person]) -> Callable[[Row, int | None], bool]:
    def nobodys(row: Row, who: int | None) -> bool:
        return who is None or row.environment.service.team_id not in people[who].teams

    ids = {key for key, person in people.items() if person.username == owner}
    return nobodys if owner == NOBODY else lambda _, who: who in ids
