"""The app of records, rules and pages."""

from django.apps import AppConfig


class ReadinessConfig(AppConfig):
    """Readiness: people tick, waive and read."""

    name = "readiness"
    verbose_name = "Readiness"

    def ready(self) -> None:
        """Have each sign-in begin its session, and SQLite read texts without capitals and accents."""
        from django.contrib.auth.signals import user_logged_in
        from django.db.backends.signals import connection_created

        from readiness import sessions
        from readiness.selectors import folded

        connection_created.connect(folded.teach, dispatch_uid="readiness.selectors.folded.teach")
        user_logged_in.connect(sessions.begin, dispatch_uid="readiness.sessions.begin")
