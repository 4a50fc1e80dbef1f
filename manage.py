#!/usr/bin/env python3
"""The command line of Readiness: ``manage.py help`` lists its commands, and ``manage.py up`` runs all of it."""

import os
import sys


def main() -> None:
    """Run a management command."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the one line that an older Python should reach
        sys.exit("Readiness needs Python 3.11 or newer; this is " + sys.version.split()[0] + ".")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.exceptions import ImproperlyConfigured

    try:
        if sys.argv[1:2] == ["up"]:
            from config.up import main as up

            up(sys.argv[2:])
        else:
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"Readiness cannot start. {error}")


if __name__ == "__main__":
    main()
