"""When a session begins, how long it lasts, and who cleans up behind it."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.deprecation import MiddlewareMixin

from readiness.actions.housekeeping import tidy
from readiness.rules.sessions import ends_at, renewed_end

SIGNED_IN_AT = "signed_in_at"


def begin(*, request: HttpRequest, **_: Any) -> None:
    """Note when somebody signed in, and remove what ended: a receiver of ``user_logged_in``."""
    now = timezone.now()
    request.session[SIGNED_IN_AT] = now.isoformat()
    request.session.set_expiry(ends_at(signed_in_at=now, now=now))
    tidy(now=now)


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
