"""Files that name services: Backstage's catalog-info.yaml, and CSV with our own columns. Pure: text in, rows out."""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import yaml
from django.utils.translation import gettext, ngettext

MOST_BYTES = 512 * 1024
MOST_ROWS = 500
"""So many services and environments are imported at once: nobody reads a longer preview."""

MOST_COLUMNS = 100
MOST_DEPTH = 20
MOST_DESCRIPTION = 200
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_YAML = re.compile(r"^(---|%YAML|apiVersion\s*:|kind\s*:|metadata\s*:|spec\s*:)", re.MULTILINE)

COLUMNS = {
    "service": "service",
    "name": "service",
    "description": "description",
    "team": "team",
    "owner": "team",
    "environment": "environment",
    "kind": "kind",
    "launch date": "launch_on",
    "launch on": "launch_on",
    "base url": "service_url",
    "service url": "service_url",
    "stream route": "stream_route",
    "bastion url": "bastion_url",
    "key reference": "key_reference",
    "spend cap": "spend_cap",
    "monthly spend cap": "spend_cap",
    "currency": "spend_cap_currency",
    "spend cap currency": "spend_cap_currency",
    "billing source": "billing_source",
    "billing name": "billing_name",
    "name in the billing source": "billing_name",
    "build": "build",
}
"""How a column may be called, in small letters, and the setting that it holds."""

TEMPLATE = (
    "service",
    "description",
    "team",
    "environment",
    "kind",
    "launch date",
    "service URL",
    "stream route",
    "Bastion URL",
    "key reference",
    "spend cap",
    "currency",
    "billing source",
    "billing name",
    "build",
)
"""The columns as the file to begin with names them."""


class ImportFileError(Exception):
    """The file cannot be read as a whole. ``problems`` are sentences with the line."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(" ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One service as a file names it, and perhaps one environment of it.

    ``line`` counts from 1. ``cells`` are the texts that are not empty, by setting; ``wrong`` is why the row cannot be
    taken, whatever is stored; ``notes`` say what of it is not taken over.
    """

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    wrong: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """Something in the file that is no service: its line, and what it is."""

    line: int
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFile:
    """What a file names. ``unread`` are columns that are not known here."""

    rows: Sequence[Row] = ()
    left_out: Sequence[LeftOut] = ()
    unread: Sequence[str] = ()


def read(text: str) -> ImportFile:
    """Return what a file names, whichever of the two it is. Raises ``ImportFileError``."""
    if len(text.encode(errors="replace")) > MOST_BYTES:
        raise ImportFileError(
            [
                gettext("That is too long: at most {most_bytes} KB are read. Import it in parts.").format(
                    most_bytes=MOST_BYTES // 1024
                )
            ]
        )
    if "\0" in text:
        raise ImportFileError([gettext("There is a NUL in it. Save it as a text in UTF-8.")])
    if not text.strip():
        raise ImportFileError([gettext("There is nothing in it.")])
    found = _catalog(text) if _YAML.search(text) else _table(text)
    if not found.rows and not found.left_out:
        raise ImportFileError([gettext("It names no service.")])
    if len(found.rows) > MOST_ROWS:
        raise ImportFileError(
            [
                gettext(
                    "It names {rows} rows, and at most {most_rows} are imported at once. Import it in parts."
                ).format(rows=len(found.rows), most_rows=MOST_ROWS)
            ]
        )
    return found


# --- CSV --------------------------------------------------------------------------------------------------------------
def _table(text: str) -> ImportFile:
    first = text.lstrip().split("\n", 1)[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    lines = _records(text, delimiter)
    names = next(lines, (1, []))[1]
    if len(names) > MOST_COLUMNS:
        raise ImportFileError(
            [
                gettext("Line 1: it names {names} columns, and at most {most_columns} are read.").format(
                    names=len(names), most_columns=MOST_COLUMNS
                )
            ]
        )
    heads = [COLUMNS.get(" ".join(name.replace("_", " ").lower().split()), "") for name in names]
    if "service" not in heads:
        raise ImportFileError(
            [
                gettext(
                    "Line 1: no column is called “service”. The first line names the columns; the template shows them."
                )
            ]
        )
    twice = sorted({head for head in heads if head and heads.count(head) > 1})
    if twice:
        raise ImportFileError([gettext("Line 1: two columns say {these}.").format(these=_both(twice))])
    rows = [_row(line, heads, cells) for line, cells in lines]
    unread = tuple(
        name.strip() or gettext("without a name") for name, head in zip(names, heads, strict=True) if not head
    )
    return ImportFile(rows=rows, unread=unread)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each record that is not blank, with the line that it begins on."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise ImportFileError(
                [gettext("Line {line}: this is not CSV ({error}).").format(line=line, error=error)]
            ) from None
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield line, cells


