"""An ASGI app that answers every GET with one JSON document: a billing source to prove the spend-cap probe on."""

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]


def fixed_json_app(document: Any) -> Callable[..., Awaitable[None]]:
    """Return the app. Its status is always 200."""
    body = json.dumps(document).encode()

    async def app(scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Any]) -> None:
        if scope["type"] != "http":
            return
        await receive()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    return app
