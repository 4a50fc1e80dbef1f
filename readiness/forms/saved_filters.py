"""The form under which name an overview is saved. It asks the rule; the action asks it again."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy

from readiness.forms.services import resent
from readiness.rules.saved_filters import MOST_NAME, save_refusals
from readiness.rules.texts import holds_key


class SavedFilterForm(forms.Form):
    """A name for what is shown."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=MOST_NAME)

    def __init__(self, *args: Any, query: str, held: Collection[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.query, self.held = query, held

    def clean_name(self) -> str:
        """Ask the rule, and show no key again that was pasted."""
        name: str = self.cleaned_data["name"]
        if holds_key(name):
            self.data = resent(self.data, name="")
        if reasons := save_refusals(name, self.query, held=self.held):
            raise forms.ValidationError(reasons)
        return name
