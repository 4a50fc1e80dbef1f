"""The only place that knows both sides: settings, addresses, Celery, ASGI and the supervisor."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
