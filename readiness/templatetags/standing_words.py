"""Words for where an environment stands at an instant: what turns, who owns it, how the instant is known."""

from datetime import datetime

from django import template
from django.template.context import Context
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readiness.enums.standing import Status
from readiness.models import Item
from readiness.rules.forecasts import FOREVER, Cause
from readiness.rules.status import ItemFacts
from readiness.selectors.ownership import owner_of
from readiness.selectors.standing import ItemStanding, Known, Standing, Turn

from .date_words import end_words, exact_words
from .readiness_words import now_of, status_word

register = template.Library()

_BECAUSE = {
    Cause.WAIVER_ENDS: gettext_lazy("the waiver ends"),
    Cause.TICK_AGES: gettext_lazy("the tick has to be renewed"),
    Cause.OBSERVATION_AGES: gettext_lazy("what was observed is too old, and no probe that runs by itself renews it"),
    Cause.NO_LONGER_TRUE: gettext_lazy("what was observed is no longer true"),
    Cause.FAIL_COUNTS: gettext_lazy("the fail counts from then on"),
    Cause.BEGINS_TO_COUNT: gettext_lazy("it begins to count"),
    Cause.MEANS_ANOTHER_THING: gettext_lazy("the entry asks for something else from then on"),
    Cause.CONDITION_ENDS: gettext_lazy("the condition of the go ends"),
}
_KNOWN = {
    Known.NOW: gettext_lazy("As it is now."),
    Known.REPLAYED: gettext_lazy(
        "As it was known then: recomputed from what was recorded by that instant, and from nothing else."
    ),
    Known.FORECAST: gettext_lazy(
        "As far as it is known now: probes that pass on a schedule are taken to keep passing, and what "
        "needs a person or a drill ends when it ends."
    ),
}


@register.simple_tag
def turn_words(turn: Turn) -> str:
    """Say what becomes of an item, and why: "becomes stale: the tick has to be renewed (Alerts on 402.)"."""
    reversal = turn.reversal
    because = str(_BECAUSE[reversal.cause])
    if turn.clause:
        because = _("{because} ({clause})").format(because=because, clause=turn.clause.rstrip("."))
    still = _("is still {status}: {because}")
    said = still if reversal.before is reversal.after else _("becomes {status}: {because}")
    return said.format(status=status_word(reversal.after), because=because)


@register.simple_tag
def known_words(standing: Standing) -> str:
    """Say how an instant is judged."""
    return str(_KNOWN[standing.known])


@register.simple_tag
def owner_words(item: Item) -> str:
    """Say who owns an item: "Mia Roy", "nobody (Mia Roy has left)"."""
    return owner_of(item).words


@register.simple_tag
def exact(instant: datetime) -> str:
    """Say an instant in full, in the site's time zone."""
    return exact_words(instant)


@register.simple_tag(takes_context=True)
def holds_words(context: Context, one: ItemStanding, at: datetime) -> str:
    """Say what a status rests on: until when it holds, or since when it does not."""
    facts, now = one.facts, now_of(context)
    if one.status is Status.FAILING and facts.failing_since is not None:
        return _("since {moment}").format(moment=exact_words(facts.failing_since))
    if one.status is Status.WAIVED and facts.waived_until is not None:
        return _("until {end}").format(end=end_words(facts.waived_until, now))
    if one.status.met and facts.settled_until is not None:
        return _("for as long as its probes pass") if facts.settled_until >= FOREVER else _until(facts, now)
    if one.status is Status.STALE and facts.settled_until is not None and facts.settled_until <= at:
        return _("since {moment}").format(moment=exact_words(facts.settled_until))
    return ""


def _until(facts: ItemFacts, now: datetime) -> str:
    return _("until {end}").format(end=end_words(facts.settled_until, now)) if facts.settled_until else ""
