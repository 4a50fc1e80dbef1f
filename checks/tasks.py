"""Celery's doors: thin, taking ids. A message is a nudge; the run's row is the queue and the truth."""

from collections.abc import Sequence

import structlog
from celery import shared_task
from kombu.exceptions import OperationalError

from checks import engine
from checks.schedule import NUDGED_AGAIN_AFTER

log = structlog.get_logger(__name__)


@shared_task(name="checks.look", ignore_result=True, acks_late=False)
def look(run_id: int) -> None:
    """Carry out one run, if nobody else has taken it."""
    engine.execute(run_id)


def nudge(run_ids: Sequence[int]) -> bool:
    """Tell the workers about runs; return False, and say so once, where the broker cannot be reached.

    A message that is not taken in time expires: by then the scheduler has sent another.
    """
    try:
        for run_id in run_ids:
            look.apply_async((run_id,), expires=NUDGED_AGAIN_AFTER.total_seconds(), retry=False)
    except (OperationalError, OSError) as error:
        log.warning("broker.unreachable", error=type(error).__name__)
        return False
    return True
