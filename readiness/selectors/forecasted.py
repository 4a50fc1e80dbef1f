"""What rows of the overview show of runs: when one ended last, and the verdict on the launch date, which is kept."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from readiness.enums.words import RunState
from readiness.models import Environment, Run
from readiness.rules.verdicts import Tally

from . import covering
from .fleet import CLOCKS_DIFFER
from .grounds import looked_last, running_on, with_switches
from .kept import Fleet, Row
from .launches import forecasts_of

RENEWED_AFTER = timedelta(minutes=5)
"""A forecast also rests on what probes passed last, and the ledger has no event of a run that concludes nothing."""
MOST_RENEWED = 100
"""How many are asked anew for one page: a page of all rows does not wait for all of them at once."""
MOST_NAMED = 100
"""Where more environments are asked about than this, all are."""
_KEY = "at launch"


@dataclass(frozen=True, slots=True)
class Looked:
    """When a run on each environment ended last, and the verdicts on launch dates to come, as far as they are known."""

    last_runs: dict[int, datetime | None]
    at_launch: dict[int, Tally]


def looked(rows: Iterable[Row], kept: Fleet, at: datetime) -> Looked:
    """Return what some rows show of runs, once ``covering`` has looked at them, too.

    Runs are not in the ledger: when one ended last is asked each time, in one query with one step on an index for each.
    A verdict on a launch date is asked where it is not known or is known for too long: two queries more, or one where
    that is so of many; what ``covering`` reads comes with it then.
    """
    shown = {row.pk: row for row in rows}
    ahead = _ahead(shown.values(), at)
    asked = _to_ask(ahead, at)
    if 3 * len(asked) < max(1, len(shown)):
        if asked:
            _ask(asked, kept, at, looked_last(_places(asked)))
        covering.look(shown.values(), at)
        return Looked(_last_runs(shown), _known(ahead))
    places = looked_last(_places(asked) | Environment.objects.filter(pk__in=shown)).annotate(ended=_ended())
    found = _ask(asked, kept, at, covering.with_decisions(places, shown.values()))
    covering.compare(shown.values(), found, at)
    return Looked({one.pk: getattr(one, "ended", None) for one in found}, _known(ahead))


def forecasted(rows: Iterable[Row], kept: Fleet, at: datetime) -> dict[int, Tally]:
    """Return the verdict of each row that launches on a day to come, as far as it is known.

    No query where all are known; two where some are not, or are known for too long.
    """
    ahead = _ahead({row.pk: row for row in rows}.values(), at)
    asked = _to_ask(ahead, at)
    if asked:
        _ask(asked, kept, at, looked_last(_places(asked)))
    return _known(ahead)


def _ahead(rows: Iterable[Row], at: datetime) -> list[Row]:
    today = timezone.localdate(at)
    return [row for row in rows if row.launch_on and row.launch_on > today]


def _places(rows: Iterable[Row]) -> QuerySet[Environment]:
    return Environment.objects.filter(service__in={row.environment.service_id for row in rows})


def _ask(asked: Sequence[Row], kept: Fleet, at: datetime, places: QuerySet[Environment]) -> list[Environment]:
    """Keep the verdicts of rows on their launch dates; ``places`` have looked last. Two queries."""
    found = list(with_switches(places))
    unders = {row.pk: row.under for row in asked if row.under is not None}
    entries, clauses = kept.asked.entries, kept.asked.clauses
    forecasts = forecasts_of((row.environment for row in asked), entries, clauses, running_on(found), unders, at)
    for row in asked:
        row.drawn[_KEY] = at, forecasts.get(row.pk)
    return found


def _to_ask(ahead: Sequence[Row], at: datetime) -> list[Row]:
    unknown = [row for row in ahead if _KEY not in row.drawn or row.drawn[_KEY][0] > at + CLOCKS_DIFFER]
    old = [row for row in ahead if _KEY in row.drawn and at - row.drawn[_KEY][0] >= RENEWED_AFTER]
    return unknown + sorted(old, key=lambda row: row.drawn[_KEY][0])[:MOST_RENEWED]


def _known(ahead: Iterable[Row]) -> dict[int, Tally]:
    return {row.pk: tally for row in ahead if (tally := row.drawn[_KEY][1]) is not None}


def _last_runs(environments: Collection[int]) -> dict[int, datetime | None]:
    if not environments:
        return {}
    found = Environment.objects.order_by()
    if len(environments) <= MOST_NAMED:
        found = found.filter(pk__in=environments)
    return dict(found.values_list("pk", _ended()))


def _ended() -> Subquery:
    done = Run.objects.filter(environment=OuterRef("pk"), state=RunState.DONE).order_by("-finished_at")
    return Subquery(done.values("finished_at")[:1])
