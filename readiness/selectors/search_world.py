"""What is small enough to be compared name by name: teams, services, environments and entries, read at once."""

from dataclasses import dataclass, field
from datetime import date, datetime

from django.urls import reverse
from django.utils import timezone

from readiness.models import Entry, Environment, Item, Team


@dataclass(frozen=True, slots=True)
class NamedService:
    """A service as it is compared: archived or not."""

    slug: str
    description: str
    team_id: int
    team: str
    archived: bool


@dataclass(frozen=True, slots=True)
class NamedSheet:
    """An environment as it is compared; archived by itself or with its service."""

    id: int
    name: str
    kind: str
    service_id: int
    service: NamedService
    archived: bool
    launch_on: date | None

    @property
    def url(self) -> str:
        """The address of its sheet."""
        return reverse("sheet", args=[self.service.slug, self.name])


@dataclass(slots=True)
class World:
    """What is small enough to be compared here, name by name, which ranks alike on every database."""

    today: date
    services: dict[int, NamedService] = field(default_factory=dict)
    environments: list[NamedSheet] = field(default_factory=list)
    teams: list[tuple[str, str, int]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)

    def order(self, one: NamedSheet) -> tuple[int, date, str, str]:
        """Return what sorts by launch: what launches next, then what has launched, then what has no date."""
        launch = one.launch_on
        place = 2 if launch is None else 0 if launch >= self.today else 1
        return place, launch or self.today, one.service.slug, one.name

    def sheets(self) -> list[NamedSheet]:
        """Return the live environments in the order of their launches."""
        return sorted((one for one in self.environments if not one.archived), key=self.order)


def world_at(at: datetime) -> World:
    """Return teams with their services, environments and entries. Three queries."""
    world = World(today=timezone.localdate(at))
    columns = ("services", "services__slug", "services__description", "services__archived_at")
    teams: dict[int, tuple[str, str, int]] = {}
    rows = Team.objects.order_by("name", "services__slug").values_list("pk", "slug", "name", *columns)
    for team, team_slug, team_name, pk, slug, description, archived_at in rows:
        live = int(pk is not None and archived_at is None)
        teams[team] = (team_slug, team_name, live + (teams[team][2] if team in teams else 0))
        if pk is not None:
            world.services[pk] = NamedService(slug, description, team, team_name, archived_at is not None)
    world.teams = list(teams.values())
    places = Environment.objects.order_by("service__slug", "name")
    for pk, name, kind, service, archived_at, launch_on in places.values_list(
        "pk", "name", "kind", "service_id", "archived_at", "launch_on"
    ):
        of = world.services.get(service)
        if of is None:  # It was added after the services were read.
            continue
        gone = archived_at is not None or of.archived
        world.environments.append(NamedSheet(pk, name, kind, service, of, gone, launch_on))
    world.entries = list(
        Entry.objects.filter(retired_at=None)
        .select_related("section__checklist")
        .only("slug", "title", "text", "kinds", "scope", "counts_from", "translations", "section__name",
              "section__translations", "section__checklist__slug", "section__checklist__name",
              "section__checklist__translations", "section__checklist__team_id")
    )  # fmt: skip
    return world


def answers(sheet: NamedSheet, entry: Entry) -> bool:
    """Return whether a sheet answers an entry: by its kind, and by its team."""
    team = entry.section.checklist.team_id
    return sheet.kind in entry.kinds and team in (None, sheet.service.team_id)


def shows(sheet: NamedSheet, item: Item, entry: Entry) -> bool:
    """Return whether a sheet shows an item: its own, or one of its service."""
    here = sheet.id == item.environment_id or (item.environment_id is None and sheet.service_id == item.service_id)
    return here and answers(sheet, entry)
