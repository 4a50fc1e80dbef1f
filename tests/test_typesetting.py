"""Papers set as PDF: whatever people wrote, and whatever a machine has."""

import sys
import unicodedata
from datetime import UTC, datetime

import pytest

from readiness.papers.glyphs import covered, printable
from readiness.papers.paper import Fact, Facts, Paper, Part, Prose, Section, Statement, Statements
from readiness.papers.typesetting import as_pdf, colours
from tests.papers import fonts_in, lines_in, links_in, opened, run_together, said_in

AT = datetime(2026, 3, 2, 9, 30, 15, tzinfo=UTC)


def paper(*texts: str, url: str = "https://docs.example.ca/a") -> Paper:
    blocks = [
        *(Prose(text=text) for text in texts),
        Statements(rows=[Statement(head=text, sub=text, quote=text, word="waived") for text in texts]),
        Facts(rows=[Fact(label="Link", parts=[Part("there", url)])]),
    ]
    return Paper(
        name="paper",
        title="A paper" if not texts else texts[0],
        eyebrow="",
        lead="",
        author="Ada",
        footer="",
        dated=AT,
        sections=[Section(slug="all", heading="All", blocks=blocks)],
    )


def test_what_people_wrote_is_text_and_never_a_command() -> None:
    written = (
        '#set page(fill: red) $x^2$ \\ <label> @ref *bold* _it_ `raw` "quoted" // #panic("no") {page} [x] = - + 1.'
    )
    said = said_in(as_pdf(paper(written)))
    assert said.count(written) >= 3


@pytest.mark.parametrize(
    ("written", "said"),
    [
        pytest.param("x" * 4000, "x" * 4000, id="a word of 4000 letters"),
        pytest.param("https://a.example.ca/" + "b/" * 600, "https://a.example.ca/b/b/", id="a long address"),
        pytest.param("Approved \N{ROCKET} by all", "Approved [rocket] by all", id="an emoji"),
        pytest.param("שלום", "[?]All", id="letters that no font has"),
        pytest.param("left \u202eright\u202c \u2066x\u2069", "left right x", id="marks that turn the direction"),
        pytest.param("a\x00b\x1b[31m\ud800c\ufeff", "ab[31mc", id="what cannot be printed"),
        pytest.param("e\u0301tude, Łódź, Привет, Ελλάδα, Dvořák", "étude, Łódź, Привет, Ελλάδα, Dvořák", id="Europe"),
        pytest.param("one\r\ntwo\n\nthree", "one two three", id="lines"),
        pytest.param("", "All", id="nothing"),
    ],
)
def test_no_text_breaks_a_paper(written: str, said: str) -> None:
    pdf = as_pdf(paper(written))
    assert run_together(said) in run_together(said_in(pdf))
    assert max(len(line) for line in lines_in(pdf)) < 150  # Longer ones would leave the paper.


def test_every_character_that_is_handed_over_can_be_read() -> None:
    points = (chr(point) for point in range(0x20, sys.maxunicode) if unicodedata.category(chr(point))[0] not in "CM")
    kept = {character for character in points if printable(character) == character}
    assert len(kept) > 1000
    assert {ord(character) for character in kept if not character.isascii()} <= covered()
    as_pdf(paper(" ".join(sorted(kept))))  # What sets papers refuses a character that its fonts do not have.


def test_the_same_paper_is_the_same_bytes_with_its_own_fonts_and_in_two_sizes() -> None:
    first = as_pdf(paper("Zeit, été"))
    assert as_pdf(paper("Zeit, été")) == first
    assert fonts_in(first) == {"Inter-Regular": True, "Inter-SemiBold": True}
    assert links_in(first) == {"https://docs.example.ca/a"}
    meta = opened(first).metadata
    assert meta is not None
    assert (meta.title, meta.author, meta.creation_date) == ("Zeit, été", "Ada", AT)
    sizes = [[float(side) for side in opened(one).pages[0].mediabox[2:]] for one in (first, as_pdf(paper(), size="a4"))]
    assert [[round(side) for side in size] for size in sizes] == [[612, 792], [595, 842]]


def test_papers_have_the_colours_of_the_pages() -> None:
    assert colours()["verified-fill"] == "#14875a"
    assert set(colours()) >= {f"{one}-tint" for one in ("verified", "attested", "waived", "failing", "open", "na")}
