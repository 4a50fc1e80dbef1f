"""The launch calendar: a month at a time, one of its days, and what is overdue."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.formats import get_format
from django.views.decorators.http import require_safe

from readiness.models import Team
from readiness.rules.calendar_months import day_in, month_in, month_of
from readiness.selectors import calendar_month as selector
from readiness.selectors.calendar_month import Whose

from .access import Request
from .following import followed

OVERDUE = "overdue"


@require_safe
@followed()
def calendar(request: Request) -> HttpResponse:
    """Show the launches and reviews of a ``month``; of a ``day``, or all that is overdue, as a list.

    What means nothing in the address is left aside: then it is this month, and everybody's.
    """
    now = timezone.now()
    teams = list(Team.objects.all())
    asked = request.GET.get("team", "")
    team = next((one for one in teams if one.slug == asked), None)
    mine = request.user if request.GET.get("mine") == "1" and team is None else None
    whose = Whose(team=team, mine=mine)
    day = day_in(request.GET.get("day", ""))
    today = timezone.localdate(now)
    context = {"now": now, "today": today, "teams": teams, "team": team, "mine": mine is not None}
    if day is not None or request.GET.get("show") == OVERDUE:
        found = selector.calendar_list(day, whose, now, request.GET.get("page", ""))
        back = month_of(day) if day is not None else None
        return render(request, "calendar_list.html", {**context, "list": found, "back": back})
    month = month_in(request.GET.get("month", "")) or month_of(today)
    shown = selector.calendar_month(month, whose, now, first_weekday=first_weekday())
    return render(request, "calendar.html", {**context, "calendar": shown, "this_month": month_of(today)})


def first_weekday() -> int:
    """Return the day that a week begins with in the language of the page; 0 is Sunday."""
    return int(get_format("FIRST_DAY_OF_WEEK"))
