"""Set a paper as a PDF: tagged, its fonts in it, and the same bytes for the same paper. Decision 13 says by what."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, Literal

import typst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from .glyphs import FAMILIES, FONTS, printable
from .paper import Paper
from .words import legend

Size = Literal["us-letter", "a4"]

AT_ONCE = 2
"""How many papers are set at the same time in one process; more wait. One takes a core for as long as it takes."""

WAITS_S = 15
"""How long one waits for its turn; who would wait longer is told. Whoever waits holds a connection to the database."""

TEMPLATE = Path(__file__).parent / "paper.typ"
TOKENS = Path(__file__).parent.parent / "static" / "readiness" / "tokens.css"
STANDARD: Literal["ua-1"] = "ua-1"
_turns = BoundedSemaphore(AT_ONCE)


class Busy(Exception):
    """So many papers are being set that another one would wait too long."""


def as_pdf(paper: Paper, *, size: Size = "us-letter") -> bytes:
    """Return a paper as a PDF, in the language that is active.

    The process goes on meanwhile: what sets it holds no lock of the interpreter's. Raises ``Busy``.
    """
    words = json.dumps(_plain(paper, size))
    if not _turns.acquire(timeout=WAITS_S):
        raise Busy
    try:
        return typst.compile(
            TEMPLATE,
            root=TEMPLATE.parent,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            sys_inputs={"data": words},
            pdf_standards=STANDARD,
            timestamp=int(paper.dated.timestamp()),
            format="pdf",
        )
    finally:
        _turns.release()


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(FONTS)])


@cache
def colours() -> Mapping[str, str]:
    """Return the colours of the light scheme, by the names of their tokens."""
    light = TOKENS.read_text(encoding="utf-8").partition("@media")[0]
    found = dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})\b", light))
    tints = {f"{name}-tint": found["open-tint"] for name in ("stale", "na")}
    return {**found, **tints}


def _plain(paper: Paper, size: Size) -> dict[str, Any]:
    dated = paper.dated.astimezone(UTC)
    names = ("year", "month", "day", "hour", "minute", "second")
    return {
        **_printable(asdict(paper)),
        "sections": [
            {
                "heading": printable(section.heading),
                "new_page": section.new_page,
                "blocks": [{"is": block.kind, **_printable(asdict(block))} for block in section.blocks],
            }
            for section in paper.sections
        ],
        "strip": [[cell.letter for cell in cells] for cells in paper.strip],
        "legend": legend(),
        "dated": {name: getattr(dated, name) for name in names},
        "pages": _("{page} of {pages}"),
        "lang": (get_language() or "en").partition("-")[0],
        "fonts": FAMILIES,
        "colours": colours(),
        "paper": size,
    }


def _printable(value: Any, name: str = "") -> Any:
    """Return a value with every text in it made of characters that the fonts have; addresses stay as they are."""
    if isinstance(value, str):
        return value if name in ("url", "links") and value.isascii() else printable(value)
    if isinstance(value, dict):
        return {key: _printable(one, key) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_printable(one, name) for one in value]
    return None if isinstance(value, datetime) else value
