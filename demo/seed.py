"""Tell the demo's story through the product's own actions, once; keep its addresses true at every start."""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from zlib import crc32

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from demo import story
from demo.meetings import review_steps
from demo.places import ENV_KEY, ENV_KEY_OWNER, Places, key_of, key_path
from readiness.actions import items, requests, services
from readiness.actions.checklists import land_shipped
from readiness.actions.counting import count_day
from readiness.enums.words import Stance
from readiness.management.commands.load_checklist import SHIPPED
from readiness.models import (
    BillingSource,
    Checklist,
    Environment,
    Item,
    Membership,
    NotApplicable,
    Service,
    Team,
    User,
    Waiver,
)
from readiness.rules.environments import EnvironmentSettings
from readiness.selectors.trend import WEEKS

SOURCE = "Demo billing"
STREAM_ROUTE = "/stream/canary"
BEGAN_AGO = timedelta(days=200)

Step = tuple[datetime, Callable[..., object]]


def begin() -> None:
    """Land the checklist where none is held, as long ago as the story begins: it asked for what is told next."""
    if not Checklist.objects.exists():
        land_shipped(text=SHIPPED.read_text(encoding="utf-8"), now=timezone.now() - BEGAN_AGO)


@transaction.atomic
def seed(admin: User, *, ports: Sequence[int]) -> None:
    """Tell the story where it was not told yet; otherwise only correct the addresses, whose ports may have moved."""
    places = Places.on(ports)
    now = timezone.now()
    source, _ = BillingSource.objects.update_or_create(
        name=SOURCE,
        defaults={
            "url": places.billing,
            "environment_expression": "environments[?name=={environment}] | [0]",
            "cap_expression": "monthly_cap",
            "currency_expression": "currency",
        },
    )
    if Service.objects.exists():
        _correct_addresses(admin, places, source, now)
    else:
        _tell(admin, places, source, now)


def _correct_addresses(admin: User, places: Places, source: BillingSource, now: datetime) -> None:
    for place in story.PLACES:
        environment = Environment.objects.filter(service__slug=place.service, name=place.name).first()
        if environment is None:
            continue
        wanted = _settings(place, places, source, now)
        moved = {name: wanted[name] for name in ("service_url", "bastion_url", "key_reference")}
        if any(getattr(environment, name) != value for name, value in moved.items()):
            current = {name: getattr(environment, name) for name in EnvironmentSettings.__annotations__}
            services.change_environment(
                by=admin,
                environment_id=environment.pk,
                settings=EnvironmentSettings(**{**current, **moved}),  # type: ignore[typeddict-item]
                seen_version=environment.version,
                now=now,
            )


def _tell(admin: User, places: Places, source: BillingSource, now: datetime) -> None:
    people = _people()
    began = now - BEGAN_AGO
    for slug, (team, description) in story.SERVICES.items():
        services.add_service(by=admin, team=Team.objects.get(slug=team), slug=slug, description=description, now=began)
    steps: list[Step] = []
    told: set[int] = set()
    for place in sorted(story.PLACES, key=lambda one: one.kind != "prod"):
        service = Service.objects.select_related("team").get(slug=place.service)
        environment = services.add_environment(
            by=admin, service=service, settings=_settings(place, places, source, now), now=began
        )
        steps += _steps(place, environment, people, told, now)
    steps += review_steps(people, now)
    steps += [(midnight, count_day) for midnight in _midnights(now)]
    for at, step in sorted(steps, key=lambda one: one[0]):
        step(now=at)


def _midnights(now: datetime) -> list[datetime]:
    """Return the midnights of the last weeks before today's: at each is counted what the story had told by then."""
    days = (timezone.localdate(now) - timedelta(days=back) for back in range(1, WEEKS * 7 + 1))
    return [datetime.combine(day, time.min, tzinfo=timezone.get_current_timezone()) for day in days]


def _people() -> dict[str, User]:
    found = {}
    for slug, name in story.TEAMS.items():
        Team.objects.get_or_create(slug=slug, defaults={"name": name})
    for person in story.PEOPLE:
        user, _ = User.objects.get_or_create(
            username=person.username,
            defaults={
                "first_name": person.first_name,
                "last_name": person.last_name,
                "is_reviewer": person.reviewer,
            },
        )
        user.set_unusable_password()
        user.save()
        for team in person.teams:
            Membership.objects.get_or_create(user=user, team=Team.objects.get(slug=team))
        found[person.username] = user
    return found


