"""The endpoints that complete text and list models: one function each, from a body to an answer.

``responses`` has a file of its own. Ids are opaque: their form is the stand-in's own. Tokens are counted as words.
"""

import base64
import hashlib
import re
import secrets
import struct
from collections.abc import Iterator
from typing import Any

from checks.standin import fields
from checks.standin.catalogue import CHAT_MODELS, EMBEDDING_MODELS
from checks.standin.errors import invalid
from checks.standin.fields import Body
from checks.standin.settings import StandInSettings
from checks.standin.stream import DONE, event

Answer = dict[str, Any] | Iterator[bytes]
"""A JSON object, or the events of a stream."""

DIMENSIONS = 1024
"""Documented for bge-m3; the others' is said to vary, and is the same here."""

MAX_DIMENSIONS = 4096


def reply_pieces(settings: StandInSettings, max_tokens: int | None) -> tuple[list[str], str]:
    """Return the reply cut before its spaces, and its finish reason: ``length`` where ``max_tokens`` cut it short."""
    pieces = re.findall(r"\s*\S+", settings.reply)
    if max_tokens is not None and len(pieces) > max_tokens:
        return pieces[:max_tokens], "length"
    return pieces, "stop"


def words(values: list[Any]) -> int:
    """Count the words of some values: good enough for a usage that nobody pays for."""
    return sum(len(str(value).split()) for value in values)


def usage(prompt_tokens: int, completion_tokens: int) -> dict[str, int]:
    """Return a ``TokenUsage``."""
    return {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": completion_tokens,
        "total_tokens": prompt_tokens + completion_tokens,
    }


def models(_body: Body, settings: StandInSettings, _created: int) -> Answer:
    """``GET /v1/models``. ``created`` and ``owned_by`` are optional in the documented shape, and are not sent."""
    return {"object": "list", "data": [{"id": name, "object": "model"} for name in settings.models]}


def chat_completions(body: Body, settings: StandInSettings, created: int) -> Answer:
    """``POST /v1/chat/completions``. ``max_tokens`` cuts the reply; every other optional field is passed over."""
    model = fields.model(body, CHAT_MODELS, settings)
    asked = [message.get("content", "") for message in fields.messages(body)]
    pieces, finish_reason = reply_pieces(settings, fields.limit(body, "max_tokens"))
    spent = usage(words(asked), len(pieces))
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "object": "chat.completion", "created": created, "model": model}
    if fields.wants_stream(body):
        chunk = head | {"object": "chat.completion.chunk"}
        return _chat_events(chunk, pieces, finish_reason, spent if settings.stream_usage else None)
    message = {"role": "assistant", "content": "".join(pieces)}
    choice = {"index": 0, "message": message, "finish_reason": finish_reason}
    return head | {"choices": [choice], "usage": spent}


def _chat_events(
    head: dict[str, Any], pieces: list[str], finish_reason: str, spent: dict[str, int] | None
) -> Iterator[bytes]:
    """Yield chunks; ``finish_reason`` is null until the last one, which alone has a usage."""
    for piece in pieces:
        yield event(head | {"choices": [{"index": 0, "delta": {"content": piece}, "finish_reason": None}]})
    last = head | {"choices": [{"index": 0, "delta": {}, "finish_reason": finish_reason}]}
    yield event(last if spent is None else last | {"usage": spent})
    yield DONE


def completions(body: Body, settings: StandInSettings, created: int) -> Answer:
    """``POST /v1/completions``: one choice for each prompt. The documented part is ``choices[].text`` alone."""
    model = fields.model(body, CHAT_MODELS, settings)
    prompts = fields.strings(body, "prompt")
    pieces, finish_reason = reply_pieces(settings, fields.limit(body, "max_tokens"))
    spent = usage(words(prompts), len(pieces) * len(prompts))
    head = {"id": f"cmpl-{secrets.token_hex(12)}", "object": "text_completion", "created": created, "model": model}
    if fields.wants_stream(body):
        return _text_events(head, len(prompts), pieces, finish_reason, spent if settings.stream_usage else None)
    text = "".join(pieces)
    choices = [{"index": index, "text": text, "finish_reason": finish_reason} for index in range(len(prompts))]
    return head | {"choices": choices, "usage": spent}


def _text_events(
    head: dict[str, Any], choices: int, pieces: list[str], finish_reason: str, spent: dict[str, int] | None
) -> Iterator[bytes]:
    """Yield the choices one after the other; the last chunk of the last one has the usage."""
    for index in range(choices):
        for piece in pieces:
            yield event(head | {"choices": [{"index": index, "text": piece, "finish_reason": None}]})
        last = head | {"choices": [{"index": index, "text": "", "finish_reason": finish_reason}]}
        yield event(last | {"usage": spent} if spent is not None and index == choices - 1 else last)
    yield DONE


def embeddings(body: Body, settings: StandInSettings, _created: int) -> Answer:
    """``POST /v1/embeddings``: numbers that depend on the input alone, as a list or, when asked, in base64.

    Raises the refusal for ``dimensions`` above ``MAX_DIMENSIONS``, a bound of the stand-in's own.
    """
    model = fields.model(body, EMBEDDING_MODELS, settings)
    inputs = fields.strings(body, "input")
    dimensions = fields.limit(body, "dimensions") or DIMENSIONS
    if dimensions > MAX_DIMENSIONS:
        raise invalid(f"dimensions is more than {MAX_DIMENSIONS}")
    as_text = body.get("encoding_format") == "base64"
    data = [
        {"object": "embedding", "embedding": _packed(vector) if as_text else vector, "index": index}
        for index, vector in enumerate(_vector(text, dimensions) for text in inputs)
    ]
    tokens = words(inputs)
    return {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _vector(text: str, dimensions: int) -> list[float]:
    digest = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(dimensions)
    return [(byte - 128) / 128 for byte in digest]


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
