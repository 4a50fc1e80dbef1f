"""On which sheet an item is shown: its own environment's, or one of its service's environments that it applies to."""

from datetime import date, datetime

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Concat, StrIndex

from readiness.models import Environment, Item


def by_launch(launch: str, today: date) -> Case:
    """Return what comes first: launches ahead, then what has launched, then what has no date."""
    return Case(
        When(**{f"{launch}__gte": today}, then=Value(0)),
        When(**{f"{launch}__isnull": False}, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )


def next_sheet(today: date, *, item: str = "") -> QuerySet[Environment]:
    """Return the sheets that show an item, the one that launches next first; ``item`` is the way to it from outside.

    Archived environments show nothing. The kinds of an entry are a JSON list of words, and no word is part of another.
    """
    kinds = Cast(OuterRef(f"{item}entry__kinds"), TextField())
    named = StrIndex(kinds, Concat(Value('"'), F("kind"), Value('"')))
    sheets = Environment.objects.filter(
        service=OuterRef(f"{item}service"), archived_at=None, pk=Coalesce(OuterRef(f"{item}environment"), F("pk"))
    )
    sheets = sheets.annotate(named=named, place=by_launch("launch_on", today)).filter(named__gt=0)
    return sheets.order_by("place", "launch_on", "pk")


def shown(items: QuerySet[Item], at: datetime, today: date) -> QuerySet[Item]:
    """Return the items that count on some sheet at an instant, each with the ``sheet`` that launches next (its key).

    They come in the order of ``launch``: ahead, past, without a date.
    """
    counted = Q(entry__counts_from=None) | Q(entry__counts_from__lte=at)
    answered = Q(entry__section__checklist__team=None) | Q(entry__section__checklist__team=F("service__team"))
    found = items.filter(counted & answered, entry__retired_at=None, service__archived_at=None)
    found = found.annotate(
        sheet=Subquery(next_sheet(today).values("pk")[:1]),
        launch=Subquery(next_sheet(today).values("launch_on")[:1]),
    )
    return found.filter(sheet__isnull=False).order_by(
        by_launch("launch", today),
        "launch",
        "service__slug",
        "sheet",
        "entry__section__position",
        "entry__position",
        "pk",
    )
