"""What may be written as an address. Text alone: what a name turns into is for the first run to report."""

import ipaddress
from urllib.parse import urlsplit

_MOST = 500


def address_refusals(url: str, *, what: str) -> list[str]:
    """Return why this cannot be the ``what`` of an environment: only http and https addresses with a host can."""
    if len(url) > _MOST:
        return [f"This is longer than {_MOST} characters. Give the address alone."]
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return [f"This is not an address. Write the {what} like https://assistant.example.ca."]
    if parts.scheme not in ("http", "https") or not host or any(ord(letter) < 33 for letter in url):
        return [
            f"The {what} has to begin with https:// (or http://) and name a host, like https://assistant.example.ca."
        ]
    if parts.username is not None or parts.password is not None:
        return [f"The {what} carries a user name or password. Give it without; keys are named by reference."]
    if parts.query or parts.fragment:
        return [f"Give the {what} without a query (?…) or fragment (#…)."]
    return []


def literal_address(url: str) -> tuple[str, int] | None:
    """Return address and port where the host is written as an IP address; None where it is a name or not an URL."""
    try:
        parts = urlsplit(url)
        address = ipaddress.ip_address(parts.hostname or "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return None
    return str(address), port


def route_refusals(route: str) -> list[str]:
    """Return why this cannot be a stream route: a path on the service URL."""
    if not route.startswith("/") or route.startswith("//") or any(ord(letter) < 33 for letter in route):
        return ["The stream route is a path on the service URL and begins with one slash: /stream/canary."]
    if "?" in route or "#" in route or "\\" in route:
        return ["Give the stream route as a path alone, without ?, # or backslashes."]
    return []
