"""What to do where a spend cap is not the declared one, or cannot be read. Pure: facts in, words out."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from checks.contract import Facts
from readiness.observers import Fix, Snippet
from readiness.rules.spoken import money

_WORDS = {
    "differs": gettext_noop(
        "Set this cap in Bastion's dashboard, or correct the declared one in the settings, whichever is wrong."
    ),
    "no-cap": gettext_noop("Set this cap in Bastion's dashboard: without one a loop spends until the balance is gone."),
    "no-source": gettext_noop(
        "Ask the operator to configure a billing source, or tick the item with a link to the cap."
    ),
    "not-declared": gettext_noop("Declare the monthly cap in the settings of this environment."),
    "unknown-environment": gettext_noop(
        "Write the name that the billing source knows this environment by, in the settings."
    ),
    "no-currency": gettext_noop(
        "The operator mends the billing source: its currency expression finds nothing for this environment."
    ),
    "no-number": gettext_noop("The operator mends the billing source: its cap expression does not lead to an amount."),
    "bad-expression": gettext_noop("The operator mends the expression of the billing source."),
    "no-secret": gettext_noop("The operator mends the secret of the billing source."),
    "wrong-status": gettext_noop("Nothing, if it passes the next time. Else the operator looks at the billing source."),
    "unreachable": gettext_noop("See that the billing source is reached from where the worker runs."),
}


def cap_fix(message: str, facts: Facts) -> Fix | None:
    """Return what to do about one of the messages of ``spend-cap``; None where it is a pass."""
    words = _WORDS.get(message)
    if words is None:
        return None
    if message not in ("differs", "no-cap"):
        return Fix(words=_(words))
    declared = money(str(facts.get("declared", "")), str(facts.get("declared_currency", "")))
    return Fix(words=_(words), snippets=(Snippet(name=_("The declared cap, a month"), text=declared),))