def _settings(place: story.Place, places: Places, source: BillingSource, now: datetime) -> EnvironmentSettings:
    host = {"steady": places.holding + "/steady", "flapping": places.holding + "/flapping"}.get(
        place.stream, places.compressing if place.stream == "compressed" else places.services
    )
    owner = (place.team, place.service, place.name)
    key_of(settings.DATA_DIR, *owner)
    reference = f"env:{ENV_KEY}" if owner == ENV_KEY_OWNER else f"file:{key_path(settings.DATA_DIR, *owner)}"
    launch_on = None
    if place.launch_in is not None:
        launch_on = timezone.localdate(now) + timedelta(days=place.launch_in)
    return EnvironmentSettings(
        name=place.name,
        kind=place.kind,
        service_url=f"{host}/{place.service}-{place.name}",
        stream_route=STREAM_ROUTE if place.stream else "",
        bastion_url=places.bastion,
        key_reference=reference if place.has_key else "",
        spend_cap=place.cap,
        spend_cap_currency="CAD" if place.cap else "",
        billing_source_id=source.pk if place.cap else None,
        billing_name=f"{place.service}-{place.name}" if place.cap else "",
        build=place.build,
        launch_on=launch_on,
    )


def _steps(
    place: story.Place, environment: Environment, people: dict[str, User], told: set[int], now: datetime
) -> list[Step]:
    """Return what people did about an environment, each with when; an item of the service is told of once."""
    members = [people[person.username] for person in story.PEOPLE if place.team in person.teams]
    steps: list[Step] = []
    mine = Item.objects.filter(service=environment.service).filter(Q(environment=environment) | Q(environment=None))
    for item in mine.select_related("entry").order_by("pk"):
        slug = item.entry.slug
        if item.pk in told:
            continue
        told.add(item.pk)
        by = members[_spread(place, slug) % len(members)]
        due = timezone.localdate(now) + timedelta(days=max(place.launch_in or 14, 2) - 2)
        steps.append((now - timedelta(days=150), partial(_assign, item.pk, by, due)))
        steps += _answers(place, item, by, people, now)
    return steps


def _answers(place: story.Place, item: Item, by: User, people: dict[str, User], now: datetime) -> list[Step]:
    slug = item.entry.slug
    age = timedelta(days=2 + _spread(place, slug) % 35, minutes=_spread(place, slug) % 600)
    reviewer = people["ada" if _spread(place, slug) % 2 else "sam"]
    if slug in place.left_out:
        return [(now - age, partial(_leave_out, item.pk, by, reviewer))]
    if slug in place.waived:
        return [(now - timedelta(days=9), partial(_waive, item.pk, by, reviewer, slug, True))]
    if slug in place.asked:
        return [(now - timedelta(hours=5), partial(_waive, item.pk, by, reviewer, slug, False))]
    if slug in place.stale:
        return [(now - timedelta(days=95), partial(_tick, item.pk, by, slug))]
    if not place.answered or slug in place.open:
        return []
    if place.watched and slug in ("sse-not-buffered", "spend-cap"):
        return [(now - timedelta(days=2), partial(_tick, item.pk, by, slug))]
    if slug == "sse-not-buffered" and place.stream in ("direct", "flapping", "compressed", "steady"):
        return []
    if slug == "spend-cap" and place.billed is not None:
        return []
    return [(now - age, partial(_tick, item.pk, by, slug))]


def _spread(place: story.Place, slug: str) -> int:
    return crc32(f"{place.service}/{place.name}/{slug}".encode())


def _version(item_id: int) -> int:
    return Item.objects.values_list("version", flat=True).get(pk=item_id)


def _assign(item_id: int, by: User, due: date, *, now: datetime) -> None:
    items.assign(by=by, item_id=item_id, owner=by, due_on=due, seen_version=_version(item_id), now=now)


def _tick(item_id: int, by: User, slug: str, *, now: datetime) -> None:
    summary, link = story.SAYS[slug]
    items.tick(
        by=by,
        item_id=item_id,
        summary=summary,
        links=[link] if link else [],
        seen_version=_version(item_id),
        now=now,
    )


def _waive(item_id: int, by: User, reviewer: User, slug: str, granted: bool, *, now: datetime) -> None:
    waiver: Waiver = requests.ask_waiver(
        by=by,
        item_id=item_id,
        stance=Stance.ACCEPT_RISK,
        reason=story.WAIVES[slug],
        until_day=timezone.localdate(now) + timedelta(days=40),
        seen_version=_version(item_id),
        now=now,
    )
    if granted:
        requests.decide(
            by=reviewer, request=waiver, grant=True, note="Agreed, with the date.", now=now + timedelta(hours=3)
        )


def _leave_out(item_id: int, by: User, reviewer: User, *, now: datetime) -> None:
    request: NotApplicable = requests.ask_not_applicable(
        by=by, item_id=item_id, reason=story.LEAVES_OUT, seen_version=_version(item_id), now=now
    )
    requests.decide(by=reviewer, request=request, grant=True, note="", now=now + timedelta(hours=2))
