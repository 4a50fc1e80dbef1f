"""Forms of a review while it is held: a decision that is filled in as far as it can be, notes, who is there."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy

from readiness.enums.words import DecisionKind
from readiness.models import Environment, User
from readiness.rules import texts
from readiness.rules.decisions import MOST_DAYS
from readiness.rules.meetings import condition_day, note_text_refusals
from readiness.selectors.launches import Left
from readiness.selectors.meetings import owners_offered

from .reviews import DecisionForm, KeylessForm

MOST_KEY = 40
MOST_NUMBER = 10**18 - 1
"""No id is greater, and a database may not take a number that is."""


class MeetingDecisionForm(DecisionForm):
    """A decision in a meeting: owners and days are offered, and one reason may stand for every item that has none.

    ``line`` is the environment that it is about, ``key`` what tells one that is sent again from a new one.
    """

    everywhere = forms.CharField(
        label=gettext_lazy("Why they may wait"),
        required=False,
        strip=True,
        help_text=gettext_lazy("For every item below that says nothing of its own."),
    )
    line = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=MOST_KEY)

    def __init__(
        self,
        *args: Any,
        environment: Environment,
        left: Sequence[Left],
        dissents: int,
        now: datetime,
        initial: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        given = {"line": environment.pk, "dissents": dissents, **(initial or {})}
        super().__init__(*args, left=left, dissents=dissents, now=now, initial=given, auto_id="decide_%s", **kwargs)
        last = self.today + timedelta(days=MOST_DAYS - 1)
        day = condition_day(environment.launch_on, today=timezone.localdate(now), last=last)
        owners = owners_offered(environment, [one.item for one in left], self.people) if left else {}
        for one in left:
            self.fields[f"until-{one.item.pk}"].initial = day
            self.fields[f"owner-{one.item.pk}"].initial = str(owners.get(one.item.pk, ""))

    def clean(self) -> dict[str, Any]:
        """Let the one reason stand where an item has none, then ask the rules."""
        everywhere = self.cleaned_data.get("everywhere", "")
        for one in self.left if self.kind == DecisionKind.GO_WITH_CONDITIONS else ():
            if not self.cleaned_data.get(f"reason-{one.item.pk}"):
                self.cleaned_data[f"reason-{one.item.pk}"] = everywhere
        return super().clean()

    @property
    def wants_conditions(self) -> bool:
        """Whether the conditions stand open: something in them was typed or is wrong."""
        names = ("everywhere", *(f"{name}-{one.item.pk}" for one in self.left for name in ("reason", "owner", "until")))
        return self.is_bound and (any(name in self.errors for name in names) or bool(self.data.get("everywhere")))

    @property
    def dissents_open(self) -> bool:
        """Whether the dissents stand open: somebody is named there, or asked for another row."""
        names = [f"dissent-{row}-{name}" for row in range(self.rows) for name in ("by", "reason")]
        return self.rows > 1 or any(self[name].value() or name in self.errors for name in names)


class NoteForm(KeylessForm):
    """A note for the minutes. ``line`` is the environment that it is about; none: the meeting itself."""

    text = forms.CharField(
        label=gettext_lazy("Write a note"),
        widget=forms.Textarea(attrs={"rows": 2}),
        strip=True,
        max_length=texts.MOST_TEXT,
        error_messages={"required": gettext_lazy("Write something first.")},
    )
    line = forms.IntegerField(required=False, max_value=MOST_NUMBER)
    key = forms.CharField(widget=forms.HiddenInput, required=False, max_length=MOST_KEY)

    def __init__(self, data: Any = None, *, initial: dict[str, Any] | None = None) -> None:
        super().__init__(data, initial=initial, auto_id="note_%s")

    def clean_text(self) -> str:
        """Ask the rule."""
        text: str = self.cleaned_data["text"].replace("\r\n", "\n")
        self.refuse("text", note_text_refusals(text))
        return text


class PersonForm(forms.Form):
    """Somebody who is in the room, or is not any more."""

    person = forms.ModelChoiceField(User.objects.none(), label=gettext_lazy("Who"), empty_label=gettext_lazy("Choose"))

    def __init__(self, *args: Any, people: Sequence[int] | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        everybody = User.objects.order_by("first_name", "username")
        field = cast("forms.ModelChoiceField[User]", self.fields["person"])
        field.queryset = everybody if people is None else everybody.filter(pk__in=people)
