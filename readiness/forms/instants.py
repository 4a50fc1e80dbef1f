"""Which instant somebody wants an environment judged at."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

MOST_AHEAD = timedelta(days=366)
"""Nothing is known of what lies further ahead than a year: every freshness and waiver has ended by then."""


class InstantForm(forms.Form):
    """An instant in the site's time zone, between when the environment was added and a year ahead."""

    at = forms.DateTimeField(
        label=gettext_lazy("At"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y-%m-%d"],
        error_messages={
            "invalid": gettext_lazy("Give a date and a time of day, like 2026-12-01T09:30."),
            "required": gettext_lazy("Give a date and a time of day."),
        },
    )

    def __init__(self, *args: Any, added_at: datetime | None, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.added_at, self.now = added_at, now
        self.fields["at"].label = _("At, local time: {zone}").format(zone=timezone.get_current_timezone_name())

    def clean_at(self) -> datetime:
        """Refuse instants of which nothing can be known."""
        at: datetime = self.cleaned_data["at"]
        if self.added_at is not None and at < self.added_at:
            self.add_error("at", _("The environment was not here yet. Choose a later instant."))
        elif at > self.now + MOST_AHEAD:
            self.add_error("at", _("At most a year ahead can be judged: everything that is known has ended by then."))
        return at
