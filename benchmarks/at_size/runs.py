"""Runs, and of the newest ones the evidence, written by the database itself out of pairs and samples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection
from psycopg.types.json import Jsonb

from readiness.enums.words import Outcome
from readiness.models import Clause
from readiness.rules.folding import Statement

from .bulk import statement
from .samples import OF_EACH, Sample
from .world import EVERY, Pair, World

TAKES = timedelta(seconds=4)
"""How long after it looked a run is over, and its evidence recorded."""

TABLES = """
CREATE TEMPORARY TABLE bench_sample (id int, probe text, outcome text, place int, facts jsonb, findings jsonb);
CREATE TEMPORARY TABLE bench_said (sample int, clause text, outcome text, summary text, code text, params jsonb);
CREATE TEMPORARY TABLE bench_pair (key int, environment int, probe text, newest timestamptz, word text, failing int,
    blip int, build text);
CREATE TEMPORARY TABLE bench_clause (key int, pair int, clause text, item int, fresh interval);
CREATE TEMPORARY TABLE bench_run (id bigint, pair int, number int, sample int, outcome text, at timestamptz);
"""

CHOOSE = """
INSERT INTO bench_run
SELECT %(first)s + pair.key, pair.key, %(number)s, sample.id, chosen.outcome, pair.newest - %(number)s * %(every)s
FROM bench_pair pair
CROSS JOIN LATERAL (SELECT CASE WHEN %(number)s < pair.failing THEN pair.word
    WHEN %(number)s >= pair.blip AND %(number)s < pair.blip + 2 THEN 'fail' ELSE 'pass' END AS outcome) chosen
LEFT JOIN bench_sample sample ON sample.probe = pair.probe AND sample.outcome = chosen.outcome
    AND sample.place = (pair.key + %(number)s) %% %(places)s
ORDER BY pair.key
"""

RUNS = """
INSERT INTO readiness_run (id, environment_id, probe, probe_version, state, reason, queued_at, due_at, started_at,
    finished_at, claim, attempts, build, facts, findings, error)
SELECT run.id, pair.environment, pair.probe, 1, CASE run.outcome WHEN 'errored' THEN 'errored' ELSE 'done' END,
    'scheduled', run.at - interval '2 seconds', run.at - interval '2 seconds', run.at - interval '1 second',
    run.at + %(takes)s, md5(run.id::text), 1, pair.build, COALESCE(sample.facts, '{}'),
    COALESCE(sample.findings, '[]'), CASE run.outcome WHEN 'errored' THEN 'The worker could not look.' ELSE '' END
FROM bench_run run JOIN bench_pair pair ON pair.key = run.pair LEFT JOIN bench_sample sample ON sample.id = run.sample
WHERE run.number = %(number)s ORDER BY run.id
"""

EVIDENCE = """
INSERT INTO readiness_evidence (id, item_id, clause, outcome, summary, code, params, run_id, build, supported,
    observed_at, recorded_at, valid_until, drill, meaning)
SELECT %(first)s + clause.key, clause.item, clause.clause, said.outcome, said.summary, said.code, said.params, run.id,
    pair.build, true, run.at, run.at + %(takes)s,
    CASE said.outcome WHEN 'pass' THEN run.at + clause.fresh END, false, 1
