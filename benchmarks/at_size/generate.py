"""Make the world in the database that the settings name: ``python -m benchmarks.at_size.generate --services 500``.

Deterministic by its seed, but for its clock and for what the last step does through the product's own actions.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from random import Random

import django

django.setup()

from django.core.management import call_command  # noqa: E402

from checks.registry import PROBES  # noqa: E402
from readiness.actions.checklists import land_shipped  # noqa: E402
from readiness.management.commands.load_checklist import SHIPPED  # noqa: E402
from readiness.models import (  # noqa: E402
    BillingSource,
    Comment,
    DayCount,
    Deployment,
    Environment,
    Event,
    Evidence,
    EvidenceLink,
    Item,
    Membership,
    NotApplicable,
    Run,
    Service,
    Team,
    User,
    Waiver,
)

from . import bulk, meetings, runs, said, world  # noqa: E402
from .counts import comments, day_counts  # noqa: E402
from .events import Told, sealed  # noqa: E402
from .samples import Sample, samples  # noqa: E402

LARGE = (Item, Run, Evidence, EvidenceLink, Event, DayCount)
ALL = (*LARGE, BillingSource, Comment, Deployment, Environment, Membership, NotApplicable, Service, Team, User, Waiver)


def generate(size: world.Size, *, say: Callable[[str], None] = lambda _words: None) -> None:
    """Fill an empty database that is migrated. Minutes at 500 services with two million runs."""
    random = Random(size.seed)
    made = world.World(size=size)
    world.people(made)
    source = world.places(made, random)
    world.looks(made, tuple(probe.slug for probe in PROBES), random)
    seen = samples(random, size.now)
    land_shipped(text=SHIPPED.read_text(encoding="utf-8"), now=size.began)
    made.entries, clauses = said.entries_of()
    with bulk.rebuilt(*LARGE):
        for model, rows in (
            (User, made.users),
            (Team, made.teams),
            (Membership, made.memberships),
            (BillingSource, [source]),
            (Service, made.services),
            (Environment, made.environments),
            (Deployment, made.deployments),
        ):
            bulk.copy(model, rows)
        say(f"{len(made.environments)} environments")
        filling = _people_speak(made, clauses, seen, random)
        told = filling.said
        for model, rows in (
            (Item, told.items),
            (Evidence, told.evidence),
            (EvidenceLink, told.links),
            (Waiver, told.waivers),
            (NotApplicable, told.left_out),
            (Comment, comments(made, told.items, random)),
            (DayCount, day_counts(made, told.items)),
        ):
            bulk.copy(model, rows)
        say(f"{len(told.items)} items and {len(told.evidence)} statements by people")
        runs.write(made, seen, filling.observed)
        say(f"{size.each * len(made.pairs)} runs")
        written = bulk.copy(Event, sealed([*_added(made), *told.told, *_observations(made, filling.observed)]))
        say(f"{written} events")
    say("keys and indexes")
    bulk.finished(ALL)
    meetings.hold(made, random)
    call_command("ledger", "verify", stdout=sys.stderr)
    say("decisions, and the ledger verified")


def _people_speak(made: world.World, clauses: dict[int, list], seen: list[Sample], random: Random) -> said.Filling:
    """Return what people said, folded with what probes saw. How much of that is kept follows from what is left."""
    items = list(said.make_items(made, random))
    watched = said.watch(made, [item for item, _ in items], clauses)
    judged = runs.judged(seen)
    expected = int(1.3 * len(items)) + 4 * made.size.services
    kept = min(made.size.each, max(16, -(-(made.size.events - expected) // len(made.pairs))))
    # People's statements come first, so their number bounds the keys: at most two words on each clause of an item.
    offset = 2 * sum(len(clauses[item.entry_id]) for item, _ in items)
    observed = runs.Observed(watched=watched, judged=judged, kept=kept, offset=offset)
    filling = said.Filling(made, observed, clauses, random)
    for item, ripe in items:
        filling.fill(item, ripe)
    return filling


def _added(made: world.World) -> Iterator[Told]:
    for service in made.services:
        by, team = made.members(service.team_id)[0], service.team
        data = {"name": service.slug, "team": team.slug, "description": service.description}
        yield Told(at=made.added_at(service), kind="service.added", by=by, place=(service.pk, None, None), data=data)
    for one in made.environments:
        assert one.added_at is not None
        settings = {"name": one.name, "kind": one.kind, "service_url": one.service_url, "build": one.build}
        place, by = (one.service_id, one.pk, None), made.members(one.service.team_id)[0]
        yield Told(at=one.added_at, kind="environment.added", by=by, place=place, data={"settings": settings})


def _observations(made: world.World, observed: runs.Observed) -> Iterator[Told]:
    """Tell of every run whose evidence is kept. From and to are as a lone clause has them: not folded for each."""
    items = {one.pair.key: one for one in observed.watched}
    for pair in made.pairs:
        place = (pair.environment.service_id, pair.environment.pk, items[pair.key].item)
        for number in range(observed.kept):
            outcome, before = pair.outcome(number), pair.outcome(number + 1)
            if outcome not in ("pass", "fail"):
                continue
            again = outcome == before
            to = "verified" if outcome == "pass" else "failing"
            data = {
                "run": runs.run_key(made, pair, number),
                "probe": pair.probe,
                "from": to if again else "verified" if before == "pass" else "failing",
                "to": to,
                "findings": [],
            }
            kind = "item.observed-again" if again else "item.observed"
            yield Told(at=pair.at(number) + runs.TAKES, kind=kind, by=None, place=place, data=data)


def main() -> None:
    """Read what is asked for, and make it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("services", 500), ("runs", 2_000_000), ("events", 200_000), ("seed", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    asked = parser.parse_args()
    began = time.monotonic()
    gc.disable()  # Nearly everything that is made stays until the end.
    now = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=1)
    call_command("migrate", verbosity=0)
    generate(
        world.Size(services=asked.services, runs=asked.runs, events=asked.events, seed=asked.seed, now=now),
        say=lambda words: print(f"{time.monotonic() - began:6.1f} s  {words}", file=sys.stderr, flush=True),  # noqa: T201
    )


if __name__ == "__main__":
    main()
