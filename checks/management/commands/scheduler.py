"""Run the scheduler: every few seconds what is due is queued and what was forgotten brought back; days are counted."""

import signal
import threading
import time
from datetime import date
from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from checks.schedule import sweep
from checks.tasks import nudge
from readiness.actions.counting import count_day
from readiness.actions.housekeeping import tidy

log = structlog.get_logger(__name__)

TIDY_EVERY_S = 3600.0


class Command(BaseCommand):
    """Sweep until SIGINT or SIGTERM. A database or broker that is away is waited for."""

    help = "Runs the scheduler. One is enough; a second does no harm."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Sweep, wait, sweep."""
        stopping = threading.Event()
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, lambda _signum, _frame: stopping.set())
        log.info("scheduler.started", interval_s=settings.SCHEDULER_INTERVAL_SECONDS)
        tidy_at = time.monotonic()
        counted: date | None = None
        while not stopping.is_set():
            try:
                sweep(now=timezone.now(), nudge=nudge)
                if counted != timezone.localdate():
                    now = timezone.now()
                    count_day(now=now)
                    counted = timezone.localdate(now)
                if time.monotonic() >= tidy_at:
                    tidy(now=timezone.now())
                    tidy_at = time.monotonic() + TIDY_EVERY_S
            except DatabaseError as error:
                log.warning("database.unreachable", error=type(error).__name__)
                connection.close()
            close_old_connections()
            stopping.wait(settings.SCHEDULER_INTERVAL_SECONDS)
        log.info("scheduler.stopped")
