"""Cells of files that spreadsheets open: text stays text."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula: an apostrophe goes before what could begin one.

    The wide forms of the four signs count as these where a spreadsheet is set to an East Asian language.
    Source: OWASP, CSV injection.
    """
    return f"'{text}" if text.startswith(_FORMULA) else text
