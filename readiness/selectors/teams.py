"""A team: its services, its people with what they own, and what comes up for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Count, F, Q
from django.utils import timezone

from readiness.enums.standing import Status, Verdict
from readiness.models import Checklist, Entry, Environment, Item, Service, Team, User, Waiver
from readiness.rules.waivers import WARNED

from .launches import LaunchLine, launch_lines
from .services import Load, loads
from .sheets import in_order

_EVERYBODYS_FIRST = F("team").asc(nulls_first=True)
MOST = 8
"""How many lines of one kind the page shows; the rest is counted and linked to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of the team: how many items of its services they own, and which of them are not settled."""

    person: User
    owned: int
    left: int
    overdue: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OfService:
    """One service of the team with its live environments."""

    service: Service
    lines: list[LaunchLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownerless:
    """An item that is not settled and that nobody looks after, with a sheet that shows it."""

    environment: Environment
    entry: Entry
    item: Item


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPage:
    """What the page shows of a team at an instant. Of ``waivers`` and ``ownerless`` the first are drawn."""

    services: list[OfService]
    members: list[Member]
    ownerless: list[Ownerless]
    launches: list[LaunchLine]
    waivers: list[Waiver]
    checklists: list[Checklist]
    figures: dict[Verdict, int]
    items: int
    settled: int
    verified: int

    @property
    def environments(self) -> int:
        """How many live environments it has."""
        return sum(len(one.lines) for one in self.services)

    @property
    def settled_percent(self) -> int:
        """Share of items settled, in percent, rounded down."""
        return self.settled * 100 // self.items if self.items else 0


def team_page(team: Team, at: datetime) -> TeamPage:
    """Return a team at an instant. Twenty-two queries at most, whatever it has."""
    services = list(Service.objects.filter(team=team, archived_at=None))
    live = Environment.objects.filter(service__in=services, archived_at=None)
    environments = in_order(live.select_related("service__team", "billing_source"))
    found = launch_lines(environments, at)
    people = list(User.objects.filter(memberships__team=team, is_active=True))
    ordered = [found[one.pk] for one in environments]
    tallies = [line.tally for line in ordered if line.tally is not None]
    by_launch = sorted(ordered, key=lambda line: line.environment.launch_on or date.max)
    return TeamPage(
        services=[
            OfService(service=one, lines=[line for line in ordered if line.environment.service_id == one.pk])
            for one in services
        ],
        members=_members(team, people, ordered, at),
        ownerless=_ownerless(by_launch, {person.pk for person in people}),
        launches=[line for line in by_launch if line.at_launch is not None],
        waivers=list(_ending(team, at)),
        checklists=list(Checklist.objects.filter(Q(team=None) | Q(team=team)).order_by(_EVERYBODYS_FIRST, "slug")),
        figures={verdict: sum(tally.verdict == verdict for tally in tallies) for verdict in Verdict},
        items=sum(tally.total for tally in tallies),
        settled=sum(tally.settled for tally in tallies),
        verified=sum(tally.counts[Status.VERIFIED] for tally in tallies),
    )


def _members(team: Team, people: Sequence[User], found: Sequence[LaunchLine], at: datetime) -> list[Member]:
    """Return the people of a team, whoever has most to do first. One query."""
    today = timezone.localdate(at)
    asked = Item.objects.filter(service__team=team, service__archived_at=None, entry__retired_at=None)
    asked = asked.filter(Q(environment=None) | Q(environment__archived_at=None), owner__in=people)
    owned = dict(asked.order_by().values_list("owner").annotate(count=Count("pk")))
    left: dict[int, Load] = {load.person.pk: load for load in loads(found, ()) if load.person is not None}
    late = {one.item.pk for line in found for one in line.left if one.item.due_on and one.item.due_on < today}
    members = [
        Member(
            person=person,
            owned=owned.get(person.pk, 0),
            left=left[person.pk].count if person.pk in left else 0,
            overdue=len(left[person.pk].items & late) if person.pk in left else 0,
        )
        for person in people
    ]
    return sorted(members, key=lambda member: (-member.left, str(member.person)))


def _ownerless(found: Sequence[LaunchLine], here: set[int]) -> list[Ownerless]:
    items: dict[int, Ownerless] = {}
    for line in found:
        for left in line.left:
            if left.item.owner_id not in here:
                one = Ownerless(environment=line.environment, entry=left.entry, item=left.item)
                items.setdefault(left.item.pk, one)
    return list(items.values())


def _ending(team: Team, at: datetime) -> list[Waiver]:
    """Return the waivers that hold and end within a week, the next end first."""
    within = at + max(WARNED.values())
    rows = Waiver.objects.filter(granted=True, ended_at=None, until__gt=at, until__lte=within)
    rows = rows.filter(item__service__team=team, item__service__archived_at=None, item__entry__retired_at=None)
    rows = rows.filter(Q(item__environment=None) | Q(item__environment__archived_at=None))
    return list(rows.select_related("item__entry", "item__service", "item__environment").order_by("until", "pk"))
