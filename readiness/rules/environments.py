"""What an environment's settings may say. Pure: text and the operator's policy, no network."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import TypedDict

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .addresses import address_refusals, literal_address, route_refusals
from .marking import gettext_noop
from .networks import AllowedNetwork, refusal
from .references import ReferencePolicy, reference_refusals
from .texts import KEY_IN_TEXT, holds_key


class EnvironmentSettings(TypedDict):
    """What a team says of an environment. Empty strings and None mean: not configured."""

    name: str
    kind: str
    service_url: str
    stream_route: str
    bastion_url: str
    key_reference: str
    spend_cap: Decimal | None
    spend_cap_currency: str
    billing_source_id: int | None
    billing_name: str
    build: str
    launch_on: date | None


_SETTINGS = {
    "name": gettext_noop("name"),
    "description": gettext_noop("description"),
    "team": gettext_noop("team"),
    "kind": gettext_noop("kind"),
    "service_url": gettext_noop("service url"),
    "stream_route": gettext_noop("stream route"),
    "bastion_url": gettext_noop("bastion url"),
    "key_reference": gettext_noop("key reference"),
    "spend_cap": gettext_noop("spend cap"),
    "spend_cap_currency": gettext_noop("spend cap currency"),
    "billing_source_id": gettext_noop("billing source id"),
    "billing_name": gettext_noop("billing name"),
    "build": gettext_noop("build"),
    "launch_on": gettext_noop("launch on"),
}


SETTING_LABELS = {
    "name": gettext_lazy("Name"),
    "description": gettext_lazy("Description"),
    "kind": gettext_lazy("Kind"),
    "launch_on": gettext_lazy("Launch date"),
    "service_url": gettext_lazy("Service URL"),
    "stream_route": gettext_lazy("Stream route"),
    "bastion_url": gettext_lazy("Bastion URL"),
    "key_reference": gettext_lazy("Key reference"),
    "spend_cap": gettext_lazy("Monthly spend cap"),
    "spend_cap_currency": gettext_lazy("Currency"),
    "billing_source": gettext_lazy("Billing source"),
    "billing_source_id": gettext_lazy("Billing source"),
    "billing_name": gettext_lazy("Name in the billing source"),
    "build": gettext_lazy("Build"),
}
"""What stands beside a setting where it is typed."""


def setting_words(name: str) -> str:
    """Return how a sentence names a setting of an environment or a service; one that is known no more as it is kept."""
    return _(_SETTINGS[name]) if name in _SETTINGS else name.replace("_", " ")


def settings_refusals(
    settings: EnvironmentSettings, *, team: str, references: ReferencePolicy, networks: Sequence[AllowedNetwork]
) -> dict[str, list[str]]:
    """Return, for each field that may not be saved, why not; empty means all may.

    An address written as numbers is judged here; what a name turns into is judged when a run connects.
    """
    found = {
        "service_url": _address(settings["service_url"], _("service URL"), networks),
        "bastion_url": _address(settings["bastion_url"], _("Bastion URL"), networks),
        "build": build_refusals(settings["build"]),
        "stream_route": route_refusals(settings["stream_route"]) if settings["stream_route"] else [],
        "key_reference": (
            reference_refusals(settings["key_reference"], team=team, policy=references)
            if settings["key_reference"]
            else []
        ),
        "spend_cap_currency": _currency(settings["spend_cap"], settings["spend_cap_currency"]),
        "billing_name": _billing_name(settings["billing_source_id"], settings["billing_name"]),
    }
    if settings["stream_route"] and not settings["service_url"]:
        found["service_url"] = [_("The stream route is a path on the service URL, so give that as well.")]
    return {field: reasons for field, reasons in found.items() if reasons}


MOST_BUILD = 100
"""Longest name of a build, in characters."""


def build_refusals(build: str) -> list[str]:
    """Return why this cannot name a build; empty says that nobody knows which one runs."""
    if len(build) > MOST_BUILD:
        return [
            _("A build's name has at most {most_build} characters. A commit or an image digest fits.").format(
                most_build=MOST_BUILD
            )
        ]
    if build != build.strip() or not build.isprintable():
        return [_("A build's name is one line without spaces around it, such as a commit or an image digest.")]
    return [_(KEY_IN_TEXT)] if holds_key(build) else []


def _address(url: str, what: str, networks: Sequence[AllowedNetwork]) -> list[str]:
    if not url:
        return []
    refusals = address_refusals(url, what=what)
    literal = None if refusals else literal_address(url)
    if literal is None:
        return refusals
    why = refusal(*literal, networks)
    if why is None:
        return []
    return [
        _(
            "Probes do not connect to {literal}: {why}. Use a public address, or ask the operator to allow its network."
        ).format(literal=literal[0], why=why)
    ]


def _currency(cap: Decimal | None, currency: str) -> list[str]:
    if cap is not None and not currency:
        return [_("Say in which currency the cap is, like CAD.")]
    if currency and cap is None:
        return [_("Give the cap's amount too, or leave the currency empty.")]
    if currency and not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        return [_("A currency is three capital letters, like CAD or USD.")]
    return []


def _billing_name(source_id: int | None, name: str) -> list[str]:
    if source_id is not None and not name:
        return [_("Say what this environment is called in the billing source.")]
    return []
