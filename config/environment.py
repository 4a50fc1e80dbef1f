"""Reads the environment: empty is unset, a secret may come from a file, and what cannot be read is one clear line."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

_BOOLEANS = {"true", "on", "yes", "y", "1", "false", "off", "no", "n", "0"}


class Variables(Mapping[str, str]):
    """Variables by name; ``NAME_FILE`` names a file that holds the value of ``NAME``, and wins where both are set.

    A file loses the white space at its ends, since editors and ``echo`` leave a line end there. It must be readable and
    hold something; ``ImproperlyConfigured`` otherwise. A variable that is set to nothing counts as not set.
    """

    def __init__(self, source: Mapping[str, str]) -> None:
        self._source = source

    def __getitem__(self, name: str) -> str:
        path = self._source.get(f"{name}_FILE")
        value = _content(name, path) if path else self._source.get(name)
        if not value:
            raise KeyError(name)
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._source)

    def __len__(self) -> int:
        return len(self._source)


def _content(name: str, path: str) -> str:
    try:
        value = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which cannot be read: {why}.") from None
    if not value:
        raise ImproperlyConfigured(f"{name}_FILE names {path}, which is empty.")
    return value


class Environment(environ.Env):  # type: ignore[misc]  # django-environ has no types
    """django-environ's casts (``str``, ``bool``, ``int``, ``float``, ``list``, ``json``, ``db_url``) on them.

    A value stands for itself: one that begins with a dollar sign names no other variable, or a password could vanish.
    """

    def __init__(self, source: Mapping[str, str] = os.environ) -> None:
        super().__init__()
        self.ENVIRON = Variables(source)

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **_: Any) -> Any:
        """Return a value; ``ImproperlyConfigured`` names the variable that is missing or does not read as it should."""
        value = self.ENVIRON.get(var)
        if value is None:
            if default is self.NOTSET:
                raise ImproperlyConfigured(f"Set {var}; docs/settings.md says to what.")
            return default
        try:
            return self.parse_value(value, cast)
        except ValueError:
            raise ImproperlyConfigured(f"{var} cannot be read; docs/settings.md says how it is written.") from None

    @classmethod
    def parse_value(cls, value: str, cast: Any) -> Any:
        """Return the value as a ``cast``; ``ValueError`` for a word that is neither yes nor no."""
        if cast is bool and value.strip().lower() not in _BOOLEANS:
            raise ValueError(value)
        if cast is list:
            return [part.strip() for part in value.split(",") if part.strip()]
        return super().parse_value(value, cast)
