"""Days, numbers and lists as a sentence says them, in the language that is active. Pure."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.utils.translation import get_language, npgettext, pgettext_lazy
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


_MONTHS = (
    pgettext_lazy("alt. month", "January"),
    pgettext_lazy("alt. month", "February"),
    pgettext_lazy("alt. month", "March"),
    pgettext_lazy("alt. month", "April"),
    pgettext_lazy("alt. month", "May"),
    pgettext_lazy("alt. month", "June"),
    pgettext_lazy("alt. month", "July"),
    pgettext_lazy("alt. month", "August"),
    pgettext_lazy("alt. month", "September"),
    pgettext_lazy("alt. month", "October"),
    pgettext_lazy("alt. month", "November"),
    pgettext_lazy("alt. month", "December"),
)


def month_name(month: int) -> str:
    """Return the name of a month, 1 to 12, as it stands inside a date."""
    return str(_MONTHS[month - 1])


_SHORT_MONTHS = (
    pgettext_lazy("short month", "Jan"),
    pgettext_lazy("short month", "Feb"),
    pgettext_lazy("short month", "Mar"),
    pgettext_lazy("short month", "Apr"),
    pgettext_lazy("short month", "May"),
    pgettext_lazy("short month", "Jun"),
    pgettext_lazy("short month", "Jul"),
    pgettext_lazy("short month", "Aug"),
    pgettext_lazy("short month", "Sep"),
    pgettext_lazy("short month", "Oct"),
    pgettext_lazy("short month", "Nov"),
    pgettext_lazy("short month", "Dec"),
)


def short_month(month: int) -> str:
    """Return a month, 1 to 12, as a short date has it: Nov, nov."""
    return str(_SHORT_MONTHS[month - 1])


_WEEKDAYS = (
    pgettext_lazy("weekday", "Monday"),
    pgettext_lazy("weekday", "Tuesday"),
    pgettext_lazy("weekday", "Wednesday"),
    pgettext_lazy("weekday", "Thursday"),
    pgettext_lazy("weekday", "Friday"),
    pgettext_lazy("weekday", "Saturday"),
    pgettext_lazy("weekday", "Sunday"),
)


def weekday_name(day: date) -> str:
    """Return the day of the week as it stands inside a date: Tuesday, mardi."""
    return str(_WEEKDAYS[day.weekday()])


_SHORT_WEEKDAYS = (
    pgettext_lazy("short weekday", "Mon"),
    pgettext_lazy("short weekday", "Tue"),
    pgettext_lazy("short weekday", "Wed"),
    pgettext_lazy("short weekday", "Thu"),
    pgettext_lazy("short weekday", "Fri"),
    pgettext_lazy("short weekday", "Sat"),
    pgettext_lazy("short weekday", "Sun"),
)


def short_weekday(day: date) -> str:
    """Return the day of the week as a short date has it: Tue, mar."""
    return str(_SHORT_WEEKDAYS[day.weekday()])


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


def amount_words(amount: Decimal | str) -> str:
    """Return an amount of money: "1,500" where it is whole, else "12.50"; with more decimals where it has more.

    What is no amount, or one that nobody has (1E+999999), is returned as it is written.
    """
    with suppress(InvalidOperation):
        known = Decimal(amount)
        exponent = known.normalize().as_tuple().exponent
        if isinstance(exponent, int) and exponent >= -10 and known.adjusted() <= 15:
            return number(known, max(2, -exponent) if exponent < 0 else 0)
    return str(amount)


def money(amount: Decimal | str, currency: str) -> str:
    """Return an amount with its currency: "1,500 CAD", "12.50 CAD", or "12,50 CAD" with no break in French."""
    return f"{amount_words(amount)}{NO_BREAK if french() else ' '}{currency}".strip()


def listed(words: Sequence[str]) -> str:
    """Return words one after the other, the last two joined by "and": a, b and c. Empty where there are none."""
    if len(words) < 2:
        return "".join(words)
    return _("{these} and {last}").format(these=", ".join(words[:-1]), last=words[-1])


_STATUSES = {
    "not-applicable": pgettext_lazy("status", "not applicable"),
    "verified": pgettext_lazy("status", "verified"),
    "attested": pgettext_lazy("status", "attested"),
    "waived": pgettext_lazy("status", "waived"),
    "failing": pgettext_lazy("status", "failing"),
    "stale": pgettext_lazy("status", "stale"),
    "open": pgettext_lazy("status", "open"),
}


def status_words(status: str) -> str:
    """Return where an item stands as a sentence says it: "not applicable"; a word that is none as it is."""
    return str(_STATUSES.get(status, status))


def counted_words(status: str, n: int) -> str:
    """Return how many items stand somewhere: 14 verified. A word that is none stands as it is."""
    match status:
        case "not-applicable":
            said = npgettext("items", "{n} not applicable", "{n} not applicable", n)
        case "verified":
            said = npgettext("items", "{n} verified", "{n} verified", n)
        case "attested":
            said = npgettext("items", "{n} attested", "{n} attested", n)
        case "waived":
            said = npgettext("items", "{n} waived", "{n} waived", n)
        case "failing":
            said = npgettext("items", "{n} failing", "{n} failing", n)
        case "stale":
            said = npgettext("items", "{n} stale", "{n} stale", n)
        case "open":
            said = npgettext("items", "{n} open", "{n} open", n)
        case _:
            return f"{n} {status}"
    return said.format(n=n)


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
