"""Fold statements into the facts that status follows from (design section 4). Pure; the clock is passed in."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from itertools import chain, pairwise
from typing import Any

from readiness.enums.words import Outcome

from .status import ItemFacts

CONFIRMED_AFTER = timedelta(seconds=30)
"""A fail on a met clause counts from the same probe's next fail at least this long after it (design section 4)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One piece of evidence about one clause.

    ``valid_until`` is set for a pass and only for it. ``true_until`` is when it stops being true however often it is
    observed. ``meaning`` is the meaning of the clause that it answers, ``lent_by`` the environment it was observed on
    where that is another one.
    """

    id: int
    outcome: Outcome
    observed_at: datetime
    valid_until: datetime | None = None
    true_until: datetime | None = None
    by_person: bool = False
    supported: bool = True
    drill: bool = False
    build: str = ""
    meaning: int = 1
    lent_by: int | None = None

    @property
    def order(self) -> tuple[datetime, int]:
        """Of two statements the later one stands."""
        return (self.observed_at, self.id)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseRule:
    """How one clause is folded.

    ``meanings`` maps the number of each later meaning to the instant from which it holds. ``counts_from`` is None
    where the clause always counted.
    """

    slug: str
    build_bound: bool = False
    counts_from: datetime | None = None
    meanings: Mapping[int, datetime] | None = None

    def end(self, statement: Statement) -> datetime | None:
        """Return when a pass or a tick stops counting: at its end, or where the clause begins to mean another thing."""
        if statement.valid_until is None:
            return None
        return min(statement.valid_until, self.known_end(statement) or statement.valid_until)

    def known_end(self, statement: Statement) -> datetime | None:
        """Return from when a statement is not true however often it is repeated: as it says, or by another meaning."""
        later = [at for number, at in (self.meanings or {}).items() if number > statement.meaning]
        return min([*later, *([statement.true_until] if statement.true_until else [])], default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """An environment ran ``build`` from ``since`` on; empty where nobody knows which."""

    since: datetime
    build: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClauseFacts:
    """Where one clause stands: ends of its newest pass and standing tick, and when its fail counts from.

    ``passed``, ``ticked`` and ``failed`` are the statements that say so. ``drill`` and ``lent_by`` are those of the
    pass; ``true_until`` is from when it is not true any more, however often it is observed. ``passing`` says that no
    probe said anything since it; a fail that was lifted before it counted is something.
    """

    clause: str
    pass_until: datetime | None = None
    tick_until: datetime | None = None
    failing_since: datetime | None = None
    counts_from: datetime | None = None
    true_until: datetime | None = None
    passing: bool = False
    drill: bool = False
    passed: int | None = None
    ticked: int | None = None
    failed: int | None = None
    lent_by: int | None = None

    @property
    def met_until(self) -> datetime | None:
        """The later of the two ends; a clause that does not count yet asks nothing until it does."""
        return _latest(self.pass_until, self.tick_until, self.counts_from)

    @property
    def observed_until(self) -> datetime | None:
        """The end of the pass; a clause that does not count yet asks nothing until it does."""
        return _latest(self.pass_until, self.counts_from)

    @property
    def counting_since(self) -> datetime | None:
        """When its fail counts for the item: not before the clause itself does."""
        return None if self.failing_since is None else _latest(self.failing_since, self.counts_from)

    def met_at(self, at: datetime) -> bool:
        """Return whether a pass or a tick holds at an instant, whatever a fail says."""
        return self.met_until is not None and at < self.met_until

    def fails_at(self, at: datetime) -> bool:
        """Return whether a fail counts at an instant."""
        return self.counting_since is not None and self.counting_since <= at

    def holds_at(self, at: datetime) -> bool:
        """Return whether the clause is met at an instant and no fail counts."""
        return self.met_at(at) and not self.fails_at(at)

    def to_json(self) -> dict[str, Any]:
        """Return what the item's row keeps: what is known, with instants as ISO 8601 text."""
        known = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in known.items()
            if value not in (None, False)
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> "ClauseFacts":
        """Return the facts that ``to_json`` wrote."""
        return cls(**{name: _read(name, value) for name, value in kept.items()})


