"""Services, the environments they run in, and where their spend caps can be read."""

from datetime import datetime
from functools import lru_cache
from urllib.parse import urljoin

from django.db import models
from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext_lazy

from readiness.enums.words import Kind
from readiness.rules.names import validate_slug

from .people import Team


class Service(models.Model):
    """A deployable thing that calls Bastion, owned by a team. Never deleted, only archived."""

    slug = models.SlugField(gettext_lazy("name"), max_length=60, unique=True, validators=[validate_slug])
    description = models.CharField(max_length=200, blank=True)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="services")
    version = models.PositiveIntegerField(default=1)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.slug


class BillingSource(models.Model):
    """An HTTP JSON document from which the operator lets spend caps be read; Bastion documents no API for them."""

    name = models.CharField(max_length=80, unique=True)
    url = models.URLField(gettext_lazy("document URL"), max_length=500)
    environment_expression = models.CharField(
        max_length=300,
        help_text=gettext_lazy(
            "JMESPath to the record of one environment; {environment} stands for its name there, quoted: "
            "environments[?name=={environment}] | [0]"
        ),
    )
    cap_expression = models.CharField(
        max_length=300, help_text=gettext_lazy("JMESPath in that record to the monthly cap.")
    )
    currency_expression = models.CharField(
        max_length=300, help_text=gettext_lazy("JMESPath in that record to the currency.")
    )
    header_name = models.CharField(
        max_length=60, blank=True, help_text=gettext_lazy("Header that carries the secret, if any.")
    )
    secret_reference = models.CharField(
        max_length=300,
        blank=True,
        help_text=gettext_lazy(
            "env:NAME or file:/path of the header's value, as the operator's own grant (_operator) allows."
        ),
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=(Q(header_name="") & Q(secret_reference="")) | (~Q(header_name="") & ~Q(secret_reference="")),
                name="billing_header_with_secret",
                violation_error_message=gettext_lazy(
                    "Give the header's name and its secret reference together, or neither."
                ),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Environment(models.Model):
    """One service running somewhere: the subject of readiness.

    ``build_since`` is when the build became what it is, again after a rollback; None where it never changed.
    """

    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="environments")
    name = models.SlugField(max_length=40, validators=[validate_slug])
    kind = models.CharField(max_length=10, choices=Kind.choices)
    service_url = models.CharField(gettext_lazy("service URL"), max_length=500, blank=True)
    stream_route = models.CharField(max_length=300, blank=True)
    bastion_url = models.CharField(gettext_lazy("Bastion URL"), max_length=500, blank=True)
    key_reference = models.CharField(max_length=300, blank=True)
    spend_cap = models.DecimalField(
        gettext_lazy("monthly spend cap"), max_digits=12, decimal_places=2, null=True, blank=True
    )
    spend_cap_currency = models.CharField(gettext_lazy("currency"), max_length=3, blank=True)
    billing_source = models.ForeignKey(
        BillingSource, on_delete=models.PROTECT, null=True, blank=True, related_name="environments"
    )
    billing_name = models.CharField(gettext_lazy("name in the billing source"), max_length=120, blank=True)
    build = models.CharField(max_length=100, blank=True)
    build_since = models.DateTimeField(null=True, blank=True, editable=False)
    launch_on = models.DateField(gettext_lazy("launch date"), null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    settings_changed_at = models.DateTimeField()
    added_at = models.DateTimeField(null=True, editable=False)
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["service__slug", "kind", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["service", "name"],
                name="environment_name_in_service",
                violation_error_message=gettext_lazy("This service already has an environment of that name."),
            ),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="environment_kind_known"),
            models.CheckConstraint(
                condition=(Q(spend_cap__isnull=True) & Q(spend_cap_currency=""))
                | (Q(spend_cap__isnull=False) & ~Q(spend_cap_currency="")),
                name="environment_cap_with_currency",
                violation_error_message=gettext_lazy("Give the spend cap and its currency together, or neither."),
            ),
            models.CheckConstraint(
                condition=Q(spend_cap__isnull=True) | Q(spend_cap__gt=0), name="environment_cap_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.service.slug}/{self.name}"

    def get_absolute_url(self) -> str:
        """Return the address of its sheet."""
        return reverse("sheet", args=[self.service.slug, self.name])

    @property
    def archived_since(self) -> datetime | None:
        """When it was archived, by itself or with its service, whichever was first; None where it lives."""
        return min(filter(None, (self.archived_at, self.service.archived_at)), default=None)

    @property
    def stream_url(self) -> str:
        """The absolute URL of the stream route; empty where either part is missing."""
        if not self.service_url or not self.stream_route:
            return ""
        return _joined(self.service_url, self.stream_route)


@lru_cache(maxsize=4096)
def _joined(service_url: str, route: str) -> str:
    return urljoin(service_url.rstrip("/") + "/", route.lstrip("/"))
