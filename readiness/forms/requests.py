"""Forms about requests that stand outside their items: answered on one's own list, and asked for a whole section."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from readiness.forms.services import resent
from readiness.rules import texts

MOST_AT_ONCE = 200


class AnswerForm(forms.Form):
    """A reviewer's answer to one request or to all of a batch: granted, or refused with why."""

    requests = forms.CharField(widget=forms.HiddenInput, max_length=40 * MOST_AT_ONCE)
    answer = forms.ChoiceField(
        label=gettext_lazy("Answer"), choices=[("grant", gettext_lazy("Grant")), ("refuse", gettext_lazy("Refuse"))]
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 1}),
        strip=True,
        help_text=gettext_lazy("A refusal says why; a grant may."),
    )

    def clean(self) -> dict[str, Any]:
        """A refusal needs a reason; no key is shown again."""
        cleaned = super().clean() or {}
        note = cleaned.get("note", "")
        if texts.holds_key(note):
            self.data = resent(self.data, note=texts.without_keys(note))
        refused = cleaned.get("answer") == "refuse"
        for reason in texts.reason_refusals(note) if refused else texts.unkept(note):
            self.add_error("note", reason)
        return cleaned


class LeaveOutForm(forms.Form):
    """One reason for a whole section, and which versions of its items the person saw."""

    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=40 * MOST_AT_ONCE)
    reason = forms.CharField(
        label=gettext_lazy("Why none of it applies here"),
        widget=forms.Textarea(attrs={"rows": 3}),
        strip=True,
        help_text=gettext_lazy(
            "Each item is asked for with this reason. A reviewer answers them together or one by one."
        ),
    )

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        for refusal in texts.reason_refusals(reason):
            self.add_error("reason", refusal)
        if texts.holds_key(reason):
            self.data = resent(self.data, reason=texts.without_keys(reason))
        return reason
