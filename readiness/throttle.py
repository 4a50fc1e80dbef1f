"""Where guesses come from and how they are counted: what django-axes is given to work with.

axes stands in front of every ``authenticate`` with a user name and a password, keeps the table and its commands, and
turns a refusal into our page. Its own handler has one limit for everything and counts a guess after it was looked at.
"""

from datetime import datetime
from typing import Any

import structlog
from axes.backends import AxesStandaloneBackend
from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from django.core.cache import caches
from django.http import HttpRequest

from readiness import known_browsers
from readiness.actions.throttling import claim_guess, release_guess
from readiness.rules.throttling import (
    FEED_LIMIT,
    WINDOW,
    WRONG_FEED_LIMIT,
    WRONG_LINK_LIMIT,
    counted_address,
    quarter_of,
)

log = structlog.get_logger(__name__)


class Backend(AxesStandaloneBackend):  # type: ignore[misc]
    """Lets a guess of a password through, or ends ``authenticate`` at once. Sign-in links are not its business."""

    def authenticate(self, request: HttpRequest | None, username: str, password: str) -> None:
        """Return None where the next backend may look; raise PermissionDenied where it may not.

        Raises AxesBackendRequestParameterRequired without a request: where nobody can be counted, nobody guesses.
        """
        super().authenticate(request, username=username, password=password)


class Handler(AxesDatabaseHandler):  # type: ignore[misc]
    """Counts a guess before it is looked at, under bounds of its own (``rules.throttling``)."""

    def is_allowed(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Count a guess; return False where it is one too many, and leave at the request from when the next may be."""
        name = get_client_username(request, credentials) or ""
        place = {"name": name, "address": request.axes_ip_address, "browser": known_browsers.known(request, name=name)}
        until = claim_guess(**place, now=request.axes_attempt_time)
        request.guess, request.guess_again_at = place, until
        return until is None

    def user_login_failed(
        self,
        sender: Any,  # noqa: ARG002
        credentials: dict[str, Any],  # noqa: ARG002
        request: Any = None,
        **_: Any,
    ) -> None:
        """Say whether it was refused or wrong; what is counted was counted before."""
        refused = getattr(request, "guess_again_at", None) is not None
        if refused:
            request.axes_locked_out = True
        log.info("sign_in.refused" if refused else "sign_in.failed", address=getattr(request, "axes_ip_address", None))

    def user_logged_in(self, sender: Any, request: Any, user: Any, **_: Any) -> None:  # noqa: ARG002
        """Take the guess back."""
        release(request)

    def user_logged_out(self, sender: Any, request: Any, user: Any, **_: Any) -> None:
        """Nothing: no log of who was here when is kept."""


def release(request: Any) -> None:
    """Take back the guess that this request made, because it was right; nothing where it made none."""
    place = request.__dict__.pop("guess", None)
    if place is not None:
        release_guess(**place)


def address_of(request: HttpRequest) -> str:
    """Return the address that a request is counted under: that of the peer.

    Behind a proxy that the server trusts it is the one that the proxy named: uvicorn puts it there, and nothing else
    is believed.
    """
    return counted_address(request.META.get("REMOTE_ADDR") or "")


def links_refused_until(address: str, *, now: datetime) -> datetime | None:
    """Return from when this address may try sign-in links again; None where it may now. In memory, for each process."""
    return _refused_until(address, WRONG_LINK_LIMIT, now)


def count_wrong_link(address: str, *, now: datetime) -> None:
    """Count a link that signs nobody in."""
    _count(address, now)


def claim_wrong_feed(address: str, *, now: datetime) -> datetime | None:
    """Count a calendar address that is none, or is none any more, and return None; or from when it may be asked again.

    Those that work are not held against it: a network has one address for many.
    """
    return _claim(f"feeds/{address}", WRONG_FEED_LIMIT, now)


def claim_feed(feed_id: int, *, now: datetime) -> datetime | None:
    """Count that a calendar is asked for and return None, or return from when it may be asked for again."""
    return _claim(f"feed/{feed_id}", FEED_LIMIT, now)


def _claim(who: str, limit: int, now: datetime) -> datetime | None:
    until = _refused_until(who, limit, now)
    if until is None:
        _count(who, now)
    return until


def _refused_until(who: str, limit: int, now: datetime) -> datetime | None:
    number, end = quarter_of(now)
    return end if caches["wrong-links"].get(f"{who}/{number}", 0) >= limit else None


def _count(who: str, now: datetime) -> None:
    key = f"{who}/{quarter_of(now)[0]}"
    if not caches["wrong-links"].add(key, 1, timeout=WINDOW.total_seconds()):
        try:
            caches["wrong-links"].incr(key)
        except ValueError:
            return  # It was dropped in between, as the oldest of very many.
