"""Columns whose words may be had in other languages too: read in the language of the page, stored as they were written.

A model that has such columns keeps their translations in ``translations``, by language and by the name of the column.
Under ``translation.override(None)`` they read as they were written.
"""

from typing import Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute
from django.utils import translation

from readiness.rules.spoken import in_language


class _Reading(DeferredAttribute):
    """What a row answers for a column: its words in the active language."""

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        if instance is None:
            return self
        name = self.field.attname
        written = instance.__dict__[name] if name in instance.__dict__ else super().__get__(instance, cls)
        return in_language(written, instance.translations, name)  # type: ignore[attr-defined]

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = value


class _InLanguage:
    """A column that is read in the active language and stored as it was written."""

    descriptor_class: Any = _Reading
    attname: str
    kind: str

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:  # noqa: ARG002
        """Return what is stored."""
        return model_instance.__dict__[self.attname]

    def value_from_object(self, obj: models.Model) -> Any:
        """Return what a form or an export begins from."""
        return obj.__dict__[self.attname]

    def deconstruct(self) -> Any:
        """Call it what it is in the database: reading is no matter of the schema."""
        name, _path, arguments, options = super().deconstruct()  # type: ignore[misc]
        return name, f"django.db.models.{self.kind}", arguments, options


class TranslatedChar(_InLanguage, models.CharField[str, str]):
    """A short text in several languages."""

    kind = "CharField"


class TranslatedText(_InLanguage, models.TextField[str, str]):
    """A text in several languages."""

    kind = "TextField"


class Translated(models.Model):
    """A row with such columns."""

    translations = models.JSONField(default=dict, blank=True)

    class Meta:
        abstract = True

    def refresh_from_db(self, *arguments: Any, **options: Any) -> None:
        """Read the row again, as it was written."""
        with translation.override(None):
            super().refresh_from_db(*arguments, **options)
