"""Bring the embedded data up to date: schema, checklist, a first admin, the demo."""

import io
import secrets
from collections.abc import Sequence

from django.conf import settings
from django.core.management import call_command

from readiness.management.commands.signin_link import signin_link
from readiness.models import User


def prepare(*, base: str, ports: Sequence[int]) -> str:
    """Do each step where it is needed, and return a sign-in link for the first admin.

    ``base`` is the address of the site; ``ports`` are the demo's, unused without one.
    """
    call_command("migrate", verbosity=0, interactive=False)
    if settings.DEMO:
        from demo.seed import begin

        begin()
    call_command("load_checklist", stdout=io.StringIO())
    call_command("rebuild", "--missing", "--write", stdout=io.StringIO())
    admin = first_admin()
    if settings.DEMO:
        from demo.seed import seed

        seed(admin, ports=ports)
    return signin_link(admin, base=base)


def first_admin() -> User:
    """Return the first active admin, made with an unknown password where there is none."""
    held = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if held is not None:
        return held
    return User.objects.create_superuser("admin", password=secrets.token_urlsafe(32), first_name="Admin")
