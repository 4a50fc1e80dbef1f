"""Keep the catalogue of words: what the code says is looked up in it, and what nobody translated is listed.

``catalogue.py`` writes what it found into ``locale/fr``; ``--missing [PATH...]`` prints what has no French, as a
catalogue that a translator fills; ``--take FILE`` takes what such a file holds; ``--check`` says all that is wrong and
exits 1. No place in a file, no date: what nobody changed does not change.
"""

import argparse
import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from babel.messages.catalog import Catalog, Message  # noqa: E402
from babel.messages.extract import extract_python  # noqa: E402
from babel.messages.pofile import read_po, write_po  # noqa: E402
from django.utils.translation.template import templatize  # noqa: E402

CATALOGUE = ROOT / "locale" / "fr" / "LC_MESSAGES" / "django.po"
PYTHON = ("readiness", "checks", "config", "demo")
TEMPLATES = "templates"
LEFT_OUT = ("migrations",)
PLURALS = "nplurals=2; plural=(n > 1);"

_FUNCTIONS: dict[str, tuple[int | tuple[int, str], ...] | None] = {
    "gettext": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
}
KEYWORDS: dict[str, Any] = {
    "_": None,
    **{name + end: spec for name, spec in _FUNCTIONS.items() for end in ("", "_lazy", "_noop")},
}
_PLACEHOLDER = re.compile(r"%\((\w+)\)[#0\- +]*[\d.]*[sdif]|\{(\w*)(?:![rsa])?(?::[^{}]*)?\}")

_TYPESETTING = (
    (re.compile(r"(?<=\w)'(?=[\w{%«])"), "’"),
    (re.compile(r"“\s?|« (?=\S)"), "«\N{NO-BREAK SPACE}"),
    (re.compile(r"\s?”"), "\N{NO-BREAK SPACE}»"),
    (re.compile(r"(?<=\S) (?=»|:(?:\s|$)|%(?![(\w])|%%(?!\())"), "\N{NO-BREAK SPACE}"),
)
"""What French sets by rule: apostrophes, quotes, and spaces that do not break in them, before a colon and a percent."""

Key = tuple[str, str]
"""A context, or nothing, and the first sentence."""


@dataclass(slots=True, kw_only=True)
class Said:
    """One sentence of the code, with the files that say it; ``plural`` is empty where it has no number."""

    context: str
    singular: str
    plural: str = ""
    files: list[str] = field(default_factory=list)

    @property
    def id(self) -> str | tuple[str, str]:
        """What a catalogue knows it by."""
        return (self.singular, self.plural) if self.plural else self.singular


def said(root: Path = ROOT) -> dict[Key, Said]:
    """Return every sentence of the code that is to be translated, in the order of its files."""
    found: dict[Key, Said] = {}
    for path in _files(root):
        name = path.relative_to(root).as_posix()
        for context, messages in _messages(path, name):
            singular, plural = messages if isinstance(messages, tuple) else (messages, "")
            if not singular:
                continue
            one = found.setdefault((context, singular), Said(context=context, singular=singular))
            if plural and one.plural and plural != one.plural:
                raise SystemExit(f"{name}: {singular!r} has two plurals: {one.plural!r} and {plural!r}")
            one.plural = one.plural or plural
            if name not in one.files:
                one.files.append(name)
    return found


def _files(root: Path) -> Iterator[Path]:
    for folder in PYTHON:
        yield from (path for path in sorted((root / folder).rglob("*.py")) if not set(LEFT_OUT) & set(path.parts))
    yield from sorted(path for path in (root / TEMPLATES).rglob("*") if path.suffix in (".html", ".txt"))


