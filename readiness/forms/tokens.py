"""The form for a new API token. It asks the rules; the action asks them again."""

from datetime import date, datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readiness.enums.words import TokenScope
from readiness.forms.services import resent
from readiness.models import Team
from readiness.rules import tokens as rules
from readiness.rules.texts import holds_key
from readiness.selectors.tokens import working_prefix


class TokenForm(forms.Form):
    """What a token is for, what it may do, and until when."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=rules.MOST_NAME,
        help_text=gettext_lazy("The program that will use it. It is named wherever it says something."),
    )
    team = forms.ModelChoiceField(
        Team.objects.all(),
        required=False,
        empty_label=gettext_lazy("Every team"),
        label=gettext_lazy("Speaks of the services of"),
        help_text=gettext_lazy("Of those that the team owns at the moment of a call."),
    )
    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("May"),
        choices=TokenScope.choices,
        widget=forms.CheckboxSelectMultiple,
        initial=list(TokenScope.values),
    )
    last_day = forms.DateField(
        label=gettext_lazy("Works to the end of"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, *args: Any, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone = timezone.get_current_timezone()
        self.now = now
        day = self.fields["last_day"]
        day.initial = rules.usual_day(now, zone)
        day.help_text = _("At most {days} days; then make a new one.").format(days=rules.MOST_DAYS)
        day.widget.attrs |= {"min": timezone.localdate(now), "max": rules.last_day(now, zone)}

    def clean_name(self) -> str:
        """Ask the rule, and show no key again that was pasted."""
        name: str = self.cleaned_data["name"]
        if holds_key(name):
            self.data = resent(self.data, name="")
        taken = rules.same_name_refusals(working_prefix(name, self.now))
        if reasons := rules.name_refusals(name) + taken:
            raise forms.ValidationError(reasons)
        return name

    def clean_last_day(self) -> date:
        """Ask the rule."""
        day: date = self.cleaned_data["last_day"]
        if reasons := rules.last_day_refusals(day, now=self.now, zone=timezone.get_current_timezone()):
            raise forms.ValidationError(reasons)
        return day
