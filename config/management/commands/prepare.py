"""Bring the embedded data up to date: schema, checklist, a first admin, the demo; print a sign-in link."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand

from readiness.management.commands.signin_link import signin_link
from readiness.models import User


class Command(BaseCommand):
    """``manage.py prepare --base URL [--ports A,B,…]``."""

    help = "Prepare the embedded data; used by `up`."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("--base", required=True)
        parser.add_argument("--ports", default="")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do each step only where it is needed, so that a second start is quick."""
        call_command("migrate", verbosity=0, interactive=False)
        call_command("load_checklist", stdout=self.stderr if options["verbosity"] > 1 else _Nowhere())
        admin = first_admin()
        if settings.DEMO:
            from demo.seed import seed

            seed(admin, ports=[int(port) for port in options["ports"].split(",")])
        self.stdout.write(signin_link(admin, base=options["base"]))


class _Nowhere:
    """A stream that forgets."""

    def write(self, _text: str) -> None:
        """Forget."""

    def flush(self) -> None:
        """Do nothing."""


def first_admin() -> User:
    """Return the first active admin, made with an unknown password where there is none."""
    held = User.objects.filter(is_superuser=True, is_active=True).order_by("pk").first()
    if held is not None:
        return held
    return User.objects.create_superuser("admin", password=secrets.token_urlsafe(32), first_name="Admin")
