"""What forms about one item, about several and beside them have in common."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from readiness.forms.services import resent
from readiness.models import User
from readiness.rules import texts

AREA = {"rows": 3}


class WrittenForm(forms.Form):
    """A form in which people write: no key is shown again, and reasons stand at their field."""

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


class WordForm(WrittenForm):
    """A person's word, and links that prove it."""

    summary = forms.CharField(
        label=gettext_lazy("What you saw or did"),
        widget=forms.Textarea(attrs=AREA),
        max_length=texts.MOST_TEXT,
        strip=True,
    )
    links = forms.CharField(
        label=gettext_lazy("Links to evidence"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2, "inputmode": "url", "spellcheck": "false"}),
        help_text=gettext_lazy(
            "One address on each line: a runbook, a dashboard, a pull request. Files stay where they live."
        ),
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


class OwnerForm(WrittenForm):
    """Who owns items of a service, and by when they are due."""

    owner = forms.ModelChoiceField(
        User.objects.none(), label=gettext_lazy("Owner"), required=False, empty_label=gettext_lazy("Nobody")
    )
    due_on = forms.DateField(
        label=gettext_lazy("Due"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, service: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = User.objects.filter(memberships__team__services__slug=service, is_active=True)
        owner = self.fields["owner"]
        if isinstance(owner, forms.ModelChoiceField):
            owner.queryset = members.order_by("first_name", "username")
