"""Print a link that signs a person in, once, within a day."""

from argparse import ArgumentParser
from typing import Any

import sesame.utils
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from readiness.models import User


def signin_link(user: User, *, base: str) -> str:
    """Return the link; ``base`` is the address of the site without a slash at its end."""
    return f"{base.rstrip('/')}{reverse('sign-in-link')}{sesame.utils.get_query_string(user)}"


class Command(BaseCommand):
    """``manage.py signin_link USERNAME [--base URL]``."""

    help = "Print a link that signs a person in, once, within a day."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("username")
        parser.add_argument("--base", default="http://127.0.0.1:8000", help="address of the site")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the link."""
        try:
            user = User.objects.get(username=options["username"], is_active=True)
        except User.DoesNotExist:
            raise CommandError(f"There is no active person with the user name {options['username']}.") from None
        self.stdout.write(signin_link(user, base=options["base"]))
