"""What admins keep: people, teams, billing sources. Records of readiness are read here and changed on the pages."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db import models, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy, pgettext_lazy

from readiness.actions import ledger
from readiness.models import BillingSource, Membership, Team, User
from readiness.rules.permissions import keep_people_refusals

admin.site.site_header = "Readiness"
admin.site.unregister(Group)
admin.site.site_title = "Readiness"
admin.site.index_title = gettext_lazy("People, teams and billing sources")


def _may_keep_people(request: HttpRequest) -> bool:
    """Ask the table: Django's own question (staff?) would send an admin without that tick back and forth for ever."""
    return isinstance(request.user, User) and not keep_people_refusals(request.user.actor)


admin.site.has_permission = _may_keep_people  # type: ignore[method-assign]

SLUG_MATTERS = gettext_lazy(
    "The slug is the name under which the operator grants key references to this team (READINESS_KEY_REFERENCES). "
    "Change both together."
)


_MODELS: dict[type[models.Model], tuple[Any, Any]] = {
    User: (gettext_lazy("user"), gettext_lazy("users")),
    Team: (gettext_lazy("team"), gettext_lazy("teams")),
    Membership: (gettext_lazy("membership"), gettext_lazy("memberships")),
    BillingSource: (gettext_lazy("billing source"), gettext_lazy("billing sources")),
}
_FIELDS: dict[type[models.Model], dict[str, Any]] = {
    Team: {"slug": gettext_lazy("slug"), "name": gettext_lazy("name")},
    Membership: {"user": gettext_lazy("user"), "team": gettext_lazy("team")},
    BillingSource: {
        "name": gettext_lazy("name"),
        "environment_expression": gettext_lazy("environment expression"),
        "cap_expression": gettext_lazy("cap expression"),
        "currency_expression": gettext_lazy("currency expression"),
        "header_name": gettext_lazy("header name"),
        "secret_reference": gettext_lazy("secret reference"),
    },
}


def _name_in_words() -> None:
    """Give models and fields names that can be translated. They are no part of what migrations compare."""
    for model, (one, many) in _MODELS.items():
        model._meta.verbose_name, model._meta.verbose_name_plural = one, many  # noqa: SLF001
    for model, names in _FIELDS.items():
        for name, words in names.items():
            model._meta.get_field(name).verbose_name = words  # type: ignore[union-attr]  # noqa: SLF001


_name_in_words()


class Recorded(admin.ModelAdmin[models.Model]):
    """What is changed here is an event in the ledger too, in the transaction of the change."""

    def log_addition(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Record an addition."""
        self._record("added", request, obj, message)
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: models.Model, message: Any) -> Any:
        """Record a change."""
        self._record("changed", request, obj, message)
        return super().log_change(request, obj, message)

    def _record(self, act: str, request: HttpRequest, obj: models.Model, message: Any) -> None:
        by = request.user if isinstance(request.user, User) else None
        data = {"id": obj.pk, "name": str(obj), "changed": message}
        ledger.record(f"{type(obj).__name__.lower()}.{act}", by=by, at=timezone.now(), data=data)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:  # noqa: ARG002
        """Nothing that was relied on is deleted: people are made inactive, the rest is left unused."""
        return False


class MembershipInline(admin.TabularInline[Membership, Team]):
    """Who is in a team."""

    model = Membership
    extra = 1
    autocomplete_fields = ("user",)


@admin.register(User)
class PeopleAdmin(Recorded, UserAdmin[User]):
    """People. Who leaves is made inactive, never deleted: the ledger names them."""

    list_display = ("username", "first_name", "last_name", "is_reviewer", "is_auditor", "is_superuser", "is_active")
    list_filter = ("is_reviewer", "is_auditor", "is_superuser", "is_active", "teams")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email")}),
        (pgettext_lazy("admin", "May"), {"fields": ("is_active", "is_reviewer", "is_auditor", "is_superuser")}),
        (gettext_lazy("Dates"), {"fields": ("last_login", "date_joined")}),
    )

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Set a password in one transaction with its event, as Django does for every other change but this one."""
        with transaction.atomic():
            return super().user_change_password(request, id, form_url)


@admin.register(Team)
class TeamAdmin(Recorded):
    """Teams and who is in them."""

    list_display = ("name", "slug")
    fieldsets = ((None, {"fields": ("name", "slug"), "description": SLUG_MATTERS}),)
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)


@admin.register(BillingSource)
class BillingSourceAdmin(Recorded):
    """Where spend caps can be read."""

    list_display = ("name", "url", "header_name", "secret_reference")
