"""Words for the launch calendar: its days and months, and what there is to say of a launch."""

from collections.abc import Sequence
from datetime import date

from django import template
from django.utils.translation import gettext as _

from readiness.rules import spoken
from readiness.rules.calendar_months import Month, Remark

register = template.Library()


@register.filter
def month_words(month: Month) -> str:
    """Return a month as a heading: "March 2026"."""
    return spoken.capital(f"{spoken.month_name(month.month)} {month.year}")


@register.filter
def full_day(day: date) -> str:
    """Return a day of a month that is known: "Thursday 5 March"."""
    return spoken.capital(f"{spoken.weekday_name(day)} {spoken.day_number(day)} {spoken.month_name(day.month)}")


@register.filter
def weekday(day: date) -> str:
    """Return the day of the week: "Thursday"."""
    return spoken.capital(spoken.weekday_name(day))


@register.filter
def short_weekday(day: date) -> str:
    """Return the day of the week as a narrow column has it: "Thu"."""
    return spoken.capital(spoken.short_weekday(day))


@register.filter
def remark_words(remarks: Sequence[Remark]) -> str:
    """Return what there is to say of a launch in one sentence, empty for nothing."""
    said = frozenset(remarks)
    if said == {Remark.NOT_READY, Remark.UNDECIDED}:
        return _("Date passed, not ready, no decision")
    if said == {Remark.NOT_READY, Remark.NO_GO}:
        return _("Date passed, not ready, no-go")
    words = {
        Remark.NOT_READY: _("Date passed, not ready"),
        Remark.UNDECIDED: _("Date passed, no decision"),
        Remark.NO_GO: _("Date passed, no-go"),
        Remark.NO_REVIEW: _("No review before this launch"),
        Remark.LATE_REVIEW: _("Its review is after this launch"),
    }
    return ", ".join(words[remark] for remark in remarks)
