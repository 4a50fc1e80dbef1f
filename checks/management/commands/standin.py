"""``manage.py standin``: the stand-in for the Bastion API by itself."""

import os
import secrets
import signal
from argparse import ArgumentParser
from contextlib import ExitStack
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from checks.standin.server import StandInServer
from checks.standin.settings import StandInSettings


class Command(BaseCommand):
    """Serve until SIGINT or SIGTERM; needs neither database nor checks."""

    help = "Runs a stand-in for the Bastion API. Keys: --key or STANDIN_KEYS (comma separated); else one is made."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take where to listen and which keys to accept."""
        parser.add_argument("--port", type=int, required=True, help="0 takes a free one")
        parser.add_argument("--host", default="127.0.0.1", help="anything but loopback lets others in")
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            help="a key to accept, again for more; the process list shows it",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print where the stand-in listens, and a key only if it was made here; then serve."""
        named = [*options["key"], *os.environ.get("STANDIN_KEYS", "").split(",")]
        given = frozenset(key.strip() for key in named) - {""}
        keys = given or frozenset({f"qbt_{secrets.token_urlsafe(24)}"})
        server = StandInServer(StandInSettings(accepted_keys=keys), host=options["host"], port=options["port"])
        with ExitStack() as stack:
            try:
                stack.enter_context(server)
            except (OSError, OverflowError) as error:
                raise CommandError(f"Cannot listen on {options['host']} port {options['port']}: {error}") from None
            for signum in (signal.SIGINT, signal.SIGTERM):
                signal.signal(signum, lambda _signum, _frame: server.stop())
            self.stdout.write(f"Stand-in for the Bastion API at {server.url}")
            if not given:
                self.stdout.write(f"Key, made for this run and shown this once: {next(iter(keys))}")
            self.stdout.flush()
            server.wait()
