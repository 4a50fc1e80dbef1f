"""``POST /v1/responses``. Documented: the fields asked for, ``store: false``, nine models, and that a stream is SSE.

The JSON of an answer and the names of its events are on the part of the page that could not be read. What is here is
the least that OpenAI-compatible SDKs parse, inferred from them: ``event:`` lines, and no ``[DONE]`` at the end.
"""

import secrets
from collections.abc import Iterator
from itertools import count
from typing import Any

from checks.standin import fields
from checks.standin.catalogue import RESPONSES_MODELS
from checks.standin.endpoints import Answer, reply_pieces, words
from checks.standin.errors import UPSTREAM, Refusal
from checks.standin.fields import Body
from checks.standin.settings import StandInSettings
from checks.standin.stream import event

Json = dict[str, Any]


def responses(body: Body, settings: StandInSettings, created: int) -> Answer:
    """Answer with the reply, or 502 ``upstream_error`` unless ``store`` is false: the upstream rejects stateful use."""
    model = fields.model(body, RESPONSES_MODELS, settings)
    asked = fields.response_input(body)
    streamed = fields.wants_stream(body)
    if body.get("store") is not False:
        raise Refusal(UPSTREAM)
    pieces, finish_reason = reply_pieces(settings, fields.limit(body, "max_output_tokens"))
    begun = {
        "id": f"resp_{secrets.token_hex(12)}",
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "model": model,
        "output": [],
    }
    item = {"id": f"msg_{secrets.token_hex(12)}", "type": "message", "role": "assistant"}
    ended = _ended(begun, item, pieces, finish_reason, words(asked))
    return _events(begun, item, pieces, ended) if streamed else ended


def _part(text: str) -> Json:
    return {"type": "output_text", "text": text, "annotations": []}


def _ended(begun: Json, item: Json, pieces: list[str], finish_reason: str, input_tokens: int) -> Json:
    status = "completed" if finish_reason == "stop" else "incomplete"
    spent = {
        "input_tokens": input_tokens,
        "output_tokens": len(pieces),
        "total_tokens": input_tokens + len(pieces),
    }
    message = item | {"status": status, "content": [_part("".join(pieces))]}
    ended = begun | {"status": status, "output": [message], "usage": spent}
    return ended if status == "completed" else ended | {"incomplete_details": {"reason": "max_output_tokens"}}


def _events(begun: Json, item: Json, pieces: list[str], ended: Json) -> Iterator[bytes]:
    numbers = count()

    def named(name: str, **rest: Any) -> bytes:
        return event({"type": name, "sequence_number": next(numbers), **rest}, name=name)

    message = ended["output"][0]
    part = message["content"][0]
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    yield named("response.created", response=begun)
    yield named("response.output_item.added", output_index=0, item=item | {"status": "in_progress", "content": []})
    yield named("response.content_part.added", **at, part=_part(""))
    for piece in pieces:
        yield named("response.output_text.delta", **at, delta=piece)
    yield named("response.output_text.done", **at, text=part["text"])
    yield named("response.content_part.done", **at, part=part)
    yield named("response.output_item.done", output_index=0, item=message)
    yield named(f"response.{ended['status']}", response=ended)
