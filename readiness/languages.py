"""In which language a page is: the person's own choice, else the browser's, which a cookie may overrule."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin


def is_offered(code: str) -> bool:
    """Return whether pages can be had in a language."""
    return code in dict(settings.LANGUAGES)


def remember(response: HttpResponse, code: str) -> None:
    """Have this browser ask for a language, whoever uses it."""
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


class OfRequest(LocaleMiddleware):
    """Speak as the browser asks, by its cookie or its Accept-Language, so that a refusal before sign-in does too."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say in which language the answer is, and by what it was chosen."""
        patch_vary_headers(response, ("Cookie",))
        return super().process_response(request, response)


class OfPerson(MiddlewareMixin):
    """Speak as the person who is signed in has chosen, on whatever machine they are."""

    def process_request(self, request: HttpRequest) -> None:
        """Overrule the browser where somebody chose."""
        if len(settings.LANGUAGES) < 2:
            return
        chosen = getattr(request.user, "language", "")
        if chosen and is_offered(chosen):
            translation.activate(chosen)
            request.LANGUAGE_CODE = translation.get_language()
