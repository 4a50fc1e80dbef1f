"""What is done to several items at once: one form for each act."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readiness.forms.written import AREA, OwnerForm, WordForm, WrittenForm
from readiness.rules import texts


class BulkTickForm(WordForm):
    """One word for several items."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["links"].help_text = _(
            "One address on each line. Where a tick counts only with a link, the item is left without one."
        )


class BulkAssignForm(OwnerForm):
    """One owner, one due date, or both."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        owner = self.fields["owner"]
        if isinstance(owner, forms.ModelChoiceField):
            owner.empty_label = _("Leave each as it is")
        self.fields["due_on"].help_text = _("Empty leaves each as it is.")


class BulkLeaveOutForm(WrittenForm):
    """One reason for several requests."""

    reason = forms.CharField(
        label=gettext_lazy("Why they do not apply here"),
        widget=forms.Textarea(attrs=AREA),
        strip=True,
        help_text=gettext_lazy("A reviewer decides on this text alone, for all of them or one by one."),
    )

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        self.refuse("reason", texts.reason_refusals(reason))
        return reason
