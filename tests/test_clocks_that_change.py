"""Days on which the clocks change: the page names the day that was asked for, and the row holds its end."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from readiness.models import Event, Waiver
from readiness.rules.waivers import end_of_day
from readiness.selectors.crossings import texts
from readiness.templatetags.date_words import end_words
from tests.deeds import ask
from tests.factories import item_of, make_environment, make_member

ZONES = ["UTC", "America/Toronto", "Asia/Kolkata", "America/Havana", "Asia/Beirut", "America/Santiago"]
FIRST = date(2026, 3, 2)


@pytest.mark.parametrize("zone", ZONES)
def test_an_end_names_the_day_that_it_closes_on_every_day_of_a_year(zone: str) -> None:
    """In Havana, Beirut and Santiago the clocks go forward at midnight: there a day ends at 1:00 of the next."""
    place = ZoneInfo(zone)
    with timezone.override(place):
        for number in range(366):
            day = FIRST + timedelta(days=number)
            end = end_of_day(day, place)
            assert end_words(end, datetime.combine(day, datetime.min.time(), tzinfo=place)) == "today", day
            assert timezone.localdate(end - timedelta(microseconds=1)) == day
            assert timezone.localdate(end) == day + timedelta(days=1)


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("day", [date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 28), date(2026, 3, 29)])
def test_the_day_that_was_asked_for_is_the_one_in_row_event_and_page(zone: str, day: date) -> None:
    now = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    with timezone.override(ZoneInfo(zone)):
        prod = make_environment(now=now)
        item = item_of(prod, "spend-cap")
        waiver = ask(make_member(prod.service.team), item, until=day, now=now)
        event = Event.objects.get(kind="waiver.asked")
        assert Waiver.objects.get(pk=waiver.pk).until.isoformat() == event.data["until"]
        assert ("Until", f"the end of {day.day} March 2026") in texts(event)
