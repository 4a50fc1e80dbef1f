"""Who calls the API: a token in the Authorization header, and nothing else."""

from datetime import datetime

from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext, gettext_lazy
from ninja.security import HttpBearer

from readiness.actions.tokens import note_use
from readiness.models import ApiToken
from readiness.selectors.tokens import token_shown

from .problems import Problematic

LET_IN_BY = gettext_lazy("Send a token that works: Authorization: Bearer rdy_… An admin makes one under API tokens.")
"""One answer for no token, an unknown one, one that has ended and one that was revoked."""


class ApiRequest(HttpRequest):
    """A request that showed a token."""

    auth: ApiToken


def caller(request: HttpRequest, at: datetime) -> ApiToken | None:
    """Return the token that a request shows, if it works."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return token_shown(text.strip(), at) if scheme.lower() == "bearer" else None


class Bearer(HttpBearer):
    """Lets a program in that shows a token, and then only with a body that can be read.

    The header is read here, since ninja's own reading writes one that it does not understand into the log.
    """

    openapi_bearerFormat = "rdy_<8 letters>_<64 hexadecimal digits>"  # noqa: N815 - the document's own spelling
    openapi_description = "A token made by an admin under API tokens. Sessions of browsers are not taken."

    def __call__(self, request: HttpRequest) -> ApiToken:
        """Return the token, and keep that it was used. Raises ``Problematic``."""
        now = timezone.now()
        token = caller(request, now)
        if token is None:
            raise Problematic(401, str(LET_IN_BY))
        note_use(token=token, now=now)
        if request.content_type != "application/json":
            raise Problematic(415, gettext("Send JSON, and say so: Content-Type: application/json."))
        if not request.body:
            raise Problematic(400, gettext("Send a JSON object with service, environment and build."))
        return token

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        """Ninja asks for this; ``__call__`` does not use it."""
        raise NotImplementedError
