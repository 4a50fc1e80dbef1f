"""The product's folding, told a history of ``tests.replay`` happening by happening, without a database.

It keeps what the product keeps: all statements, what stands, and the facts that were folded at the last change.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from readiness.enums.words import Outcome
from readiness.rules.folding import (
    ClauseFacts,
    ClauseRule,
    Grant,
    LeftOut,
    Ran,
    Statement,
    fold_clause,
    fold_item,
)
from readiness.rules.status import ItemFacts
from tests.replay import world as told
from tests.replay.world import World

START = datetime(2026, 3, 1, tzinfo=UTC)
OUTCOMES = {
    "pass": Outcome.PASS,
    "drill-pass": Outcome.PASS,
    "tick": Outcome.PASS,
    "bare-tick": Outcome.PASS,
    "fail": Outcome.FAIL,
    "drill-fail": Outcome.FAIL,
    "back": Outcome.WITHDRAWN,
    "retired": Outcome.RETIRED,
}


def instant(second: int) -> datetime:
    return START + timedelta(seconds=second)


@dataclass
class Folded:
    """One item of the world's own environment, as the product knows it so far."""

    world: World
    said: list[told.Said] = field(default_factory=list)
    ran: list[Ran] = field(default_factory=lambda: [Ran(since=instant(-1000), build="")])
    archived: set[str] = field(default_factory=set)
    meanings: dict[str, dict[int, datetime]] = field(default_factory=dict)
    entry_means: list[datetime] = field(default_factory=list)
    waiver: Grant | None = None
    left_out: LeftOut | None = None
    facts: ItemFacts = field(default_factory=ItemFacts)

    def tell(self, one: told.Happening) -> None:
        """Take in one happening, and fold again where it is about this item or about what it takes over."""
        here, now = self.world.here, one.told
        match one:
            case told.Said():
                if one.what != "unclear":
                    self.said.append(one)
            case told.Built() if one.where == here:
                self.ran.append(Ran(since=instant(now), build=one.build))
            case told.Archived():
                self.archived.add(one.where)
            case told.Waived() if one.where == here:
                named = frozenset(c.clause for c in self.clauses() if not c.holds_at(instant(now)))
                self.waiver = Grant(start=instant(now), end=instant(one.ends), clauses=named)
            case told.WaiverEnded() if one.where == here:
                self.waiver = None
            case told.LeftOut() if one.where == here:
                later = [starts for starts in self.entry_means if starts > instant(now)]
                self.left_out = LeftOut(start=instant(now), end=min(later, default=None))
            case told.BroughtBack() if one.where == here:
                self.left_out = None
            case told.Changed():
                self._change(one)
        self.refresh(instant(now))

    def _change(self, one: told.Changed) -> None:
        for clause in one.clauses:
            known = self.meanings.setdefault(clause, {})
            known[len(known) + 2] = instant(one.starts)
        self.entry_means.append(instant(one.starts))
        if self.left_out is not None and self.left_out.end is None:
            self.left_out = LeftOut(start=self.left_out.start, end=instant(one.starts))

    def clauses(self) -> list[ClauseFacts]:
        """Where each clause stands."""
        return [self._fold(clause) for clause in self.world.clauses]

    def _fold(self, clause: told.Clause) -> ClauseFacts:
        build = self.ran[-1].build if clause.bound and self.world.in_production else ""
        statements = [
            _statement(one, lent=one.where != self.world.here)
            for one in self.said
            if one.clause == clause.name
            and (
                one.where == self.world.here
                or (build and one.build == build and one.what in told.PROBES and one.where not in self.archived)
            )
        ]
        rule = ClauseRule(
            slug=clause.name,
            build_bound=clause.bound,
            counts_from=instant(clause.counts_from) if clause.counts_from else None,
            meanings=self.meanings.get(clause.name, {}),
        )
        return fold_clause(rule, statements, ran=self.ran if clause.bound else [])

    def refresh(self, now: datetime) -> None:
        """Do as ``actions.folding.refresh`` does."""
        clauses = self.clauses()
        before = self.facts.failing_since
        failed = (before is not None and before < now) or any(one.fails_at(now) for one in clauses)
        outlived = self.left_out is not None and self.left_out.end is not None and self.left_out.end <= now
        if failed or outlived:
            self.left_out = None
        self.facts = fold_item(
            clauses, waiver=self.waiver, left_out=self.left_out, first_met_at=self.facts.first_met_at, at=now
        )


def _statement(one: told.Said, *, lent: bool) -> Statement:
    outcome = OUTCOMES[one.what]
    return Statement(
        id=one.id,
        outcome=outcome,
        observed_at=instant(one.seen),
        valid_until=instant(one.ends) if outcome == Outcome.PASS else None,
        true_until=None if one.true_until is None else instant(one.true_until),
        by_person=one.what in told.PEOPLE,
        supported=one.what != "bare-tick",
        drill=one.what.startswith("drill"),
        build=one.build,
        meaning=one.meaning + 1,
        lent_by=1 if lent else None,
    )
