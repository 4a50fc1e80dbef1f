"""What a set-up is, and what the probe must say of it."""

from dataclasses import dataclass

from readiness.enums.words import Judgement

PASS, FAIL, UNSURE = Judgement.PASS, Judgement.FAIL, Judgement.INCONCLUSIVE
OUTCOMES = {
    "streamed": PASS,
    "streamed-late": PASS,
    "held-to-the-end": FAIL,
    "held-in-pages": FAIL,
    "held-by-one": FAIL,
    "cut-early": UNSURE,
    "padded": UNSURE,
    "replayed-only": UNSURE,
    "uncompressed": PASS,
    "compressed": FAIL,
    "fresh": PASS,
    "replayed": FAIL,
    "cache-hinted": UNSURE,
}
"""The judgement that belongs to each message a set-up can lead to."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One set-up: a name, its configuration, the route behind it, and the message of each clause.

    ``config`` is in the language of the proxy. ``closing`` picks the origin that ends bodies by closing the connection.
    """

    name: str
    config: str = ""
    route: str = "plain"
    closing: bool = False
    held: str = "streamed"
    compressed: str = "uncompressed"
    cached: str = "fresh"
    behind: str = ""
    """The row that stands between this one and the origin."""

    @property
    def says(self) -> tuple[tuple[Judgement, str], ...]:
        """Return judgement and message for the three clauses: held, compressed, cached."""
        return tuple((OUTCOMES[message], message) for message in (self.held, self.compressed, self.cached))
