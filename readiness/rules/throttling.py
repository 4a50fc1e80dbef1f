"""How often somebody may guess a password, and from when again. Only failures count; a guess that is refused does not.

A guess from a browser that never signed in as that person is held against three bounds at once. One from a browser that
did (it carries a signed cookie) is held against a bound of its own alone, so strangers cannot shut a colleague out.
After OWASP, "Slow down online guessing attacks with device cookies".
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, ip_address, ip_network

WINDOW = timedelta(minutes=15)
"""A failure counts this long; half open, so that it no longer counts at its end."""

PAIR_LIMIT = 5
"""Failures for one user name from one address."""

ADDRESS_LIMIT = 50
"""Failures from one address, whatever the user name: an office may share one."""

NAME_LIMIT = 50
"""Failures for one user name, wherever from: ten addresses or more that work together."""

BROWSER_LIMIT = 5
"""Failures for one user name from one browser that signed in with it before."""

WRONG_LINK_LIMIT = 20
"""Wrong sign-in links from one address in one quarter of an hour; each is as long as a key, so this is about load."""

WRONG_FEED_LIMIT = 200
"""Calendar addresses that are none, from one address in one quarter of an hour: an office's calendars may ask for
what was revoked for weeks. Each is as long as a key, so nobody guesses one; what works goes on working meanwhile."""

FEED_LIMIT = 60
"""How often one calendar is given out in one quarter of an hour: programs ask for it a few times an hour."""

KNOWN_BROWSER_FOR = timedelta(days=90)
"""How long a browser is known after it last signed in."""

NO_ADDRESS = "0.0.0.0"  # noqa: S104 - nothing listens there
_IPV6_NETWORK = 64


@dataclass(frozen=True, slots=True)
class Failures:
    """So many failures, the last of them then."""

    at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Bound:
    """At most so many failures within ``WINDOW``."""

    limit: int
    failures: Sequence[Failures]

    def standing(self, now: datetime) -> list[Failures]:
        """Return the failures that count now, the newest first."""
        return sorted((one for one in self.failures if now < one.at + WINDOW), key=lambda one: one.at, reverse=True)

    def free_from(self, now: datetime) -> datetime | None:
        """Return the first instant with fewer failures than the limit; None where it is now."""
        counted = 0
        for one in self.standing(now):
            counted += one.count
            if counted >= self.limit:
                return one.at + WINDOW
        return None


def refused_until(bounds: Sequence[Bound], *, now: datetime, own: int = 0) -> datetime | None:
    """Return from when the next guess may be made; None where it may be made now.

    ``own`` is how many of the failures stand for the guess itself: 1 once it is counted, before it is looked at.
    """
    full = [bound for bound in bounds if sum(one.count for one in bound.standing(now)) >= bound.limit + own]
    return max((end for bound in full if (end := bound.free_from(now))), default=None)


def counted_address(text: str) -> str:
    """Return the address that guesses from ``text`` are counted under.

    One IPv4 address; of IPv6 the /64, which is what one subscriber holds; ``NO_ADDRESS`` for what is no address.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return NO_ADDRESS
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ip_network((int(address), _IPV6_NETWORK), strict=False).network_address)
    return str(address)


def quarter_of(now: datetime) -> tuple[int, datetime]:
    """Return the number of the window that ``now`` is in, counted from the epoch, and its end."""
    number = int(now.timestamp() // WINDOW.total_seconds())
    return number, datetime.fromtimestamp((number + 1) * WINDOW.total_seconds(), tz=UTC)
