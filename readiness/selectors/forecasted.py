"""The verdicts of rows of the overview on their launch dates, kept with the rows."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone

from readiness.rules.verdicts import Tally

from .fleet import CLOCKS_DIFFER, Fleet, Row
from .launches import forecasts_of

RENEWED_AFTER = timedelta(minutes=5)
"""A forecast also rests on what probes passed last, and the ledger has no event of a run that concludes nothing."""
MOST_RENEWED = 100
"""How many are asked anew for one page: a page of all rows does not wait for all of them at once."""
_KEY = "at launch"


def forecasted(rows: Iterable[Row], kept: Fleet, at: datetime) -> dict[int, Tally]:
    """Return the verdict of each row that launches on a day to come, as far as it is known.

    No query where all are known; eight at most where some are not, or are known for too long.
    """
    today = timezone.localdate(at)
    ahead = {row.pk: row for row in rows if row.launch_on and row.launch_on > today}
    unknown = [row for row in ahead.values() if _KEY not in row.drawn or row.drawn[_KEY][0] > at + CLOCKS_DIFFER]
    old = [row for row in ahead.values() if _KEY in row.drawn and at - row.drawn[_KEY][0] >= RENEWED_AFTER]
    asked = unknown + sorted(old, key=lambda row: row.drawn[_KEY][0])[:MOST_RENEWED]
    unders = {row.pk: row.under for row in asked if row.under is not None}
    found = forecasts_of((row.environment for row in asked), kept.asked.entries, unders, at)
    for row in asked:
        row.drawn[_KEY] = at, found.get(row.pk)
    return {key: tally for key, row in ahead.items() if (tally := row.drawn[_KEY][1]) is not None}
