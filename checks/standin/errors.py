"""The error envelope, ``{"error": {"message", "type", "code"}}``, and what stands in it for each status.

Documented: the envelope, its four types, its seven codes, and the whole 401 body. Which code goes with which type and
status is inferred for the rest. No page names a code for 404 (a path), 413, 500 and 504, so none is sent there. All
messages but the 401's are the stand-in's own, and repeat nothing of the request.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it is answered. ``code`` is left out of the envelope where it is empty."""

    status: int
    type: str
    code: str
    message: str

    def envelope(self) -> dict[str, Any]:
        """Return the JSON body."""
        error = {"message": self.message, "type": self.type}
        if self.code:
            error["code"] = self.code
        return {"error": error}


class Refusal(Exception):
    """Ends the work on a request with a failure."""

    def __init__(self, failure: Failure) -> None:
        """Keep the failure to answer with."""
        super().__init__(failure.message)
        self.failure = failure


INVALID_KEY = Failure(401, "invalid_request_error", "invalid_api_key", "Invalid API key")
NO_BALANCE = Failure(402, "insufficient_quota", "insufficient_funds", "Insufficient funds")
NO_SUCH_PATH = Failure(404, "invalid_request_error", "", "Not found")
TOO_LARGE = Failure(413, "invalid_request_error", "", "Request body too large")
UPSTREAM = Failure(502, "api_error", "upstream_error", "Upstream error")

FAILURES: dict[int, Failure] = {
    failure.status: failure
    for failure in (
        Failure(400, "invalid_request_error", "invalid_request", "Invalid request"),
        INVALID_KEY,
        NO_BALANCE,
        NO_SUCH_PATH,
        TOO_LARGE,
        Failure(429, "rate_limit_error", "rate_limit_exceeded", "Rate limit exceeded"),
        Failure(500, "api_error", "", "Internal error"),
        UPSTREAM,
        Failure(503, "api_error", "service_unavailable", "Service unavailable"),
        Failure(504, "api_error", "", "Gateway timeout"),
    )
}
"""One failure for each status that a fault plan can ask for."""


def invalid(message: str) -> Refusal:
    """Return the refusal of a request that does not validate: 400 ``invalid_request``."""
    return Refusal(Failure(400, "invalid_request_error", "invalid_request", message))


def unknown_model(status: int) -> Refusal:
    """Return the refusal of a model that does not exist or not here: ``model_not_found`` with 400 or 404."""
    return Refusal(Failure(status, "invalid_request_error", "model_not_found", "Model not found"))
