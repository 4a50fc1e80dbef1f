"""Which characters the fonts of papers have, and what stands for the others.

What sets papers refuses a character that no font has, since nobody could read it. So none is handed over.
"""

import re
import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

FONTS = Path(__file__).parent / "fonts"
FAMILIES = (
    "Inter",
    "Inter Latin Extended",
    "Inter Cyrillic",
    "Inter Cyrillic Extended",
    "Inter Greek",
    "Inter Greek Extended",
    "Inter Vietnamese",
)
"""In the order in which a character is looked for."""

MISSING = "[?]"
"""What stands for letters in a row that no font has."""

_ODD = re.compile(r"[^\x20-\x7e\n]")
_ROW = re.compile(rf"(?:{re.escape(MISSING)})+")


def printable(text: str) -> str:
    """Return a text with something for what no font has: a symbol's name, or a mark for letters in a row.

    Line breaks stay. Control and format characters are left out, so that none turns the direction of what follows.
    """
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))
    return _ROW.sub(MISSING, _ODD.sub(lambda found: _stand_in(found.group()), text))


@cache
def covered() -> frozenset[int]:
    """Return the code points that the fonts of papers have in every weight."""
    weights = ("Regular", "SemiBold")
    of_weight = [{point for family in FAMILIES for point in code_points(_file(family, weight))} for weight in weights]
    return frozenset.intersection(*map(frozenset, of_weight))


def code_points(file: Path) -> Iterator[int]:
    """Yield the code points of a TrueType font, from its character map of format 4 or 12.

    Source: OpenType 1.9, "cmap". Raises ValueError where it has no such map.
    """
    data = file.read_bytes()
    tables = {
        data[at : at + 4]: struct.unpack_from(">I", data, at + 8)[0]
        for at in range(12, 12 + 16 * struct.unpack_from(">H", data, 4)[0], 16)
    }
    start = tables[b"cmap"]
    count = struct.unpack_from(">H", data, start + 2)[0]
    maps = {
        struct.unpack_from(">H", data, start + offset)[0]: start + offset
        for offset in (struct.unpack_from(">I", data, start + 8 + 8 * number)[0] for number in range(count))
    }
    if 12 in maps:
        yield from _of_format_12(data, maps[12])
    elif 4 in maps:
        yield from _of_format_4(data, maps[4])
    else:
        raise ValueError(f"{file.name} has no character map of format 4 or 12.")


def _of_format_12(data: bytes, at: int) -> Iterator[int]:
    for number in range(struct.unpack_from(">I", data, at + 12)[0]):
        first, last = struct.unpack_from(">II", data, at + 16 + 12 * number)
        yield from range(first, last + 1)


def _of_format_4(data: bytes, at: int) -> Iterator[int]:
    segments = struct.unpack_from(">H", data, at + 6)[0] // 2
    lasts = struct.unpack_from(f">{segments}H", data, at + 14)
    firsts = struct.unpack_from(f">{segments}H", data, at + 16 + 2 * segments)
    for first, last in zip(firsts, lasts, strict=True):
        yield from (point for point in range(first, last + 1) if point != 0xFFFF)


def _stand_in(character: str) -> str:
    category = unicodedata.category(character)
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp") or 0xFE00 <= ord(character) <= 0xFE0F:
        return {"\u2028": "\n", "\u2029": "\n"}.get(character, "")
    if ord(character) in covered():
        return character
    if category == "Zs":
        return " "
    if category in ("So", "Sm", "Sk", "Po"):
        name = unicodedata.name(character, "")
        return f"[{name.lower()}]" if name else MISSING
    return MISSING


def _file(family: str, weight: str) -> Path:
    return FONTS / f"{family.replace(' ', '')}-{weight}.ttf"
