"""Items as the sheets of all live environments show them, counted by the database: for pictures of the whole."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, Q, QuerySet, TextField, Value
from django.db.models.functions import Cast, Concat, StrIndex

from readiness.enums.standing import Status
from readiness.enums.words import Kind
from readiness.models import Item

from .status_sql import status_expression

SETTLED = [str(status) for status in Status if status.settled]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """How many items there are on one sheet, how many are settled, and how many of these by probes alone."""

    items: int
    settled: int
    verified: int


def on_sheets(at: datetime, *, kinds: Collection[str] = (), teams: Collection[str] = ()) -> list[QuerySet[Any]]:
    """Return the items that live sheets show at an instant, once for each sheet: those of environments and of services.

    Each has ``status``, and ``sheet``, the key of its environment. No kinds ask for all, no teams (slugs) for all.
    """
    rows = Item.objects.filter(entry__retired_at=None, service__archived_at=None)
    rows = rows.filter(Q(entry__counts_from=None) | Q(entry__counts_from__lte=at))
    rows = rows.filter(Q(entry__section__checklist__team=None) | Q(entry__section__checklist__team=F("service__team")))
    if teams:
        rows = rows.filter(service__team__slug__in=teams)
    rows = rows.order_by().annotate(status=status_expression(at))
    wanted = set(kinds) or set(Kind.values)
    own = rows.filter(environment__isnull=False)
    shared = rows.filter(environment=None)
    return [_shown(own, "environment", wanted), _shown(shared, "service__environments", wanted)]


def _shown(rows: QuerySet[Item], place: str, kinds: Collection[str]) -> QuerySet[Any]:
    """Return those of the items that an environment shows. The kinds of an entry are a JSON list of words."""
    live = rows.filter(**{f"{place}__kind__in": kinds, f"{place}__archived_at__isnull": True})
    named = StrIndex(Cast("entry__kinds", TextField()), Concat(Value('"'), F(f"{place}__kind"), Value('"')))
    return live.annotate(sheet=F(place), named=named).filter(named__gt=0)


def sheets_counted(at: datetime) -> dict[int, Counted]:
    """Return what every live sheet counts at an instant, by environment. Two queries, added up by the database."""
    found: dict[int, list[int]] = {}
    for rows in on_sheets(at):
        counted = rows.values("sheet").annotate(
            of=Count("pk"),
            settled=Count("pk", filter=Q(status__in=SETTLED)),
            verified=Count("pk", filter=Q(status=Status.VERIFIED)),
        )
        for row in counted.values_list("sheet", "of", "settled", "verified"):
            sums = found.setdefault(row[0], [0, 0, 0])
            found[row[0]] = [one + more for one, more in zip(sums, row[1:], strict=True)]
    return {
        sheet: Counted(items=items, settled=settled, verified=verified)
        for sheet, (items, settled, verified) in found.items()
    }
