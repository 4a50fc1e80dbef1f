"""Exports of the ledger: JSON lines, an event each, that can be verified without the database."""

import json
from collections.abc import Iterator
from typing import IO

from django.utils.translation import gettext as _

from .chain import Row, Unreadable, canonical

MOST_BYTES_A_LINE = 32 * 1024 * 1024
"""A longer line is no event: it is told of and passed over, so that no file can fill the memory."""
_TYPES = {"id": int, "text": str, "previous_hash": str, "hash": str}


def line_of(row: Row | Unreadable) -> str:
    """Return an event as a line of an export, with its line end. One that cannot be read leaves a line that says so."""
    if isinstance(row, Unreadable):
        return canonical({"id": row.id, "unreadable": True}) + "\n"
    return canonical({"id": row.id, "text": row.text, "previous_hash": row.previous_hash, "hash": row.hash}) + "\n"


def rows_in(file: IO[bytes]) -> Iterator[Row | Unreadable]:
    """Yield the events of an export in the order of its lines. A line that is no event is yielded as unreadable."""
    number = 0
    while line := file.readline(MOST_BYTES_A_LINE):
        number += 1
        whole = line.endswith(b"\n") or len(line) < MOST_BYTES_A_LINE
        while line and not line.endswith(b"\n") and len(line) == MOST_BYTES_A_LINE:
            line = file.readline(MOST_BYTES_A_LINE)
        yield _row(line, number) if whole else Unreadable(place=_("Line {number}").format(number=number))


def _row(line: bytes, number: int) -> Row | Unreadable:
    try:
        text = line.decode("utf-8").rstrip("\r\n")
        given = json.loads(text)
    except (ValueError, RecursionError):
        return Unreadable(place=_("Line {number}").format(number=number))
    if not isinstance(given, dict):
        return Unreadable(place=_("Line {number}").format(number=number))
    if {name: type(value) for name, value in given.items()} != _TYPES or canonical(given) != text:
        identity = given.get("id")
        if type(identity) is int:
            return Unreadable(
                place=_("Line {number}, event {identity},").format(number=number, identity=identity), id=identity
            )
        return Unreadable(place=_("Line {number}").format(number=number))
    return Row(**given)
