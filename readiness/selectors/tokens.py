"""API tokens: the one that a program shows, and all of them as people read them."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.crypto import constant_time_compare

from readiness.models import ApiToken
from readiness.rules.tokens import digest_of, may_words, prefix_of

NOBODYS = digest_of("")


def token_shown(text: str, at: datetime) -> ApiToken | None:
    """Return the token whose text a program shows, if it works at an instant; None for every other. One query.

    One that is unknown is compared as well, so that the answer takes as long.
    """
    prefix = prefix_of(text)
    found = ApiToken.objects.select_related("team").filter(prefix=prefix).first() if prefix else None
    if not constant_time_compare(digest_of(text), found.digest if found else NOBODYS) or found is None:
        return None
    return found if found.works_at(at) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLine:
    """One token in the list. ``may`` says what in words, ``state`` is works, ended or revoked."""

    token: ApiToken
    may: str
    state: str


def tokens_listed(at: datetime) -> list[TokenLine]:
    """Return every token, those that work first, the newest first among equals. One query."""
    found = ApiToken.objects.select_related("team", "created_by", "revoked_by")
    listed = [TokenLine(token=token, may=may_words(token.scopes), state=_state(token, at)) for token in found]
    return sorted(listed, key=lambda line: line.state != "works")


def _state(token: ApiToken, at: datetime) -> str:
    if token.revoked_at is not None:
        return "revoked"
    return "works" if token.works_at(at) else "ended"


def working_prefix(name: str, now: datetime) -> str | None:
    """Return the prefix of the newest token of a name that works; None where there is none. One query."""
    working = ApiToken.objects.filter(name=name, revoked_at=None, expires_at__gt=now).order_by("-pk")
    return working.values_list("prefix", flat=True).first()
