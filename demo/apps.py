"""The demo: a small world of services to look at, and people to act as. Installed only when it is asked for."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The demo."""

    name = "demo"
