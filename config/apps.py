"""The app that knows both sides, for its commands and its checks."""

from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Readiness as one product."""

    name = "config"
    label = "config"
