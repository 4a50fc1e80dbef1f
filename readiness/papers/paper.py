"""What a paper is made of, whether it is drawn as a page or set as a PDF: headings, and blocks of a few kinds.

All words are ready to be read, in the language of whoever asked; what is drawn and what is set say the same by that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, TypeAlias


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word on its tint. ``tone`` names a colour token with a tint; nothing is drawn for an empty text."""

    text: str = ""
    tone: str = "open"


@dataclass(frozen=True, slots=True)
class Part:
    """A run of words, which may be a link."""

    text: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One line of a list of facts."""

    label: str
    parts: Sequence[Part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Labels, each with its words."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[Fact]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prose:
    """What somebody wrote; line breaks stay."""

    kind: ClassVar[str] = "prose"
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A head with a word before it and something smaller after it, and what somebody wrote below."""

    head: str
    word: str = ""
    tone: str = "open"
    sub: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """Several of them."""

    kind: ClassVar[str] = "statements"
    rows: Sequence[Statement]


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRow:
    """One item in a line. ``letter`` names the shape of its status; ``rests`` says what it rests on."""

    number: str
    letter: str
    title: str
    word: str
    tone: str
    owner: str
    rests: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemGroup:
    """The items of one section."""

    name: str
    rows: Sequence[ItemRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Items:
    """Every item in a line, under its section."""

    kind: ClassVar[str] = "items"
    heads: Sequence[str]
    groups: Sequence[ItemGroup]


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One statement about a clause: who or what said it and when, the words, and where they point to."""

    lead: str
    summary: str
    links: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRow:
    """One clause of an item, and whether it held."""

    word: str
    tone: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseGroup:
    """Clauses that rest on the same statements. ``nothing`` is read where nobody and nothing said anything of them."""

    clauses: Sequence[ClauseRow]
    said: Sequence[Said]
    nothing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceRow:
    """One item with all that was said of it."""

    letter: str
    title: str
    word: str
    tone: str
    text: str
    owner: str
    grants: Sequence[Statement]
    groups: Sequence[ClauseGroup]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceGroup:
    """The items of one section, with all that was said of them."""

    name: str
    rows: Sequence[EvidenceRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceBlock:
    """All that was said, item by item."""

    kind: ClassVar[str] = "evidence"
    groups: Sequence[EvidenceGroup]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureCell:
    """Something written on a line, and what it is."""

    value: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """Who decided, and when."""

    kind: ClassVar[str] = "signature"
    cells: Sequence[SignatureCell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A SHA-256 in hexadecimal, and how to find out whether it is the right one."""

    kind: ClassVar[str] = "check"
    label: str
    hash: str
    words: Sequence[str]
    command: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that is wrong."""

    kind: ClassVar[str] = "alert"
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRow:
    """Something that happened at a time of day, with what was written about it."""

    time: str
    text: str
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """What happened on one line of an agenda."""

    name: str
    rows: Sequence[LogRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """What happened, in order."""

    kind: ClassVar[str] = "log"
    groups: Sequence[LogGroup]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgendaRow:
    """One line of an agenda with its decision. ``nothing`` is read where none was made."""

    number: str
    title: str
    sub: str
    word: str
    tone: str
    nothing: str
    hash: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agenda:
    """An agenda with its decisions."""

    kind: ClassVar[str] = "agenda"
    heads: Sequence[str]
    rows: Sequence[AgendaRow]


Block: TypeAlias = Facts | Prose | Statements | Items | EvidenceBlock | Signature | Check | Alert | Log | Agenda


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a paper. ``slug`` is its place on the page; ``new_page`` puts it on a sheet of its own on paper."""

    slug: str
    heading: str
    blocks: Sequence[Block]
    new_page: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperCell:
    """One cell of a strip: a shape, and what it says."""

    letter: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One paper. ``dated`` is the instant that it is about: nothing in it depends on when it was asked for.

    ``eyebrow`` stands above its title and ``lead`` below; ``word`` with ``beside`` and the strip stand in a band.
    """

    name: str
    title: str
    eyebrow: str
    lead: str
    author: str
    footer: str
    dated: datetime
    sections: Sequence[Section]
    word: Word = field(default_factory=Word)
    beside: str = ""
    strip: Sequence[Sequence[PaperCell]] = ()
    sentence: str = ""
