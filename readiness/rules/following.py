"""What open pages are told of the ledger, as server-sent events (the HTML standard, section 9.2)."""

import json
from dataclasses import dataclass

CHANNEL = "readiness_moved"
"""What a writer notifies on PostgreSQL, in the transaction of its event, and each web process listens to."""

RELOAD = "reload"
"""The kind of the message that stands for all that was missed. No event of the ledger has this kind."""

BEAT = ": still here\n\n"
"""A comment, which readers pass over: it keeps proxies from closing a quiet stream, and finds readers that left."""

RETRY_MS = 2_000
"""How long a browser waits before it connects again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """One event of the ledger as pages need it: where, and of which kind. Neither who nor what: pages ask for that."""

    id: int
    kind: str
    service: str | None
    environment: str | None

    @property
    def message(self) -> str:
        """The message of a stream."""
        data = {"service": self.service, "environment": self.environment, "kind": self.kind}
        return f"id: {self.id}\ndata: {json.dumps(data)}\n\n"


def opening(last: int) -> str:
    """Return how a stream begins: the event that its reader knows, which makes no message."""
    return f"retry: {RETRY_MS}\nid: {last}\n\n: following\n\n"


def reload(newest: int) -> str:
    """Return the one message for a reader who is too far behind: everything may have moved."""
    return Moved(id=newest, kind=RELOAD, service=None, environment=None).message
