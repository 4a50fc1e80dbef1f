"""What may be written as an address. Text alone: what a name turns into is for the first run to report."""

import ipaddress
import re
import unicodedata
from socket import inet_aton
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

_MOST = 500
_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_-]{1,63})*", re.IGNORECASE)
_NUMBERS = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)(?:\.(?:0x[0-9a-f]*|[0-9]+)){0,3}")


def address_refusals(url: str, *, what: str) -> list[str]:
    """Return why this cannot be the ``what`` of an environment: only http and https addresses with a host can."""
    if len(url) > _MOST:
        return [_("This is longer than {most} characters. Give the address alone.").format(most=_MOST)]
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return [_("This is not an address. Write the {what} like https://assistant.example.ca.").format(what=what)]
    if parts.scheme not in ("http", "https") or not host or any(ord(letter) < 33 for letter in url):
        return [
            _(
                "The {what} has to begin with https:// (or http://) and name a host, like https://assistant.example.ca."
            ).format(what=what)
        ]
    if not _can_be_looked_up(host) or parts.port == 0:
        return [
            _("No such host can be looked up. Write the {what} like https://assistant.example.ca.").format(what=what)
        ]
    if parts.username is not None or parts.password is not None:
        return [
            _("The {what} carries a user name or password. Give it without; keys are named by reference.").format(
                what=what
            )
        ]
    if parts.query or parts.fragment:
        return [_("Give the {what} without a query (?…) or fragment (#…).").format(what=what)]
    return []


def _can_be_looked_up(host: str) -> bool:
    """Return whether a host is an address or a name of ordinary labels; full-width forms count as ordinary."""
    if ":" in host:
        return "%" not in host
    try:
        return _NAME.fullmatch(_plain(host).encode("idna").decode()) is not None
    except UnicodeError:
        return False


def _plain(host: str) -> str:
    """Return a host as resolvers read it: compatibility forms of letters, digits and dots made ordinary."""
    return unicodedata.normalize("NFKC", host).replace("。", ".").rstrip(".")


def literal_address(url: str) -> tuple[str, int] | None:
    """Return address and port where the host is written as an IP address; None where it is a name or not an URL.

    ``2130706433``, ``0x7f000001``, ``127.1`` and ``0177.0.0.1`` are written addresses as well: resolvers read them so.
    """
    try:
        parts = urlsplit(url)
        host = _plain(parts.hostname or "")
        address = ipaddress.IPv4Address(inet_aton(host)) if _NUMBERS.fullmatch(host) else ipaddress.ip_address(host)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except (ValueError, OSError):
        return None
    return str(address), port


def route_refusals(route: str) -> list[str]:
    """Return why this cannot be a stream route: a path on the service URL."""
    if not route.startswith("/") or route.startswith("//") or any(ord(letter) < 33 for letter in route):
        return [_("The stream route is a path on the service URL and begins with one slash: /stream/canary.")]
    if "?" in route or "#" in route or "\\" in route:
        return [_("Give the stream route as a path alone, without ?, # or backslashes.")]
    return []
