"""The form of archiving and of bringing back."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from readiness.forms.services import resent
from readiness.rules import texts


class ArchiveForm(forms.Form):
    """Why something is archived, or brought back."""

    reason = forms.CharField(label=gettext_lazy("Why"), widget=forms.Textarea(attrs={"rows": 2}), strip=True)

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        for refusal in texts.reason_refusals(reason):
            self.add_error("reason", refusal)
        return reason

    def clean(self) -> dict[str, Any]:
        """Show no key again that somebody pasted, not even to them."""
        typed = str(self.data.get("reason", ""))
        if texts.holds_key(typed):
            self.data = resent(self.data, reason=texts.without_keys(typed))
        return super().clean() or self.cleaned_data
