"""What a page shows where somebody else saved first: what they saved, beside what this person typed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.db.models import Model
from django.utils.translation import gettext as _

from readiness.forms.services import resent
from readiness.models import Item
from readiness.rules.crossings import Side, side_of
from readiness.rules.spoken import amount_words, listed
from readiness.selectors.crossings import Saved, Since, saved_about
from readiness.selectors.histories import Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One setting that others changed: what is saved of it now, by whom last, and what this person typed."""

    label: str
    line: Line
    saved: str
    mine: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossing:
    """Both sides of a crossing. ``mine`` is what this person wrote, labels and texts; the rest is for settings alone.

    ``both`` was changed by others and by this person to something else, ``taken`` by others alone: the form takes that
    over. ``unchanged`` are labels of what nobody changed.
    """

    sentence: str
    saved: Sequence[Saved]
    mine: Sequence[tuple[str, str]] = ()
    both: Sequence[Setting] = ()
    taken: Sequence[Setting] = ()
    unchanged: Sequence[str] = ()


def crossed_item(item: Item, form: forms.Form) -> Crossing:
    """Return what others saved about an item since the form's version, beside what was typed into the form.

    The form is made ready to be sent again, on top of what was saved.
    """
    saved = saved_about(item, form.cleaned_data["seen_version"])
    mine = [(str(bound.label), _shown(bound.field, bound.value())) for bound in form.visible_fields() if bound.value()]
    form.data = resent(form.data, seen_version=str(item.version))
    return Crossing(
        sentence=_sentence(saved, _("{people} saved this item while you were writing.")), saved=saved, mine=mine
    )


def crossed_settings(form: forms.BaseForm, now: forms.BaseForm, since: Since, *, said: str, version: int) -> Crossing:
    """Return, setting by setting, what others saved since the form's version, beside what was typed into the form.

    ``said`` is the sentence about ``{people}``, ``now`` the same form, empty, on what is saved. What only others
    changed is taken over into the form, since it holds there what they replaced; what both changed stays as typed.
    """
    sides: dict[Side, list[str]] = {}
    for name in [bound.name for bound in now.visible_fields()]:
        saved = as_text(now[name].value())
        seen = as_text(since.before[name]) if name in since.before else saved
        sides.setdefault(side_of(seen=seen, saved=saved, mine=as_text(form.cleaned_data.get(name))), []).append(name)
    taken = sides.get(Side.THEIRS, [])
    mine = [(str(now[name].label), _shown(now.fields[name], form[name].value())) for name in sides.get(Side.MINE, [])]
    both = [_setting(form, now, since, name) for name in sides.get(Side.BOTH, [])]
    form.data = resent(form.data, seen_version=str(version), **{name: as_text(now[name].value()) for name in taken})
    return Crossing(
        sentence=_sentence(since.saved, said),
        saved=since.saved,
        mine=[*mine, *((one.label, one.mine) for one in both)],
        both=both,
        taken=[_setting(form, now, since, name) for name in taken],
        unchanged=[str(now[name].label) for name in sides.get(Side.UNCHANGED, [])],
    )


def as_text(value: Any) -> str:
    """Return a setting as a browser sends it, and as two of them are compared."""
    if value is None:
        return ""
    if isinstance(value, Model):
        return str(value.pk)
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    return value.isoformat() if isinstance(value, date) else str(value)


def _setting(form: forms.BaseForm, now: forms.BaseForm, since: Since, name: str) -> Setting:
    field = now.fields[name]
    return Setting(
        label=str(now[name].label),
        line=since.last[name],
        saved=_shown(field, now[name].value()),
        mine=_shown(field, form[name].value()),
    )


def _shown(field: forms.Field, value: Any) -> str:
    """Return what a field holds, as its choices name it."""
    text = as_text(value)
    if isinstance(field, forms.DecimalField):
        return amount_words(text) or _("nothing")
    if isinstance(field, forms.ModelChoiceField):
        rows = field.queryset
        chosen = rows.filter(pk=text).first() if rows is not None and text.isdecimal() else None
        return str(chosen) if chosen else _("nothing")
    if isinstance(field, forms.ChoiceField):
        labels = {str(key): str(label) for key, label in cast("Iterable[tuple[str, str]]", field.choices)}
        return labels.get(text, text)
    return text or _("nothing")


def _sentence(saved: Sequence[Saved], said: str) -> str:
    who = list(dict.fromkeys(one.line.who for one in saved)) or [_("Somebody")]
    return said.format(people=listed(who))
