"""Runs and their facts drawn: a trail of outcomes, how old a key is, a cap against the declared one, and every fact."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, npgettext, pgettext_lazy

from readiness.enums.words import Judgement, RunState
from readiness.models import Environment, Run
from readiness.observers import Fix, Observer
from readiness.rules.spoken import capital, clock, money, number
from readiness.selectors.trails import key_seen_since

from .charts import Row, fact_rows, name_of, row_of, without_codes
from .date_words import day_words, exact_words
from .panels import findings_in_order
from .readiness_words import item_url, now_of

register = template.Library()

SLOT = 24
"""How many pixels of a trail one run takes: what is pressed with a finger is no narrower."""

LABEL_SLOTS = 3
"""How many runs must lie between two words below a trail, so that they do not touch."""

LETTER_HALF = 3
"""Half of the width of a letter below a trail, in pixels: a word at its beginning is not cut."""

KEY_DAYS = 365
"""A key is rotated within a year (entry "rotation-runbook")."""

_WORDS = {
    "pass": pgettext_lazy("outcome of a run", "passed"),
    "fail": pgettext_lazy("outcome of a run", "failed"),
    "inconclusive": pgettext_lazy("outcome of a run", "could not tell"),
    "errored": pgettext_lazy("outcome of a run", "could not look"),
}


# --- the trail --------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One run of a trail: where it stands, what came out, and how it is said."""

    x: int
    label_x: int
    kind: str
    said: str
    url: str
    label: str
    here: bool


def outcome_of(run: Run) -> str:
    """Return what came out of a run that is over, by its worst finding: a word of ``_WORDS``."""
    if run.state == RunState.ERRORED:
        return "errored"
    ordered = findings_in_order(run.findings)
    worst = str(ordered[0].get("judgement", "")) if ordered else ""
    return worst if worst in _WORDS else "inconclusive"


