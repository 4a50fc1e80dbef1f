"""Structured logs: one JSON object a line (or plain text for a terminal), with a request or run id, and no key."""

import re
from typing import Any

import structlog

_KEY_LIKE = re.compile(r"(qbt|rdy)_[A-Za-z0-9_-]{8,}")
_LINK_TOKEN = re.compile(r"(?<=sesame=)[A-Za-z0-9_-]+")


def mask_secrets(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """Replace what looks like a key or a token, or signs somebody in: the last guard, behind never logging one."""
    return {name: value if name.startswith("_") else _masked(value) for name, value in event.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _LINK_TOKEN.sub("***", _KEY_LIKE.sub(r"\1_***", value))
    if isinstance(value, dict):
        return {name: _masked(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _masked(repr(value))  # A request, say: it would be written as its repr, and that has the address in it.


SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
    structlog.processors.format_exc_info,
    structlog.stdlib.PositionalArgumentsFormatter(),
    mask_secrets,
]


def logging_settings(*, level: str, lines: str) -> dict[str, Any]:
    """Return Django's ``LOGGING``; ``lines`` is ``json`` or ``text``."""
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *SHARED,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: Any = structlog.processors.JSONRenderer()
    if lines == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "lines": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": [*SHARED[:3], structlog.stdlib.ExtraAdder(), *SHARED[3:]],
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask_secrets, renderer],
            }
        },
        "handlers": {"standard-error": {"class": "logging.StreamHandler", "formatter": "lines"}},
        "root": {"handlers": ["standard-error"], "level": level},
        "loggers": {
            "django": {"level": "INFO", "propagate": True, "handlers": []},
            "django.server": {"level": "WARNING", "propagate": True, "handlers": []},
            "django_structlog": {"level": "INFO"},
            "uvicorn": {"level": "WARNING", "handlers": [], "propagate": True},
            "uvicorn.access": {"level": "WARNING", "handlers": [], "propagate": True},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "WARNING"},
            "kombu.connection": {"level": "ERROR"},
            "httpx": {"level": "WARNING"},
            "httpcore": {"level": "WARNING"},
        },
    }
