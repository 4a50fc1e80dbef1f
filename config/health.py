"""Is the process alive, and can the product do its work?"""

from datetime import datetime, timedelta

import structlog
from celery import current_app
from django.apps import apps
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import Error, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from kombu.exceptions import OperationalError

log = structlog.get_logger(__name__)

SCHEDULER_LATE_AFTER = timedelta(seconds=30)
"""The scheduler beats every few seconds; this long without one and probes are no longer being queued."""


@login_not_required
@never_cache
@require_safe
def alive(_request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process answers at all."""
    return HttpResponse("alive\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def ready(_request: HttpRequest) -> JsonResponse:
    """Answer 200 where database, broker and scheduler all work, 503 with what does not otherwise."""
    found = {"database": _database()}
    if apps.is_installed("checks"):
        found["broker"] = _broker()
        found["scheduler"] = scheduler_state(timezone.now()) if found["database"] == "ok" else "unknown"
    good = all(state == "ok" for state in found.values())
    return JsonResponse({"ready": good, **found}, status=200 if good else 503)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        log.warning("readyz.database", error=type(error).__name__)
        return "unreachable"
    return "ok"


def _broker() -> str:
    try:
        with current_app.connection_for_write() as broker:
            broker.ensure_connection(max_retries=1, timeout=2, interval_start=0, interval_step=0)
    except (OperationalError, OSError) as error:
        log.warning("readyz.broker", error=type(error).__name__)
        return "unreachable"
    return "ok"


def scheduler_state(now: datetime) -> str:
    """Return ``ok``, ``late`` or ``never seen``: when the scheduler last swept, judged against its own interval."""
    from checks.models import Heartbeat
    from checks.schedule import HEARTBEAT

    late_after = max(SCHEDULER_LATE_AFTER, 5 * timedelta(seconds=settings.SCHEDULER_INTERVAL_SECONDS))
    try:
        last = Heartbeat.objects.filter(name=HEARTBEAT).values_list("at", flat=True).first()
    except Error as error:
        log.warning("readyz.scheduler", error=type(error).__name__)
        return "unknown"
    if last is None:
        return "never seen"
    return "ok" if now - last < late_after else "late"
