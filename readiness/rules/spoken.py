"""Days, numbers and lists as a sentence says them, in the language that is active. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal

from django.utils.translation import get_language, npgettext, pgettext
from django.utils.translation import gettext as _

NO_BREAK = "\N{NO-BREAK SPACE}"
ENGLISH = "en-ca"
"""The language of what is stored, and of files for programs: ``override(ENGLISH)`` around what makes them."""


def french() -> bool:
    """Return whether what is said now is said in French."""
    return (get_language() or "").startswith("fr")


def in_language(written: str, translations: Mapping[str, Mapping[str, str]], name: str) -> str:
    """Return words that are kept in several languages in the one that is active; as written where it has none.

    ``translations`` are by language, such as ``fr``, and by name. No active language reads what was written.
    """
    if not translations:
        return written
    words = translations.get((get_language() or "").partition("-")[0])
    return (words.get(name) if words else None) or written


def month_name(month: int) -> str:
    """Return the name of a month, 1 to 12, as it stands inside a date."""
    return (
        pgettext("alt. month", "January"),
        pgettext("alt. month", "February"),
        pgettext("alt. month", "March"),
        pgettext("alt. month", "April"),
        pgettext("alt. month", "May"),
        pgettext("alt. month", "June"),
        pgettext("alt. month", "July"),
        pgettext("alt. month", "August"),
        pgettext("alt. month", "September"),
        pgettext("alt. month", "October"),
        pgettext("alt. month", "November"),
        pgettext("alt. month", "December"),
    )[month - 1]


def short_month(month: int) -> str:
    """Return a month, 1 to 12, as a short date has it: Nov, nov."""
    return (
        pgettext("short month", "Jan"),
        pgettext("short month", "Feb"),
        pgettext("short month", "Mar"),
        pgettext("short month", "Apr"),
        pgettext("short month", "May"),
        pgettext("short month", "Jun"),
        pgettext("short month", "Jul"),
        pgettext("short month", "Aug"),
        pgettext("short month", "Sep"),
        pgettext("short month", "Oct"),
        pgettext("short month", "Nov"),
        pgettext("short month", "Dec"),
    )[month - 1]


def weekday_name(day: date) -> str:
    """Return the day of the week as it stands inside a date: Tuesday, mardi."""
    return (
        pgettext("weekday", "Monday"),
        pgettext("weekday", "Tuesday"),
        pgettext("weekday", "Wednesday"),
        pgettext("weekday", "Thursday"),
        pgettext("weekday", "Friday"),
        pgettext("weekday", "Saturday"),
        pgettext("weekday", "Sunday"),
    )[day.weekday()]


def short_weekday(day: date) -> str:
    """Return the day of the week as a short date has it: Tue, mar."""
    return (
        pgettext("short weekday", "Mon"),
        pgettext("short weekday", "Tue"),
        pgettext("short weekday", "Wed"),
        pgettext("short weekday", "Thu"),
        pgettext("short weekday", "Fri"),
        pgettext("short weekday", "Sat"),
        pgettext("short weekday", "Sun"),
    )[day.weekday()]


def day_number(day: date) -> str:
    """Return the day of the month as a date says it; French has 1er for the first."""
    return "1er" if day.day == 1 and french() else str(day.day)


def long_day(day: date) -> str:
    """Return a day in full: 3 March 2026, 3 mars 2026."""
    return f"{day_number(day)} {month_name(day.month)} {day.year}"


def short_day(day: date) -> str:
    """Return a day of a year that is known: 24 Nov, 24 nov."""
    return f"{day_number(day)} {short_month(day.month)}"


def full_day(day: date) -> str:
    """Return a day in full with its day of the week: Tuesday 3 March 2026, mardi 3 mars 2026."""
    return f"{weekday_name(day)} {long_day(day)}"


def number(value: float | Decimal, places: int = 0) -> str:
    """Return a number with its thousands set apart and so many decimals: 1,234.5, or 1 234,5 in French."""
    words = f"{value:,.{places}f}"
    return words.replace(",", NO_BREAK).replace(".", ",") if french() else words


def decimal(written: str) -> str:
    """Return a written number with the decimal mark of the language: 0.5, or 0,5 in French."""
    return written.replace(".", ",") if french() else written


def percent_words(value: float | Decimal, places: int = 0) -> str:
    """Return a share in percent: 87%, 87 % in French."""
    return f"{number(value, places)}{NO_BREAK}%" if french() else f"{number(value, places)}%"


def listed(words: Sequence[str]) -> str:
    """Return words one after the other, the last two joined by "and": a, b and c. Empty where there are none."""
    if len(words) < 2:
        return "".join(words)
    return _("{these} and {last}").format(these=", ".join(words[:-1]), last=words[-1])


def status_words(status: str) -> str:
    """Return where an item stands as a sentence says it: "not applicable"; a word that is none as it is."""
    return {
        "not-applicable": pgettext("status", "not applicable"),
        "verified": pgettext("status", "verified"),
        "attested": pgettext("status", "attested"),
        "waived": pgettext("status", "waived"),
        "failing": pgettext("status", "failing"),
        "stale": pgettext("status", "stale"),
        "open": pgettext("status", "open"),
    }.get(status, status)


def counted_words(status: str, n: int) -> str:
    """Return how many items stand somewhere: 14 verified. A word that is none stands as it is."""
    said = {
        "not-applicable": npgettext("items", "{n} not applicable", "{n} not applicable", n),
        "verified": npgettext("items", "{n} verified", "{n} verified", n),
        "attested": npgettext("items", "{n} attested", "{n} attested", n),
        "waived": npgettext("items", "{n} waived", "{n} waived", n),
        "failing": npgettext("items", "{n} failing", "{n} failing", n),
        "stale": npgettext("items", "{n} stale", "{n} stale", n),
        "open": npgettext("items", "{n} open", "{n} open", n),
    }
    return said[status].format(n=n) if status in said else f"{n} {status}"


def clock(moment: datetime) -> str:
    """Return the time of day of an instant in its own zone: 18:16, 18 h 16 in French."""
    return f"{moment.hour} h {moment:%M}".replace(" ", NO_BREAK) if french() else f"{moment:%H:%M}"


def exact_clock(moment: datetime) -> str:
    """Return the time of day of an instant in its own zone, to the second: 18:16:52, 18 h 16 min 52 s in French."""
    if not french():
        return f"{moment:%H:%M:%S}"
    return f"{clock(moment)} min {moment:%S} s".replace(" ", NO_BREAK)


def labelled(name: object, value: object) -> str:
    """Return what something is called and what it is: "Owner: Mia Roy"."""
    return _("{name}: {value}").format(name=name, value=value)


def long_moment(moment: datetime) -> str:
    """Return an instant with its day in full, in its own zone: 3 March 2026 at 18:16."""
    return _("{day} at {time}").format(day=long_day(moment), time=clock(moment))


def capital(words: str) -> str:
    """Return words with their first letter as a capital, and the others as they are."""
    return words[:1].upper() + words[1:]
