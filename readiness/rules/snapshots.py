"""What a decision freezes: a sheet as it stood at an instant, its one way to be written, and its hash. Pure.

Nothing secret is part of it: of an environment it names the build, and neither its addresses nor its key reference.
What format 2 added has a default, so that snapshots of format 1 read as they always did and keep their hash.
``translations`` map a language to words by the name of their field, as they were.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar

from readiness.enums.standing import Status

from .chain import canonical, instant_text

FORMAT = 2

Translations = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEvidence:
    """One statement as it was: ``by`` is a person's name, or else ``run`` and ``probe`` say who looked.

    ``lent_by`` is the name of the environment it was observed in, where that is another one. ``code`` and ``params``
    are the finding's, for its sentence in other languages.
    """

    id: int
    outcome: str
    summary: str
    by: str = ""
    run: int | None = None
    probe: str = ""
    observed_at: datetime
    valid_until: datetime | None = None
    build: str = ""
    lent_by: str = ""
    drill: bool = False
    links: tuple[str, ...] = ()
    recorded_at: datetime | None = None
    code: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenClause:
    """One clause as it stood: its words, whether it was met and no fail counted, its ends, and what said so."""

    clause: str
    text: str
    held: bool
    pass_until: datetime | None = None
    tick_until: datetime | None = None
    failing_since: datetime | None = None
    evidence: tuple[FrozenEvidence, ...] = ()
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenRequest:
    """A grant that stood: of a waiver (with ``until`` and the clauses it names), or of "not applicable".

    ``stance`` is a code; format 1 has the words that stood for it.
    """

    id: int
    reason: str
    asked_by: str
    granted_by: str
    granted_at: datetime
    stance: str = ""
    until: datetime | None = None
    clauses: tuple[str, ...] = ()
    asked_at: datetime | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenItem:
    """One item as it stood. ``owner`` is a name; empty for nobody.

    ``place`` is the number of its entry among all of the sheet's checklists, from 0; None in format 1.
    """

    item: int
    entry: str
    section: str
    title: str
    text: str
    status: str
    owner: str
    clauses: tuple[FrozenClause, ...] = ()
    waiver: FrozenRequest | None = None
    not_applicable: FrozenRequest | None = None
    checklist: str = ""
    place: int | None = None
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenAbsent:
    """An entry that is not asked of this kind of environment: a dash on the strip."""

    entry: str
    section: str
    title: str
    checklist: str
    place: int
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenEnvironment:
    """What was decided on. ``launch_on`` is an ISO date, or empty."""

    id: int
    service: str
    name: str
    kind: str
    team: str
    build: str
    launch_on: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenChecklist:
    """One checklist that the sheet answered, with the version it was at."""

    slug: str
    name: str
    version: int
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """A sheet as it stood at an instant."""

    at: datetime
    environment: FrozenEnvironment
    checklists: tuple[FrozenChecklist, ...]
    verdict: str
    items: tuple[FrozenItem, ...]
    absent: tuple[FrozenAbsent, ...] = ()
    format: int = FORMAT


def write(snapshot: Snapshot) -> str:
    """Return the one way to write a snapshot: canonical JSON, instants in UTC to the microsecond."""
    return canonical(_plain(snapshot))


def hash_of(text: str) -> str:
    """Return the SHA-256 of a snapshot as it is written, in hexadecimal."""
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def read(text: str) -> Snapshot:
    """Return what was written. Raises ValueError, KeyError or TypeError where it was not written by ``write``."""
    found = json.loads(text)
    return Snapshot(
        format=found["format"],
        at=datetime.fromisoformat(found["at"]),
        environment=_known(FrozenEnvironment, found["environment"]),
        checklists=tuple(_known(FrozenChecklist, one) for one in found["checklists"]),
        verdict=found["verdict"],
        items=tuple(_item(one) for one in found["items"]),
        absent=tuple(_known(FrozenAbsent, one) for one in found.get("absent", ())),
    )


def statuses_in(text: str) -> dict[int, Status]:
    """Return the statuses by item alone of what was written, for whoever compares many. Raises as ``read`` does."""
    return {one["item"]: Status(one["status"]) for one in json.loads(text)["items"]}


def _item(found: Mapping[str, Any]) -> FrozenItem:
    clauses = tuple(
        _known(FrozenClause, {**one, "evidence": tuple(_known(FrozenEvidence, said) for said in one["evidence"])})
        for one in found["clauses"]
    )
    grants = {name: found[name] and _known(FrozenRequest, found[name]) for name in ("waiver", "not_applicable")}
    return _known(FrozenItem, {**found, "clauses": clauses, **grants})


_INSTANTS = frozenset(
    {
        "observed_at",
        "recorded_at",
        "valid_until",
        "pass_until",
        "tick_until",
        "failing_since",
        "asked_at",
        "granted_at",
        "until",
    }
)
Part = TypeVar("Part")


def _known(kind: type[Part], found: Mapping[str, Any]) -> Part:
    names = {one.name for one in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: _value(name, value) for name, value in found.items() if name in names})


def _value(name: str, value: Any) -> Any:
    if name in _INSTANTS and isinstance(value, str):
        return datetime.fromisoformat(value)
    return tuple(value) if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return instant_text(value)
    if hasattr(value, "__dataclass_fields__"):
        return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(one) for one in value]
    return value
