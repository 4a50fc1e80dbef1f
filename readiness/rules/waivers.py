"""When a waiver may end, on which items one may be asked, where a request stands, and who is warned of its end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from django.utils.translation import gettext as _

from readiness.enums.standing import Nearing, RequestState

from .marking import gettext_noop
from .spoken import long_day

MOST_DAYS = 90
"""A waiver holds at most this many days (design section 4)."""

RENEWED = gettext_noop("Renewed by a new waiver.")
"""Why an earlier waiver ended: the word of the machine, at the grant of the one that takes its place."""

WARNED = {Nearing.WITHIN_A_DAY: timedelta(days=1), Nearing.WITHIN_A_WEEK: timedelta(days=7)}
"""How long before its end a waiver is said to end, the nearest first: days of 24 hours, by instants."""


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first instant after a day in a time zone, in UTC: a date runs to its end."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone).astimezone(UTC)


def last_day(now: datetime, zone: tzinfo) -> date:
    """Return the last day that a waiver may be asked for: counted with today, and never more than 90 times 24 hours.

    Where the clocks go back on the way, the ninetieth day ends too late within the first hour of a day.
    """
    last = now.astimezone(zone).date() + timedelta(days=MOST_DAYS - 1)
    return last if end_of_day(last, zone) - now <= timedelta(days=MOST_DAYS) else last - timedelta(days=1)


def end_refusals(day: date, *, now: datetime, zone: tzinfo) -> list[str]:
    """Return why a waiver that is asked now may not end with this day in the site's time zone."""
    last = last_day(now, zone)
    if day < now.astimezone(zone).date():
        return [_("This day has passed. Choose an end from today to {last}.").format(last=long_day(last))]
    if day > last:
        return [
            _("A waiver holds at most {most_days} days. Choose {last} or earlier; it can be renewed then.").format(
                most_days=MOST_DAYS, last=long_day(last)
            )
        ]
    return []


def ask_refusals(*, met: bool, waiting: bool, not_applicable: bool) -> list[str]:
    """Return why a waiver may not be asked for now."""
    if met:
        return [_("This item is met, so there is nothing to waive.")]
    if not_applicable:
        return [_("This item does not apply here, so there is nothing to waive.")]
    if waiting:
        return [_("A request for this item already waits for a reviewer. Withdraw it first to ask anew.")]
    return []


def ask_not_applicable_refusals(*, failing: bool, waiting: bool, standing: bool) -> list[str]:
    """Return why "not applicable" may not be asked for now."""
    if standing:
        return [_("This item is not applicable already.")]
    if failing:
        return [_("A probe sees this item fail, so it does apply. Fix it, or ask for a waiver.")]
    if waiting:
        return [_("A request for this item already waits for a reviewer. Withdraw it first to ask anew.")]
    return []


def grant_refusals(*, until: datetime, met: bool, now: datetime) -> list[str]:
    """Return why a waiver that was asked for may not be granted now."""
    if until <= now:
        return [_("The end that was asked for has passed. Refuse this request; the team can ask anew.")]
    if met:
        return [_("This item has been met since, so there is nothing to waive. Refuse the request.")]
    if until - now > timedelta(days=MOST_DAYS):
        return [_("A waiver holds at most {most_days} days, and this one asks for more.").format(most_days=MOST_DAYS)]
    return []


def warning_at(until: datetime, at: datetime) -> Nearing | None:
    """Return how near the end of a waiver is: None more than a week before, and from the end on.

    Bounds belong to what begins: exactly a day before its end it ends within a day.
    """
    if until <= at:
        return None
    return next((nearing for nearing, before in WARNED.items() if until - at <= before), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """How a request went so far. ``until`` is when it ends by itself: None where nothing known ends it.

    ``ended_at`` is when somebody or something ended it, ``by_person`` says whether a person did, ``renewed`` that a
    later waiver took its place.
    """

    granted: bool | None
    until: datetime | None
    ended_at: datetime | None = None
    by_person: bool = False
    renewed: bool = False


def state_at(course: Course, at: datetime) -> RequestState:
    """Return where a request stands at an instant that is not before its last change.

    A waiver that was renewed only after its end has ended, and not been renewed. ``selectors.register`` holds the twin
    of this function for lists.
    """
    if course.granted is None:
        return RequestState.WAITING if course.ended_at is None else RequestState.WITHDRAWN
    if not course.granted:
        return RequestState.REFUSED
    if course.ended_at is None:
        return RequestState.HOLDING if course.until is None or at < course.until else RequestState.ENDED
    if course.by_person:
        return RequestState.REVOKED
    cut = course.until is None or course.ended_at < course.until
    return RequestState.RENEWED if course.renewed and cut else RequestState.ENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOutLine:
    """One item of a section that is to be left out: ``reasons`` say why not, and are empty where it is asked for."""

    item: int
    version: int
    reasons: tuple[str, ...]


def leave_out_refusals(lines: Sequence[LeftOutLine]) -> list[str]:
    """Return why a section may not be left out: none of its items can be asked for."""
    if any(not line.reasons for line in lines):
        return []
    return [_("No item of this section can be left out now.")]
