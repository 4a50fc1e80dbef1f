"""What is left in English on a page that is to be French: text and what is read out, but for what people wrote.

``left_in_english(html, known=...)``: ``known`` are texts of people and of tests, which may be in any language. A part
with ``translate="no"`` or in another ``lang`` is left out, and so are code, keys, slugs and scripts.
"""

import re
from collections.abc import Collection
from functools import cache
from html.parser import HTMLParser

from scripts import catalogue

READ_OUT = ("aria-label", "aria-description", "aria-roledescription", "title", "placeholder", "alt", "label")
SILENT = {"script", "style", "code", "pre", "kbd", "samp", "textarea", "blockquote", "q"}
EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
ENGLISH = frozenset(
    re.findall(
        r"\w+",
        """
    the and of is are was were has have had with without not by this that these those it its you your they their
    who what when where which since until nobody nothing everything somebody anybody from at been will would
    should may must can cannot any all every each none here there than then only other another yes for in be to
    launch launches launched no waived failing stale settled due owner evidence waiver waivers runs
    team teams ready overdue
    """,
    )
)
"""Words that English pages have and French ones do not. One that both have ("note", "or") is not among them."""
WORD = re.compile(r"(?<![\w./*-])[a-zà-öø-ÿœ]+(?:['’][a-zà-öø-ÿœ]+)*(?![\w/(=*-]|[.:]\w)", re.IGNORECASE)
"""A word of a sentence, which no slug, name of a function, hash or address holds."""


class _Reader(HTMLParser):
    """Collects the texts of a page, each with the element that it stands in."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[tuple[str, bool]] = []
        self.found: list[tuple[str, str]] = []

    @property
    def silent(self) -> bool:
        return bool(self.open) and self.open[-1][1]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        lang = (given.get("lang") or "").lower()
        quiet = given.get("translate") == "no" or (bool(lang) and not lang.startswith("fr")) or tag in SILENT
        quiet = quiet or "mono" in (given.get("class") or "").split()
        silent = (self.silent and not lang.startswith("fr")) or quiet
        # A field of text may hold what somebody wrote, and still says in French what it is for.
        if not silent or tag == "textarea":
            for name, value in given.items():
                said = name in READ_OUT or (given.get("id") == "words" and name.startswith("data-"))
                if value and (
                    said or (name == "value" and tag == "input" and given.get("type") in ("submit", "button"))
                ):
                    self.found.append((f"{tag}[{name}]", value))
        if tag not in EMPTY:
            self.open.append((tag, silent))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in EMPTY:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place][0] == tag:
                del self.open[place:]
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not self.silent:
            self.found.append((self.open[-1][0] if self.open else "", data))


def left_in_english(html: str, *, known: Collection[str] = ()) -> list[str]:
    """Return each text that is English, with where it stands; sorted, each once."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    texts = {(where, _plain(text)) for where, text in reader.found}
    names = sorted({_plain(one) for one in known if _plain(one)}, key=len, reverse=True)
    return sorted(f"{where}: {text}" for where, text in texts if _is_english(_without(text, names)))


def _plain(text: str) -> str:
    return " ".join(text.split())


def _without(text: str, names: Collection[str]) -> str:
    for name in (one for one in names if one in text):  # Thousands are known, and a text has few of them.
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text)
    return _plain(text)


def _is_english(text: str) -> bool:
    sentences, french = _sentences()
    if text in french:
        return False
    return text in sentences or any(word.lower() in ENGLISH for word in WORD.findall(text))


@cache
def _sentences() -> tuple[frozenset[str], frozenset[str]]:
    """Return the English of the catalogue that its French is not, and all its French, where nothing is filled in."""
    english, french = set(), set()
    for (_context, singular), message in catalogue.held().items():
        strings = message.string if isinstance(message.string, tuple | list) else (message.string or "",)
        french |= {_plain(one) for one in strings if one}
        if not catalogue.placeholders(singular):
            english.add(_plain(singular))
    return frozenset(english - french), frozenset(french)
