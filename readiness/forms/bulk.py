"""What is done to several items at once: one form for each act."""

from typing import Any

from django import forms

from readiness.forms.services import resent
from readiness.models import User
from readiness.rules import texts


class BulkForm(forms.Form):
    """What all have in common: no key is shown again, and reasons stand at their field."""

    def refuse(self, field: str, reasons: list[str]) -> None:
        """Put reasons at a field."""
        for reason in reasons:
            self.add_error(field, reason)

    def clean(self) -> dict[str, Any]:
        """Show no key again that somebody pasted, not even to them."""
        typed = {name: str(self.data.get(name, "")) for name in self.fields}
        self.data = resent(
            self.data, **{name: texts.without_keys(text) for name, text in typed.items() if texts.holds_key(text)}
        )
        return super().clean() or self.cleaned_data


class BulkTickForm(BulkForm):
    """One word for several items."""

    summary = forms.CharField(
        label="What you saw or did", widget=forms.Textarea(attrs={"rows": 3}), max_length=texts.MOST_TEXT, strip=True
    )
    links = forms.CharField(
        label="Links to evidence",
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "inputmode": "url", "spellcheck": "false"}),
        help_text="One address on each line. Where a tick counts only with a link, the item is left without one.",
    )

    def clean_summary(self) -> str:
        """Ask the rule."""
        summary: str = self.cleaned_data["summary"]
        self.refuse("summary", texts.summary_refusals(summary))
        return summary

    def clean_links(self) -> list[str]:
        """Split lines, and ask the rule of each."""
        links = [line.strip() for line in self.cleaned_data["links"].splitlines() if line.strip()]
        self.refuse("links", texts.links_refusals(links))
        return links


class BulkAssignForm(BulkForm):
    """One owner, one due date, or both."""

    owner = forms.ModelChoiceField(User.objects.none(), required=False, empty_label="Leave each as it is")
    due_on = forms.DateField(
        label="Due",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="Empty leaves each as it is.",
    )

    def __init__(self, *args: Any, service: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.filter(memberships__team__services__slug=service, is_active=True)
        owner = self.fields["owner"]
        if isinstance(owner, forms.ModelChoiceField):
            owner.queryset = members.order_by("first_name", "username")


class BulkLeaveOutForm(BulkForm):
    """One reason for several requests."""

    reason = forms.CharField(
        label="Why they do not apply here",
        widget=forms.Textarea(attrs={"rows": 3}),
        strip=True,
        help_text="A reviewer decides on this text alone, for all of them or one by one.",
    )

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        self.refuse("reason", texts.reason_refusals(reason))
        return reason
