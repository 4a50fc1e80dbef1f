"""What the panel of an item shows: its tabs, runs, clauses and requests, chosen and put into words."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.template.context import Context
from django.urls import Resolver404, resolve
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext, pgettext_lazy

from readiness.enums.words import Judgement, RunState
from readiness.models import Evidence, NotApplicable, Run, Waiver
from readiness.observers import Observer
from readiness.rules.folding import of_a_tick
from readiness.rules.messages import Told, tell, tell_error, tell_finding
from readiness.rules.spoken import money, status_words
from readiness.selectors.items import ClauseView, ItemDetail
from readiness.selectors.sheets import ItemRow, Sheet

from .readiness_words import now_of

register = template.Library()

_JUDGED = {
    "fail": ("failing", pgettext_lazy("judgement", "fails")),
    "inconclusive": ("inconclusive", pgettext_lazy("judgement", "cannot tell")),
    "pass": ("verified", pgettext_lazy("judgement", "passes")),
    "withdrawn": ("open", pgettext_lazy("judgement", "taken back")),
    "retired": ("open", pgettext_lazy("judgement", "fail retired")),
}
_ORDER = tuple(_JUDGED)


# --- tabs and rows ----------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One tab of an item's panel."""

    name: str
    label: str
    count: int = 0
    waits: bool = False


@register.simple_tag
def panel_tabs(detail: ItemDetail) -> list[Tab]:
    """Return the tabs of an item; one for probe runs only where a probe could look or has looked."""
    tabs = [Tab(name="evidence", label=_("Evidence"), count=len(detail.evidence))]
    if detail.probes or detail.runs or detail.unobserved:
        tabs.insert(0, Tab(name="runs", label=_("Probe runs"), count=len(detail.runs)))
    return [
        *tabs,
        Tab(name="waiver", label=_("Waiver"), waits=detail.request is not None),
        Tab(name="comments", label=_("Comments"), count=sum(1 for one in detail.comments if one.removed_at is None)),
        Tab(name="history", label=_("History"), count=len(detail.history)),
        Tab(name="why", label=_("Why this matters")),
    ]


@register.simple_tag
def item_row_of(sheet: Sheet, entry_slug: str) -> ItemRow | None:
    """Return the line of an entry on a sheet."""
    return sheet.row(entry_slug) if sheet else None


@register.simple_tag(takes_context=True)
def asked_by_sheet(context: Context) -> bool:
    """Tell whether the page that asks is a sheet: an item's own page has no banner and no sections to swap."""
    address = urlsplit(context["request"].headers.get("HX-Current-URL", ""))
    try:
        return resolve(address.path).url_name == "sheet"
    except Resolver404:
        return False


@register.simple_tag(takes_context=True)
def wanting_link(context: Context, detail: ItemDetail) -> list[str]:
    """Return the texts of the clauses of which a tick would count only with a link."""
    clauses = [view.clause for view in detail.clauses]
    about = of_a_tick((clause.slug for clause in clauses), detail.item.clauses, now_of(context))
    return [clause.text for clause in clauses if clause.tick_needs_link and clause.slug in about]


@register.filter
def history_words(what: str) -> str:
    """Return what a line of the ledger says, where the page itself says of which item."""
    return what if what.endswith(":") else _("{what} it").format(what=what)


register.filter(money)


# --- runs -------------------------------------------------------------------------------------------------------------
@register.simple_tag
def running_words(runs: Sequence[Run]) -> str:
    """Say how many probes run and how many wait: "2 probes running, 1 waiting"."""
    running = sum(1 for run in runs if run.state == RunState.RUNNING)
    waiting = len(runs) - running
    if not running:
        return ngettext("{n} probe waiting", "{n} probes waiting", waiting).format(n=waiting)
    words = ngettext("{n} probe running", "{n} probes running", running).format(n=running)
    if not waiting:
        return words
    return ngettext("{running}, {n} waiting", "{running}, {n} waiting", waiting).format(running=words, n=waiting)


@register.simple_tag
def newest_run(runs: Iterable[Run], probe: str) -> Run | None:
    """Return the run of a probe among the newest ones."""
    return next((run for run in runs if run.probe == probe), None)


@register.simple_tag
def lacking(detail: ItemDetail, probe: str) -> list[str]:
    """Return what the environment lacks before a probe can look, in words."""
    return next((one.missing(detail.environment) for one in detail.probes if one.slug == probe), [])


