"""Words for launch reviews: when they start, what was decided, and what became of that."""

from datetime import datetime

from django import template
from django.template.context import Context
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from readiness.enums.words import DecisionKind
from readiness.models import Condition, Decision
from readiness.rules.decisions import Fact, Worsening
from readiness.rules.messages import tell
from readiness.rules.moved import Move, Way
from readiness.rules.snapshots import FrozenClause, FrozenEvidence, FrozenItem
from readiness.rules.spoken import in_language
from readiness.selectors.coverage import discharged_by

from .date_words import day_and_time, day_words, exact_words
from .readiness_words import now_of, status_word

register = template.Library()

_CLASSES = {
    DecisionKind.GO: "verified",
    DecisionKind.GO_WITH_CONDITIONS: "waived",
    DecisionKind.NO_GO: "failing",
}


def moment_words(instant: datetime, now: datetime) -> str:
    """Return a day as people say it, and the time of day: "Tue 24 Nov 10:00", "tomorrow 10:00"."""
    local = timezone.localtime(instant)
    return day_and_time(day_words(local.date(), timezone.localdate(now)), local)


@register.simple_tag(takes_context=True)
def moment(context: Context, instant: datetime | None) -> str:
    """Draw an instant with its time of day, and the exact one on hover. Nothing for None."""
    if instant is None:
        return ""
    words = moment_words(instant, now_of(context))
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', instant.isoformat(timespec="seconds"), exact_words(instant), words
    )


@register.simple_tag
def decision_tag(decision: Decision) -> SafeString:
    """Draw what was decided as a word on its tint."""
    return kind_tag(decision.kind)


@register.simple_tag
def kind_tag(kind: str) -> SafeString:
    """Draw a kind of decision as a word on its tint."""
    word = DecisionKind(kind)
    return format_html('<span class="tag {}">{}</span>', _CLASSES[word], word.label)


@register.filter
def fact_words(fact: Fact) -> str:
    """Say what got worse: "was verified and is stale". Its item is named before it."""
    before, after = status_word(fact.before), status_word(fact.after)
    match fact.what:
        case Worsening.OVERDUE:
            said = _("was to be settled under a condition, and is {after}: the condition is overdue")
        case Worsening.BEGAN_TO_FAIL:
            said = _("was {before} and fails")
        case Worsening.UNSETTLED_AGAIN:
            said = _("had been settled, as its condition asked, and is {after} again")
        case Worsening.ONLY_WAIVED:
            said = _("was {before} and is only waived")
        case _:
            said = _("was {before} and is {after}")
    return said.format(before=before, after=after)


_WAYS = {Way.WORSE: "failing", Way.NEW: "open", Way.BETTER: "verified", Way.ASIDE: "open", Way.GONE: "open"}


@register.filter
def frozen_words(part: FrozenItem | FrozenClause, name: str) -> str:
    """Return words of an item or a clause as they were frozen, in the language of the page where they were in it."""
    return in_language(getattr(part, name), part.translations, name)


@register.filter
def said_words(said: FrozenEvidence) -> str:
    """Return what was said of a clause: a person's words as they are, a probe's in the language of the page."""
    return tell(said.code, said.params, said.summary).text if said.run is not None else said.summary


@register.filter
def move_words(move: Move) -> str:
    """Say how an item moved: "was verified and is stale". Its item is named before it."""
    if move.before is None:
        return _("is new on this sheet, and {after}").format(after=status_word(move.after))
    if move.after is None:
        return _("was {before} and is not on this sheet any more").format(before=status_word(move.before))
    return _("was {before} and is {after}").format(before=status_word(move.before), after=status_word(move.after))


@register.simple_tag
def way_tag(way: Way) -> SafeString:
    """Draw which way an item moved as a word on its tint."""
    words = {
        Way.WORSE: _("worse"),
        Way.NEW: _("new"),
        Way.BETTER: _("better"),
        Way.ASIDE: _("as good"),
        Way.GONE: _("gone"),
    }
    return format_html('<span class="tag {}">{}</span>', _WAYS[way], words[way])


@register.simple_tag(takes_context=True)
def condition_state(context: Context, condition: Condition) -> str:
    """Return where a condition stands: ``discharged``, ``overdue`` or ``open``."""
    now = now_of(context)
    if discharged_by(condition, now):
        return "discharged"
    return "overdue" if condition.until <= now else "open"


@register.filter
def condition_word(state: str) -> str:
    """Return where a condition stands as a word."""
    return {
        "discharged": pgettext("condition", "discharged"),
        "overdue": pgettext("condition", "overdue"),
        "open": pgettext("condition", "open"),
    }.get(state, state)


@register.filter
def outcome_word(outcome: str) -> str:
    """Return what evidence that was frozen says; a word that is none is returned as it is."""
    return {
        "pass": pgettext("evidence", "pass"),
        "fail": pgettext("evidence", "fail"),
        "withdrawn": pgettext("evidence", "withdrawn"),
        "retired": pgettext("evidence", "retired"),
    }.get(outcome, outcome)
