"""The worker's pulse: a file that its event loop touches, so that a health check sees whether it still turns."""

from pathlib import Path
from typing import Any

from celery import bootsteps
from django.conf import settings

BEATS_EVERY_S = 5.0


class Pulse(bootsteps.StartStopStep):
    """Touches ``READINESS_WORKER_PULSE`` while the worker's loop turns; does nothing where it names no file.

    The timer is the loop's own: a worker that hangs, or that waits for a broker that is away, stops touching it.
    """

    requires = ("celery.worker.components:Timer",)

    def __init__(self, worker: Any, **options: Any) -> None:
        super().__init__(worker, **options)
        self.path = settings.WORKER_PULSE
        self.entry: Any = None

    def include_if(self, _worker: Any) -> bool:
        """Return whether somebody asked for a pulse."""
        return bool(self.path)

    def start(self, worker: Any) -> None:
        """Beat now and from now on."""
        self.beat()
        self.entry = worker.timer.call_repeatedly(BEATS_EVERY_S, self.beat)

    def stop(self, _worker: Any) -> None:
        """Beat no more."""
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None

    def beat(self) -> None:
        """Touch the file."""
        Path(self.path).touch(mode=0o600)
