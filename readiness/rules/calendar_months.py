"""Months as a calendar draws them, and what there is to say of a launch on one. Pure; days are the site's own."""

import re
from calendar import Calendar
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

FIRST_YEAR, LAST_YEAR = 2000, 2199
"""Years that a calendar is drawn for."""

NEAR = timedelta(days=14)
"""So long before a launch somebody ought to have planned its review."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month of a year, 1 to 12."""

    year: int
    month: int

    def __str__(self) -> str:
        return f"{self.year:04}-{self.month:02}"

    @property
    def first(self) -> date:
        """Its first day."""
        return date(self.year, self.month, 1)

    @property
    def after(self) -> date:
        """The first day after it."""
        return date(self.year + self.month // 12, self.month % 12 + 1, 1)

    @property
    def previous(self) -> "Month | None":
        """The month before; None before the first year."""
        return month_of(self.first - timedelta(days=1)) if (self.year, self.month) > (FIRST_YEAR, 1) else None

    @property
    def next(self) -> "Month | None":
        """The month after; None after the last year."""
        return month_of(self.after) if (self.year, self.month) < (LAST_YEAR, 12) else None

    def weeks(self, first_weekday: int) -> list[list[date]]:
        """Return its weeks, whole ones, with days of the months around. ``first_weekday``: 0 is Sunday."""
        return Calendar((first_weekday - 1) % 7).monthdatescalendar(self.year, self.month)


def month_of(day: date) -> Month:
    """Return the month that a day is in."""
    return Month(day.year, day.month)


def month_in(text: str) -> Month | None:
    """Return the month that an address names, ``2026-03``; None where it names none that is drawn."""
    found = re.fullmatch(r"([0-9]{4})-(0[1-9]|1[0-2])", text)
    if not found or not FIRST_YEAR <= int(found[1]) <= LAST_YEAR:
        return None
    return Month(int(found[1]), int(found[2]))


def day_in(text: str) -> date | None:
    """Return the day that an address names, ``2026-03-05``; None where it names none that is drawn."""
    month = month_in(text[:7])
    found = re.fullmatch(r"-([0-9]{2})", text[7:])
    if month is None or not found or not 1 <= int(found[1]) <= (month.after - timedelta(days=1)).day:
        return None
    return month.first.replace(day=int(found[1]))


class Remark(StrEnum):
    """What somebody should look at about a launch."""

    NOT_READY = "not-ready"
    UNDECIDED = "undecided"
    NO_GO = "no-go"
    NO_REVIEW = "no-review"
    LATE_REVIEW = "late-review"


def is_overdue(launch_on: date | None, *, today: date, is_go: bool) -> bool:
    """Return whether a launch date has passed without a go that stands: nobody let it go, so it has not launched.

    Under a go it has, and what got worse since is a matter of the verdict: regressed.
    """
    return launch_on is not None and launch_on < today and not is_go


def remarks(
    *, launch_on: date, today: date, ready: bool, decided: bool, is_go: bool, review_on: date | None
) -> list[Remark]:
    """Return what there is to say of a launch, seen from today.

    Of a date that is overdue it says why: not ready, and nothing decided or a no-go. Before that, from ``NEAR`` on, a
    launch without a go wants an open review (``review_on``) no later than on its day.
    """
    if is_overdue(launch_on, today=today, is_go=is_go):
        refused = Remark.NO_GO if decided else Remark.UNDECIDED
        return [refused] if ready else [Remark.NOT_READY, refused]
    if is_go or launch_on - today > NEAR:
        return []
    if review_on is None:
        return [Remark.NO_REVIEW]
    return [Remark.LATE_REVIEW] if review_on > launch_on else []
