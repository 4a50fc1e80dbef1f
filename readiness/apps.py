"""The app of records, rules and pages."""

from django.apps import AppConfig


class ReadinessConfig(AppConfig):
    """Readiness: people tick, waive and read."""

    name = "readiness"
    verbose_name = "Readiness"

    def ready(self) -> None:
        """Have each sign-in begin its session."""
        from django.contrib.auth.signals import user_logged_in

        from readiness import sessions

        user_logged_in.connect(sessions.begin, dispatch_uid="readiness.sessions.begin")
