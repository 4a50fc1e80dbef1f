"""People, teams, services and environments, and the runs of each probe on each environment, as plain rows."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from readiness.models import BillingSource, Deployment, Entry, Environment, Membership, Service, Team, User

KINDS = (("staging", "staging"), ("prod", "prod"), ("prod-eu", "prod"))
"""Names and kinds of a service's environments: every entry of the Bastion checklist applies to each of them."""
EVERY = timedelta(hours=6)
AREAS = ("billing", "claims", "search", "support", "notes", "triage", "voice", "audit", "intake", "letters")
PARTS = ("assistant", "summary", "router", "index", "drafts", "batch", "gateway", "review", "export", "chat")
FIRST = ("Ada", "Noor", "Mia", "Sam", "Lena", "Priya", "Sofia", "Omar", "Jun", "Zoë", "Théo", "Ines")
LAST = ("Roy", "Chen", "Okafor", "Tremblay", "Singh", "Novak", "Haddad", "Kim", "Costa", "Weber")


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much there is. ``runs`` and ``events`` are about as many as there will be; the clock is fixed."""

    services: int
    runs: int
    events: int
    seed: int
    now: datetime

    @property
    def pairs(self) -> int:
        """How many probes look at how many environments."""
        return self.services * len(KINDS) * 3

    @property
    def each(self) -> int:
        """How many runs a probe had on an environment."""
        return max(20, -(-self.runs // self.pairs))

    @property
    def began(self) -> datetime:
        """When the first service was added: a week before the first run."""
        return self.now - self.each * EVERY - timedelta(days=7)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One probe on one environment: run 0 is the newest, and each is EVERY after the one before it.

    The newest ``failing`` runs failed, or with ``word`` "unclear" or "errored" came to nothing; the two from ``blip``
    on failed as well. ``key`` counts from 0.
    """

    key: int
    environment: Environment
    probe: str
    newest: datetime
    word: str
    failing: int
    blip: int

    def at(self, number: int) -> datetime:
        """Return when a run had looked, in whole seconds."""
        return self.newest - number * EVERY

    def outcome(self, number: int) -> str:
        """Return what came of a run: pass, fail, unclear or errored."""
        if number < self.failing:
            return self.word
        return "fail" if self.blip <= number < self.blip + 2 else "pass"


@dataclass(kw_only=True)
class World:
    """Rows that others refer to, each with its key."""

    size: Size
    users: list[User] = field(default_factory=list)
    teams: list[Team] = field(default_factory=list)
    memberships: list[Membership] = field(default_factory=list)
    services: list[Service] = field(default_factory=list)
    environments: list[Environment] = field(default_factory=list)
    deployments: list[Deployment] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    @property
    def reviewers(self) -> list[User]:
        """Who grants and decides."""
        return [user for user in self.users if user.is_reviewer]

    def members(self, team_id: int) -> list[User]:
        """Return who is in a team."""
        first = (team_id - 1) * 6
        return self.users[first : first + 6]

    def added_at(self, service: Service) -> datetime:
        """Return when a service was added: they come one by one, in the first three days."""
        return self.size.began + timedelta(days=3) * (service.pk - 1) / max(1, len(self.services))


def people(world: World) -> None:
    """Add a team for each ten services, with six members, and a dozen reviewers, an admin and five readers."""
    for number in range(max(1, world.size.services // 10)):
        name = f"{AREAS[number % 10].title()} {number // 10 + 1}"
        team = Team(pk=number + 1, slug=name.lower().replace(" ", "-"), name=name)
        world.teams.append(team)
        for _ in range(6):
            member = _person(world)
            world.memberships.append(Membership(pk=len(world.memberships) + 1, user=member, team=team))
    for _ in range(12):
        _person(world, is_reviewer=True)
    _person(world, is_staff=True, is_superuser=True)
    for _ in range(5):
        _person(world)


def _person(world: World, **columns: bool) -> User:
    number = len(world.users)
    first, last = FIRST[number % len(FIRST)], LAST[number // len(FIRST) % len(LAST)]
    name = f"person-{number + 1}"
    joined = world.size.began
    person = User(
        pk=number + 1, username=name, first_name=first, last_name=last, password="!", date_joined=joined, **columns
    )
    world.users.append(person)
    return person


def places(world: World, random: Random) -> BillingSource:
    """Add services with their environments, and the builds that these run."""
    source = BillingSource(
        pk=1,
        name="Caps",
        url="https://billing.example/caps",
        environment_expression="environments[?name=={environment}] | [0]",
        cap_expression="cap",
        currency_expression="currency",
    )
    for number in range(world.size.services):
        team = world.teams[number % len(world.teams)]
        slug = f"{AREAS[number % 10]}-{PARTS[number // 10 % 10]}" + (f"-{number // 100 + 1}" if number >= 100 else "")
        service = Service(pk=number + 1, slug=slug, team=team, description=f"Answers for {AREAS[number % 10]}.")
        world.services.append(service)
        world.environments += _environments(world, service, source, random)
    for environment in world.environments:
        world.deployments.append(
            Deployment(
                pk=len(world.deployments) + 1,
                environment=environment,
                build=environment.build,
                at=environment.build_since,
                by=world.members(environment.service.team_id)[0],
            )
        )
    return source


def _environments(world: World, service: Service, source: BillingSource, random: Random) -> Iterator[Environment]:
    added = world.size.began + timedelta(days=3) * (service.pk - 1) / world.size.services
    for number, (name, kind) in enumerate(KINDS):
        launch = world.size.now.date() + timedelta(days=random.randint(-60, 90)) if random.random() < 0.8 else None
        yield Environment(
            pk=(service.pk - 1) * len(KINDS) + number + 1,
            service=service,
            name=name,
            kind=kind,
            service_url=f"https://{service.slug}.example",
            stream_route="/canary",
            bastion_url="https://bastion.example/v1",
            key_reference=f"vault:secret/{service.slug}#{name}",
            spend_cap=Decimal(random.randint(2, 80) * 50),
            spend_cap_currency="CAD",
            billing_source=source,
            billing_name=f"{service.slug} {name}",
            build=f"2026.{random.randint(1, 40)}.{random.randint(0, 9)}",
            build_since=added + timedelta(minutes=number + 1),
            launch_on=launch,
            settings_changed_at=added + timedelta(minutes=number + 1),
            added_at=added + timedelta(minutes=number + 1),
        )


def looks(world: World, probes: tuple[str, ...], random: Random) -> None:
    """Add how each probe fared on each environment: nine in ten pass, the others fail, are unclear or errored."""
    for environment in world.environments:
        for probe in probes:
            word = random.choices(("pass", "fail", "unclear", "errored"), (90, 4, 4, 2))[0]
            world.pairs.append(
                Pair(
                    key=len(world.pairs),
                    environment=environment,
                    probe=probe,
                    newest=world.size.now - timedelta(seconds=random.randint(60, int(EVERY.total_seconds()) - 60)),
                    word=word,
                    failing={"pass": 0, "fail": random.randint(1, 9)}.get(word, world.size.each),
                    blip=random.randint(12, 200),
                )
            )
