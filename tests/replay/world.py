"""The plain history of one entry for one service: what was said and done, in the order in which it was recorded.

Instants are whole seconds. A ``World`` is the neutral form: the rules are asked of it, and a harness tells the same
happenings, one by one, to the product. How much was known is a count: the first so many happenings.
"""

from bisect import bisect_right
from collections.abc import Hashable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

PASSES = ("pass", "drill-pass")
FAILS = ("fail", "drill-fail")
PROBES = (*PASSES, *FAILS, "unclear")
PEOPLE = ("tick", "bare-tick", "back", "retired")


@dataclass(frozen=True)
class Clause:
    """One clause of the entry. Before ``counts_from`` it asks nothing. ``bound`` means bound to the build."""

    name: str
    bound: bool = False
    counts_from: int = 0


@dataclass(frozen=True)
class Environment:
    """One environment of the service; only the kind "prod" takes over what others observed."""

    name: str
    kind: str = "staging"


@dataclass(frozen=True)
class Said:
    """A statement about a clause of an environment's item; of two the later ``(seen, id)`` stands.

    ``what``: a probe's pass, fail, drill-pass, drill-fail, unclear; a person's tick, bare-tick (wants a link and has
    none), back (the tick taken back); a reviewer's retired (a disabled probe's fails so far no longer count).
    ``seen`` is when it was observed and ``told`` when it was recorded, never earlier. ``ends`` is the first instant
    that no longer counts, of a pass or tick. ``build`` is the one it was made on, empty where nobody knew. ``meaning``
    is how many changes of this clause's meaning had been announced when it was told. ``true_until`` is an instant,
    known from a pass and not before its end, from which that probe will no longer pass; None where there is none.
    """

    told: int
    where: str
    id: int
    clause: str
    what: str
    seen: int
    ends: int = 0
    build: str = ""
    meaning: int = 0
    true_until: int | None = None


@dataclass(frozen=True)
class Built:
    """From ``told`` on the environment runs ``build``; empty means that nobody knows, as before the first of these."""

    told: int
    where: str
    build: str


@dataclass(frozen=True)
class Archived:
    """From ``told`` on the environment is archived."""

    told: int
    where: str


@dataclass(frozen=True)
class Waived:
    """A waiver of the environment's item is granted, or renewed, for ``[told, ends)``."""

    told: int
    where: str
    ends: int


@dataclass(frozen=True)
class WaiverEnded:
    """The waiver that holds is ended early."""

    told: int
    where: str


@dataclass(frozen=True)
class LeftOut:
    """The environment's item is granted not applicable."""

    told: int
    where: str


@dataclass(frozen=True)
class BroughtBack:
    """People withdraw that the environment's item is not applicable."""

    told: int
    where: str


@dataclass(frozen=True)
class Changed:
    """A version, announced at ``told``, gives the entry another meaning from ``starts`` on, never earlier than told.

    ``clauses`` are those whose own meaning is another one; the meaning of the entry changes even where it is empty.
    """

    told: int
    starts: int
    clauses: frozenset[str]


Happening = Said | Built | Archived | Waived | WaiverEnded | LeftOut | BroughtBack | Changed


@dataclass(frozen=True)
class World:
    """Everything that ever happened to one entry in one service; the rules are asked of the item of ``here``.

    ``happened`` is in the order of recording, so that ``told`` never falls. An item of the service itself is a world
    of a single environment.
    """

    clauses: tuple[Clause, ...]
    environments: tuple[Environment, ...] = (Environment("prod", "prod"),)
    happened: tuple[Happening, ...] = ()
    here: str = "prod"
    memo: dict[Hashable, Any] = field(default_factory=dict, init=False, compare=False, repr=False)
    """What the rules have worked out already; it belongs to this world alone, ``replace`` makes a new one."""

    def __post_init__(self) -> None:
        assert self.tolds == sorted(self.tolds), "happenings are in the order in which they were told"
        ids = [one.id for one in self.said]
        assert len(ids) == len(set(ids)), "statements have ids of their own"
        assert all(one.seen <= one.told and one.what in PROBES + PEOPLE for one in self.said)
        assert self.here in {one.name for one in self.environments}

    def of(self, name: str) -> "World":
        """Return the same world, asked of the item of another environment."""
        return self if name == self.here else replace(self, here=name)

    def tell(self, *more: Happening) -> "World":
        """Return the world after more has happened."""
        return replace(self, happened=(*self.happened, *more))

    def known(self, at: int) -> int:
        """Return how many happenings were recorded by an instant, those of that instant among them."""
        return bisect_right(self.tolds, at)

    @cached_property
    def tolds(self) -> list[int]:
        return [one.told for one in self.happened]

    @cached_property
    def said(self) -> list[Said]:
        return [one for one in self.happened if isinstance(one, Said)]

    @cached_property
    def in_production(self) -> bool:
        return any(one.name == self.here and one.kind == "prod" for one in self.environments)

    @cached_property
    def instants(self) -> list[int]:
        """Every instant at which something happened, ended or began, in order."""
        found = {0} | {clause.counts_from for clause in self.clauses}
        for one in self.happened:
            found.add(one.told)
            if isinstance(one, Said):
                found |= {one.seen, one.ends}
            elif isinstance(one, Waived):
                found.add(one.ends)
            elif isinstance(one, Changed):
                found.add(one.starts)
        return sorted(found)

    def first(self, known: int, kind: type) -> list[tuple[int, Any]]:
        """Return what of one kind is among the first happenings, each with its place."""
        key = (kind, "places")
        if key not in self.memo:
            self.memo[key] = [(place, one) for place, one in enumerate(self.happened) if isinstance(one, kind)]
        return [pair for pair in self.memo[key] if pair[0] < known]

    def builds(self, known: int) -> list[Built]:
        """Return the builds that the environment asked of is known to have had, oldest first."""
        return [one for _, one in self.first(known, Built) if one.where == self.here]

    def build(self, at: int, known: int) -> str:
        """Return the build that the environment asked of ran at an instant; empty where nobody knew."""
        return build_at(self.builds(known), at)

    def archived(self, name: str, at: int, known: int) -> bool:
        """Return whether an environment was archived at an instant."""
        return any(one.where == name and one.told <= at for _, one in self.first(known, Archived))


def build_at(builds: list[Built], at: int) -> str:
    """Return the newest build at an instant; empty where nobody knew."""
    return next((one.build for one in reversed(builds) if one.told <= at), "")
