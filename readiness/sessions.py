"""When a session begins, how long it lasts, and who cleans up behind it."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.utils.deprecation import MiddlewareMixin

from readiness.actions.housekeeping import tidy
from readiness.models import User
from readiness.rules.sessions import ends_at, renewed_end

SIGNED_IN_AT = "signed_in_at"


def begin(*, request: HttpRequest, **_: Any) -> None:
    """Note when somebody signed in, and remove what ended: a receiver of ``user_logged_in``."""
    now = timezone.now()
    request.session[SIGNED_IN_AT] = now.isoformat()
    request.session.set_expiry(ends_at(signed_in_at=now, now=now))
    tidy(now=now)


def still_good(keys: Collection[str], now: datetime) -> set[str]:
    """Return which of these sessions still carry somebody who may be here, as each request would find it. Two queries.

    One ends by signing out, by its time, with its person's password, and where its person is made inactive.
    """
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=now)
    held = {row.session_key: row.get_decoded() for row in rows}
    people = {str(person.pk): person for person in User.objects.filter(is_active=True, pk__in=_named(held.values()))}
    return {
        key
        for key, data in held.items()
        if (person := people.get(data.get(SESSION_KEY, ""))) is not None
        and constant_time_compare(data.get(HASH_SESSION_KEY, ""), person.get_session_auth_hash())
    }


def _named(sessions: Collection[dict[str, Any]]) -> set[str]:
    return {data[SESSION_KEY] for data in sessions if SESSION_KEY in data}


class Renewal(MiddlewareMixin):
    """Let a session that is used last on, up to its longest. The store itself knows no session past its end.

    It stands inside Django's session middleware and looks only at a session that the view has read, so a page costs no
    query more, and a session is written at most every ``RENEWED_EVERY``. Whoever is signed in by other means than a
    sign-in has no beginning noted, and stays for ``SESSION_COOKIE_AGE``.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Set a later end where one is due."""
        session = getattr(request, "session", None)
        if session is None or not session.accessed or settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return response
        since = session.get(SIGNED_IN_AT)
        if since is not None:
            signed_in_at, now = datetime.fromisoformat(since), timezone.now()
            end = renewed_end(signed_in_at=signed_in_at, end=session.get_expiry_date(), now=now)
            if end is not None:
                session.set_expiry(end)
        return response
