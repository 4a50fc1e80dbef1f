"""Read a PDF back."""

import re
from io import BytesIO
from typing import Any

from pypdf import PdfReader
from pypdf.generic import IndirectObject


def opened(pdf: bytes) -> PdfReader:
    return PdfReader(BytesIO(pdf), strict=True)


def lines_in(pdf: bytes) -> list[str]:
    """The lines of its pages, without the places at which long words may break."""
    said = "\n".join(page.extract_text() for page in opened(pdf).pages)
    return said.replace("\N{ZERO WIDTH SPACE}", "").split("\n")


def said_in(pdf: bytes) -> str:
    """What a PDF says on all its pages, without its line breaks."""
    return re.sub(r"\s+", " ", " ".join(lines_in(pdf)))


def run_together(text: str) -> str:
    """A text without its spaces: what is one word to a reader may be on two lines."""
    return re.sub(r"\s+", "", text)


def links_in(pdf: bytes) -> set[str]:
    """Where its links lead."""
    notes = [note.get_object() for page in opened(pdf).pages for note in page.get("/Annots", [])]
    return {note["/A"]["/URI"] for note in notes if note["/Subtype"] == "/Link"}


def fonts_in(pdf: bytes) -> dict[str, bool]:
    """Its fonts by name, each with whether it is inside."""
    found: dict[str, bool] = {}
    for page in opened(pdf).pages:
        for font in page["/Resources"]["/Font"].values():
            (face,) = _got(_got(font)["/DescendantFonts"])
            held = _got(_got(face)["/FontDescriptor"])
            found[str(held["/FontName"]).partition("+")[2]] = "/FontFile2" in held or "/FontFile3" in held
    return found


def roles_in(pdf: bytes) -> set[str]:
    """The names of the parts that its structure has: H1, Table, TH."""
    found: set[str] = set()
    left = [opened(pdf).trailer["/Root"]["/StructTreeRoot"]]
    while left:
        part = _got(left.pop())
        if isinstance(part, dict):
            found.add(str(part.get("/S", "")).lstrip("/"))
            kids = _got(part.get("/K", []))
            left += kids if isinstance(kids, list) else [kids]
    return found


def _got(value: Any) -> Any:
    return value.get_object() if isinstance(value, IndirectObject) else value
