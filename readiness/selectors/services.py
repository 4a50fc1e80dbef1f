"""A service with its environments: how each stands and will stand, what is left in it, who has to do with that."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from readiness.enums.standing import Status
from readiness.models import Service, User

from .histories import OBSERVED_AGAIN, Line, lines
from .launches import LaunchLine, launch_lines
from .sheets import in_order

NEWS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Who owns unsettled items, by the keys of these: a person, or nobody. ``here``: in the team, and active."""

    person: User | None
    here: bool
    items: frozenset[int]

    @property
    def count(self) -> int:
        """How many items."""
        return len(self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServicePage:
    """What the page shows of a service at an instant."""

    lines: list[LaunchLine]
    loads: list[Load]
    happened: list[Line]

    @property
    def left(self) -> int:
        """How many items are not settled; one that several sheets show counts once."""
        return sum(load.count for load in self.loads)


def service_page(service: Service, at: datetime) -> ServicePage:
    """Return a service's live environments as they stand, and what is left. Twenty queries at most, however many."""
    live = service.environments.filter(archived_at=None, service__archived_at=None)
    environments = in_order(live.select_related("service__team", "billing_source"))
    found = launch_lines(environments, at)
    members = set(User.objects.filter(memberships__team=service.team_id, is_active=True).values_list("pk", flat=True))
    news = service.events.exclude(kind=OBSERVED_AGAIN).order_by("-id")
    ordered = [_worst_first(found[one.pk]) for one in environments]
    return ServicePage(lines=ordered, loads=loads(ordered, members), happened=lines(news[:NEWS]))


def _worst_first(line: LaunchLine) -> LaunchLine:
    """Return a line whose failing items stand before the others that are left."""
    return replace(line, left=sorted(line.left, key=lambda left: left.status is not Status.FAILING))


def loads(found: Iterable[LaunchLine], members: Iterable[int]) -> list[Load]:
    """Return who owns what is not settled, whoever has most first, and nobody last. ``members`` are active."""
    here = set(members)
    people: dict[int | None, User | None] = {}
    owned: dict[int | None, set[int]] = {}
    for line in found:
        for left in line.left:
            key = left.item.owner_id
            people[key] = left.item.owner
            owned.setdefault(key, set()).add(left.item.pk)
    every = [Load(person=people[key], here=key in here, items=frozenset(items)) for key, items in owned.items()]
    return sorted(every, key=lambda load: (load.person is None, -load.count, str(load.person)))