@register.inclusion_tag("partials/run_trail.html", takes_context=True)
def run_trail(
    context: Context, runs: Sequence[Run], environment: Environment, entry_slug: str, here: int = 0
) -> dict[str, Any]:
    """Draw runs along a line of time, the newest at the right; each leads to its page. ``here`` is the one shown."""
    today = timezone.localdate(now_of(context))
    marks: list[Mark] = []
    labelled, labelled_day = -LABEL_SLOTS, ""
    for index, run in enumerate(runs):
        kind, at = outcome_of(run), run.finished_at or run.queued_at
        day = day_words(timezone.localdate(at), today)
        label = ""
        if index - labelled >= LABEL_SLOTS and day != labelled_day:
            label, labelled, labelled_day = day, index, day
        elif index - labelled >= 2 * LABEL_SLOTS:
            label, labelled = clock(timezone.localtime(at)), index
        marks.append(
            Mark(
                x=SLOT * index + SLOT // 2,
                label_x=max(SLOT, SLOT * index + SLOT // 2, LETTER_HALF * len(label)),
                kind=kind,
                said=_("Run {number} {outcome}, {moment}").format(
                    number=run.pk, outcome=_WORDS[kind], moment=exact_words(at)
                ),
                url=item_url("run", environment, entry_slug, run.pk),
                label=label,
                here=run.pk == here,
            )
        )
    counted = Counter(mark.kind for mark in marks)
    said = ", ".join(_counted(kind, counted[kind]) for kind in _WORDS if counted[kind])
    sentence = (
        _("The last run: {outcomes}.").format(outcomes=said)
        if len(marks) == 1
        else ngettext("The last {n} run: {outcomes}.", "The last {n} runs: {outcomes}.", len(marks)).format(
            n=len(marks), outcomes=said
        )
    )
    return {"marks": marks, "width": max(SLOT * len(marks), 60), "said": sentence, "kinds": _legend(counted)}


def _counted(kind: str, n: int) -> str:
    """Return how many runs came out so: 3 passed, 1 could not tell."""
    said = {
        "pass": npgettext("runs", "{n} passed", "{n} passed", n),
        "fail": npgettext("runs", "{n} failed", "{n} failed", n),
        "inconclusive": npgettext("runs", "{n} could not tell", "{n} could not tell", n),
        "errored": npgettext("runs", "{n} could not look", "{n} could not look", n),
    }
    return said[kind].format(n=number(n))


def _legend(counted: Mapping[str, int]) -> list[tuple[str, str, int]]:
    return [(kind, str(word), counted[kind]) for kind, word in _WORDS.items() if counted[kind]]


# --- facts that are drawn ---------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One bar: its name, its share of the whole width, and what it says at its end."""

    name: str
    share: str
    value: str
    kind: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """Bars on one scale, with the same in words. ``limit`` is where a line stands, empty without one."""

    bars: list[Bar]
    said: str
    limit: str = ""


def cap_bars(facts: Mapping[str, Any]) -> Bars | None:
    """Return the cap that is set beside the declared one; None where they are no two amounts of one currency."""
    try:
        found, declared = Decimal(str(facts["cap"])), Decimal(str(facts["declared"]))
    except (KeyError, InvalidOperation):
        return None
    currency = str(facts.get("declared_currency", ""))
    same = str(facts.get("currency", "")).upper() == currency
    if not (same and found.is_finite() and declared.is_finite() and min(found, declared) >= 0):
        return None
    most = max(found, declared)
    shown = [(_("Declared"), declared, ""), (_("Billing source"), found, "pass" if found == declared else "fail")]
    bars = [Bar(name=name, share=_share(one, most), value=money(one, currency), kind=kind) for name, one, kind in shown]
    known = {"declared": bars[0].value, "found": bars[1].value, "apart": money(abs(found - declared), currency)}
    said = (
        _("Declared: {declared}, Billing source: {found} a month; the same.")
        if found == declared
        else _("Declared: {declared}, Billing source: {found} a month; {apart} apart.")
    )
    return Bars(bars=bars, said=said.format(**known))


def key_bar(since: datetime | None, seen: datetime) -> Bars | None:
    """Return how long a key has been seen, against the year within which it is rotated; None where nobody knows."""
    if since is None:
        return None
    days = max(0, (seen - since) // timedelta(days=1))
    length = _("less than a day") if days == 0 else ngettext("{n} day", "{n} days", days).format(n=days)
    kind = "pass" if days < KEY_DAYS else "fail"
    share = _share(Decimal(days), Decimal(max(days, KEY_DAYS)))
    limit = _share(Decimal(KEY_DAYS), Decimal(max(days, KEY_DAYS)))
    said = _(
        "This key was first seen here {length} before this run; it may be older. It is rotated within {days} days."
    ).format(length=length, days=KEY_DAYS)
    return Bars(bars=[Bar(name=_("Seen for"), share=share, value=length, kind=kind)], said=said, limit=limit)


def _share(value: Decimal, most: Decimal) -> str:
    return f"{max(Decimal(1), 100 * value / most if most else Decimal(0)):.1f}%"


@register.inclusion_tag("partials/fact_bars.html")
def fact_bars(run: Run) -> dict[str, Any]:
    """Draw what can be drawn of a run's facts as bars. Up to two queries, where it saw a key."""
    facts = run.facts if isinstance(run.facts, dict) else {}
    found = [cap_bars(facts)]
    if facts.get("fingerprint") and run.finished_at is not None:
        found.append(key_bar(key_seen_since(run), run.finished_at))
    return {"charts": [one for one in found if one is not None]}


@register.inclusion_tag("partials/outcome_shares.html")
def outcome_shares(counts: Mapping[str, int]) -> dict[str, Any]:
    """Draw how often each outcome came out, as shares of all runs."""
    total = sum(counts.values())
    if not total:
        return {"chart": None}
    seen = [(kind, word) for kind, word in _WORDS.items() if counts.get(kind)]
    bars = [
        Bar(
            name=capital(str(word)),
            share=_share(Decimal(counts[kind]), Decimal(total)),
            value=number(counts[kind]),
            kind=kind,
        )
        for kind, word in seen
    ]
    said = ", ".join(_counted(kind, counts[kind]) for kind, _word in seen)
    sentence = ngettext("{n} run: {outcomes}.", "{n} runs: {outcomes}.", total).format(n=number(total), outcomes=said)
    return {"chart": Bars(bars=bars, said=sentence)}


# --- every fact -------------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Records of one kind: a name, the names of their values, and a row for each."""

    name: str
    columns: list[str]
    rows: list[list[str]]


@register.inclusion_tag("partials/every_fact.html")
def every_fact(facts: object) -> dict[str, Any]:
    """Draw all facts: single ones as names and values, records as tables."""
    return {"rows": fact_rows(facts), "tables": list(tables(facts, ()))}


def tables(facts: object, path: tuple[str, ...]) -> Iterator[Table]:
    """Yield every list of records in facts, and those within each record, named by where they stand."""
    if not isinstance(facts, dict):
        return
    for key, value in facts.items():
        here = (*path, str(key))
        if isinstance(value, dict):
            yield from tables(value, here)
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            records = [one for one in value if isinstance(one, dict)]
            yield _table(name_of(here), records)
            for number, record in enumerate(records, start=1):
                yield from tables(record, (*here, str(number)))


def _table(name: str, records: Sequence[Mapping[str, Any]]) -> Table:
    read = [{row.name: row.value for row in _single(record)} for record in records]
    columns = list(dict.fromkeys(column for row in read for column in row))
    return Table(name=name, columns=columns, rows=[[row.get(one, "") for one in columns] for row in read])


def _single(record: Mapping[str, Any], path: tuple[str, ...] = ()) -> Iterator[Row]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _single(without_codes(value), (*path, str(key)))
        elif not (isinstance(value, list) and any(isinstance(one, dict | list) for one in value)):
            yield row_of((*path, str(key)), value)


# --- what to change ---------------------------------------------------------------------------------------------------
@register.simple_tag
def fixes(run: Run, observer: Observer | None) -> list[Fix]:
    """Return what to change after a run, what is wrong first, each once; a fail without one gets the probe's remedy."""
    if not isinstance(observer, Observer):
        return []
    found: dict[str, Fix] = {}
    failed = False
    for finding in findings_in_order(run.findings):
        failed = failed or finding.get("judgement") == Judgement.FAIL
        fix = observer.fix(str(finding.get("code", "")), run.facts)
        if fix is not None and finding.get("judgement") != Judgement.PASS:
            found.setdefault(fix.words, fix)
    if not found and failed and observer.remedy:
        return [Fix(words=observer.remedy)]
    return list(found.values())
