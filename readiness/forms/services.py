"""Forms about services and environments."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from readiness import policy
from readiness.enums.words import Kind
from readiness.models import BillingSource, Environment, Service, Team
from readiness.rules.environments import SETTING_LABELS, EnvironmentSettings, settings_refusals
from readiness.rules.names import RESERVED_NAMES, validate_slug
from readiness.rules.references import SCHEMES, split_reference
from readiness.rules.texts import holds_key

KEY_PASTED = gettext_lazy(
    "That looks like a key itself. It was not kept. Put the key where your workers find it, write its name here "
    "(env:NAME or file:/path), and replace the key, since it has travelled through a form."
)
NAME_TAKEN = gettext_lazy("There is a service of this name already. Choose another name.")
ENVIRONMENT_TAKEN = gettext_lazy("This service already has an environment of that name.")


def resent(data: Mapping[str, Any], **changed: str) -> QueryDict:
    """Return what was sent with some fields replaced, for a form that is shown again."""
    copied = data.copy() if isinstance(data, QueryDict) else QueryDict(mutable=True)
    for name, value in changed.items():
        copied[name] = value
    return copied


class ServiceForm(forms.Form):
    """A new service, or what may change about one: its name is an address and stays, and teams hand it over."""

    team = forms.ModelChoiceField(Team.objects.none(), label=gettext_lazy("Team"), empty_label=None)
    slug = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=60,
        validators=[validate_slug],
        help_text=gettext_lazy("Lower-case letters, digits and hyphens, as the service is known: assistant-web."),
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        max_length=200,
        required=False,
        help_text=gettext_lazy("One line: what it does, and for whom."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, teams: Any = None, service: Service | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cast("forms.ModelChoiceField[Team]", self.fields["team"]).queryset = teams
        for name in ("seen_version",) if service is None else ("slug", "team"):
            del self.fields[name]

    def clean_slug(self) -> str:
        """A name is taken once."""
        slug: str = self.cleaned_data["slug"]
        if slug in RESERVED_NAMES:
            raise forms.ValidationError(_("This word is part of an address here. Choose another name."))
        if Service.objects.filter(slug=slug).exists():
            raise forms.ValidationError(NAME_TAKEN)
        return slug


class EnvironmentForm(forms.ModelForm[Environment]):
    """An environment's settings."""

    name = forms.CharField(
        label=gettext_lazy("Name"),
        max_length=40,
        validators=[validate_slug],
        help_text=gettext_lazy("How people call it: prod, staging-eu. It is part of the address."),
    )
    seen_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = Environment
        fields = [
            "name",
            "kind",
            "launch_on",
            "service_url",
            "stream_route",
            "bastion_url",
            "key_reference",
            "spend_cap",
            "spend_cap_currency",
            "billing_source",
            "billing_name",
            "build",
        ]
        labels = SETTING_LABELS
        widgets = {
            "launch_on": forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
            "kind": forms.RadioSelect,
            "spend_cap_currency": forms.TextInput(attrs={"size": 4}),
        }
        help_texts = {
            "kind": gettext_lazy("Which entries apply depends on it."),
            "launch_on": gettext_lazy("The day real traffic begins."),
            "service_url": gettext_lazy("Where this environment answers: https://assistant.example.ca."),
            "stream_route": gettext_lazy(
                "Path of the canary stream on it: /stream/canary. The buffering probe reads it."
            ),
            "bastion_url": gettext_lazy("Where it calls the Bastion API, with the version: https://api.example.ca/v1."),
            "key_reference": gettext_lazy("The name of its key, never the key: env:NAME or file:/path/to/key."),
            "spend_cap": gettext_lazy("What the team declares; the probe compares it with the billing source."),
            "spend_cap_currency": gettext_lazy("Three letters: CAD."),
            "billing_source": gettext_lazy("Where the operator lets the cap be read. Without one a person attests it."),
            "billing_name": gettext_lazy("What this environment is called in that document."),
            "build": gettext_lazy("Image digest or commit that runs now."),
        }

    def __init__(self, *args: Any, service: Service, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service = service
        self.instance.service = service
        cast("forms.ChoiceField", self.fields["kind"]).choices = Kind.choices
        cast("forms.ModelChoiceField[BillingSource]", self.fields["billing_source"]).empty_label = _(
            "None: a person attests"
        )

    def clean_name(self) -> str:
        """Names that addresses use are not free."""
        name: str = self.cleaned_data["name"]
        if name in RESERVED_NAMES:
            raise forms.ValidationError(_("This word is part of an address here. Choose another name."))
        if Environment.objects.filter(service=self.service, name=name).exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(ENVIRONMENT_TAKEN)
        return name

    def full_clean(self) -> None:
        """Check everything, and forget what may be a key, wherever it was pasted: it is not shown again."""
        super().full_clean()
        for name in self.fields if self.is_bound else ():
            typed = str(self.data.get(self.add_prefix(name), ""))
            if holds_key(typed):
                self.data = resent(self.data, **{self.add_prefix(name): ""})
                self.errors[name] = self.error_class([str(KEY_PASTED)])
            elif name == "key_reference" and name in self.errors and split_reference(typed)[0] not in SCHEMES:
                self.data = resent(self.data, **{self.add_prefix(name): ""})

    def clean_spend_cap(self) -> Decimal | None:
        """A cap of nothing is none."""
        cap: Decimal | None = self.cleaned_data["spend_cap"]
        if cap is not None and cap <= 0:
            raise forms.ValidationError(_("A cap is more than nothing. Leave it empty where there is none."))
        return cap

    def clean_spend_cap_currency(self) -> str:
        """Capital letters, whatever was typed."""
        currency: str = self.cleaned_data["spend_cap_currency"]
        return currency.strip().upper()

    def clean(self) -> dict[str, Any]:
        """Ask the rules about everything at once, and put each reason at its field."""
        cleaned = super().clean() or self.cleaned_data
        found = settings_refusals(
            self.settings(), team=self.service.team.slug, references=policy.references(), networks=policy.networks()
        )
        refused = set(self.errors)
        if "spend_cap" in refused:
            found.pop("spend_cap_currency", None)  # It asks for an amount that was given, and refused.
        for field, reasons in found.items():
            for reason in reasons if field not in refused else ():
                self.add_error(field, reason)
        return cleaned

    def settings(self) -> EnvironmentSettings:
        """Return what was filled in, as the actions take it."""
        cleaned = self.cleaned_data
        source = cleaned.get("billing_source")
        return EnvironmentSettings(
            name=cleaned.get("name", ""),
            kind=cleaned.get("kind", ""),
            service_url=cleaned.get("service_url", "").rstrip("/"),
            stream_route=cleaned.get("stream_route", ""),
            bastion_url=cleaned.get("bastion_url", "").rstrip("/"),
            key_reference=cleaned.get("key_reference", ""),
            spend_cap=cleaned.get("spend_cap"),
            spend_cap_currency=cleaned.get("spend_cap_currency", ""),
            billing_source_id=source.pk if source else None,
            billing_name=cleaned.get("billing_name", ""),
            build=cleaned.get("build", ""),
            launch_on=cleaned.get("launch_on"),
        )
