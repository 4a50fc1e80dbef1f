"""Forms about probes."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from readiness.forms.services import resent
from readiness.models import Environment
from readiness.rules import texts


class DisableForm(forms.Form):
    """Where a probe is to look no more, and why."""

    environment = forms.ModelChoiceField(
        Environment.objects.none(),
        label=gettext_lazy("Only in"),
        required=False,
        empty_label=gettext_lazy("Everywhere"),
    )
    reason = forms.CharField(
        label=gettext_lazy("Why"),
        widget=forms.Textarea(attrs={"rows": 2}),
        strip=True,
        help_text=gettext_lazy("Everybody who looks at what it observes reads this. What it saw stands until it ages."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        live = Environment.objects.filter(archived_at=None, service__archived_at=None).select_related("service")
        where = cast("forms.ModelChoiceField[Environment]", self.fields["environment"])
        where.queryset = live.order_by("service__slug", "name")

    def clean_reason(self) -> str:
        """Ask the rule."""
        reason: str = self.cleaned_data["reason"]
        for refusal in texts.reason_refusals(reason):
            self.add_error("reason", refusal)
        return reason

    def clean(self) -> dict[str, Any]:
        """Show no key again that somebody pasted, not even to them."""
        typed = str(self.data.get(self.add_prefix("reason"), ""))
        if texts.holds_key(typed):
            self.data = resent(self.data, **{self.add_prefix("reason"): texts.without_keys(typed)})
        return super().clean() or self.cleaned_data
