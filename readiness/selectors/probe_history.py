"""What a probe did lately: how often each outcome, its newest runs, and who switched it off and on."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Min, Q, TextField, Value, When
from django.db.models.functions import Cast

from readiness.enums.words import RunState
from readiness.models import Disabling, Environment, Run

from .probes import ProbeLine, probe_line

DAYS = 30
MOST_COUNTED = 20_000
"""So many of the newest runs are counted at most: what a page may cost has a bound, however many there are."""

MOST_LISTED = 20
WORST_FIRST = ("fail", "inconclusive", "pass")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLine:
    """One run with the entry by which its page is reached; None where no checklist asks for it any more."""

    run: Run
    entry: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeHistory:
    """One probe: its line, outcomes counted since ``since``, its newest runs and disablings.

    ``counts`` has "pass", "fail", "inconclusive" and "errored", each only where there were any.
    """

    line: ProbeLine
    since: datetime
    counts: dict[str, int]
    runs: list[RunLine]
    disablings: list[Disabling]

    @property
    def total(self) -> int:
        """How many runs were counted."""
        return sum(self.counts.values())


def probe_history(slug: str, now: datetime) -> ProbeHistory | None:
    """Return what a probe did lately; None for one that is not known. Three queries beyond those of ``probe_line``."""
    line = probe_line(slug)
    if line is None:
        return None
    since = now - timedelta(days=DAYS)
    counts, first = _counted(slug, since)
    newest = Run.objects.filter(probe=slug, finished_at__isnull=False).defer("facts").order_by("-id")[:MOST_LISTED]
    runs = [
        RunLine(run=run, entry=_entry_of(line, run.environment))
        for run in newest.select_related("environment__service")
    ]
    disablings = Disabling.objects.filter(probe=slug).select_related("by", "ended_by", "environment__service")
    return ProbeHistory(
        line=line,
        since=first if sum(counts.values()) == MOST_COUNTED and first else since,
        counts={word: counts[word] for word in (*WORST_FIRST, "errored") if counts[word]},
        runs=runs,
        disablings=list(disablings.order_by("-at", "-id")[:MOST_LISTED]),
    )


def _counted(slug: str, since: datetime) -> tuple[Counter[str], datetime | None]:
    """Return how many runs came out how, and when the oldest of them was asked for. One query.

    Ids are given in the order of asking, so that the newest are found without a sort over all. Findings are looked at
    as they are stored: quotes within a sentence are escaped there.
    """
    newest = Run.objects.filter(probe=slug, queued_at__gte=since, finished_at__isnull=False).order_by("-id")
    rows = newest.annotate(said=Cast("findings", TextField()))
    came = Case(
        When(state=RunState.ERRORED, then=Value("errored")),
        *(When(said__contains=f'"judgement": "{word}"', then=Value(word)) for word in WORST_FIRST),
        default=Value("inconclusive"),
        output_field=CharField(),
    )
    words = dict.fromkeys((*WORST_FIRST, "errored"))
    sums = rows.annotate(came=came).values("came", "queued_at")[:MOST_COUNTED]
    found = sums.aggregate(oldest=Min("queued_at"), **{word: Count("came", filter=Q(came=word)) for word in words})
    oldest = found.pop("oldest")
    return Counter(found), oldest


def _entry_of(line: ProbeLine, environment: Environment) -> str | None:
    entries = (clause.entry for clause in line.clauses)
    return next((entry.slug for entry in entries if entry.applies_to(environment.kind)), None)
