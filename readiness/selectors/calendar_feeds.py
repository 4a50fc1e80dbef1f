"""Calendar addresses: the one whose token is shown, and those that concern a person."""

from dataclasses import dataclass

from django.db.models import OuterRef, Q, Subquery
from django.utils.crypto import constant_time_compare

from readiness.models import CalendarFeed, Membership, Team, User
from readiness.rules.tokens import digest_of, prefix_of

from .tokens import NOBODYS


def feed_shown(text: str) -> CalendarFeed | None:
    """Return the address that a token belongs to, where it works; None for every other. Two queries at most.

    One that is unknown is compared as well, so that the answer takes as long.
    """
    prefix = prefix_of(text)
    feeds = CalendarFeed.objects.select_related("team", "made_by")
    found = feeds.filter(prefix=prefix).first() if prefix else None
    if not constant_time_compare(digest_of(text), found.digest if found else NOBODYS) or found is None:
        return None
    return found if _works(found) else None


def _works(feed: CalendarFeed) -> bool:
    if feed.revoked_at is not None or not feed.made_by.is_active:
        return False
    return feed.team_id is None or Membership.objects.filter(user=feed.made_by_id, team=feed.team_id).exists()


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamFeeds:
    """A team of a person with the addresses of its calendar that work: their ``own``, and those of others."""

    team: Team
    own: CalendarFeed | None
    others: list[CalendarFeed]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeds:
    """The addresses that concern a person: that of their own calendar, and those of their teams."""

    own: CalendarFeed | None
    teams: list[TeamFeeds]


def feeds_of(user: User) -> Feeds:
    """Return the addresses that concern a person. Two queries."""
    teams = list(Team.objects.filter(pk__in=user.actor.teams))
    works = Membership.objects.filter(user=OuterRef("made_by"), team=OuterRef("team")).values("pk")[:1]
    found = list(
        CalendarFeed.objects.filter(revoked_at=None, made_by__is_active=True)
        .filter(Q(made_by=user, team=None) | Q(team__in=teams))
        .annotate(member=Subquery(works))
        .filter(Q(team=None) | Q(member__isnull=False))
        .select_related("made_by")
    )
    return Feeds(
        own=next((one for one in found if one.team_id is None), None),
        teams=[
            TeamFeeds(
                team=team,
                own=next((one for one in found if one.team_id == team.pk and one.made_by_id == user.pk), None),
                others=[one for one in found if one.team_id == team.pk and one.made_by_id != user.pk],
            )
            for team in teams
        ],
    )


def standing_feed(user: User, team: Team | None) -> CalendarFeed | None:
    """Return the address that somebody made last for a calendar and nobody revoked. One query."""
    return CalendarFeed.objects.filter(made_by=user, team=team, revoked_at=None).first()
