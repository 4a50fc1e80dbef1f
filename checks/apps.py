"""The app of probes and workers."""

from typing import Any

from django.apps import AppConfig


class ChecksConfig(AppConfig):
    """Checks: probes look at running systems, and their findings become evidence."""

    name = "checks"
    verbose_name = "Checks"

    def ready(self) -> None:
        """Listen to what pages ask for."""
        from readiness import signals
        from readiness.rules import messages

        signals.observers_wanted.connect(_observers, dispatch_uid="checks.observers")
        signals.run_requested.connect(_nudge, dispatch_uid="checks.nudge")
        messages.ask_later(_messages)


def _observers(**_: Any) -> list[Any]:
    from checks.registry import observers

    return observers()


def _messages() -> None:
    from checks.registry import register_messages

    register_messages()


def _nudge(run_ids: list[int], **_: Any) -> None:
    from checks.tasks import nudge

    nudge(run_ids)
