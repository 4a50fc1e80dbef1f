"""Which browsers signed in as somebody before: a signed cookie, whose name for itself says nothing about the person."""

import secrets

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse

from readiness.rules.throttling import KNOWN_BROWSER_FOR


def remember(response: HttpResponse, *, name: str) -> None:
    """Have the browser that gets this answer be known as one that signed in with this user name."""
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE_NAME,
        _signer(name).sign(secrets.token_urlsafe(12)),
        max_age=KNOWN_BROWSER_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def known(request: HttpRequest, *, name: str) -> str:
    """Return what a browser that signed in with this user name is known by; empty for any other. No query."""
    cookie = request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE_NAME, "")
    try:
        return _signer(name).unsign(cookie, max_age=KNOWN_BROWSER_FOR)
    except BadSignature:
        return ""


def _signer(name: str) -> TimestampSigner:
    return TimestampSigner(salt=f"readiness.known-browser:{name}")