FROM bench_run run JOIN bench_pair pair ON pair.key = run.pair JOIN bench_clause clause ON clause.pair = pair.key
JOIN bench_said said ON said.sample = run.sample AND said.clause = clause.clause
WHERE run.number = %(number)s ORDER BY clause.key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """One clause that a pair observes. Its evidence of run ``number`` has the key ``first_of(number) + key``."""

    key: int
    pair: Pair
    item: int
    clause: Clause


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """What is known of the evidence that runs leave: of the newest ``kept`` runs of each pair, after ``offset``."""

    watched: Sequence[Watched]
    judged: Mapping[tuple[str, str, str], str]
    kept: int
    offset: int

    def first_of(self, number: int) -> int:
        """Return the key of the first piece of evidence of all runs with a number; the oldest come first."""
        return self.offset + (self.kept - 1 - number) * len(self.watched) + 1

    def statements(self, one: Watched, at: datetime) -> list[Statement]:
        """Return what stands by an instant: the newest pass, and the fails after it."""
        last = 0
        while last < self.kept and one.pair.at(last) + TAKES > at:
            last += 1
        found = []
        for number in range(last, self.kept):
            said = self._said(one, number)
            if said is not None:
                found.append(said)
            if said is not None and said.outcome == Outcome.PASS:
                break
        return found

    def passes(self, one: Watched) -> set[datetime]:
        """Return when passes were recorded, of those that are kept."""
        said = (self._said(one, number) for number in range(self.kept))
        return {found.observed_at + TAKES for found in said if found is not None and found.outcome == Outcome.PASS}

    def _said(self, one: Watched, number: int) -> Statement | None:
        outcome = self.judged.get((one.pair.probe, one.pair.outcome(number), one.clause.slug))
        if outcome not in (Outcome.PASS, Outcome.FAIL):
            return None
        at = one.pair.at(number)
        fresh = one.clause.fresh_pass
        assert fresh is not None
        return Statement(
            id=self.first_of(number) + one.key,
            outcome=Outcome(outcome),
            observed_at=at,
            valid_until=at + fresh if outcome == Outcome.PASS else None,
            build=one.pair.environment.build,
        )


def judged(samples: Iterable[Sample]) -> dict[tuple[str, str, str], str]:
    """Return what samples of an outcome say of a clause; each says the same."""
    return {
        (sample.probe, sample.outcome, finding.clause): str(finding.judgement)
        for sample in samples
        for finding in sample.findings
    }


def write(world: World, samples: Sequence[Sample], observed: Observed) -> None:
    """Write every run, the oldest first, and the evidence of the newest."""
    statement(TABLES)
    _fill("bench_sample", (_sample(one) for one in samples))
    _fill("bench_said", (row for one in samples for row in _said(one)))
    _fill("bench_pair", (_pair(one) for one in world.pairs))
    _fill("bench_clause", ((w.key, w.pair.key, w.clause.slug, w.item, w.clause.fresh_pass) for w in observed.watched))
    statement("ANALYZE bench_sample; ANALYZE bench_said; ANALYZE bench_pair; ANALYZE bench_clause")
    for number in reversed(range(world.size.each)):
        first = (world.size.each - 1 - number) * len(world.pairs) + 1
        given = {"number": number, "first": first, "every": EVERY, "places": OF_EACH, "takes": TAKES}
        statement("TRUNCATE bench_run")
        statement(CHOOSE, given)
        statement(RUNS, given)
        if number < observed.kept:
            statement(EVIDENCE, {**given, "first": observed.first_of(number)})


def run_key(world: World, pair: Pair, number: int) -> int:
    """Return the key of a run."""
    return (world.size.each - 1 - number) * len(world.pairs) + 1 + pair.key


def _fill(table: str, rows: Iterable[tuple[object, ...]]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as into:
        for row in rows:
            into.write_row(row)


def _sample(one: Sample) -> tuple[object, ...]:
    place = (one.id - 1) % OF_EACH
    return (one.id, one.probe, one.outcome, place, Jsonb(one.facts), Jsonb(one.findings_json))


def _said(one: Sample) -> Iterator[tuple[object, ...]]:
    for finding in one.findings:
        if finding.judgement in (Outcome.PASS, Outcome.FAIL):
            judgement, params = str(finding.judgement), Jsonb(dict(finding.params))
            yield (one.id, finding.clause, judgement, finding.sentence, finding.code, params)


def _pair(one: Pair) -> tuple[object, ...]:
    environment = one.environment
    return (one.key, environment.pk, one.probe, one.newest, one.word, one.failing, one.blip, environment.build)
