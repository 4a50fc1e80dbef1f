"""Everything that has a name or words of its own, found by what somebody typed: best first, grouped by kind."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlencode

from django.db.models import F, Func, IntegerField, OuterRef, QuerySet, Subquery
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from readiness.enums.standing import Status
from readiness.models import Comment, Item, Review, User, Waiver
from readiness.observers import observers
from readiness.rules.searching import Match, Query, every_part, match, parts, query

from .covering import uncovered_of
from .folded import holding
from .search_world import World, answers, shows, world_at
from .status_sql import status_expression

MOST = 100
"""So many of one kind are shown at most; the page says how many there are."""

LEAST_LETTERS = 3
"""So many letters are asked for before what people wrote is read through: fewer are in nearly all of it."""

RANKED = 100
"""So many people and reviews are ranked: those whose names come first, or that are newest."""


class Kind(StrEnum):
    """What can be found, in the order of a page where nothing else decides."""

    SERVICE = "services"
    ENVIRONMENT = "environments"
    ITEM = "items"
    ENTRY = "entries"
    TEAM = "teams"
    PERSON = "people"
    REVIEW = "reviews"
    PROBE = "probes"
    WAIVER = "waivers"
    COMMENT = "comments"


HEADINGS = {
    Kind.SERVICE: gettext_lazy("Services"),
    Kind.ENVIRONMENT: gettext_lazy("Environments"),
    Kind.ITEM: gettext_lazy("Items"),
    Kind.ENTRY: gettext_lazy("Checklist entries"),
    Kind.TEAM: gettext_lazy("Teams"),
    Kind.PERSON: gettext_lazy("People"),
    Kind.REVIEW: gettext_lazy("Launch reviews"),
    Kind.PROBE: gettext_lazy("Probes"),
    Kind.WAIVER: gettext_lazy("Waivers, by their reason"),
    Kind.COMMENT: gettext_lazy("Comments"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """One thing that was found: ``name`` is its link, ``place`` where it belongs, ``words`` what it says of itself.

    ``day`` is what ``day_is`` says: a launch, or when a review is held. ``status`` is an item's, ``key`` its sheet and
    entry. ``uncovered`` says that an ``environment`` stands under a go that no longer covers it.
    """

    name: str
    url: str
    rank: Match
    place: str = ""
    words: str = ""
    day: date | None = None
    day_is: str = "launch"
    archived: bool = False
    status: Status | None = None
    key: tuple[int, int] | None = None
    environment: int | None = None
    uncovered: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What was found of one kind, best first, and how much there is of it in all."""

    kind: Kind
    hits: Sequence[Hit]
    total: int

    @property
    def heading(self) -> str:
        """The kind in words."""
        return str(HEADINGS[self.kind])

    @property
    def more(self) -> int:
        """How many of it are not shown."""
        return self.total - len(self.hits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found, the kind with the best match first."""

    groups: Sequence[Group] = ()

    @property
    def total(self) -> int:
        """How much there is in all."""
        return sum(group.total for group in self.groups)


def search(text: str, at: datetime, *, most: int, only: str = "") -> Found:
    """Return what matches every word of a text, at most so many of each kind, or of one kind ``only``.

    Nine queries, whatever there is, and five more where a go stands on what is found; none where nothing was typed.
    """
    asked = query(text)
    if not asked:
        return Found()
    world = world_at(at)
    finders: dict[Kind, Callable[[], tuple[list[Hit], int]]] = {
        Kind.SERVICE: lambda: _best(_services(asked, world), most),
        Kind.ENVIRONMENT: lambda: _covered(_best(_environments(asked, world), most), at),
        Kind.ITEM: lambda: _items(asked, world, most, at),
        Kind.ENTRY: lambda: _best(_entries(asked, world), most),
        Kind.TEAM: lambda: _best(_teams(asked, world), most),
        Kind.PERSON: lambda: _people(asked, most),
        Kind.REVIEW: lambda: _reviews(asked, most),
        Kind.PROBE: lambda: _best(_probes(asked), most),
        Kind.WAIVER: lambda: _waivers(asked, world, most),
        Kind.COMMENT: lambda: _comments(asked, world, most),
    }
    chosen = [Kind(only)] if only in set(Kind) else list(Kind)
    groups = []
    for kind in chosen:
        hits, total = finders[kind]()
        if hits:
            groups.append(Group(kind=kind, hits=hits, total=total))
    return Found(groups=sorted(groups, key=lambda group: group.hits[0].rank))


def _best(hits: Iterable[Hit], most: int) -> tuple[list[Hit], int]:
    """Return the best hits, what is archived after what is not, and how many there are."""
    found = sorted(hits, key=lambda hit: (hit.rank, hit.archived))
    return found[:most], len(found)


def _services(asked: Query, world: World) -> Iterable[Hit]:
    for service in world.services.values():
        rank = match(asked, service.slug, service.description)
        if rank is not None:
            url = reverse("service", args=[service.slug])
            yield Hit(
                name=service.slug,
                url=url,
                rank=rank,
                place=service.team,
                words=service.description,
                archived=service.archived,
            )


def _environments(asked: Query, world: World) -> Iterable[Hit]:
    for one in sorted(world.environments, key=world.order):
        rank = match(asked, f"{one.service.slug}/{one.name}", one.kind)
        if rank is not None:
            yield Hit(
                name=_("{slug} in {name}").format(slug=one.service.slug, name=one.name),
                url=one.url,
                rank=rank,
                place=one.service.team,
                words=one.kind if one.kind != one.name else "",
                day=one.launch_on,
                archived=one.archived,
                environment=one.id,
            )


def _covered(found: tuple[list[Hit], int], at: datetime) -> tuple[list[Hit], int]:
    """Say of environments that were found whether their go no longer covers them. One query where no go stands."""
    hits, total = found
    ids = [hit.environment for hit in hits if hit.environment is not None and not hit.archived]
    lost = uncovered_of(ids, at) if ids else set()
    return [replace(hit, uncovered=hit.environment in lost) for hit in hits], total


def _items(asked: Query, world: World, most: int, at: datetime) -> tuple[list[Hit], int]:
    """Return the items of live sheets whose entry and place hold every word between them, each at least one.

    What launches next comes first. One query, for where those that are shown stand.
    """
    every = every_part(asked)
    entries = [(entry, parts(asked, (entry.title, entry.slug))) for entry in world.entries]
    entries = [
        (entry, held) for entry, held in entries if held and (entry.counts_from is None or entry.counts_from <= at)
    ]
    hits: list[Hit] = []
    total = 0
    for sheet in world.sheets() if entries else ():
        place = parts(asked, (sheet.service.slug, sheet.name, sheet.kind))
        for entry, held in entries if place else ():
            if held | place != every or not answers(sheet, entry):
                continue
            total += 1
            if len(hits) < most:
                hits.append(
                    Hit(
                        name=entry.title,
                        url=reverse("item", args=[sheet.service.slug, sheet.name, entry.slug]),
                        rank=Match.WORD,
                        place=_("{slug} in {name}").format(slug=sheet.service.slug, name=sheet.name),
                        day=sheet.launch_on,
                        key=(sheet.id, entry.pk),
                    )
                )
    return _standing(hits, world, at), total


def _standing(hits: list[Hit], world: World, at: datetime) -> list[Hit]:
    """Say of each item where it stands; one that was never made is left without."""
    if not hits:
        return hits
    places = {one.id: one.service_id for one in world.environments}
    keys = [hit.key for hit in hits if hit.key]
    rows = Item.objects.filter(
        service__in={places[sheet] for sheet, _ in keys}, entry__in={entry for _, entry in keys}
    ).annotate(status=status_expression(at))
    found = {
        (environment or -service, entry): Status(status)
        for service, environment, entry, status in rows.values_list(
            "service_id", "environment_id", "entry_id", "status"
        )
    }
    told = []
    for hit in hits:
        sheet, entry = hit.key or (0, 0)
        status = found.get((sheet, entry)) or found.get((-places.get(sheet, 0), entry))
        told.append(replace(hit, status=status))
    return told


def _entries(asked: Query, world: World) -> Iterable[Hit]:
    for entry in world.entries:
        rank = match(asked, entry.title, entry.slug, entry.text)
        if rank is not None:
            checklist = entry.section.checklist
            yield Hit(
                name=entry.title,
                url=f"{reverse('checklist', args=[checklist.slug])}#entry-{entry.slug}",
                rank=rank,
                place=checklist.name,
                words=entry.text,
            )


def _teams(asked: Query, world: World) -> Iterable[Hit]:
    for slug, name, services in world.teams:
        rank = match(asked, name, slug)
        if rank is not None:
            words = ngettext("{n} service", "{n} services", services).format(n=services)
            yield Hit(name=name, url=reverse("team", args=[slug]), rank=rank, words=words)


def _people(asked: Query, most: int) -> tuple[list[Hit], int]:
    """Return people who are still here, with how many items they own on live services. One query."""
    owned = Item.objects.filter(owner=OuterRef("pk"), entry__retired_at=None, service__archived_at=None)
    counted = Func(F("pk"), function="COUNT", output_field=IntegerField())
    rows = holding(User.objects.filter(is_active=True), asked, "first_name", "last_name", "username")
    whole = User.objects.annotate(owned=Subquery(owned.order_by().annotate(counted=counted).values("counted")))
    people, total = _counted(rows.order_by("first_name", "last_name", "username"), RANKED, whole)
    hits = [
        Hit(
            name=str(one),
            url=f"{reverse('overview')}?{urlencode({'owner': one.username})}",
            rank=match(asked, str(one), one.username) or Match.ELSEWHERE,
            place=one.username,
            words=ngettext("owns {n} item", "owns {n} items", one.owned).format(n=one.owned)
            if one.owned
            else _("owns nothing"),
        )
        for one in people
    ]
    return _best(hits, most)[0], total


def _reviews(asked: Query, most: int) -> tuple[list[Hit], int]:
    rows = holding(Review.objects.all(), asked, "title", "minutes").order_by("-starts_at", "-pk")
    reviews, total = _counted(rows, RANKED, Review.objects.all())
    hits = [
        Hit(
            name=one.title,
            url=one.get_absolute_url(),
            rank=match(asked, one.title, one.minutes) or Match.ELSEWHERE,
            day=timezone.localdate(one.starts_at),
            day_is="held",
            words=_("closed") if one.closed_at else "",
        )
        for one in reviews
    ]
    return _best(hits, most)[0], total


def _probes(asked: Query) -> Iterable[Hit]:
    for slug, observer in observers().items():
        rank = match(asked, slug, observer.question)
        if rank is not None:
            yield Hit(name=slug, url=reverse("probe", args=[slug]), rank=rank, words=observer.question)


def _waivers(asked: Query, world: World, most: int) -> tuple[list[Hit], int]:
    rows = holding(Waiver.objects.all(), asked, "reason").order_by("-asked_at", "-pk")
    return _said(
        asked,
        rows,
        Waiver.objects.select_related("item", "asked_by"),
        world,
        most,
        "waiver",
        lambda one: (one.reason, _("asked by {asked_by}").format(asked_by=one.asked_by)),
    )


def _comments(asked: Query, world: World, most: int) -> tuple[list[Hit], int]:
    rows = holding(Comment.objects.all(), asked, "text").order_by("-at", "-pk")
    return _said(
        asked,
        rows,
        Comment.objects.select_related("item", "by"),
        world,
        most,
        "evidence",
        lambda one: (one.text, _("by {by}").format(by=one.by)),
    )


def _said(
    asked: Query,
    rows: QuerySet[Any],
    whole: QuerySet[Any],
    world: World,
    most: int,
    tab: str,
    words: Callable[[Any], tuple[str, str]],
) -> tuple[list[Hit], int]:
    """Return what people wrote about items, newest first; each leads to its item on the sheet that shows it."""
    if max(map(len, asked.words)) < LEAST_LETTERS:
        return [], 0
    found, total = _counted(rows, most, whole)
    entries = {entry.pk: entry for entry in world.entries}
    sheets = world.sheets() if found else []
    hits = []
    for one in found:
        text, by = words(one)
        item, entry = one.item, entries.get(one.item.entry_id)
        sheet = next((sheet for sheet in sheets if entry and shows(sheet, item, entry)), None)
        service = world.services.get(item.service_id)
        if service is None:  # It was added after the services were read.
            continue
        if sheet is None or entry is None:
            url, name = reverse("service", args=[service.slug]), service.slug
        else:
            url = f"{reverse('item', args=[service.slug, sheet.name, entry.slug])}?tab={tab}"
            name = entry.title
        place = _("{slug} in {name}").format(slug=service.slug, name=sheet.name) if sheet else _("on no sheet any more")
        hits.append(Hit(name=name, url=url, rank=Match.ELSEWHERE, place=f"{place}, {by}", words=text))
    return hits, total


def _counted(rows: QuerySet[Any], most: int, whole: QuerySet[Any]) -> tuple[list[Any], int]:
    """Return the first rows, each as ``whole`` joins it, and how many there are. One query.

    What is joined is read of those that are shown alone, and counted is nothing but keys.
    """
    counted = Func(F("pk"), function="COUNT", output_field=IntegerField())
    total = Subquery(rows.order_by().annotate(counted=counted).values("counted"))
    shown = whole.filter(pk__in=rows.values("pk")[:most]).annotate(rows_in_all=total)
    found = list(shown.order_by(*rows.query.order_by))
    return found, found[0].rows_in_all if found else 0
