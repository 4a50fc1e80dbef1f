"""What admins keep: people, teams, billing sources. Records of readiness are read here and changed on the pages."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.http import HttpRequest

from readiness.models import BillingSource, Membership, Team, User

admin.site.site_header = "Readiness: people, teams, billing sources"
admin.site.site_title = "Readiness"
admin.site.index_title = "Keep"


class MembershipInline(admin.TabularInline[Membership, Team]):
    """Who is in a team."""

    model = Membership
    extra = 1
    autocomplete_fields = ("user",)


@admin.register(User)
class PeopleAdmin(UserAdmin[User]):
    """People. Who leaves is made inactive, never deleted: the ledger names them."""

    list_display = ("username", "first_name", "last_name", "is_reviewer", "is_superuser", "is_active")
    list_filter = ("is_reviewer", "is_superuser", "is_active", "teams")
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("May", {"fields": ("is_active", "is_reviewer", "is_staff", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:  # noqa: ARG002 - as given
        """Nobody is deleted: make them inactive."""
        return False


@admin.register(Team)
class TeamAdmin(admin.ModelAdmin[Team]):
    """Teams and who is in them."""

    list_display = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}
    inlines = (MembershipInline,)


@admin.register(BillingSource)
class BillingSourceAdmin(admin.ModelAdmin[BillingSource]):
    """Where spend caps can be read."""

    list_display = ("name", "url", "header_name", "secret_reference")
