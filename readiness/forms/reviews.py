"""Forms of launch reviews: planning one, its minutes, and a decision with its conditions and dissents."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.db.models import Q
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readiness.enums.words import DecisionKind
from readiness.forms.services import resent
from readiness.models import Environment, Review, User
from readiness.rules import texts
from readiness.rules.decisions import MOST_DAYS, Terms, terms_refusals
from readiness.selectors.launches import Left
from readiness.selectors.reviews import agenda_choices

EMPTY_ROWS = 3
MOST_ROWS = 100
MOST_QUORUM = 99


class KeylessForm(forms.Form):
    """A form that keeps no key that somebody pasted, and shows none again."""

    def full_clean(self) -> None:
        """Check everything, and refuse what holds a key at its field."""
        super().full_clean()
        for name in self.fields if self.is_bound else ():
            typed = str(self.data.get(name, ""))
            if texts.holds_key(typed):
                self.data = resent(self.data, **{name: texts.without_keys(typed)})
                self.errors[name] = self.error_class([_(texts.KEY_IN_TEXT)])

    def refuse(self, field: str, reasons: Sequence[str]) -> None:
        """Put reasons at a field."""
        for reason in reasons:
            self.add_error(field, reason)


class AgendaField(forms.ModelMultipleChoiceField[Environment]):
    """Environments in the order in which they were sent; rows that were left empty do not count."""

    def clean(self, value: Any) -> list[Environment]:  # type: ignore[override]
        """Return the environments, in order; one that was sent twice is in it twice."""
        sent = [one for one in value or () if one]
        found = {str(one.pk): one for one in super().clean(list(dict.fromkeys(sent)))}
        return [found[one] for one in sent if one in found]


class ReviewForm(KeylessForm):
    """A review: when, who, and what it looks at."""

    title = forms.CharField(
        label=gettext_lazy("Title"), max_length=120, help_text=gettext_lazy("As people call it: November launches.")
    )
    starts_at = forms.DateTimeField(
        label=gettext_lazy("Starts"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )
    chair = forms.ModelChoiceField(
        User.objects.none(),
        label=gettext_lazy("Chair"),
        empty_label=None,
        help_text=gettext_lazy("A reviewer, who leads it."),
    )
    agenda = AgendaField(
        Environment.objects.none(),
        label=gettext_lazy("Agenda"),
        error_messages={"required": gettext_lazy("Put at least one environment on the agenda.")},
    )
    attendees = forms.ModelMultipleChoiceField(
        User.objects.none(), label=gettext_lazy("In the room"), required=False, widget=forms.CheckboxSelectMultiple
    )
    quorum = forms.IntegerField(
        label=gettext_lazy("Quorum"),
        required=False,
        min_value=1,
        max_value=MOST_QUORUM,
        help_text=gettext_lazy("How many people have to be in the room for a decision. Empty: nobody counts."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, review: Review | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["starts_at"].help_text = _("Local time: {zone}.").format(zone=timezone.get_current_timezone_name())
        on_it = list(review.agenda.values_list("environment_id", flat=True)) if review else []
        there = list(review.attendees.values_list("pk", flat=True)) if review else []
        people = User.objects.order_by("first_name", "username")
        chairs = Q(is_active=True, is_reviewer=True) | Q(pk=review.chair_id if review else None)
        self._offer("chair", people.filter(chairs))
        self._offer("attendees", people.filter(Q(is_active=True) | Q(pk__in=there)))
        self._offer("agenda", agenda_choices(on_it))

    def _offer(self, name: str, choices: Any) -> None:
        cast("forms.ModelChoiceField[Any]", self.fields[name]).queryset = choices

    def clean_title(self) -> str:
        """Ask the rule."""
        title: str = self.cleaned_data["title"]
        self.refuse("title", texts.unkept(title))
        return title

    def agenda_rows(self) -> list[str]:
        """Return what each row of the agenda holds, as text, with some empty ones below."""
        sent = self.data.getlist("agenda") if isinstance(self.data, QueryDict) and self.is_bound else None
        rows = [str(one) for one in (sent if sent is not None else self.initial.get("agenda", ()))]
        empty = sum(1 for one in rows if not one)
        return rows[:MOST_ROWS] + [""] * max(0, EMPTY_ROWS - empty)

    def environments(self) -> list[Environment]:
        """Return what each row offers."""
        return list(cast("AgendaField", self.fields["agenda"]).queryset or ())


def review_initial(review: Review) -> dict[str, Any]:
    """Return a review as its form shows it."""
    return {
        "title": review.title,
        "starts_at": review.starts_at,
        "chair": review.chair_id,
        "quorum": review.quorum,
        "agenda": list(review.agenda.values_list("environment_id", flat=True)),
        "attendees": list(review.attendees.values_list("pk", flat=True)),
        "seen_version": review.version,
    }


def rearranged(sent: QueryDict, act: str) -> dict[str, Any]:
    """Return what was typed, with the rows of the agenda as a button asks: ``more``, ``up-3``, ``out-3``."""
    rows = sent.getlist("agenda")
    word, _, number = act.partition("-")
    place = int(number) if number.isdecimal() and len(number) < 4 else len(rows)
    if word == "up" and 0 < place < len(rows):
        rows[place - 1], rows[place] = rows[place], rows[place - 1]
    elif word == "out" and place < len(rows):
        del rows[place]
    elif word == "more" and len(rows) < MOST_ROWS:
        rows = [*rows, *[""] * EMPTY_ROWS]
    typed = {name: sent.get(name, "") for name in ("title", "starts_at", "chair", "quorum", "seen_version")}
    typed["title"] = texts.without_keys(typed["title"])
    return {**typed, "attendees": sent.getlist("attendees"), "agenda": rows}


class MinutesForm(KeylessForm):
    """What was said in a review."""

    minutes = forms.CharField(
        label=gettext_lazy("What was said"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 8}),
        max_length=texts.MOST_TEXT,
        strip=True,
        help_text=gettext_lazy("Everybody reads them. A review that is closed keeps them as they are."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput)

    def clean_minutes(self) -> str:
        """Ask the rule."""
        minutes: str = self.cleaned_data["minutes"].replace("\r\n", "\n")
        self.refuse("minutes", texts.unkept(minutes))
        return minutes


class DecisionForm(KeylessForm):
    """A decision: a note, who dissents, and for a go with conditions one row for each item that is not settled."""

    note = forms.CharField(
        label=gettext_lazy("Note"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        strip=True,
        help_text=gettext_lazy("What tipped it, for those who read this in a year."),
    )
    seen_decision = forms.IntegerField(widget=forms.HiddenInput, required=False)
    dissents = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=MOST_ROWS)

    def __init__(self, *args: Any, left: Sequence[Left], dissents: int, now: datetime, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.left = left
        self.rows = dissents
        self.today = timezone.localdate(now)
        self.kind = DecisionKind.NO_GO
        people = User.objects.filter(is_active=True).order_by("first_name", "username")
        self.people = {person.pk: person for person in people}
        choices = [("", _("Choose")), *((str(pk), str(person)) for pk, person in self.people.items())]
        for row in range(dissents):
            self.fields[f"dissent-{row}-by"] = forms.ChoiceField(label=_("Who"), choices=choices, required=False)
            self.fields[f"dissent-{row}-reason"] = _words(_("Why"), rows=2)
        for one in left:
            self._add_condition(one, choices)

    def _add_condition(self, one: Left, choices: list[tuple[str, str]]) -> None:
        key = one.item.pk
        owner = one.item.owner_id if one.item.owner_id in self.people else ""
        self.fields[f"reason-{key}"] = _words(_("Why it may wait"), rows=2)
        self.fields[f"owner-{key}"] = forms.ChoiceField(
            label=_("Owner"), choices=choices, required=False, initial=str(owner or "")
        )
        self.fields[f"until-{key}"] = forms.DateField(
            label=_("Until the end of"),
            required=False,
            widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        )

    def decide(self, kind: DecisionKind) -> bool:
        """Return whether what was sent is a decision of this kind."""
        self.kind = kind
        return self.is_valid()

    def clean(self) -> dict[str, Any]:
        """Ask the rules of everything that this kind of decision needs."""
        cleaned = super().clean() or self.cleaned_data
        self.refuse("note", texts.unkept(cleaned.get("note", "")))
        self._clean_dissents(cleaned)
        if self.kind == DecisionKind.GO_WITH_CONDITIONS:
            for one in self.left:
                self._clean_condition(one.item.pk, cleaned)
        return cleaned

    def _clean_dissents(self, cleaned: Mapping[str, Any]) -> None:
        seen: set[str] = set()
        for row in range(self.rows):
            by, reason = cleaned.get(f"dissent-{row}-by", ""), cleaned.get(f"dissent-{row}-reason", "")
            if by and by in seen:
                self.refuse(
                    f"dissent-{row}-by",
                    [_("{person} dissents twice. Put both reasons into one.").format(person=self.people[int(by)])],
                )
            if by:
                seen.add(by)
                self.refuse(f"dissent-{row}-reason", texts.reason_refusals(reason))
            elif reason:
                self.refuse(f"dissent-{row}-by", [_("Say whose reason this is.")])

    def _clean_condition(self, item: int, cleaned: Mapping[str, Any]) -> None:
        reason, owner, until = (cleaned.get(f"{name}-{item}") for name in ("reason", "owner", "until"))
        if not owner:
            self.refuse(f"owner-{item}", [_("Choose who owns it.")])
        if until is None and f"until-{item}" not in self.errors:
            self.refuse(f"until-{item}", [_("Say until when: at most {days} days.").format(days=MOST_DAYS)])
        terms = Terms(item=item, reason=reason or "", owner="", owner_active=True, until=until or self.today)
        for field, reasons in terms_refusals(terms, today=self.today).items():
            self.refuse(f"{field}-{item}", reasons)

    def condition_rows(self) -> Iterator[tuple[Left, list[forms.BoundField]]]:
        """Yield each item that is not settled with the three fields of its condition."""
        for one in self.left:
            yield one, [self[f"{name}-{one.item.pk}"] for name in ("reason", "owner", "until")]

    def dissent_rows(self) -> Iterator[tuple[forms.BoundField, forms.BoundField]]:
        """Yield the two fields of each dissent."""
        for row in range(self.rows):
            yield self[f"dissent-{row}-by"], self[f"dissent-{row}-reason"]

    def given_dissents(self) -> list[tuple[User, str]]:
        """Return who dissents, and why."""
        rows = (
            (self.cleaned_data.get(f"dissent-{row}-{name}", "") for name in ("by", "reason"))
            for row in range(self.rows)
        )
        return [(self.people[int(by)], reason) for by, reason in rows if by]

    def given_conditions(self) -> list[dict[str, Any]]:
        """Return the conditions, as the action takes them; none but for a go with conditions."""
        if self.kind != DecisionKind.GO_WITH_CONDITIONS:
            return []
        cleaned = self.cleaned_data
        return [
            {
                "item_id": one.item.pk,
                "reason": cleaned[f"reason-{one.item.pk}"],
                "owner": self.people[int(cleaned[f"owner-{one.item.pk}"])],
                "until": cleaned[f"until-{one.item.pk}"],
            }
            for one in self.left
        ]


def _words(label: str, *, rows: int) -> forms.CharField:
    return forms.CharField(label=label, required=False, strip=True, widget=forms.Textarea(attrs={"rows": rows}))


def typed(sent: QueryDict) -> dict[str, str]:
    """Return what was typed into a decision, for a form that is shown again without being judged."""
    return {name: texts.without_keys(value) for name, value in sent.items() if isinstance(value, str)}
