"""Serve the demo's small world on loopback."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from demo.world import run


class Command(BaseCommand):
    """``manage.py demo_world --ports A,B,C,D,E``; used by `up`."""

    help = "Serve the demo's services, its stand-in for Bastion and its billing document."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add what the command takes."""
        parser.add_argument("--ports", required=True)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Serve until SIGINT or SIGTERM."""
        run(settings.DATA_DIR, [int(port) for port in options["ports"].split(",")])
