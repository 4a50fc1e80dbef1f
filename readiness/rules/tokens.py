"""API tokens: how they read, how long they work, and what they may speak of. Pure; the clock is passed in."""

import hashlib
import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta, tzinfo

from django.utils.translation import gettext as _

from readiness.enums.words import TokenScope

from .spoken import long_day
from .texts import unkept
from .waivers import end_of_day

PREFIX_LETTERS = 8
SECRET_BYTES = 32
_TOKEN = re.compile(rf"rdy_([a-z]{{{PREFIX_LETTERS}}})_[0-9a-f]{{{2 * SECRET_BYTES}}}", re.ASCII)

MOST_DAYS = 366
"""A token works at most this many days: each is looked at again once a year."""

USUAL_DAYS = 90
"""How long a token works unless somebody says otherwise."""

USED_EVERY = timedelta(minutes=1)
"""When a token was last used is kept no finer than this, so that most calls write nothing of it."""

MOST_NAME = 80
"""Longest name of a token, in characters."""


def prefix_of(token: str) -> str | None:
    """Return the part of a token by which it is found; None where this is no token at all."""
    found = _TOKEN.fullmatch(token)
    return found[1] if found else None


def spelled(prefix: str, secret: bytes) -> str:
    """Return a token as it is shown, once: ``rdy_<prefix>_<secret>``."""
    return f"rdy_{prefix}_{secret.hex()}"


def digest_of(token: str) -> str:
    """Return what is kept of a token. It holds 256 random bits, so a plain SHA-256 cannot be searched."""
    return hashlib.sha256(token.encode()).hexdigest()


def team_refusals(token_team_id: int | None, *, team_id: int, team: str) -> list[str]:
    """Return why a token may not speak of that team's services; without a team of its own it may of all."""
    if token_team_id in (None, team_id):
        return []
    return [
        _("This token speaks of another team's services, not of {team}'s. Ask an admin for one that does.").format(
            team=team
        )
    ]


def scope_refusals(scopes: Sequence[str], *, needed: TokenScope) -> list[str]:
    """Return why a token with these scopes may not do what needs another one."""
    if needed in scopes:
        return []
    return [_("This token lacks the scope {needed}. Ask an admin for one that has it.").format(needed=needed)]


def name_refusals(name: str) -> list[str]:
    """Return why this does not name the program that a token is for."""
    if not name.strip() or not name.isprintable():
        return [_("Name the program that will use it, in one line: CI payments.")]
    if len(name) > MOST_NAME:
        return [_("A name has at most {most_name} characters.").format(most_name=MOST_NAME)]
    return unkept(name)


def same_name_refusals(prefix: str | None) -> list[str]:
    """Return why no second token of a name is made; ``prefix`` is that of one which works, None where there is none.

    A page that showed a new token and is loaded again sends its form again.
    """
    if prefix is None:
        return []
    return [
        _("A token of this name works already: rdy_{prefix}_…. Revoke it first, or choose another name.").format(
            prefix=prefix
        )
    ]


def may_words(scopes: Sequence[str]) -> str:
    """Return what these scopes let a program do, in words; one that is known no more stands for itself."""
    labels = {scope: str(label) for scope, label in TokenScope.choices}
    words = ", ".join(labels.get(scope, scope) for scope in scopes)
    return words[:1].lower() + words[1:]


def kept_scopes_refusals(scopes: Sequence[str]) -> list[str]:
    """Return why a token may not be made with these scopes."""
    if not scopes or not set(scopes) <= set(TokenScope.values):
        return [_("Choose what the token may do: at least one of the scopes.")]
    return []


def last_day(now: datetime, zone: tzinfo) -> date:
    """Return the last day that a token may be made for, in the site's time zone: today counts."""
    last = now.astimezone(zone).date() + timedelta(days=MOST_DAYS - 1)
    return last if end_of_day(last, zone) - now <= timedelta(days=MOST_DAYS) else last - timedelta(days=1)


def usual_day(now: datetime, zone: tzinfo) -> date:
    """Return the day with which a token ends unless somebody says otherwise."""
    return now.astimezone(zone).date() + timedelta(days=USUAL_DAYS)


def last_day_refusals(day: date, *, now: datetime, zone: tzinfo) -> list[str]:
    """Return why a token that is made now may not work up to the end of this day."""
    last = last_day(now, zone)
    if day < now.astimezone(zone).date():
        return [_("This day has passed. Choose an end from today to {last}.").format(last=long_day(last))]
    if day > last:
        return [
            _("A token works at most {most_days} days. Choose {last} or earlier, and make a new one then.").format(
                most_days=MOST_DAYS, last=long_day(last)
            )
        ]
    return []


def revoke_refusals(*, expires_at: datetime, revoked_at: datetime | None, at: datetime) -> list[str]:
    """Return why a token may not be revoked: it lets nobody in as it is."""
    if revoked_at is not None:
        return [_("This token is revoked already.")]
    if at >= expires_at:
        return [_("This token has ended by itself, so there is nothing to revoke.")]
    return []
