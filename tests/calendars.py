"""Calendars as programs fetch them: an address made as people make it, and files read back in two ways."""

import re
from dataclasses import dataclass, field
from typing import Any

import icalendar
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from readiness.actions.calendar_feeds import make_feed
from readiness.models import CalendarFeed, Team, User

MUST = {"VCALENDAR": {"VERSION", "PRODID"}, "VEVENT": {"UID", "DTSTAMP", "DTSTART", "SUMMARY", "SEQUENCE", "STATUS"}}
ONCE = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "DESCRIPTION", "SEQUENCE", "STATUS", "URL", "LAST-MODIFIED"}
_PARAMETER = r";[A-Za-z0-9-]+=(?:\"[^\"\x00-\x1f]*\"|[^\x00-\x1f\";:,]*)"
_LINE = re.compile(rf"([A-Za-z0-9-]+)((?:{_PARAMETER})*):([^\x00-\x08\x0a-\x1f]*)")


@dataclass
class Subscriber:
    """A calendar program with an address, and no session."""

    feed: CalendarFeed
    text: str
    client: Client = field(default_factory=Client)

    @property
    def address(self) -> str:
        return reverse("calendar-file", args=[self.text])

    def fetch(self, **headers: str) -> Any:
        return self.client.get(self.address, headers=headers)

    def events(self) -> dict[str, icalendar.Event]:
        """Fetch the calendar; return its events by what they are of: "launch-1"."""
        answer = self.fetch()
        assert answer.status_code == 200, answer.content
        return events_in(answer.content)


def subscriber(by: User, team: Team | None = None, *, language: str = "en-ca") -> Subscriber:
    """Return a program with the address of a person's calendar or of their team's; one that stood is replaced."""
    standing = CalendarFeed.objects.filter(made_by=by, team=team, revoked_at=None).first()
    replaces = standing.prefix if standing else ""
    return Subscriber(*make_feed(by=by, team=team, replaces=replaces, language=language, now=timezone.now()))


def events_in(content: bytes) -> dict[str, icalendar.Event]:
    """Read a file with the library and, apart from it, line by line; return its events by how their UID begins."""
    read = icalendar.Calendar.from_ical(content)
    assert read.errors == []
    events = {str(event["UID"]).partition(".")[0]: event for event in read.walk("VEVENT")}
    parsed = components(content)
    assert [name for name, _ in parsed].count("VEVENT") == len(events), "No two have one UID."
    for event, lines in zip(events.values(), (found for name, found in parsed if name == "VEVENT"), strict=True):
        assert lines["SUMMARY"] == str(event["SUMMARY"])
        assert lines["DESCRIPTION"] == str(event["DESCRIPTION"])
    return events


def components(content: bytes) -> list[tuple[str, dict[str, str]]]:
    """Return each component with the texts of its properties, after RFC 5545, sections 3.1, 3.3.11 and 3.6."""
    assert content.endswith(b"\r\n")
    lines = content[:-2].split(b"\r\n")
    for line in lines:
        assert len(line) <= 75, line
        assert b"\n" not in line
        assert b"\r" not in line
    unfolded = re.sub(rb"\r\n[ \t]", b"", content[:-2]).decode().split("\r\n")
    done: list[tuple[str, dict[str, str]]] = []
    open_ones: list[tuple[str, dict[str, str]]] = []
    for line in unfolded:
        match = _LINE.fullmatch(line)
        assert match, line
        name, value = match[1].upper(), match[3]
        if name == "BEGIN":
            open_ones.append((value, {}))
        elif name == "END":
            kind, found = open_ones.pop()
            assert kind == value
            assert MUST.get(kind, set()) <= found.keys()
            done.append((kind, found))
        else:
            kind, found = open_ones[-1]
            assert name not in found or name not in ONCE, f"{name} stands twice"
            found[name] = _unescaped(value)
    assert not open_ones
    assert done[-1][0] == "VCALENDAR"
    return done


def _unescaped(value: str) -> str:
    return re.sub(r"\\(.)", lambda found: "\n" if found[1] in "nN" else found[1], value)
