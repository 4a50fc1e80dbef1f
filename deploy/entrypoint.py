#!/usr/bin/env python3
"""Waits for the database, then becomes the command that it was given. What starts containers may not wait for them."""

import os
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import psycopg
from django.core.exceptions import ImproperlyConfigured

from config import policies
from config.environment import Environment

ASK_EVERY_S = 1.0
CONNECT_S = 3


def main(arguments: list[str]) -> int:
    """Become the command; 64 without one, 69 where no database answered in time, 78 where a variable cannot be read.

    The wait is ``READINESS_DATABASE_WAIT_SECONDS`` (60) at most, with one line on standard error a second at most.
    Without ``DATABASE_URL`` there is nothing to wait for.
    """
    # The first process of a container ignores signals that it does not handle.
    signal.signal(signal.SIGTERM, lambda _signum, _frame: sys.exit(128 + signal.SIGTERM))
    signal.signal(signal.SIGINT, lambda _signum, _frame: sys.exit(128 + signal.SIGINT))
    if not arguments:
        _say("Give the command to run.")
        return os.EX_USAGE
    env = Environment()
    try:
        wait_s = env.float("READINESS_DATABASE_WAIT_SECONDS", default=60.0)
        if env.str("DATABASE_URL", default="") and not answers(connection_parameters(env), within_s=wait_s):
            return os.EX_UNAVAILABLE
    except ImproperlyConfigured as error:
        _say(str(error))
        return os.EX_CONFIG
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        os.execvp(arguments[0], arguments)  # noqa: S606 - the operator's own command
    except OSError as error:
        _say(f"{arguments[0]} cannot be run: {error.strerror}.")
        return 127


def connection_parameters(env: Environment) -> dict[str, object]:
    """Return what psycopg needs to connect as the product will; ``ImproperlyConfigured`` for another database."""
    settings = policies.database(env, Path("/nonexistent"), {})
    if settings["ENGINE"] != "django.db.backends.postgresql":
        raise ImproperlyConfigured("DATABASE_URL must begin with postgres:// here.")
    options = settings["OPTIONS"]
    given = {name: value for name, value in options.items() if name != "pool"} if isinstance(options, dict) else {}
    names = {"host": "HOST", "port": "PORT", "user": "USER", "password": "PASSWORD", "dbname": "NAME"}
    return {**{name: settings[key] or None for name, key in names.items()}, **given, "connect_timeout": CONNECT_S}


def answers(parameters: dict[str, object], *, within_s: float) -> bool:
    """Return whether the database took a connection within so many seconds; say once a second why not yet."""
    where = f"{parameters['host'] or 'the local socket'}:{parameters['port'] or 5432}"
    ends_at = time.monotonic() + within_s
    while True:
        asked_at = time.monotonic()
        try:
            psycopg.connect(**parameters).close()  # type: ignore[arg-type]
        except psycopg.OperationalError as error:
            why = reason(str(error))
        else:
            return True
        if time.monotonic() + ASK_EVERY_S >= ends_at:
            _say(f"Gave up on the database at {where} after {within_s:g} s: {why}")
            return False
        _say(f"Waiting for the database at {where}: {why}")
        time.sleep(max(0.0, asked_at + ASK_EVERY_S - time.monotonic()))


def reason(text: str) -> str:
    """Return the one line of a libpq error that says what happened: it begins with addresses and ends with advice."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or ["no reason given"]
    telling = next((line for line in lines if "failed: " in line), lines[0])
    return telling.rpartition("failed: ")[2]


def _say(line: str) -> None:
    print(f"entrypoint: {line}", file=sys.stderr, flush=True)  # noqa: T201 - a program of its own


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