_INSTANTS = frozenset({"pass_until", "tick_until", "failing_since", "counts_from", "true_until"})


def _read(name: str, value: Any) -> Any:
    return datetime.fromisoformat(value) if name in _INSTANTS else value


def _latest(*instants: datetime | None) -> datetime | None:
    return max((instant for instant in instants if instant is not None), default=None)


Order = tuple[datetime, int]
"""When, and among what happened at one instant in which order."""

Span = tuple[Order, Order]
"""When something held: from a statement on, up to what ended it. At its own end that comes before every statement."""


def fold_clause(rule: ClauseRule, statements: Iterable[Statement], *, ran: Sequence[Ran] = ()) -> ClauseFacts:
    """Fold the statements about one clause.

    ``ran`` is what the environment ran, in the order of time; the last is what it runs now. A pass of a build-bound
    clause counts while that is the build it was made on; where no build is known all passes of the environment's own
    count until they age. No build lifts a fail: only a later pass does, or a reviewer who retires it. Where a fail on
    the same build counted after a pass, that pass does not come back when something else lifts the fail.
    """
    ordered = sorted(statements, key=lambda statement: statement.order)
    words = [one for one in ordered if one.by_person and one.outcome != Outcome.RETIRED]
    observed = [one for one in ordered if not one.by_person]
    ticked = _tick_spans(rule, words)
    ticks = [span for span, _ in ticked]
    passes: list[Statement] = []
    fails: list[Statement] = []
    for one in ordered:
        passed = one.outcome == Outcome.PASS and not one.by_person
        if passed or one.outcome == Outcome.RETIRED:
            counting = _counting_from(fails, chain(_pass_spans(rule, passes, ran), ticks))
            if counting is not None and counting < one.order:
                passes = [before for before in passes if not any(_speaks_against(rule, fail, before) for fail in fails)]
            fails = []
        if passed:
            passes.append(one)
        if one.outcome == Outcome.FAIL:
            fails.append(one)
    newest = _newest(passes, ran[-1].build if rule.build_bound and ran else "")
    counting = _counting_from(fails, chain(_pass_spans(rule, passes, ran), ticks))
    held = [one for one in ticked if one[0][0][0] < one[0][1][0]]
    return ClauseFacts(
        clause=rule.slug,
        pass_until=rule.end(newest) if newest else None,
        tick_until=max((end[0] for (_, end), _ in held), default=None),
        failing_since=None if counting is None else counting[0],
        counts_from=rule.counts_from,
        true_until=rule.known_end(newest) if newest else None,
        passing=newest is not None and newest is observed[-1],
        drill=newest is not None and newest.drill,
        passed=newest.id if newest else None,
        ticked=max(held, key=lambda one: one[0][1])[1] if held else None,
        failed=fails[0].id if fails else None,
        lent_by=newest.lent_by if newest else None,
    )


def _speaks_against(rule: ClauseRule, fail: Statement, earlier: Statement) -> bool:
    """Return whether a fail speaks of what an earlier pass spoke of: of the same build, where that matters."""
    return not rule.build_bound or fail.build in ("", earlier.build) or not earlier.build


def _newest(passes: Sequence[Statement], build: str) -> Statement | None:
    """Return the newest pass that counts while the environment runs a build; empty: its own, whatever the build."""
    counted = [one for one in passes if (one.build == build if build else one.lent_by is None)]
    return counted[-1] if counted else None


def _pass_spans(rule: ClauseRule, passes: Sequence[Statement], ran: Sequence[Ran]) -> Iterator[Span]:
    """Yield when passes held: the newest one on each build, for as long as the environment ran that."""
    if not rule.build_bound or not ran:
        newest = _newest(passes, "")
        if newest is not None and (end := rule.end(newest)) is not None:
            yield newest.order, (end, 0)
        return
    for now, after in pairwise([*ran, None]):
        newest = _newest(passes, now.build) if now is not None else None
        if now is None or newest is None or (end := rule.end(newest)) is None:
            continue
        yield max(newest.order, (now.since, 0)), (end if after is None else min(end, after.since), 0)


