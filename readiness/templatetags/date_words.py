"""Dates and durations as people say them, in the language of the page. Pure: each takes the clock."""

from datetime import UTC, date, datetime, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from readiness.rules import spoken


def ago_words(instant: datetime, now: datetime) -> str:
    """Return how long ago an instant was: "just now", "3 min ago", "2 h ago", and from a day on its date."""
    seconds = (now - instant).total_seconds()
    ahead, seconds = seconds < 0, abs(seconds)
    if seconds < 45:
        return _("now") if ahead else _("just now")
    if seconds < 3600:
        said, n = _("in {n} min") if ahead else _("{n} min ago"), max(1, int(seconds // 60))
    elif seconds < 86_400:
        said, n = _("in {n} h") if ahead else _("{n} h ago"), int(seconds // 3600)
    else:
        return day_words(timezone.localdate(instant), timezone.localdate(now))
    return said.format(n=n)


def day_words(day: date, today: date) -> str:
    """Return a day as people say it: "today", "Tue 24 Nov" within a week, "3 Dec" this year, "3 Jan 2027" beyond."""
    days = (day - today).days
    if days in (-1, 0, 1):
        return (_("yesterday"), _("today"), _("tomorrow"))[days + 1]
    if abs(days) < 8:
        return f"{spoken.short_weekday(day)} {spoken.short_day(day)}"
    if day.year == today.year or 0 < days < 60:
        return spoken.short_day(day)
    return f"{spoken.short_day(day)} {day.year}"


def end_words(end: datetime, now: datetime) -> str:
    """Return an end as people say it. One where a day ends names that day; a near one its time of day.

    Where the clocks go forward at midnight, the day before ends at 1:00.
    """
    local = timezone.localtime(end)
    today, last = timezone.localdate(now), timezone.localdate(end.astimezone(UTC) - timedelta(microseconds=1))
    if last != local.date():
        return day_words(last, today)
    day = day_words(local.date(), today)
    if abs(end - now) >= timedelta(days=2):
        return day
    return spoken.clock(local) if local.date() == today else day_and_time(day, local)


def day_and_time(day: str, local: datetime) -> str:
    """Return a day in words with a time of day of its own: "tomorrow 14:30"."""
    return pgettext("a day and a time of it", "{day} {time}").format(day=day, time=spoken.clock(local))


def span_words(span: timedelta) -> str:
    """Return a duration in its largest whole unit: "30 s", "15 min", "6 h", "90 days"."""
    seconds = int(span.total_seconds())
    days, hours = seconds // 86_400, seconds // 3600
    if days and seconds % 86_400 == 0:
        return ngettext("{n} day", "{n} days", days).format(n=days)
    if hours and seconds % 3600 == 0:
        return _("{n} h").format(n=hours)
    if seconds >= 120 or seconds == 60:
        return _("{n} min").format(n=round(seconds / 60))
    return _("{n} s").format(n=seconds)


def exact_words(instant: datetime) -> str:
    """Return an instant in full, in the site's time zone: "Saturday 21 November 2026, 18:16:52 UTC"."""
    local = timezone.localtime(instant)
    return f"{spoken.full_day(local)}, {spoken.exact_clock(local)} {local:%Z}"
