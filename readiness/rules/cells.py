"""Cells of files that spreadsheets open: text stays text."""

import csv
import io
from collections.abc import Iterable

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe goes before what could begin one.

    The wide forms of the four signs count as these where a spreadsheet is set to an East Asian language.
    Source: OWASP, CSV injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text


def csv_text(rows: Iterable[Iterable[object]]) -> str:
    """Return rows as a file that spreadsheets open, with a byte order mark so that they read it as UTF-8.

    No cell begins a formula; None is an empty one.
    """
    file = io.StringIO()
    writer = csv.writer(file)
    for row in rows:
        writer.writerow(["" if cell is None else safe_cell(str(cell)) for cell in row])
    return "\ufeff" + file.getvalue()
