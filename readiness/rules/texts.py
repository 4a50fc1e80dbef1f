"""What people write: reasons, summaries and links. Each rule returns why not, in words; empty means it may be saved."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

LEAST_REASON_LETTERS = 15
KEY_IN_TEXT = "This holds what looks like a key. Leave it out, and replace that key: it has travelled through a form."
_KEY_LIKE = re.compile(r"(qbt_|rdy_[a-z]{8}_)[A-Za-z0-9_-]{8,}")
MOST_TEXT = 4000
MOST_LINKS = 10
MOST_LINK = 1000


def holds_key(text: str) -> bool:
    """Return whether a text holds what looks like a Bastion key (qbt_...) or one of our own tokens (rdy_...)."""
    return _KEY_LIKE.search(text) is not None


def without_keys(text: str) -> str:
    """Return the text with what looks like a key made unreadable, to be shown again."""
    return _KEY_LIKE.sub(r"\1…", text)


def reason_refusals(reason: str) -> list[str]:
    """Return why this is not a reason that a reviewer could judge."""
    if len(re.sub(r"\W", "", reason)) < LEAST_REASON_LETTERS:
        return [f"Say why in a sentence that others can judge: at least {LEAST_REASON_LETTERS} letters."]
    return unkept(reason)


def summary_refusals(summary: str) -> list[str]:
    """Return why this does not say what was seen."""
    if len(re.sub(r"\W", "", summary)) < 5:
        return ["Say in a few words what you saw or did, so that others can judge it."]
    return unkept(summary)


def comment_refusals(text: str) -> list[str]:
    """Return why this cannot be kept as a comment."""
    return unkept(text) if text.strip() else ["Write something first."]


def unkept(text: str) -> list[str]:
    """Return why a text is too long to keep, or must not be kept at all."""
    if holds_key(text):
        return [KEY_IN_TEXT]
    if len(text) > MOST_TEXT:
        return [f"This is {len(text):,} characters long; at most {MOST_TEXT:,} are kept. Put the rest behind a link."]
    return []


def link_refusals(link: str) -> list[str]:
    """Return why this cannot be kept as a link to evidence: only http and https addresses can."""
    if holds_key(link):
        return [KEY_IN_TEXT]
    if len(link) > MOST_LINK:
        return [f"This link is longer than {MOST_LINK} characters. Use a shorter address."]
    if re.search(r"[\x00-\x20\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", link):
        return [
            f"“{_short(link)}” has a space or a control character in it. Paste the address alone, one on each line."
        ]
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        host, parts = None, None
    if parts is None or parts.scheme.lower() not in ("http", "https") or not host:
        return [
            f"“{_short(link)}” is not a link that can be kept. Give an address that begins with https:// or http://."
        ]
    if parts.username is not None or parts.password is not None:
        return ["This link carries a user name or password. Give the address without them."]
    return []


def links_refusals(links: Sequence[str]) -> list[str]:
    """Return why these links cannot be kept together."""
    if len(links) > MOST_LINKS:
        return [f"At most {MOST_LINKS} links are kept with one tick; these are {len(links)}."]
    return [refusal for link in links for refusal in link_refusals(link)]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