def _tick_spans(rule: ClauseRule, words: Sequence[Statement]) -> list[tuple[Span, int]]:
    """Return when ticks held, and which: from each word to its end, cut where a later one replaced it or took it back.

    A tick without the link that its clause wants counts for nothing, so it replaces none.
    """
    spans: list[tuple[Span, int]] = []
    for word in words:
        if word.outcome != Outcome.WITHDRAWN and not word.supported:
            continue
        spans = [((start, min(end, word.order)), one) for (start, end), one in spans]
        spans = [((start, end), one) for (start, end), one in spans if start < end]
        end = rule.end(word)
        if word.outcome != Outcome.WITHDRAWN and end is not None:
            spans.append(((word.order, (end, 0)), word.id))
    return spans


def _counting_from(fails: Sequence[Statement], spans: Iterable[Span]) -> Order | None:
    """Return when the first fail counts: at once on a clause that is not met, else once confirmed or at its end.

    What a drill saw counts at once.
    """
    if not fails:
        return None
    first = fails[0]
    unmet: Order = first.order
    for start, end in sorted(spans):
        if start <= unmet < end:
            unmet = end
    sure = (one.order for one in fails if one.drill or one.observed_at - first.observed_at >= CONFIRMED_AFTER)
    return min(unmet, next(sure, unmet))


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A granted waiver: it holds in ``[start, end)`` for the clauses that it names."""

    start: datetime
    end: datetime
    clauses: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A granted "not applicable": from its grant on, up to where the entry begins to mean another thing."""

    start: datetime
    end: datetime | None = None


def fold_item(
    clauses: Sequence[ClauseFacts],
    *,
    waiver: Grant | None,
    left_out: LeftOut | None,
    first_met_at: datetime | None,
    at: datetime,
) -> ItemFacts:
    """Fold clauses, a waiver and a "not applicable" into an item's facts, as known at ``at``.

    ``first_met_at`` is what was known before; it is set to ``at`` where the item is met now for the first time.
    An item of which no clause counts yet is met by nothing.
    """
    if all(clause.counts_from is not None and at < clause.counts_from for clause in clauses):
        clauses = []
    settled_until = _earliest([clause.met_until for clause in clauses])
    failing_since = min((one.counting_since for one in clauses if one.counting_since is not None), default=None)
    waived = _waived(clauses, waiver)
    met = settled_until is not None and at < settled_until and not (failing_since is not None and failing_since <= at)
    return ItemFacts(
        observed_until=_earliest([clause.observed_until for clause in clauses]),
        settled_until=settled_until,
        failing_since=failing_since,
        waived_from=waived[0] if waived else None,
        waived_until=waived[1] if waived else None,
        not_applicable_from=left_out.start if left_out else None,
        not_applicable_until=left_out.end if left_out else None,
        first_met_at=first_met_at or (at if met else None),
    )


def of_a_tick(slugs: Iterable[str], facts: Iterable[ClauseFacts], at: datetime) -> set[str]:
    """Return the clauses that a tick is about: those without a pass that holds at an instant, all if each has one."""
    every = set(slugs)
    fresh = {one.clause for one in facts if one.pass_until is not None and at < one.pass_until}
    return every - fresh or every


def _earliest(ends: Sequence[datetime | None]) -> datetime | None:
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def _waived(clauses: Sequence[ClauseFacts], waiver: Grant | None) -> tuple[datetime, datetime] | None:
    """Return when the waiver settles the item: up to its end, and while every clause that it does not name holds."""
    if waiver is None:
        return None
    ends = [waiver.end]
    for clause in clauses:
        if clause.clause in waiver.clauses:
            continue
        if clause.met_until is None:
            return None
        ends.append(clause.met_until)
        if clause.counting_since is not None:
            ends.append(clause.counting_since)
    end = min(ends)
    return (waiver.start, end) if waiver.start < end else None
