"""The app of records, rules and pages."""

from django.apps import AppConfig


class ReadinessConfig(AppConfig):
    """Readiness: people tick, waive and read."""

    name = "readiness"
    verbose_name = "Readiness"
