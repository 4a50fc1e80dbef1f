"""Where every live environment stands: kept in each process and led by the ledger (docs/decisions/0012).

What is kept are facts with their bounds in time, and results for as long as no bound is passed. The ledger says which
services to read again: every change records an event in its transaction, and numbers are given in order of commits.
"""

from bisect import insort
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Lock
from typing import Any, NamedTuple

from django.db.models import F, FilteredRelation, Q, Subquery

from readiness.models import Clause, Entry, Environment, Event, Item, User
from readiness.rules.status import ItemFacts

from .decisions import standing_decisions
from .kept import FACTS, NOTHING, Asked, Fleet, Held, KeptItem, Person

MOST_NEWS = 5000
"""Whoever missed more events than this reads everything again."""
CLOCKS_DIFFER = timedelta(minutes=1)
"""A page whose clock is behind what was read last by no more than this is drawn from it."""
_OF_NO_SERVICE = ("token.", "review.", "calendar.")
_OF_PEOPLE = "user."


class _Kept:
    lock = Lock()
    fleet: Fleet | None = None


def fleet(at: datetime) -> Fleet:
    """Return everything as the ledger's newest event left it. One query where nothing happened since.

    Of services that something happened to, at most four more; five in all where everything is read.
    """
    with _Kept.lock:
        _Kept.fleet = found = _followed(_Kept.fleet, at)
    return found


def fleet_if_kept(at: datetime) -> Fleet | None:
    """Return the same where this process has read it before: it is not worth a first reading for everything."""
    return fleet(at) if _Kept.fleet is not None else None


def forget() -> None:
    """Read everything again the next time."""
    with _Kept.lock:
        _Kept.fleet = None


def read(at: datetime) -> Fleet:
    """Return everything read anew, and keep nothing of it."""
    # The number comes first: what is read after it is that event's state or a newer one, never an older one.
    (seen, seal, told_at), asked = _newest_and_asked(at)
    services = _read(None, asked, at)
    if told_at > at:
        for held in services.values():
            held.again_at = told_at
    return _with_people(Fleet(seen=seen, seal=seal, read_at=at, asked=asked, services=services, people={}), anew=True)


def _followed(known: Fleet | None, at: datetime) -> Fleet:
    if known is None or at < known.read_at - CLOCKS_DIFFER:
        return read(at)
    news = _news(known)
    if news is None:
        return read(at)
    changed = _changed(news)
    if changed is None:
        return read(at)
    touched = changed.keys() | {
        key for key, held in known.services.items() if held.again_at is not None and held.again_at <= at
    }
    if not news and not touched:
        return known
    services = known.services
    if touched:
        fresh = _read(touched, known.asked, at)
        for key, held in fresh.items():
            # Whoever wrote it may have a clock ahead of this one: what it says may only count from then on.
            before = services[key].again_at if key in services else None
            held.again_at = max(
                (one for one in (before, changed.get(key)) if one is not None and one > at), default=None
            )
            if before is not None and before <= at:
                insort(held.bounds, before)  # A page drawn before it is told, though no event came.
        services = {key: held for key, held in services.items() if key not in touched} | fresh
    last = news[-1] if news else None
    found = replace(
        known,
        seen=last.id if last else known.seen,
        seal=last.hash if last else known.seal,
        read_at=max(at, known.read_at),
        services=services,
    )
    return _with_people(found, anew=any(one.kind.startswith(_OF_PEOPLE) for one in news))


def _newest_and_asked(at: datetime) -> tuple[tuple[int, str, datetime], Asked]:
    """Return the newest event, or what stands for none, and what is asked. One query; two where nothing is asked."""
    newest = Event.objects.order_by("-id")
    columns = {f"newest_{name}": Subquery(newest.values(name)[:1]) for name in ("id", "hash", "at")}
    asked = FilteredRelation("clauses", condition=Q(clauses__retired_at=None))
    rows = Entry.objects.filter(retired_at=None).annotate(asked=asked, **columns)
    entries: dict[int, Entry] = {}
    clauses: dict[int, list[Clause]] = {}
    event: tuple[Any, ...] | None = None
    for one in rows.select_related("section__checklist", "asked"):  # type: ignore[misc]  # A filtered relation.
        entries.setdefault(one.pk, one)
        event = tuple(getattr(one, name) for name in columns)
        clause = getattr(one, "asked", None)
        if clause is not None:
            clauses.setdefault(one.pk, []).append(clause)
    for mine in clauses.values():
        mine.sort(key=lambda clause: clause.position)
    if event is None:
        event = newest.values_list("id", "hash", "at").first()
    seen, seal, told_at = event or (None, None, None)
    return (seen or 0, seal or "", told_at or at), Asked(list(entries.values()), clauses)


