"""Words for what waits: how near an end is, where a request stands, and a section that is to be left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import template
from django.template.context import Context
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext_lazy

from readiness.enums.standing import RequestState, Status
from readiness.forms.requests import LeaveOutForm
from readiness.models import Item, NotApplicable, Waiver
from readiness.rules.permissions import archived_refusals
from readiness.rules.waivers import LeftOutLine, ask_not_applicable_refusals, leave_out_refusals, state_at, warning_at
from readiness.selectors.ownership import owner_of
from readiness.selectors.register import STATES, Choices, Filters
from readiness.selectors.request_states import KINDS, WAIVER, course_of
from readiness.selectors.sections import seen_text
from readiness.selectors.sheets import ItemRow, SheetSection

from .readiness_words import avatar, now_of

register = template.Library()

_STATES = {
    RequestState.WAITING: ("waiting", pgettext_lazy("request", "waits for a reviewer")),
    RequestState.HOLDING: ("waived", pgettext_lazy("request", "holds")),
    RequestState.ENDED: ("open", pgettext_lazy("request", "ended")),
    RequestState.REVOKED: ("open", pgettext_lazy("request", "revoked")),
    RequestState.RENEWED: ("open", pgettext_lazy("request", "renewed")),
    RequestState.REFUSED: ("open", pgettext_lazy("request", "refused")),
    RequestState.WITHDRAWN: ("open", pgettext_lazy("request", "withdrawn")),
}
_FILTERS: dict[str, Any] = {
    RequestState.WAITING: pgettext_lazy("request", "waiting"),
    RequestState.HOLDING: pgettext_lazy("request", "holding"),
    "ending": pgettext_lazy("request", "ending within a week"),
    **{
        state: word
        for state, (_kind, word) in _STATES.items()
        if state not in (RequestState.WAITING, RequestState.HOLDING)
    },
}


def left_words(until: datetime, now: datetime) -> str:
    """Return how long is left: "6 days", "1 day", "5 hours", "3 minutes"; whole ones, never more than there is."""
    seconds = int((until - now).total_seconds())
    if seconds >= 86_400:
        return ngettext("{n} day", "{n} days", seconds // 86_400).format(n=seconds // 86_400)
    if seconds >= 3600:
        return ngettext("{n} hour", "{n} hours", seconds // 3600).format(n=seconds // 3600)
    if seconds >= 60:
        return ngettext("{n} minute", "{n} minutes", seconds // 60).format(n=seconds // 60)
    return _("less than a minute")


@register.simple_tag(takes_context=True)
def time_left_tag(context: Context, waiver: Waiver | None, words: str = "") -> SafeString | str:
    """Draw that a waiver ends within a week, with what to do; nothing where it does not, or does not hold."""
    now = now_of(context)
    if waiver is None or not waiver.standing:
        return ""
    nearing = warning_at(waiver.until, now)
    if nearing is None:
        return ""
    ends = _("ends in {length}").format(length=left_words(waiver.until, now))
    return format_html('<span class="tag ending {}">{}{}</span>', nearing, ends, words)


@register.simple_tag(takes_context=True)
def state_tag(context: Context, asked: Waiver | NotApplicable) -> SafeString:
    """Draw where a request stands at the instant of the page as a word."""
    return state_words(state_at(course_of(asked), now_of(context)))


@register.simple_tag
def state_words(state: RequestState) -> SafeString:
    """Draw a state of a request as a word."""
    return format_html('<span class="tag {}">{}</span>', *_STATES[state])


@dataclass(frozen=True, slots=True, kw_only=True)
class Select:
    """One choice of a form of filters: ``every`` is what nothing chosen means, ``options`` are values with words."""

    name: str
    label: str
    every: str
    options: Sequence[tuple[str, str]]
    chosen: str


@register.simple_tag
def register_selects(choices: Choices, chosen: Filters) -> list[Select]:
    """Return what the register can be filtered by."""
    kinds = [(kind, _("waiver") if kind == WAIVER else _("not applicable")) for kind in KINDS]
    people = [(one.username, str(one)) for one in choices.people]
    entries = [(one.slug, one.title) for one in choices.entries]
    teams = [(one.slug, one.name) for one in choices.teams]
    services = [(slug, slug) for slug in choices.services]
    states = [(str(state), str(_FILTERS.get(state, state))) for state in STATES]
    rows = (
        ("state", _("State"), _("Any state"), states),
        ("kind", _("Kind"), _("Both kinds"), kinds),
        ("team", _("Team"), _("Any team"), teams),
        ("service", _("Service"), _("Any service"), services),
        ("entry", _("Item"), _("Any item"), entries),
        ("person", _("Asked or answered by"), _("Anybody"), people),
    )
    return [
        Select(name=name, label=label, every=every, options=options, chosen=getattr(chosen, name))
        for name, label, every, options in rows
    ]


@register.simple_tag
def owner_avatar(item: Item) -> SafeString:
    """Draw who owns an item; a dashed ring where nobody does, with who has left on hover."""
    owner = owner_of(item)
    if not owner.nobody or not owner.name:
        return avatar(item.owner)
    return format_html(
        '<span class="avatar none" title="{0}"><span class="unseen">{0}</span></span>',
        _("Owner: {person}").format(person=owner.words),
    )


@register.simple_tag
def owner_sentence(item: Item) -> str:
    """Say who owns an item, as a sentence: "Mia Roy owns this", "Nobody owns this: Mia Roy has left"."""
    owner = owner_of(item)
    if not owner.nobody:
        return _("{person} owns this").format(person=owner.name)
    if owner.name:
        return _("Nobody owns this: {person} has left").format(person=owner.name)
    return _("Nobody owns this")


@register.inclusion_tag("partials/leave_out.html", takes_context=True)
def leave_out(context: Context, section: SheetSection) -> dict[str, Any]:
    """Draw the form that leaves a section out: which of its items it asks for, which not and why."""
    now, environment = now_of(context), context["environment"]
    rows = [row for row in section.rows if row.item is not None and row.status is not None]
    lines = [(row, _line(row, now)) for row in rows]
    archived = archived_refusals(environment.archived_at, environment.service.archived_at)
    sent = context.get("leaving_out") or {}
    mine = sent if sent.get("section") == section.section.pk else {}
    seen = seen_text({line.item: line.version for _row, line in lines})
    asked = [row for row, line in lines if not line.reasons]
    form = mine.get("form") or LeaveOutForm(auto_id=f"leave-out-{section.section.pk}_%s")
    return {
        "section": section.section,
        "environment": environment,
        "refusals": archived or context.get("change_refusals") or leave_out_refusals([line for _row, line in lines]),
        "asked": asked,
        "left": [(row, line.reasons) for row, line in lines if line.reasons],
        "shared": any(row.item is not None and row.item.environment_id is None for row in asked),
        "counted": len(lines),
        "seen": seen,
        "form": form,
        "problem": mine.get("problem", []),
        "opened": bool(mine),
        "csrf_token": context.get("csrf_token"),
    }


def _line(row: ItemRow, now: datetime) -> LeftOutLine:
    item = row.item
    if item is None:
        raise TypeError("An entry that does not apply has no line.")
    reasons = ask_not_applicable_refusals(
        failing=item.failing_since is not None and item.failing_since <= now,
        waiting=row.waiting,
        standing=row.status is Status.NOT_APPLICABLE,
    )
    return LeftOutLine(item=item.pk, version=item.version, reasons=tuple(reasons))


@register.simple_tag
def keys_of(requests: Sequence[NotApplicable]) -> str:
    """Return how a form names all of a batch."""
    return ",".join(f"not-applicable-{one.pk}" for one in requests)