def _messages(path: Path, name: str) -> Iterator[tuple[str, str | tuple[str, str]]]:
    """Yield the context of each sentence in a file, and it, with its plural where it has one."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        # What it makes of a template reads as Python, but for how lines are indented.
        text = "\n".join(line.lstrip() for line in templatize(text, origin=name).splitlines())
    try:
        for _line, function, messages, _comments in extract_python(
            io.BytesIO(text.encode()), KEYWORDS, (), {"encoding": "utf-8"}
        ):
            yield from _read(KEYWORDS[str(function)], messages)
    except (SyntaxError, tokenize.TokenError) as error:
        raise SystemExit(f"{name} cannot be read: {error}") from error


def _read(
    spec: tuple[int | tuple[int, str], ...] | None, messages: object
) -> Iterator[tuple[str, str | tuple[str, str]]]:
    given = list(messages) if isinstance(messages, tuple | list) else [messages]
    context, wanted = "", []
    for one in spec or (1,):
        place = one[0] if isinstance(one, tuple) else one
        value = given[place - 1] if place <= len(given) else None
        if not isinstance(value, str):
            return  # A variable: what it may hold is marked where it is written.
        if isinstance(one, tuple):
            context = value
        else:
            wanted.append(value)
    yield context, (wanted[0], wanted[1]) if len(wanted) > 1 else wanted[0]


def held(path: Path = CATALOGUE) -> dict[Key, Message]:
    """Return what a catalogue holds."""
    with path.open("rb") as file:
        return {_key(message): message for message in read_po(file, locale="fr") if message.id}


def _key(message: Message) -> Key:
    return message.context or "", message.id[0] if isinstance(message.id, tuple | list) else message.id


def written(sentences: Iterable[Said], known: dict[Key, Message]) -> bytes:
    """Return a catalogue of these sentences, with what is known of each."""
    catalogue = Catalog(locale="fr", fuzzy=False)
    for one in sentences:
        message = known.get((one.context, one.singular))
        string: tuple[str, ...] | str = ("", "") if one.plural else ""
        if message is not None and message.pluralizable == bool(one.plural):
            texts = tuple(typeset(text) for text in _strings(message))
            string = texts if one.plural else texts[0]
        added = catalogue.add(
            one.id,
            string,
            context=one.context or None,
            locations=[(name, 0) for name in one.files],
        )
        # A format is told by its placeholders, not by a flag that Babel guesses.
        added.flags = {"fuzzy"} if message is not None and message.fuzzy else set()
    file = io.BytesIO()
    write_po(file, catalogue, width=120, omit_header=True, include_lineno=False)
    head = f'"Language: fr\\n"\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {PLURALS}\\n"\n\n'
    return ('msgid ""\nmsgstr ""\n' + head).encode() + file.getvalue().lstrip()


def typeset(text: str) -> str:
    """Return a French sentence with its apostrophes and its spaces as they are set, so that nobody has to."""
    for pattern, instead in _TYPESETTING:
        text = pattern.sub(instead, text)
    return text


def untranslated(sentences: Iterable[Said], known: dict[Key, Message]) -> list[Said]:
    """Return the sentences that have no French yet."""
    return [one for one in sentences if not _is_whole(known.get((one.context, one.singular)), one)]


def _is_whole(message: Message | None, one: Said) -> bool:
    if message is None or message.fuzzy or message.pluralizable != bool(one.plural):
        return False
    return all(_strings(message))


def _strings(message: Message) -> list[str]:
    if isinstance(message.string, tuple | list):
        return [*message.string, "", ""][:2]
    return [message.string or ""]


def placeholders(text: str) -> list[str]:
    """Return the names of what is filled into a sentence, sorted: ``%(name)s`` and ``{name}``."""
    return sorted({first or second for first, second in _PLACEHOLDER.findall(text)})


def faults(root: Path = ROOT, path: Path = CATALOGUE) -> list[str]:
    """Return all that is wrong with a catalogue; empty where it says everything that the code says."""
    sentences, known = said(root), held(path)
    found = [f"no French: {one.singular!r} ({one.files[0]})" for one in untranslated(sentences.values(), known)]
    found += [f"said nowhere any more: {key[1]!r}" for key in known if key not in sentences]
    for key, message in known.items():
        one = sentences.get(key)
        if one is not None and _is_whole(message, one):
            found += _differences(one, message)
    if not found and path.read_bytes() != written(sentences.values(), known):
        found.append("its order or its files are not those of the code any more")
    return found


def _differences(one: Said, message: Message) -> Iterator[str]:
    singular, plural = placeholders(one.singular), placeholders(one.plural or one.singular)
    for number, text in enumerate(_strings(message)):
        names = placeholders(text)
        # "One item" may leave out the number that "{n} items" has.
        if names != plural and not (number == 0 and names == singular):
            yield f"fills in {names}, not {plural}: {text!r}"
        if one.singular[:1].isspace() != text[:1].isspace() or one.singular[-1:].isspace() != text[-1:].isspace():
            yield f"white space at its ends differs: {text!r}"
        if not any(_marks(text) == _marks(said) for said in (one.singular, one.plural or one.singular)):
            yield f'has other marks (< > " &) than the English: {text!r}'


def _marks(text: str) -> list[str]:
    """Return what has a meaning of its own in a page: a translation is put there as it is."""
    return sorted(character for character in text if character in '<>"&')


def take(source: Path) -> int:
    """Take what another catalogue translates into ours, and return how many were not known that way."""
    sentences, known = said(), held()
    taken = 0
    for key, message in held(source).items():
        one = sentences.get(key)
        if one is None or not _is_whole(message, one):
            continue
        before = known.get(key)
        taken += before is None or _strings(before) != _strings(message)
        known[key] = message
    _write(written(sentences.values(), known))
    return taken


def _write(content: bytes, path: Path = CATALOGUE) -> None:
    if path.read_bytes() != content:
        draft = path.with_suffix(".draft")
        draft.write_bytes(content)
        draft.replace(path)


def _under(one: Said, paths: list[str]) -> bool:
    return not paths or any(name.startswith(path) for name in one.files for path in paths)


def main(arguments: list[str]) -> int:
    """Do what the arguments say; 1 where ``--check`` finds a fault."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--missing", nargs="*", metavar="PATH", help="print what has no French, of these files or all")
    parser.add_argument("--take", type=Path, metavar="FILE", help="take the translations of another catalogue")
    parser.add_argument("--check", action="store_true", help="say all that is wrong, and change nothing")
    options = parser.parse_args(arguments)
    if options.check:
        found = faults()
        sys.stdout.write("".join(f"{fault}\n" for fault in found))
        return 1 if found else 0
    if options.missing is not None:
        wanted = [one for one in untranslated(said().values(), held()) if _under(one, options.missing)]
        sys.stdout.write(written(wanted, {}).decode())
        return 0
    if options.take is not None:
        sys.stdout.write(f"{take(options.take)} translations taken.\n")
        return 0
    sentences, known = said(), held()
    _write(written(sentences.values(), known))
    left = untranslated(sentences.values(), known)
    sys.stdout.write(f"{len(sentences)} sentences, {len(left)} without French.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
