"""The stand-in for the Bastion API as an ASGI application: who may pass, which endpoint answers, and nothing else.

It listens where it is mounted: an application around it may put any prefix into ``root_path``. The only header beside
the content's type and length is ``Retry-After`` on 429, the only one that Bastion documents.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from datetime import timedelta
from email.utils import format_datetime
from typing import Any

from checks.standin import fields
from checks.standin.endpoints import Answer, chat_completions, completions, embeddings, models
from checks.standin.errors import FAILURES, INVALID_KEY, NO_BALANCE, NO_SUCH_PATH, TOO_LARGE, Failure, Refusal
from checks.standin.fields import Body
from checks.standin.responses import responses
from checks.standin.settings import Asked, RetryAfterForm, StandInSettings
from checks.standin.state import StandInState
from checks.standin.stream import Receive, Send, compact, send_events

Scope = MutableMapping[str, Any]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Endpoint = Callable[[Body, StandInSettings, int], Answer]

ENDPOINTS: dict[tuple[str, str], Endpoint] = {
    ("GET", "/v1/models"): models,
    ("POST", "/v1/chat/completions"): chat_completions,
    ("POST", "/v1/completions"): completions,
    ("POST", "/v1/responses"): responses,
    ("POST", "/v1/embeddings"): embeddings,
}


class StandIn:
    """The ASGI application around one state, which may be changed while it serves. Web sockets are not answered."""

    def __init__(self, state: StandInState) -> None:
        """Serve as ``state`` says."""
        self.state = state

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; a client that leaves before its request is complete gets no journal line."""
        if scope["type"] != "http":
            return
        asked = Asked(method=scope["method"], path=_path(scope), key=_bearer(scope))
        raw = await _read(receive, self.state.settings.max_body_bytes)
        if raw is None:
            return
        settings = self.state.settings
        answer = self._answer(asked, raw, settings)
        self.state.note(asked, answer.status if isinstance(answer, Failure) else 200)
        if isinstance(answer, Failure):
            await _send_json(send, answer.status, answer.envelope(), self._retry_after(answer, settings))
        elif isinstance(answer, dict):
            await _send_json(send, 200, answer)
        else:
            await send_events(answer, receive=receive, send=send, token_delay=lambda: self.state.settings.token_delay)

    def _answer(self, asked: Asked, raw: bytes, settings: StandInSettings) -> Answer | Failure:
        """Decide: a fault, then the path, the size, the key, the balance, and last what the body asks for."""
        if (fault := self.state.take_fault(asked)) is not None:
            return FAILURES[fault.status]
        endpoint = ENDPOINTS.get((asked.method, asked.path))
        if endpoint is None:
            return NO_SUCH_PATH
        if len(raw) > settings.max_body_bytes:
            return TOO_LARGE
        if asked.key not in settings.accepted_keys or asked.key in settings.revoked_keys:
            return INVALID_KEY
        if asked.key in settings.keys_without_balance and (endpoint is not models or settings.models_need_balance):
            return NO_BALANCE
        try:
            body = {} if asked.method == "GET" else fields.parse(raw)
            return endpoint(body, settings, int(self.state.now().timestamp()))
        except Refusal as refusal:
            return refusal.failure

    def _retry_after(self, failure: Failure, settings: StandInSettings) -> str:
        """Return the value of ``Retry-After``; empty for none, as on everything but 429."""
        if failure.status != 429:
            return ""
        match settings.retry_after_form:
            case RetryAfterForm.SECONDS:
                return str(settings.retry_after_s)
            case RetryAfterForm.HTTP_DATE:
                return format_datetime(self.state.now() + timedelta(seconds=settings.retry_after_s), usegmt=True)
            case RetryAfterForm.ZERO:
                return "0"
            case RetryAfterForm.ABSENT:
                return ""


def standin_app(settings: StandInSettings | None = None) -> StandIn:
    """Return a stand-in with a state of its own, which is its attribute ``state``."""
    return StandIn(StandInState(settings))


def _path(scope: Scope) -> str:
    """Return the path below the mount point."""
    path, prefix = str(scope["path"]), str(scope.get("root_path", ""))
    return path.removeprefix(prefix) if path.startswith(prefix + "/") else path


def _bearer(scope: Scope) -> str:
    """Return the key of the ``Authorization`` header; empty where there is none, two, or one of another scheme."""
    values = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(values) != 1:
        return ""
    scheme, _, key = values[0].decode("latin-1").partition(" ")
    return key.strip() if scheme.lower() == "bearer" else ""


async def _read(receive: Receive, max_bytes: int) -> bytes | None:
    """Return the body, or ``None`` if the client left. Of one that is too large its first ``max_bytes + 1`` bytes.

    The rest of such a body is read and dropped, because a client that is still sending would not see the answer.
    """
    parts = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts += message.get("body", b"")[: max_bytes + 1 - len(parts)]
        if not message.get("more_body", False):
            return bytes(parts)


async def _send_json(send: Send, status: int, value: Any, retry_after: str = "") -> None:
    content = compact(value)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    if retry_after:
        headers.append((b"retry-after", retry_after.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": content})
