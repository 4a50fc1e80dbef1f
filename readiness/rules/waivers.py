"""When a waiver may end, and on which items one may be asked."""

from datetime import date, datetime, time, timedelta, tzinfo

MOST_DAYS = 90
"""A waiver holds at most this many days (design section 4)."""


def end_of_day(day: date, zone: tzinfo) -> datetime:
    """Return the first instant after a day in a time zone: a date runs to its end."""
    return datetime.combine(day + timedelta(days=1), time.min, tzinfo=zone)


def end_refusals(day: date, *, today: date) -> list[str]:
    """Return why a waiver may not end with this day; ``today`` is the day in the site's time zone."""
    last = today + timedelta(days=MOST_DAYS - 1)
    if day < today:
        return [f"This day has passed. Choose an end from today to {last:%-d %B %Y}."]
    if day > last:
        return [f"A waiver holds at most {MOST_DAYS} days. Choose {last:%-d %B %Y} or earlier; it can be renewed then."]
    return []


def ask_refusals(*, met: bool, waiting: bool, not_applicable: bool) -> list[str]:
    """Return why a waiver may not be asked for now."""
    if met:
        return ["This item is met, so there is nothing to waive."]
    if not_applicable:
        return ["This item does not apply here, so there is nothing to waive."]
    if waiting:
        return ["A request for this item already waits for a reviewer. Withdraw it first to ask anew."]
    return []


def ask_not_applicable_refusals(*, failing: bool, waiting: bool, standing: bool) -> list[str]:
    """Return why "not applicable" may not be asked for now."""
    if standing:
        return ["This item is not applicable already."]
    if failing:
        return ["A probe sees this item fail, so it does apply. Fix it, or ask for a waiver."]
    if waiting:
        return ["A request for this item already waits for a reviewer. Withdraw it first to ask anew."]
    return []


def grant_refusals(*, until: datetime, met: bool, now: datetime) -> list[str]:
    """Return why a waiver that was asked for may not be granted now."""
    if until <= now:
        return ["The end that was asked for has passed. Refuse this request; the team can ask anew."]
    if met:
        return ["This item has been met since, so there is nothing to waive. Refuse the request."]
    if until - now > timedelta(days=MOST_DAYS):
        return [f"A waiver holds at most {MOST_DAYS} days, and this one asks for more."]
    return []
