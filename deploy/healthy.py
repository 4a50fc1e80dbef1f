#!/usr/bin/env python3
"""Answers a container's health check: ``healthy.py web``, ``worker`` or ``scheduler`` ends with 0 where it works.

The first two need the standard library alone, so that asking every few seconds costs next to nothing.
"""

import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

ADDRESS = "http://127.0.0.1:8000/healthz"
ANSWER_WITHIN_S = 4.0
PULSE_WITHIN_S = 30.0
"""The worker's loop touches its file every 5 s (``config.pulse``); this long without it and no run will be taken."""


def web() -> str:
    """Return what is wrong with the web process in this container; empty where it answers."""
    first = os.environ.get("READINESS_HOSTS", "").split(",")[0].strip().lstrip(".")
    host = first if first and first != "*" else "localhost"
    request = urllib.request.Request(os.environ.get("READINESS_HEALTH_URL", ADDRESS), headers={"Host": host})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S) as answer:  # noqa: S310 - our own address
            return "" if answer.status == 200 else f"answered {answer.status}"
    except urllib.error.HTTPError as error:
        return f"answered {error.code}"
    except OSError as error:
        return f"no answer: {error}"


def worker() -> str:
    """Return what is wrong with the worker in this container; empty where its loop turned lately."""
    path = Path(os.environ.get("READINESS_WORKER_PULSE", ""))
    try:
        age_s = time.time() - path.stat().st_mtime
    except OSError:
        return f"no pulse yet at {path}"
    return "" if age_s < PULSE_WITHIN_S else f"no pulse for {age_s:.0f} s"


def scheduler() -> str:
    """Return what is wrong with the scheduler, wherever it runs; empty where it swept lately."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.db import Error

    django.setup()
    from django.utils import timezone

    from config.health import scheduler_state

    try:
        state = scheduler_state(timezone.now())
    except Error as error:
        return f"the database does not answer ({type(error).__name__})"
    return "" if state == "ok" else state


CHECKS: dict[str, Callable[[], str]] = {"web": web, "worker": worker, "scheduler": scheduler}


def main(arguments: list[str]) -> int:
    """Print what is wrong and return 1; 0 where nothing is; 64 for a word that is not in ``CHECKS``."""
    check = CHECKS.get(arguments[0]) if len(arguments) == 1 else None
    problem = check() if check else f"give one of {', '.join(CHECKS)}"
    if problem:
        print(problem)  # noqa: T201 - a program of its own
    return 0 if not problem else 1 if check else os.EX_USAGE


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
