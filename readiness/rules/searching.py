"""How what was typed is compared with names. Pure: text in, a rank out."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

MOST_TEXT = 100
"""Longer texts are cut: no name here is longer, and nobody types one."""

MOST_WORDS = 6
_MARKS = re.compile(r"[\u0300-\u036f]")


class Match(IntEnum):
    """How well something matches, best first. ``ELSEWHERE`` is in the words beside its name."""

    EXACT = 0
    PREFIX = 1
    WORD = 2
    SUBSTRING = 3
    ELSEWHERE = 4


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for, folded: as a whole, and word by word. Empty where nothing was typed."""

    text: str
    words: tuple[str, ...]
    starts: tuple[re.Pattern[str], ...]

    def __bool__(self) -> bool:
        return bool(self.words)


def fold(text: str) -> str:
    """Return a text without capitals and accents: "Équipe" reads "equipe". ``selectors.folded`` says it in SQL."""
    if text.isascii():
        return text.lower()
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).lower()


def cleaned(text: str) -> str:
    """Return what was typed as it can be looked for and shown again: cut, on one line, without control characters."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text[:MOST_TEXT]).split())


def query(text: str) -> Query:
    """Return what was typed as it is compared. A slash parts words: assistant-web/prod is a place of two."""
    whole = fold(cleaned(text))
    words = tuple(dict.fromkeys(whole.replace("/", " ").split()))[:MOST_WORDS]
    return Query(whole, words, tuple(re.compile(rf"(?<![^\W_]){re.escape(word)}") for word in words))


def match(asked: Query, name: str, *others: str) -> Match | None:
    """Return how well a name matches, or else the words beside it; None where some word is in neither."""
    folded = fold(name)
    if folded == asked.text:
        return Match.EXACT
    if folded.startswith(asked.text):
        return Match.PREFIX
    if all(start.search(folded) for start in asked.starts):
        return Match.WORD
    if all(word in folded for word in asked.words):
        return Match.SUBSTRING
    beside = "\n".join((folded, *map(fold, others)))
    return Match.ELSEWHERE if others and all(word in beside for word in asked.words) else None


def parts(asked: Query, texts: Sequence[str]) -> int:
    """Return which words of a query are in some texts, as a set of bits: the first word is the lowest bit."""
    folded = "\n".join(map(fold, texts))
    return sum(1 << place for place, word in enumerate(asked.words) if word in folded)


def every_part(asked: Query) -> int:
    """Return all words of a query as ``parts`` counts them."""
    return (1 << len(asked.words)) - 1
