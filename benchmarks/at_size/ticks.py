"""A tick measured: the form sent to the real view, against a bare view that writes the same rows."""

from collections.abc import Iterator
from itertools import islice

from django.test import Client
from django.urls import reverse

from readiness.models import Clause, Event, Evidence, Item, User

from .people import a_member, client_of
from .table import Result
from .timing import Timed, in_turns, load, ratio

MOST_RATIO = 3.0
SUMMARY, LINK = "Looked at it on the dashboard, and it holds.", "https://docs.example/a"


def measure(*, times: int) -> Iterator[Result]:
    """Yield how long a tick takes, with and without the panel that is drawn after it. It writes."""
    user = a_member()
    client = client_of(user)
    ticks, panels, bare = (items_to_tick(user, skip=skip) for skip in (0, 4 * times + 20, 8 * times + 40))
    checked = _same_rows(client, ticks, bare)
    real, panel, rows = in_turns(
        [
            Timed(lambda: send_tick(client, next(ticks))),
            Timed(lambda: send_tick(client, next(panels), htmx=True)),
            Timed(lambda: _bare(client, next(bare))),
        ],
        times=times,
    )
    for what, one in (("a tick, its answer a redirect", real), ("a tick, its answer the panel and the strip", panel)):
        found = ratio(one, rows)
        yield Result(
            what=what,
            took=str(one),
            baseline=f"a bare view that writes the same rows ({checked}): {rows}",
            ratio=found,
            goal=f"ratio {MOST_RATIO:g}" if one is real else "",
            met=found <= MOST_RATIO if one is real else None,
            load=load(),
        )


def items_to_tick(user: User, *, skip: int = 0) -> Iterator[Item]:
    """Return items of a person's teams that no probe observes, each to be used once."""
    mine = Item.objects.filter(service__team__in=user.teams.all(), environment__isnull=False)
    unseen = mine.exclude(entry__clauses__probe__in=("key-validity", "spend-cap", "proxy-buffering"))
    chosen = unseen.select_related("entry", "service", "environment").order_by("pk")
    return islice(iter(list(chosen)), skip, None)


def send_tick(client: Client, item: Item, *, htmx: bool = False) -> None:
    """Send the form of a tick as a person does. RuntimeError where it is not taken."""
    address = reverse("item-tick", args=[item.service.slug, item.environment.name, item.entry.slug])
    headers = {"hx-request": "true"} if htmx else {}
    answer = client.post(address, {"summary": SUMMARY, "links": LINK, "seen_version": item.version}, headers=headers)
    if answer.status_code != (200 if htmx else 302):
        raise RuntimeError(f"A tick was answered {answer.status_code}.")


def _bare(client: Client, item: Item) -> None:
    clauses = list(Clause.objects.filter(entry=item.entry_id, retired_at=None).values_list("slug", flat=True))
    answer = client.post(f"/bench/tick/{item.pk}/", {"summary": SUMMARY, "links": LINK, "clause": clauses})
    if answer.status_code != 302:
        raise RuntimeError(f"The bare view answered {answer.status_code}.")


def _same_rows(client: Client, ticks: Iterator[Item], bare: Iterator[Item]) -> str:
    """Insist that both views write as many rows of each kind, and return how many."""
    found = []
    item = next(ticks)
    other = next(one for one in bare if one.entry_id == item.entry_id)
    for one, send in ((item, send_tick), (other, _bare)):
        before = Evidence.objects.count(), Event.objects.count()
        send(client, one)
        found.append((Evidence.objects.count() - before[0], Event.objects.count() - before[1]))
    if found[0] != found[1]:
        raise RuntimeError(f"The real view writes {found[0]} rows of evidence and events, the bare one {found[1]}.")
    return f"{found[0][0]} of evidence with a link each, the item, {found[0][1]} event"
