"""Calendar addresses: made, replaced and revoked by whom they are for."""

from datetime import datetime

from django.db import transaction

from readiness.models import CalendarFeed, Team, User
from readiness.rules.calendar_feeds import revoked_refusals, standing_refusals
from readiness.rules.permissions import insist, make_feed_refusals, revoke_feed_refusals
from readiness.rules.tokens import digest_of

from . import ledger
from .tokens import new_text


@transaction.atomic
def make_feed(*, by: User, team: Team | None, replaces: str, language: str, now: datetime) -> tuple[CalendarFeed, str]:
    """Make the address of a person's own calendar, or of their team's; return it with its token, told here alone.

    ``replaces`` is the prefix of the one that works and ends with this, empty where there is none.
    """
    insist(make_feed_refusals(by.actor, team_id=team.pk if team else None, team=team.name if team else ""))
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # Two forms sent at once take turns.
    working = CalendarFeed.objects.filter(made_by=by, team=team, revoked_at=None)
    standing = working.select_for_update(no_key=True).first()
    insist(standing_refusals(standing.prefix if standing else None, replaces))
    if standing is not None:
        standing.revoked_by, standing.revoked_at = by, now
        standing.save(update_fields=["revoked_by", "revoked_at"])
    prefix, text = new_text()
    feed = CalendarFeed.objects.create(
        prefix=prefix, digest=digest_of(text), team=team, made_by=by, made_at=now, language=language
    )
    data = {**_about(feed), "language": language, "replaces": replaces or None}
    ledger.record("calendar.made", by=by, at=now, data=data)
    return feed, text


@transaction.atomic
def revoke_feed(*, by: User, feed_id: int, now: datetime) -> CalendarFeed:
    """Revoke an address: from this instant on it gives nothing."""
    feeds = CalendarFeed.objects.select_for_update(of=("self",), no_key=True).select_related("team")
    feed = feeds.get(pk=feed_id)
    team = feed.team
    reasons = revoke_feed_refusals(
        by.actor, made_by_id=feed.made_by_id, team_id=feed.team_id, team=team.name if team else ""
    )
    insist(reasons + revoked_refusals(feed.revoked_at))
    feed.revoked_by, feed.revoked_at = by, now
    feed.save(update_fields=["revoked_by", "revoked_at"])
    ledger.record("calendar.revoked", by=by, at=now, data=_about(feed))
    return feed


def _about(feed: CalendarFeed) -> dict[str, object]:
    return {"feed": feed.pk, "prefix": feed.prefix, "team": feed.team.slug if feed.team else None}