def _row(line: int, heads: Sequence[str], cells: Sequence[str]) -> Row:
    wrong = (
        [gettext("It has {cells} cells, and the first line names {heads}.").format(cells=len(cells), heads=len(heads))]
        if len(cells) > len(heads)
        else []
    )
    held = {head: " ".join(cell.split()) for head, cell in zip(heads, cells, strict=False) if head and cell.strip()}
    if "service" not in held:
        wrong.append(gettext("It names no service."))
    alone = sorted(set(held) - {"service", "description", "team", "environment"})
    if alone and "environment" not in held:
        wrong.append(gettext("It says {these} of an environment, and names none.").format(these=_both(alone)))
    return Row(line=line, cells=held, wrong=tuple(wrong))


# --- Backstage --------------------------------------------------------------------------------------------------------
def _catalog(text: str) -> ImportFile:
    try:
        _guard(text)
        documents = [node for node in yaml.compose_all(text, Loader=_LOADER) if not _is_nothing(node)]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        why = error.problem or error.context
        if mark is None:
            raise ImportFileError([gettext("This is not YAML ({why}).").format(why=why)]) from None
        raise ImportFileError(
            [gettext("Line {line}: this is not YAML ({why}).").format(line=mark.line + 1, why=why)]
        ) from None
    except yaml.YAMLError as error:
        said = str(error).splitlines()[0]
        raise ImportFileError([gettext("This is not YAML ({why}).").format(why=said)]) from None
    rows: list[Row] = []
    left_out: list[LeftOut] = []
    for document in documents:
        found = _component(document)
        (rows if isinstance(found, Row) else left_out).append(found)  # type: ignore[arg-type]
    return ImportFile(rows=rows, left_out=left_out)


def _guard(text: str) -> None:
    """Refuse what could grow beyond its size, or is nested deeper than any catalog, before anything is built of it."""
    depth = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent):
            raise ImportFileError(
                [gettext("Line {line}: anchors and aliases are not read. Write the text out.").format(line=line)]
            )
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MOST_DEPTH:
            raise ImportFileError(
                [
                    gettext("Line {line}: this is nested deeper than {most_depth} levels.").format(
                        line=line, most_depth=MOST_DEPTH
                    )
                ]
            )


def _component(document: yaml.Node) -> Row | LeftOut:
    line = document.start_mark.line + 1
    kind, name = _text(document, "kind"), _text(document, "metadata", "name")
    if kind != "Component":
        return LeftOut(line=line, what=f"{kind or gettext('Something without a kind')} {name}".strip())
    wrong, notes = [], []
    cells = {"service": name, "description": " ".join(_text(document, "metadata", "description").split())}
    if not name:
        wrong.append(gettext("It has no metadata.name."))
    if len(cells["description"]) > MOST_DESCRIPTION:
        cells["description"] = cells["description"][: MOST_DESCRIPTION - 1].rstrip() + "…"
        notes.append(
            gettext("Its description is cut to {most_description} characters.").format(
                most_description=MOST_DESCRIPTION
            )
        )
    owner = _text(document, "spec", "owner")
    of, _, rest = owner.rpartition(":")
    if of.lower() == "user":
        wrong.append(gettext("Its owner is a person ({rest}). A service belongs to a team.").format(rest=rest))
    cells["team"] = rest.rpartition("/")[2]
    links = _node(document, "metadata", "links")
    if isinstance(links, yaml.SequenceNode) and links.value:
        count = len(links.value)
        notes.append(
            ngettext(
                "{n} link is not taken over: links stand with evidence here.",
                "{n} links are not taken over: links stand with evidence here.",
                count,
            ).format(n=count)
        )
    held = {key: text for key, text in cells.items() if text}
    return Row(line=line, cells=held, wrong=tuple(wrong), notes=tuple(notes))


def _both(columns: Sequence[str]) -> str:
    return gettext(" and ").join(columns).replace("_", " ")


def _node(node: yaml.Node | None, *path: str) -> yaml.Node | None:
    for key in path:
        if not isinstance(node, yaml.MappingNode):
            return None
        node = next((value for name, value in node.value if name.value == key), None)
    return node


def _is_nothing(node: yaml.Node | None) -> bool:
    """Return whether a node is null or missing, as the document after a last line of hyphens is."""
    return node is None or node.tag == "tag:yaml.org,2002:null"


def _text(node: yaml.Node, *path: str) -> str:
    """Return a scalar as it is written; empty where it is null, missing or no scalar."""
    found = _node(node, *path)
    if not isinstance(found, yaml.ScalarNode) or _is_nothing(found):
        return ""
    return str(found.value).replace("\0", "").strip()
