"""Catalogues of words, compiled where they are not yet: no tool of the system is needed, and no step of a build.

Settings see to it, so whatever starts the product has them: web, worker, scheduler, commands and tests.
"""

import os
import sys
from pathlib import Path


def compiled(source: Path, data: Path) -> Path:
    """Return a folder of catalogues that are compiled: ``source`` itself where it can be written, else one in ``data``.

    A catalogue (``LANGUAGE/LC_MESSAGES/django.po``) is compiled where its ``.mo`` is missing or older. Several
    processes may do so at once. Where neither place can be written, one line on standard error says that pages stay
    English.
    """
    written = sorted(source.glob("*/LC_MESSAGES/django.po"))
    if all(_is_new(_beside(path, source, source), path) for path in written):
        return source
    for folder in (source, data / "locale"):
        try:
            for path in written:
                _compile(path, _beside(path, source, folder))
        except OSError:
            continue
        return folder
    sys.stderr.write(f"Neither {source} nor {data} can be written: without compiled catalogues pages are English.\n")
    return source


def _beside(path: Path, source: Path, folder: Path) -> Path:
    return folder / path.relative_to(source).with_suffix(".mo")


def _is_new(target: Path, path: Path) -> bool:
    try:
        return target.stat().st_mtime_ns >= path.stat().st_mtime_ns
    except FileNotFoundError:
        return False


def _compile(path: Path, target: Path) -> None:
    """Write one catalogue, whole or not at all; what is fuzzy is left out, and so stays English."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    if _is_new(target, path):
        return
    with path.open("rb") as file:
        catalogue = read_po(file, locale=path.parts[-3])
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_suffix(f".{os.getpid()}")
    try:
        with draft.open("wb") as file:
            write_mo(file, catalogue)
        # As old as its source: an edit while it was compiled is seen the next time.
        os.utime(draft, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
