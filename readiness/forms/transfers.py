"""The form that hands a service to another team."""

from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy

from readiness.models import Service, Team

from .archiving import ArchiveForm


class TransferForm(ArchiveForm):
    """To which team, and why."""

    team = forms.ModelChoiceField(
        Team.objects.none(), label=gettext_lazy("New team"), empty_label=gettext_lazy("Choose a team")
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ["team", "reason", "seen_version"]

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        others = Team.objects.exclude(pk=service.team_id)
        cast("forms.ModelChoiceField[Team]", self.fields["team"]).queryset = others
