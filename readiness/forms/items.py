"""Forms about one item. They ask the rules; the actions ask them again."""

from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from readiness.enums.words import Stance
from readiness.forms.written import AREA, OwnerForm, WordForm, WrittenForm
from readiness.rules import texts
from readiness.rules.waivers import MOST_DAYS, end_refusals


class SeenForm(WrittenForm):
    """A form that knows which version of the item the person saw."""

    seen_version = forms.IntegerField(widget=forms.HiddenInput)


class TickForm(WordForm, SeenForm):
    """A person's word that an item is met."""


class TakeBackForm(SeenForm):
    """Taking a tick back, with why."""

    summary = forms.CharField(
        label=gettext_lazy("Why it no longer holds"), widget=forms.Textarea(attrs={"rows": 2}), strip=True
    )

    def clean_summary(self) -> str:
        """Ask the rule."""
        summary: str = self.cleaned_data["summary"]
        self.refuse("summary", texts.summary_refusals(summary))
        return summary


class AssignForm(OwnerForm, SeenForm):
    """Who owns an item, and by when it is due."""


class WaiverForm(SeenForm):
    """Asking that an item may wait."""

    stance = forms.ChoiceField(label=gettext_lazy("What you hold"), choices=Stance.choices, widget=forms.RadioSelect)
    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        widget=forms.Textarea(attrs=AREA),
        strip=True,
        help_text=gettext_lazy(
            "Why it may wait, and what protects you meanwhile. A reviewer decides on this text alone."
        ),
    )
    until = forms.DateField(
        label=gettext_lazy("Until the end of"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=format_lazy(
            gettext_lazy("At most {days} days. It ends by itself, at the end of this day."), days=MOST_DAYS
        ),
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.now = now

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        self.refuse("reason", texts.reason_refusals(reason))
        return reason

    def clean_until(self) -> Any:
        """Ask the rule."""
        until = self.cleaned_data["until"]
        self.refuse("until", end_refusals(until, now=self.now, zone=timezone.get_current_timezone()))
        return until


class ReasonForm(SeenForm):
    """A reason that a reviewer, or the ledger's reader, can judge."""

    request = forms.CharField(widget=forms.HiddenInput, required=False)
    reason = forms.CharField(label=gettext_lazy("Reason"), widget=forms.Textarea(attrs=AREA), strip=True)

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        self.refuse("reason", texts.reason_refusals(reason))
        return reason


class DecideForm(SeenForm):
    """A reviewer's answer: granted, or refused with why."""

    request = forms.CharField(widget=forms.HiddenInput)
    answer = forms.ChoiceField(
        label=gettext_lazy("Answer"), choices=[("grant", gettext_lazy("Grant")), ("refuse", gettext_lazy("Refuse"))]
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        strip=True,
        help_text=gettext_lazy("A refusal says why; a grant may."),
    )

    def clean(self) -> dict[str, Any]:
        """A refusal needs a reason."""
        cleaned = super().clean() or {}
        if cleaned.get("answer") == "refuse":
            self.refuse("note", texts.reason_refusals(cleaned.get("note", "")))
        else:
            self.refuse("note", texts.unkept(cleaned.get("note", "")))
        return cleaned