class _News(NamedTuple):
    id: int
    hash: str
    kind: str
    service: int | None
    at: datetime


def _news(known: Fleet) -> list[_News] | None:
    """Return the events since; None where the last that was seen is not there any more, or they are too many.

    Then this is another ledger, or what was seen was undone. One query.
    """
    rows = Event.objects.filter(id__gte=known.seen).order_by("id")
    columns = rows.values_list("id", "hash", "kind", "service_id", "at")
    found = [_News(*row) for row in columns[: MOST_NEWS + 1]]
    if len(found) > MOST_NEWS:
        return None
    if not known.seen:
        return found
    return found[1:] if found and (found[0].id, found[0].hash) == (known.seen, known.seal) else None


def _changed(news: Iterable[_News]) -> dict[int, datetime] | None:
    """Return which services something happened to, with the newest clock of those who wrote it; None: to all."""
    found: dict[int, datetime] = {}
    for one in news:
        if one.service is not None:
            found[one.service] = max(one.at, found.get(one.service, one.at))
        elif not one.kind.startswith((*_OF_NO_SERVICE, _OF_PEOPLE)):
            return None
    return found


def _with_people(found: Fleet, *, anew: bool) -> Fleet:
    """Return everything with everybody who owns an item. One query, where somebody is not known."""
    owners = {
        item.owner
        for held in found.services.values()
        for mine in held.items.values()
        for item in mine.values()
        if item.owner is not None
    }
    if not anew and owners == found.people.keys():
        return found
    if not anew and owners < found.people.keys():
        return replace(found, people={key: found.people[key] for key in owners})
    people: dict[int, Person] = {}
    teams: dict[int, set[int]] = {}
    for user in User.objects.filter(pk__in=owners).annotate(of_team=F("memberships__team")) if owners else ():
        teams.setdefault(user.pk, set())
        if user.is_active and user.of_team is not None:
            teams[user.pk].add(user.of_team)
        people[user.pk] = Person(username=user.username, name=str(user), teams=frozenset(teams[user.pk]))
    return replace(found, people=people)


def _waiting() -> dict[str, FilteredRelation]:
    """Return, for a query of items, the request about each that waits for a reviewer: one of each kind at most."""
    return {
        f"asks_{kind}": FilteredRelation(kind, condition=Q(**{f"{kind}__decided_at": None, f"{kind}__ended_at": None}))
        for kind in ("waivers", "notapplicables")
    }


def _read(services: Iterable[int] | None, asked: Asked, at: datetime) -> dict[int, Held]:
    """Return services as they are now, None asking for all; those without a live environment are left out."""
    which = {} if services is None else {"service__in": list(services)}
    environments: dict[int, list[Environment]] = {}
    live = Environment.objects.filter(archived_at=None, service__archived_at=None, **which)
    for one in live.select_related("service__team", "billing_source"):
        environments.setdefault(one.service_id, []).append(one)
    ids = None if services is None else [one.pk for mine in environments.values() for one in mine]
    unders = standing_decisions(ids, at) if environments else {}
    waiting: dict[int, dict[int, int]] = {}
    items: dict[int, dict[int | None, dict[int, KeptItem]]] = {}
    rows = Item.objects.filter(entry__retired_at=None, service__archived_at=None, **which).order_by()
    asking = _waiting()
    for service, environment, entry, pk, owner, waiver, left_out, *facts in rows.annotate(**asking).values_list(
        "service_id", "environment_id", "entry_id", "pk", "owner_id", *(f"{name}__pk" for name in asking), *FACTS
    ):
        if waiver is not None or left_out is not None:
            waiting.setdefault(service, {})[pk] = (waiver is not None) + (left_out is not None)
        kept = KeptItem(pk, owner, NOTHING if not any(facts) else ItemFacts(**dict(zip(FACTS, facts, strict=True))))
        items.setdefault(service, {}).setdefault(environment, {})[entry] = kept
    return {
        key: Held(
            mine,
            items.get(key, {}),
            {one.pk: unders[one.pk] for one in mine if one.pk in unders},
            waiting.get(key, {}),
            asked,
        )
        for key, mine in environments.items()
    }
