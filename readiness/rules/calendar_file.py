"""A calendar as calendar programs read it (RFC 5545, RFC 7986). Pure: bytes from what happens when."""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from icalendar import Calendar, Event, vText

PRODUCT = "-//Readiness//Launch calendar//EN"
ASKED_EVERY = timedelta(hours=1)
"""How often programs are told to ask again; most ask less often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something in a calendar: on a whole day, or from an aware instant to another one where it has ``hours``.

    ``sequence`` counts up where it moves, and ``changed_at`` is when it was last changed. ``uid`` never changes.
    """

    uid: str
    title: str
    text: str
    url: str
    category: str
    day: date
    hours: tuple[datetime, datetime] | None = None
    sequence: int = 0
    changed_at: datetime
    cancelled: bool = False


def calendar_file(happenings: Iterable[Happening], *, name: str, about: str, url: str, language: str) -> bytes:
    """Return a calendar as a file. The same happenings give the same bytes: the clock is not in it."""
    calendar = Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", PRODUCT)
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    for named, also, words in (("name", "x-wr-calname", name), ("description", "x-wr-caldesc", about)):
        calendar.add(named, vText(_plain(words), params={"LANGUAGE": language}))
        calendar.add(also, vText(_plain(words)))  # Said to be a text, or it would be written without escapes.
    calendar.add("url", url)
    calendar.add("refresh-interval", ASKED_EVERY, parameters={"VALUE": "DURATION"})
    calendar.add("x-published-ttl", "PT1H")
    for happening in happenings:
        calendar.add_component(_event(happening))
    written: bytes = calendar.to_ical()
    return written


def _event(one: Happening) -> Event:
    event = Event()
    event.add("uid", one.uid)
    event.add("dtstamp", one.changed_at.astimezone(UTC))
    event.add("last-modified", one.changed_at.astimezone(UTC))
    event.add("sequence", one.sequence)
    if one.hours is not None:
        event.add("dtstart", one.hours[0].astimezone(UTC))
        event.add("dtend", one.hours[1].astimezone(UTC))
    else:
        event.add("dtstart", one.day)
        event.add("dtend", one.day + timedelta(days=1))
    event.add("summary", _plain(one.title))
    event.add("description", _plain(one.text))
    event.add("url", one.url)
    event.add("categories", [one.category])
    event.add("status", "CANCELLED" if one.cancelled else "CONFIRMED")
    event.add("transp", "OPAQUE" if one.hours is not None else "TRANSPARENT")
    return event


def _plain(text: str) -> str:
    """Return a text without control characters, which a calendar may not hold; lines end as they should."""
    lines = re.sub("\r\n|[\r\u2028\u2029]", "\n", text)
    return "".join(letter for letter in lines if letter == "\n" or unicodedata.category(letter) != "Cc")
