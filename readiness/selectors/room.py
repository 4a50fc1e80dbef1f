"""Who is in the room of a review."""

from dataclasses import dataclass
from datetime import datetime

from readiness.models import Presence, Review, User
from readiness.rules.meetings import InRoom


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """Who is there, who was there and is not heard of any more, and who is expected and did not come yet."""

    here: list[User]
    away: list[User]
    expected: list[User]
    quorum: int | None

    @property
    def token(self) -> str:
        """A short text that changes whenever somebody comes, goes, or is not heard of any more."""
        return ".".join(str(one.pk) for one in self.here)


def presences(review: Review) -> list[Presence]:
    """Return who came, in that order, whether or not they left. One query."""
    return list(Presence.objects.filter(review=review).select_related("user"))


def people_here(review: Review, at: datetime) -> list[User]:
    """Return who is in the room at an instant, in the order in which they came. One query."""
    return [one.user for one in presences(review) if is_here(one, at)]


def is_here(one: Presence, at: datetime) -> bool:
    """Return whether somebody who came is in the room at an instant. Who can sign in no more is in none."""
    return one.user.is_active and InRoom(seen_at=one.seen_at, named=one.named, gone_at=one.gone_at).here_at(at)


def room_of(review: Review, at: datetime) -> Room:
    """Return who is in the room of a review. Two queries. Once it is closed, whoever was in it."""
    came = presences(review)
    known = {one.user_id for one in came}
    expected = [one for one in review.attendees.order_by("first_name", "username") if one.pk not in known]
    over, stayed = review.closed_at is not None, [one for one in came if one.gone_at is None]
    return Room(
        here=[one.user for one in stayed if over or is_here(one, at)],
        away=[one.user for one in stayed if not over and not is_here(one, at)],
        expected=expected,
        quorum=review.quorum,
    )
