"""Reading request bodies: what each endpoint documents as required, and nothing more. Unknown fields pass."""

import json
from typing import Any

from checks.standin.errors import invalid, unknown_model
from checks.standin.settings import StandInSettings

MAX_INPUTS = 2048
"""Most prompts or inputs in one call: the stand-in's own bound, since Bastion's is not documented."""

Body = dict[str, Any]


def parse(raw: bytes) -> Body:
    """Return the JSON object of a body, or refuse it with 400."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("The request body is not JSON") from None
    if not isinstance(body, dict):
        raise invalid("The request body is not a JSON object")
    return body


def model(body: Body, served: tuple[str, ...], settings: StandInSettings) -> str:
    """Return the model, which must be one that the endpoint serves and that the account can call."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        raise invalid("model is required")
    if name not in served or name not in settings.models:
        raise unknown_model(settings.unknown_model_status)
    return name


def wants_stream(body: Body) -> bool:
    """Return ``stream``: a boolean, false where it is absent or null."""
    stream = body.get("stream")
    if stream is None:
        return False
    if not isinstance(stream, bool):
        raise invalid("stream is not a boolean")
    return stream


def messages(body: Body) -> list[Body]:
    """Return ``messages``: at least one object with a role."""
    value = body.get("messages")
    if not isinstance(value, list) or not value:
        raise invalid("messages is required")
    if not all(isinstance(message, dict) and isinstance(message.get("role"), str) for message in value):
        raise invalid("each of messages is an object with a role")
    return value


def strings(body: Body, name: str) -> list[str]:
    """Return a field that is a string or a list of strings, as a list of one or more."""
    value = body.get(name)
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        raise invalid(f"{name} is required: a string or a list of strings")
    if len(value) > MAX_INPUTS:
        raise invalid(f"{name} has more than {MAX_INPUTS} strings")
    return value


def response_input(body: Body) -> list[Any]:
    """Return the ``input`` of a response: a string or a list of objects, as a list of one or more."""
    value = body.get("input")
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not value or not all(isinstance(one, dict) for one in value):
        raise invalid("input is required: a string or a list of items")
    return value


def limit(body: Body, name: str) -> int | None:
    """Return a positive whole number, or ``None`` for anything else: such fields are passed through unchecked."""
    value = body.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None
