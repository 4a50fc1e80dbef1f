"""What people write: reasons, summaries and links. Each rule returns why not, in words; empty means it may be saved."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from .marking import gettext_noop
from .spoken import number

LEAST_REASON_LETTERS = 15
KEY_IN_TEXT = gettext_noop(
    "This holds what looks like a key. Leave it out, and replace that key: it has travelled through a form."
)
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
        return [
            _("Say why in a sentence that others can judge: at least {least_reason_letters} letters.").format(
                least_reason_letters=LEAST_REASON_LETTERS
            )
        ]
    return unkept(reason)


def summary_refusals(summary: str) -> list[str]:
    """Return why this does not say what was seen."""
    if len(re.sub(r"\W", "", summary)) < 5:
        return [_("Say in a few words what you saw or did, so that others can judge it.")]
    return unkept(summary)


def comment_refusals(text: str) -> list[str]:
    """Return why this cannot be kept as a comment."""
    return unkept(text) if text.strip() else [_("Write something first.")]


def unkept(text: str) -> list[str]:
    """Return why a text is too long to keep, or must not be kept at all."""
    if holds_key(text):
        return [_(KEY_IN_TEXT)]
    if len(text) > MOST_TEXT:
        return [
            _("This is {text} characters long; at most {most_text} are kept. Put the rest behind a link.").format(
                text=number(len(text)), most_text=number(MOST_TEXT)
            )
        ]
    return []


def link_refusals(link: str) -> list[str]:
    """Return why this cannot be kept as a link to evidence: only http and https addresses can."""
    if holds_key(link):
        return [_(KEY_IN_TEXT)]
    if len(link) > MOST_LINK:
        return [
            _("This link is longer than {most_link} characters. Use a shorter address.").format(most_link=MOST_LINK)
        ]
    if re.search(r"[\x00-\x20\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", link):
        return [
            _("“{short}” has a space or a control character in it. Paste the address alone, one on each line.").format(
                short=_short(link)
            )
        ]
    try:
        parts = urlsplit(link)
        host = parts.hostname
    except ValueError:
        host, parts = None, None
    if parts is None or parts.scheme.lower() not in ("http", "https") or not host:
        return [
            _("“{short}” is not a link that can be kept. Give an address that begins with https:// or http://.").format(
                short=_short(link)
            )
        ]
    if parts.username is not None or parts.password is not None:
        return [_("This link carries a user name or password. Give the address without them.")]
    return []


def links_refusals(links: Sequence[str]) -> list[str]:
    """Return why these links cannot be kept together."""
    if len(links) > MOST_LINKS:
        return [
            _("At most {most_links} links are kept with one tick; these are {links}.").format(
                most_links=MOST_LINKS, links=len(links)
            )
        ]
    return [refusal for link in links for refusal in link_refusals(link)]


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"
