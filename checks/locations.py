"""Which URLs the outgoing client calls, how a redirect leads from one to the next, and which hosts may get a key."""

import re
from collections.abc import Iterable

import httpx

from checks.failures import say
from checks.wire import RequestFailed

PORTS = {"http": 80, "https": 443}

# What a resolver is handed: labels of 1 to 63 characters, 253 in all (RFC 1035, 2.3.4), underscores as they occur.
_NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_][a-z0-9_-]{0,62}(\.[a-z0-9_][a-z0-9_-]{0,62})*\.?")


def checked_url(url: str | httpx.URL) -> httpx.URL:
    """Return a URL that may be called, its host in ASCII; ``RequestFailed`` (bad-url) where it is not one.

    It is absolute, http or https, without user name or password, its port between 1 and 65535. Where the host leads is
    judged later, on the addresses: ``0x7f000001`` is a fine name here.
    """
    try:
        parsed = httpx.URL(url)
    except (httpx.InvalidURL, ValueError, TypeError):
        raise RequestFailed("bad-url", say("request.bad-url")) from None
    if parsed.scheme not in PORTS:
        raise RequestFailed("bad-url", say("request.bad-scheme"))
    if parsed.userinfo:
        raise RequestFailed("bad-url", say("request.user-in-url"))
    host = parsed.raw_host.decode("ascii")
    if "%" in host or not (":" in host or _NAME.fullmatch(host)):
        raise RequestFailed("bad-url", say("request.bad-host"))
    if not 1 <= port_of(parsed) <= 65535:
        raise RequestFailed("bad-url", say("request.bad-port"))
    return parsed


def redirected(at: httpx.URL, location: str) -> httpx.URL:
    """Return where a redirect leads; ``RequestFailed`` (redirect, bad-url) for https to http, or no URL to call."""
    try:
        target = at.join(location)
    except (httpx.InvalidURL, ValueError):
        raise RequestFailed("redirect", say("request.redirected-nowhere", peer=peer_of(at))) from None
    if at.scheme == "https" and target.scheme == "http":
        raise RequestFailed("redirect", say("request.redirected-down", peer=peer_of(at)))
    return checked_url(target)


def port_of(url: httpx.URL) -> int:
    """Return the port of an http or https URL, written or implied."""
    return PORTS[url.scheme] if url.port is None else url.port


def peer_of(url: httpx.URL) -> str:
    """Return ``host:port`` in lower case, an IPv6 host in brackets."""
    host = url.raw_host.decode("ascii")
    return f"[{host}]:{port_of(url)}" if ":" in host else f"{host}:{port_of(url)}"


def is_key_host(url: httpx.URL, key_hosts: Iterable[str]) -> bool:
    """Return whether a host and port may be sent a key; entries are ``host`` (port 443) or ``host:port``."""
    return peer_of(url) in {_key_host(entry) for entry in key_hosts}


def _key_host(entry: str) -> str:
    entry = entry.strip().lower()
    has_port = ":" in entry.rpartition("]")[2]
    return entry if has_port else f"{entry}:443"
