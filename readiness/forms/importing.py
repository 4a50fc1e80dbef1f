"""A file of services to import, typed or uploaded."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from .checklists import ChecklistForm


class ImportServicesForm(ChecklistForm):
    """A catalog or a table. A file that is chosen takes the place of what was typed, and is shown in its place."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["text"].label = _("catalog-info.yaml, or CSV")
        self.fields["text"].widget.attrs["rows"] = 16
        self.fields["upload"].help_text = _("YAML or CSV in UTF-8. It takes the place of the text.")
        self.fields["upload"].widget = forms.FileInput(attrs={"accept": ".yaml,.yml,.csv,text/csv,text/plain"})
