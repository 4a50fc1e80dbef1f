"""Items, and what people said of them: ticks, owners, waivers and "not applicable", folded as the product does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from readiness.enums.words import Outcome, Scope, Stance
from readiness.models import Clause, Entry, Environment, Evidence, EvidenceLink, Item, NotApplicable, User, Waiver
from readiness.rules.folding import ClauseFacts, Grant, LeftOut, Statement, fold_clause, fold_item
from readiness.selectors.clauses import rule_of

from .events import Told
from .runs import Observed, Watched
from .world import World

RIPENESS = (("ready", 34), ("waits", 22), ("nearly", 29), ("early", 15))
"""How far a sheet is, of a hundred: all settled, settled but for waivers, a few open, most open."""

DEEDS = {
    "ready": (("tick", 97), ("left-out", 3)),
    "waits": (("tick", 87), ("waive", 10), ("left-out", 3)),
    "nearly": (("tick", 84), ("waive", 4), ("ask", 3), ("stale", 4), ("nothing", 4), ("back", 1)),
    "early": (("tick", 25), ("ask", 5), ("ask-left-out", 3), ("bare", 4), ("nothing", 63)),
}
SUMMARIES = (
    "Looked at it on the dashboard, and it holds.",
    "Walked through the runbook with the team on call; each step was where it says.",
    "Tried it against the stand-in: three retries with growing pauses, then it gave up and said so.",
    "Read the client's settings and the traffic of one day. Nothing else was sent.",
)
REASONS = (
    "The audit store moves to the new cluster next week.",
    "The new route goes live with the next release; until then nobody outside reads this stream.",
    "The wording is with legal, and the text in force says the same.",
)


@dataclass(kw_only=True)
class Said:
    """Rows that people wrote, each with its key, and what the ledger tells of them."""

    items: list[Item] = field(default_factory=list)
    evidence: list[Evidence] = field(default_factory=list)
    links: list[EvidenceLink] = field(default_factory=list)
    waivers: list[Waiver] = field(default_factory=list)
    left_out: list[NotApplicable] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)


@dataclass(kw_only=True)
class Sheetful:
    """An item while it is filled: its clauses, who watches which, and what was said so far."""

    item: Item
    clauses: Sequence[Clause]
    watched: dict[str, Watched]
    words: list[tuple[str, Statement]] = field(default_factory=list)
    waiver: Grant | None = None
    left_out: LeftOut | None = None


def make_items(world: World, random: Random) -> Iterator[tuple[Item, str]]:
    """Yield the items of every service, each with how far its sheet is."""
    key = 0
    for service in world.services:
        ripe = _one_of(RIPENESS, random)
        mine = world.environments[(service.pk - 1) * 3 : service.pk * 3]
        places: list[tuple[Environment | None, str]] = [(None, "ready" if ripe == "waits" else ripe)]
        places += [(environment, _one_of(RIPENESS, random) if random.random() < 0.5 else ripe) for environment in mine]
        for environment, how in places:
            scope = Scope.SERVICE if environment is None else Scope.ENVIRONMENT
            for entry in world.entries:
                if entry.scope == scope:
                    key += 1
                    yield Item(pk=key, entry=entry, service=service, environment=environment), how


def watch(world: World, items: Sequence[Item], clauses: dict[int, list[Clause]]) -> list[Watched]:
    """Return which clause of which item each pair observes."""
    at = {(item.environment_id, clause.slug): (item, clause) for item in items for clause in clauses[item.entry_id]}
    by_probe: dict[str, list[str]] = {}
    for clause in (one for some in clauses.values() for one in some):
        by_probe.setdefault(clause.probe, []).append(clause.slug)
    found: list[Watched] = []
    for pair in world.pairs:
        for slug in by_probe[pair.probe]:
            item, clause = at[pair.environment.pk, slug]
            found.append(Watched(key=len(found), pair=pair, item=item.pk, clause=clause))
    return found


class Filling:
    """Fills one item after the other with what people said, and folds it."""

    def __init__(self, world: World, observed: Observed, clauses: dict[int, list[Clause]], random: Random) -> None:
        self.said = Said()
        self.observed = observed
        self._world, self._clauses, self._random = world, clauses, random
        self._watched: dict[int, dict[str, Watched]] = {}
        for one in observed.watched:
            self._watched.setdefault(one.item, {})[one.clause.slug] = one

    def fill(self, item: Item, ripe: str) -> None:
        """Decide what was said of an item, write it down and fold it."""
        sheet = Sheetful(item=item, clauses=self._clauses[item.entry_id], watched=self._watched.get(item.pk, {}))
        self._assign(item)
        deed = _one_of(DEEDS[ripe], self._random)
        unseen = [clause for clause in sheet.clauses if clause.slug not in sheet.watched]
        if unseen or any(one.pair.word == "unclear" for one in sheet.watched.values()):
            {
                "tick": self._tick,
                "bare": self._bare,
                "stale": self._stale,
                "back": self._back,
                "waive": self._waive,
                "ask": self._ask,
                "left-out": self._leave_out,
                "ask-left-out": self._ask_to_leave_out,
                "nothing": lambda _sheet: None,
            }[deed](sheet)
        self._fold(sheet)
        self.said.items.append(item)

    # --- what people do -----------------------------------------------------------------------------------------------
    def _assign(self, item: Item) -> None:
        if self._random.random() < 0.6:
            by, at = self._member(item), self._between(0.0, 0.1)
            item.owner, item.due_on = by, (self._world.size.now + timedelta(days=self._random.randint(-20, 60))).date()
            before, after = {"owner": None, "due_on": None}, {"owner": by.pk, "due_on": item.due_on.isoformat()}
            self._tell("item.assigned", item, by, at, {"from": before, "to": after, "owner_name": str(by)})

    def _tick(self, sheet: Sheetful) -> None:
        shortest = min(clause.fresh_tick for clause in sheet.clauses)
        first = max(self._span()[0], self._world.size.now - shortest * 0.8)
        self._attest(sheet, self._at_random(first, self._world.size.now - timedelta(hours=1)))

    def _bare(self, sheet: Sheetful) -> None:
        self._attest(sheet, self._between(0.5, 0.9), links=0)

    def _stale(self, sheet: Sheetful) -> None:
        shortest = min(clause.fresh_tick for clause in sheet.clauses)
        first = self._span()[0]
        if first + shortest < self._world.size.now - timedelta(hours=2):
            self._attest(sheet, self._at_random(first, self._world.size.now - shortest - timedelta(hours=1)))

    def _back(self, sheet: Sheetful) -> None:
        self._attest(sheet, self._between(0.2, 0.7))
        item, by, at = sheet.item, self._member(sheet.item), self._between(0.75, 0.95)
        standing = [slug for slug, word in sheet.words if word.valid_until is not None and at < word.valid_until]
        for slug in standing:
            self._state(sheet, slug, Outcome.WITHDRAWN, "That was another environment.", by, at, until=None)
        self._tell("item.tick-taken-back", item, by, at, {"summary": SUMMARIES[0], "clauses": standing})

    def _attest(self, sheet: Sheetful, at: datetime, *, links: int = 1) -> None:
        item, by, summary = sheet.item, self._member(sheet.item), self._random.choice(SUMMARIES)
        fresh = {one.clause for one in self._clause_facts(sheet, at) if one.pass_until and at < one.pass_until}
        chosen = [clause for clause in sheet.clauses if clause.slug not in fresh] or sheet.clauses
        urls = [f"https://docs.example/{item.entry.slug}/{item.pk}"] * links
        written = []
        for clause in chosen:
            supported = bool(urls) or not clause.tick_needs_link
            row = self._state(
                sheet, clause.slug, Outcome.PASS, summary, by, at, until=at + clause.fresh_tick, supported=supported
            )
            written.append(row)
            self.said.links += [EvidenceLink(pk=len(self.said.links) + 1, evidence=row, url=url) for url in urls]
        data = {
            "summary": summary,
            "links": urls,
            "evidence": [row.pk for row in written],
            "clauses": [row.clause for row in written],
            "unsupported": [row.clause for row in written if not row.supported],
        }
        self._tell("item.ticked", item, by, at, data)

    def _state(
        self,
        sheet: Sheetful,
        clause: str,
        outcome: Outcome,
        summary: str,
        by: User,
        at: datetime,
        *,
        until: datetime | None,
        supported: bool = True,
    ) -> Evidence:
        item = sheet.item
        row = Evidence(
            pk=len(self.said.evidence) + 1,
            item=item,
            clause=clause,
            outcome=outcome,
            summary=summary,
            by=by,
            build=item.environment.build if item.environment and outcome == Outcome.PASS else "",
            supported=supported,
            observed_at=at,
            recorded_at=at,
            valid_until=until,
        )
        self.said.evidence.append(row)
        word = Statement(
            id=row.pk,
            outcome=outcome,
            observed_at=at,
            valid_until=until,
            by_person=True,
            supported=supported,
            build=row.build,
        )
        sheet.words.append((clause, word))
        return row

    def _waive(self, sheet: Sheetful) -> None:
        waiver = self._ask(sheet)
        item, by, at = sheet.item, self._random.choice(self._world.reviewers), waiver.asked_at + timedelta(hours=3)
        waiver.clauses = [one.clause for one in self._clause_facts(sheet, at) if not one.holds_at(at)]
        waiver.decided_by, waiver.decided_at, waiver.granted = by, at, True
        sheet.waiver = Grant(start=at, end=waiver.until, clauses=frozenset(waiver.clauses))
        data = {"request": waiver.pk, "note": "", "clauses": waiver.clauses, "until": waiver.until.isoformat()}
        self._tell("waiver.granted", item, by, at, {**data, "renews": None})

    def _ask(self, sheet: Sheetful) -> Waiver:
        at, by, now = self._between(0.8, 0.95), self._member(sheet.item), self._world.size.now
        until = (now + timedelta(days=self._random.randint(1, 60))).replace(hour=0, minute=0, second=0, microsecond=0)
        waiver = Waiver(
            pk=len(self.said.waivers) + 1,
            item=sheet.item,
            stance=Stance.ACCEPT_RISK,
            reason=self._random.choice(REASONS),
            asked_by=by,
            asked_at=at,
            until=until,
        )
        self.said.waivers.append(waiver)
        data = {"request": waiver.pk, "until": until.isoformat(), "stance": waiver.stance, "reason": waiver.reason}
        self._tell("waiver.asked", sheet.item, by, at, data)
        return waiver

    def _leave_out(self, sheet: Sheetful) -> None:
        if sheet.watched:
            return self._tick(sheet)
        asked = self._ask_to_leave_out(sheet)
        by, at = self._random.choice(self._world.reviewers), asked.asked_at + timedelta(hours=3)
        asked.decided_by, asked.decided_at, asked.granted = by, at, True
        sheet.left_out = LeftOut(start=at)
        return self._tell("not-applicable.granted", sheet.item, by, at, {"request": asked.pk, "note": ""})

    def _ask_to_leave_out(self, sheet: Sheetful) -> NotApplicable:
        at, by = self._between(0.5, 0.95), self._member(sheet.item)
        key, reason = len(self.said.left_out) + 1, "This service makes no such call."
        asked = NotApplicable(pk=key, item=sheet.item, reason=reason, asked_by=by, asked_at=at)
        self.said.left_out.append(asked)
        self._tell("not-applicable.asked", sheet.item, by, at, {"request": asked.pk, "reason": reason})
        return asked

    def _tell(self, kind: str, item: Item, by: User, at: datetime, data: dict[str, object]) -> None:
        item.version += 1
        place = (item.service_id, item.environment_id, item.pk)
        self.said.told.append(Told(at=at, kind=kind, by=by, place=place, data=data))

    def _member(self, item: Item) -> User:
        return self._random.choice(self._world.members(item.service.team_id))

    def _span(self) -> tuple[datetime, datetime]:
        size = self._world.size
        return size.began + timedelta(days=8), size.now - timedelta(hours=5)

    def _between(self, low: float, high: float) -> datetime:
        first, last = self._span()
        return self._at_random(first + (last - first) * low, first + (last - first) * high)

    def _at_random(self, first: datetime, last: datetime) -> datetime:
        return first + timedelta(seconds=self._random.randint(0, max(0, int((last - first).total_seconds()))))

    # --- what follows from it -----------------------------------------------------------------------------------------
    def _clause_facts(self, sheet: Sheetful, at: datetime) -> list[ClauseFacts]:
        found = []
        for clause in sheet.clauses:
            seen = sheet.watched.get(clause.slug)
            statements = [word for slug, word in sheet.words if slug == clause.slug and word.observed_at <= at]
            statements += self.observed.statements(seen, at) if seen else []
            found.append(fold_clause(rule_of(clause, build_bound=sheet.item.entry.build_bound), statements))
        return found

    def _fold(self, sheet: Sheetful) -> None:
        now = self._world.size.now
        clauses = self._clause_facts(sheet, now)
        met = self._first_met(sheet)
        facts = fold_item(clauses, waiver=sheet.waiver, left_out=sheet.left_out, first_met_at=met, at=now)
        for name in facts.names():
            setattr(sheet.item, name, getattr(facts, name))
        sheet.item.standing = [one.to_json() for one in clauses] if sheet.words or sheet.watched else []

    def _first_met(self, sheet: Sheetful) -> datetime | None:
        spoken = {slug for slug, _ in sheet.words} | set(sheet.watched)
        if any(clause.slug not in spoken for clause in sheet.clauses):
            return None
        for at in sorted(self._moments(sheet)):
            found = fold_item(self._clause_facts(sheet, at), waiver=None, left_out=None, first_met_at=None, at=at)
            if found.first_met_at is not None:
                return at
        return None

    def _moments(self, sheet: Sheetful) -> set[datetime]:
        found = {word.observed_at for _, word in sheet.words if word.outcome == Outcome.PASS}
        for one in sheet.watched.values():
            found |= self.observed.passes(one)
        return found


def entries_of() -> tuple[list[Entry], dict[int, list[Clause]]]:
    """Return the entries in order, and the clauses of each."""
    clauses: dict[int, list[Clause]] = {}
    for clause in Clause.objects.filter(retired_at=None).order_by("entry", "position"):
        clauses.setdefault(clause.entry_id, []).append(clause)
    return list(Entry.objects.filter(retired_at=None)), clauses


def _one_of(weighed: Sequence[tuple[str, int]], random: Random) -> str:
    words, weights = zip(*weighed, strict=True)
    return str(random.choices(words, weights)[0])
