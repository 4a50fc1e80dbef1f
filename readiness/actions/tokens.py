"""API tokens: made and revoked by admins, used by programs."""

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from string import ascii_lowercase

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from readiness.models import ApiToken, Team, User
from readiness.rules import tokens as rules
from readiness.rules.permissions import insist, keep_tokens_refusals
from readiness.rules.waivers import end_of_day
from readiness.selectors.tokens import working_prefix

from . import ledger


def new_text() -> tuple[str, str]:
    """Return a prefix and the text of a token that nobody can guess."""
    prefix = "".join(secrets.choice(ascii_lowercase) for _ in range(rules.PREFIX_LETTERS))
    return prefix, rules.spelled(prefix, secrets.token_bytes(rules.SECRET_BYTES))


@transaction.atomic
def make_token(
    *, by: User, name: str, scopes: Sequence[str], team: Team | None, last_day: date, now: datetime
) -> tuple[ApiToken, str]:
    """Make a token that works to the end of a day; return it with its text, which is told here and never again.

    Without a team it speaks of every team's services.
    """
    zone = timezone.get_current_timezone()
    insist(keep_tokens_refusals(by.actor))
    insist(rules.name_refusals(name) + rules.kept_scopes_refusals(scopes))
    insist(rules.last_day_refusals(last_day, now=now, zone=zone))
    insist(rules.same_name_refusals(working_prefix(name, now)))
    prefix, text = new_text()
    token = ApiToken.objects.create(
        name=name,
        prefix=prefix,
        digest=rules.digest_of(text),
        scopes=sorted(set(scopes)),
        team=team,
        created_by=by,
        created_at=now,
        expires_at=end_of_day(last_day, zone),
    )
    data = {
        "token": token.pk,
        "name": name,
        "prefix": prefix,
        "scopes": token.scopes,
        "team": team.slug if team else None,
        "expires_at": token.expires_at.isoformat(),
    }
    ledger.record("token.made", by=by, at=now, data=data)
    return token, text


@transaction.atomic
def revoke_token(*, by: User, token_id: int, now: datetime) -> ApiToken:
    """Revoke a token: from this instant on it lets nobody in."""
    insist(keep_tokens_refusals(by.actor))
    token = ApiToken.objects.select_for_update(no_key=True).get(pk=token_id)
    insist(rules.revoke_refusals(expires_at=token.expires_at, revoked_at=token.revoked_at, at=now))
    token.revoked_by, token.revoked_at = by, now
    token.save(update_fields=["revoked_by", "revoked_at"])
    data = {"token": token.pk, "name": token.name, "prefix": token.prefix}
    ledger.record("token.revoked", by=by, at=now, data=data)
    return token


def note_use(*, token: ApiToken, now: datetime) -> None:
    """Keep when a token was last used, to the minute: most calls write nothing. It is no event."""
    stale = now - rules.USED_EVERY
    if token.last_used_at is not None and token.last_used_at > stale:
        return
    older = Q(last_used_at=None) | Q(last_used_at__lte=stale)
    ApiToken.objects.filter(older, pk=token.pk).update(last_used_at=now)
