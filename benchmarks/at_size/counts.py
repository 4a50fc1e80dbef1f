"""What is counted a day, and what people remark: plausible, and followed by nothing."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from random import Random

from readiness.models import Comment, DayCount, Item
from readiness.rules.status import status_at

from .world import World

DAYS = 60


def day_counts(made: World, items: Sequence[Item]) -> Iterator[DayCount]:
    """Yield what each sheet counted on each of the last days: it grew evenly to what it is now."""
    now = made.size.now
    sheets: dict[int, list[Item]] = {environment.pk: [] for environment in made.environments}
    for item in items:
        for place in (
            [item.environment_id] if item.environment_id else range(item.service_id * 3 - 2, item.service_id * 3 + 1)
        ):
            sheets[place].append(item)
    key = 0
    for environment in made.environments:
        found = [status_at(item.facts, now) for item in sheets[environment.pk]]
        settled, verified = sum(one.settled for one in found), sum(one == "verified" for one in found)
        for back in range(DAYS):
            key, share = key + 1, (DAYS - back / 2) / DAYS
            at = (now - timedelta(days=back)).replace(hour=0, minute=0, second=0)
            yield DayCount(
                pk=key,
                environment=environment,
                day=at.date(),
                at=at,
                items=len(found),
                settled=int(settled * share),
                verified=int(min(verified, settled) * share),
            )


def comments(made: World, items: Sequence[Item], random: Random) -> Iterator[Comment]:
    """Yield a remark on every tenth item."""
    for key, item in enumerate(items[::10], start=1):
        by, at = (
            random.choice(made.members(item.service.team_id)),
            made.size.now - timedelta(hours=random.randint(1, 300)),
        )
        yield Comment(pk=key, item=item, by=by, text="Who looks at this before the launch?", at=at)