@register.simple_tag
def last_run_over(runs: Iterable[Run], probe: str) -> Run | None:
    """Return the newest run of a probe that is over: what is known while another one waits or runs."""
    return next((run for run in runs if run.probe == probe and not run.is_open), None)


@register.simple_tag
def observer_of(probes: Iterable[Observer], slug: str) -> Observer | None:
    """Return a probe by its slug."""
    return next((probe for probe in probes if probe.slug == slug), None)


@register.filter
def findings_in_order(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return findings with what is wrong first, and each sentence once."""
    ordered = sorted(findings, key=lambda one: _rank(str(one.get("judgement", ""))))
    said: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for finding in ordered:
        said.setdefault((finding.get("judgement"), finding.get("sentence")), finding)
    return list(said.values())


def _rank(judgement: str) -> int:
    return _ORDER.index(judgement) if judgement in _ORDER else len(_ORDER)


@register.filter
def any_fail(findings: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether a finding is a fail: what to do about one is not what to do where a probe cannot tell."""
    return any(finding.get("judgement") == Judgement.FAIL for finding in findings)


@register.filter
def finding_words(finding: Mapping[str, Any]) -> SafeString:
    """Draw the sentence of a finding; one that cannot be said in the language of the page is marked as English."""
    return _drawn(tell_finding(finding))


@register.filter
def evidence_words(evidence: Evidence) -> SafeString:
    """Draw what a piece of evidence says: a probe's sentence as a finding's, a person's words as they are."""
    if not evidence.code:
        return conditional_escape(evidence.summary)
    return _drawn(tell(evidence.code, evidence.params, evidence.summary))


@register.filter
def error_words(run: Run) -> SafeString:
    """Draw why a run could not look."""
    return _drawn(tell_error(run.error))


def _drawn(told: Told) -> SafeString:
    return format_html('<span lang="en">{}</span>', told.text) if told.stored else conditional_escape(told.text)


@register.filter
def run_sentence(run: Run) -> SafeString | str:
    """Draw the one sentence that says most about a run: its error, or its worst finding."""
    if run.error:
        return error_words(run)
    ordered = findings_in_order(run.findings)
    return finding_words(ordered[0]) if ordered else ""


@register.simple_tag
def run_tag(run: Run) -> SafeString:
    """Draw where a run stands; a run that is done shows its worst judgement."""
    if run.state == RunState.DONE:
        ordered = findings_in_order(run.findings)
        return judgement_tag(str(ordered[0].get("judgement", "")) if ordered else "inconclusive")
    return format_html('<span class="tag {0}">{1}</span>', run.state, run.get_state_display().lower())


@register.simple_tag
def judgement_tag(judgement: str) -> SafeString:
    """Draw a judgement or an outcome as a word on its tint."""
    kind, word = _JUDGED.get(judgement, ("inconclusive", judgement or _("unknown")))
    return format_html('<span class="tag {}">{}</span>', kind, word)


# --- clauses and requests ---------------------------------------------------------------------------------------------
@register.simple_tag(takes_context=True)
def clause_mark(context: Context, view: ClauseView) -> SafeString:
    """Draw where a clause stands, small; a word stands beside it."""
    return format_html(
        '<span class="mark small-mark {}" aria-hidden="true"></span>', _clause_kind(view, now_of(context))[0]
    )


@register.simple_tag(takes_context=True)
def clause_tag(context: Context, view: ClauseView) -> SafeString:
    """Draw where a clause stands as a word."""
    kind, word = _clause_kind(view, now_of(context))
    return format_html('<span class="tag {}">{}</span>', kind, word)


def _clause_kind(view: ClauseView, now: datetime) -> tuple[str, str]:
    if view.failing:
        return "failing", status_words("failing")
    if not view.met:
        return "open", pgettext("clause", "not met")
    observed = view.observed
    by_probe = observed is not None and observed.valid_until is not None and now < observed.valid_until
    return ("verified", pgettext("clause", "observed")) if by_probe else ("attested", pgettext("clause", "attested"))


@register.simple_tag
def earlier_requests(detail: ItemDetail) -> list[Waiver | NotApplicable]:
    """Return the requests that are over, newest first."""
    shown = (detail.request, detail.standing_waiver, detail.standing_not_applicable)
    every: list[Waiver | NotApplicable] = [*detail.waivers, *detail.not_applicables]
    return sorted((one for one in every if one not in shown), key=lambda one: one.asked_at, reverse=True)
