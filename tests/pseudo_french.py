"""French of our own: every sentence of the code is translated, as itself with « before it.

What is said in it shows that a sentence is looked up, however far the real translation has come.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from django.test import override_settings
from django.utils import translation

from scripts.catalogue import said


@cache
def _compiled() -> bytes:
    catalogue = Catalog(locale="fr")
    for one in said().values():
        words: str | tuple[str, str] = f"«{one.singular}"
        if one.plural:
            words = f"«{one.singular}", f"«{one.plural}"
        catalogue.add(one.id, words, context=one.context or None)
    file = io.BytesIO()
    write_mo(file, catalogue)
    return file.getvalue()


@contextmanager
def spoken(folder: Path) -> Iterator[None]:
    """Speak it in this block, from a catalogue that is written into ``folder``."""
    target = folder / "fr" / "LC_MESSAGES" / "django.mo"
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(_compiled())
    with override_settings(LOCALE_PATHS=[folder]), translation.override("fr-ca"):
        yield
