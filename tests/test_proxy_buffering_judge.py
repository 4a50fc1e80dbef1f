"""The buffering rule and its three clauses, on facts alone."""

import gzip
import zlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.probes.arrivals import Pace, read_arrivals
from checks.probes.event_stream import CanaryEvent, Decoder, EventReader, UnreadableError, canary_event
from checks.probes.proxy_buffering import ProxyBuffering
from readiness.enums.words import Judgement
from tests.streams import EVENTS, GAP, HELD, SENT, STREAMED, answer, three

PASS, FAIL, UNSURE = Judgement.PASS, Judgement.FAIL, Judgement.INCONCLUSIVE
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PAIRS = [502.0, 2.0] * 4
PAGES_OF_FOUR = [1502.0, 1002.0, 502.0, 2.0] * 2
BY_ONE = [502.0] * 7 + [2.0]
BY_ONE_AND_CORKED = [708.0] * 7 + [3.0]
CORKED = [207.0] * 7 + [3.0]
FAR_AWAY = [700.0] * EVENTS
TOO_FAR = [1100.0] * EVENTS
ONE_STALL = [2.0, 2.0, 2.0, 402.0, 2.0, 2.0, 2.0, 2.0]
LONG_STALL = [2.0, 2.0, 1002.0, 502.0, 2.0, 2.0, 2.0, 2.0]
FIRST_THREE_HELD = [1002.0, 502.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0]


def pace(waits, sent=SENT, gap_ms=GAP):
    return read_arrivals(sent, [at + wait for at, wait in zip(sent, waits, strict=True)], gap_ms=gap_ms).pace


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        (STREAMED, Pace.STREAMED),
        ([2.0, 252.0] * 4, Pace.STREAMED),
        ([2.0, 252.1] * 4, Pace.UNCLEAR),
        (CORKED, Pace.STREAMED),
        ([250.0] * EVENTS, Pace.STREAMED),
        ([250.1] * EVENTS, Pace.STREAMED_LATE),
        ([300.0] * 7 + [2.0], Pace.STREAMED_LATE),
        (FAR_AWAY, Pace.STREAMED_LATE),
        ([1000.0] * EVENTS, Pace.STREAMED_LATE),
        (TOO_FAR, Pace.TOO_LATE),
        (HELD, Pace.HELD),
        (PAGES_OF_FOUR, Pace.HELD),
        (PAIRS, Pace.HELD),
        (FIRST_THREE_HELD, Pace.HELD),
        (BY_ONE, Pace.HELD_BY_ONE),
        (BY_ONE_AND_CORKED, Pace.HELD_BY_ONE),
        ([2.0, *BY_ONE_AND_CORKED[1:]], Pace.HELD_BY_ONE),
        ([374.0] * 7 + [2.0], Pace.STREAMED_LATE),
        ([378.0] * 7 + [2.0], Pace.HELD_BY_ONE),
        (ONE_STALL, Pace.UNCLEAR),
        ([-130.0] * EVENTS, Pace.UNTRUE_TIMES),
    ],
)
def test_each_way_of_arriving_has_its_name(waits, expected):
    assert pace(waits) == expected


@pytest.mark.parametrize("gap_ms", [60, 250, 500, 2000])
@pytest.mark.parametrize("waits", [STREAMED, HELD, PAIRS, BY_ONE, FAR_AWAY, TOO_FAR, ONE_STALL])
def test_every_threshold_is_a_share_of_the_gap(waits, gap_ms):
    scale = gap_ms / GAP
    assert pace([wait * scale for wait in waits], [at * scale for at in SENT], gap_ms) == pace(waits)


@pytest.mark.parametrize("sent_gap", [0, 399, 1001])
def test_a_route_with_a_pace_of_its_own_proves_nothing(sent_gap):
    assert pace(STREAMED, [n * sent_gap for n in range(EVENTS)]) == Pace.OTHER_PACE


@given(
    origin=st.floats(0, 1e8),
    waits=st.lists(st.floats(0, 2000), min_size=EVENTS, max_size=EVENTS),
)
def test_only_differences_of_the_servers_clock_count(origin, waits):
    arrived = [at + wait for at, wait in zip(SENT, waits, strict=True)]
    shifted = read_arrivals([at + origin for at in SENT], arrived, gap_ms=GAP)
    assert shifted.spread_ms == pytest.approx(read_arrivals(SENT, arrived, gap_ms=GAP).spread_ms, abs=0.2)


@given(waits=st.lists(st.floats(0, 0.49 * GAP), min_size=EVENTS, max_size=EVENTS))
def test_noise_below_half_a_gap_never_reads_as_held(waits):
    assert pace(waits) is Pace.STREAMED


@given(
    hold=st.floats(1.75 * GAP, 8 * GAP),
    noise=st.lists(st.floats(0, 0.2 * GAP), min_size=EVENTS, max_size=EVENTS),
)
def test_events_let_go_together_never_read_as_streamed(hold, noise):
    arrived = [max(at, hold) + late for at, late in zip(SENT, noise, strict=True)]
    assert read_arrivals(SENT, sorted(arrived), gap_ms=GAP).pace is Pace.HELD


def judged(fetches):
    facts = {"route": "http://x/stream", "events": EVENTS, "gap_ms": GAP, "fetches": fetches}
    findings = ProxyBuffering().judge(facts, now=NOW)
    assert [finding.clause for finding in findings] == list(ProxyBuffering.observes)
    return [(finding.judgement, finding.code.removeprefix("proxy-buffering.")) for finding in findings]


GOOD = [(PASS, "streamed"), (PASS, "uncompressed"), (PASS, "fresh")]


def test_three_streamed_answers_pass_all_clauses():
    assert judged(three()) == GOOD


@pytest.mark.parametrize(
    ("waits", "expected"),
    [
        ((HELD, HELD, HELD), (FAIL, "held-to-the-end")),
        ((STREAMED, HELD, HELD), (FAIL, "held-to-the-end")),
        ((PAIRS, PAIRS, PAIRS), (FAIL, "held-in-pages")),
        ((STREAMED, BY_ONE, BY_ONE), (FAIL, "held-by-one")),
        ((STREAMED, STREAMED, HELD), (UNSURE, "uneven")),
        ((STREAMED, LONG_STALL, STREAMED), (UNSURE, "uneven")),
        ((STREAMED, ONE_STALL, STREAMED), (UNSURE, "uneven")),
        ((CORKED, CORKED, CORKED), (PASS, "streamed")),
        ((FAR_AWAY, STREAMED, STREAMED), (PASS, "streamed-late")),
        ((TOO_FAR, TOO_FAR, TOO_FAR), (UNSURE, "late")),
        (([-130.0] * 8, STREAMED, STREAMED), (UNSURE, "untrue-times")),
    ],
)
def test_two_held_answers_of_three_fail_and_only_whole_agreement_passes(waits, expected):
    assert judged(three(*waits)) == [expected, *GOOD[1:]]


def test_padding_fails_where_it_does_not_help_and_never_passes():
    assert judged(three(readable_bytes=513 * EVENTS))[0] == (UNSURE, "padded")
    assert judged(three(readable_bytes=512 * EVENTS))[0] == (PASS, "streamed")
    assert judged(three(PAIRS, PAIRS, PAIRS, readable_bytes=2000 * EVENTS))[0] == (FAIL, "held-in-pages")


def test_one_compressed_answer_fails_the_compression_clause_alone():
    fetches = three()
    fetches[1]["headers"] = {"content-encoding": "gzip"}
    assert judged(fetches) == [GOOD[0], (FAIL, "compressed"), GOOD[2]]


def test_identity_is_no_compression():
    fetches = three()
    fetches[1]["headers"] = {"content-encoding": "identity"}
    assert judged(fetches) == GOOD


def test_a_replayed_answer_fails_the_cache_clause_and_says_nothing_of_buffering():
    first, second, _ = three()
    replay = {**second, "events": [event | {"arrived_ms": 1.0} for event in second["events"]]}
    assert judged([first, second, replay]) == [(PASS, "streamed"), GOOD[1], (FAIL, "replayed")]


def test_when_every_gzip_answer_is_a_replay_nothing_is_known_of_buffering():
    first = answer()
    replay = {**first, "accept_encoding": "gzip", "canary_came_back": False}
    assert judged([first, replay, replay]) == [(UNSURE, "replayed-only"), GOOD[1], (FAIL, "replayed")]


def test_one_nonce_with_other_times_is_a_fault_of_the_route_and_not_a_cache():
    fetches = [fetch | {"nonce": "always"} for fetch in three()]
    assert judged(fetches) == [(UNSURE, "nonce-repeats"), GOOD[1], (UNSURE, "nonce-repeats")]


def test_a_canary_that_does_not_come_back_passes_nothing_that_needs_it():
    assert judged(three(canary_came_back=False)) == [(UNSURE, "foreign-canary"), GOOD[1], (UNSURE, "foreign-canary")]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"age": "1"}, (UNSURE, "cache-hinted")),
        ({"age": "0"}, (PASS, "fresh")),
        ({"age": "soon"}, (PASS, "fresh")),
        ({"x-cache": "Hit from edge"}, (UNSURE, "cache-hinted")),
        ({"x-cache": "MISS"}, (PASS, "fresh")),
        ({"cf-cache-status": "HIT"}, (UNSURE, "cache-hinted")),
    ],
)
def test_a_cache_header_on_a_new_answer_is_a_doubt(headers, expected):
    assert judged(three(headers=headers)) == [*GOOD[:2], expected]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"status": None, "failure": {"code": "connect", "sentence": "No."}}, "unreachable"),
        ({"status": 302}, "redirected"),
        ({"status": 404}, "wrong-status"),
        ({"status": 204}, "wrong-status"),
        ({"content_type": "text/html"}, "wrong-type"),
        ({"content_type": ""}, "wrong-type"),
        ({"content_type": "text/event-streams"}, "wrong-type"),
        ({"foreign_events": 3}, "not-a-canary"),
        ({"failure": {"code": "too-large", "sentence": "Cut."}}, "not-a-canary"),
        ({"failure": {"code": "endless", "sentence": ""}}, "not-a-canary"),
        ({"failure": {"code": "timeout", "sentence": "Silence."}}, "no-events"),
        ({}, "no-events"),
    ],
)
def test_whatever_keeps_us_from_seeing_is_inconclusive_on_every_clause(changed, message):
    assert judged([answer(events=0, **changed)]) == [(UNSURE, message)] * 3


def test_an_answer_in_a_coding_that_we_cannot_read_is_compressed_and_nothing_else_is_known():
    failure = {"code": "unknown-coding", "sentence": ""}
    fetches = [answer(events=0, headers={"content-encoding": "br"}, failure=failure)]
    assert judged(fetches) == [(UNSURE, "unreadable"), (FAIL, "compressed"), (UNSURE, "unreadable")]


def test_a_stream_that_is_cut_says_nothing_of_buffering_or_caching():
    assert judged(three(events=3)) == [(UNSURE, "cut-early"), GOOD[1], (UNSURE, "cut-early")]


def test_an_error_after_the_last_event_does_not_matter():
    assert judged(three(failure={"code": "protocol", "sentence": "Broken off."})) == GOOD


def test_a_route_that_counts_otherwise_is_told_so():
    assert judged(three(of=9)) == [(UNSURE, "other-pace"), GOOD[1], (UNSURE, "other-pace")]


def test_the_sentence_of_a_held_stream_carries_its_numbers():
    facts = {"events": EVENTS, "gap_ms": GAP, "fetches": three(HELD, HELD, HELD)}
    finding = ProxyBuffering().judge(facts, now=NOW)[0]
    assert finding.sentence == (
        "8 events were sent 500 ms apart and all arrived within 1 ms of each other, 3,502 ms after the first was "
        "sent (Accept-Encoding: gzip and identity)."
    )


def event_bytes(n=0, end=b"\n\n"):
    return b'data: {"canary": "c", "nonce": "x", "n": %d, "of": 2, "sent_ms": 1.5}' % n + end


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n", b"\r\r"])
def test_an_event_is_read_at_its_last_byte_whatever_the_line_ends_and_pieces(end):
    reader = EventReader()
    stream = b": hello" + end[: len(end) // 2] + event_bytes(0, end) + event_bytes(1, end)
    seen = [event.n for byte in stream for event in reader.feed(bytes([byte]))]
    assert seen == [0, 1]
    assert reader.foreign == 0
    assert [event.n for event in EventReader().feed(stream)] == [0, 1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[DONE]",
        b"[]",
        b"[" * 60_000,
        b'{"canary": "c", "nonce": "x", "n": 0, "of": 2}',
        b'{"canary": "c", "nonce": "x", "n": true, "of": 2, "sent_ms": 1}',
        b'{"canary": "c", "nonce": "x", "n": 2, "of": 2, "sent_ms": 1}',
        b'{"canary": "c", "nonce": "x", "n": 0, "of": 10001, "sent_ms": 1}',
        b'{"canary": "c", "nonce": "x", "n": 0, "of": 2, "sent_ms": NaN}',
        b'{"canary": "c", "nonce": "x", "n": 0, "of": 2, "sent_ms": 1e999}',
        b'{"canary": "c", "nonce": "x", "n": 0, "of": 2, "sent_ms": "1"}',
        b'{"canary": "", "nonce": "x", "n": 0, "of": 2, "sent_ms": 1}',
        b'{"canary": "c", "nonce": "%s", "n": 0, "of": 2, "sent_ms": 1}' % (b"x" * 65),
        b"\xff",
    ],
)
def test_what_is_not_of_the_protocol_is_no_event(data):
    assert canary_event(data) is None


def test_an_event_of_the_protocol_may_carry_more_than_it_must():
    data = b'{"canary": "c", "nonce": "x", "n": 1, "of": 2, "sent_ms": 7, "model": "m"}'
    assert canary_event(data) == CanaryEvent(canary="c", nonce="x", n=1, of=2, sent_ms=7.0)


@given(data=st.binary(max_size=400))
def test_no_bytes_break_the_reader(data):
    for event in EventReader().feed(data):
        assert event.n >= 0


@pytest.mark.parametrize(
    ("coding", "wbits"), [("gzip", 31), ("x-gzip", 31), ("deflate", 15), ("deflate", -15), ("GZIP ", 31)]
)
def test_a_compressed_event_is_readable_when_it_was_flushed(coding, wbits):
    deflate = zlib.compressobj(wbits=wbits)
    decoder = Decoder(coding)
    for n in range(3):
        flushed = deflate.compress(event_bytes(n)) + deflate.flush(zlib.Z_SYNC_FLUSH)
        assert decoder.feed(flushed) == event_bytes(n)


@pytest.mark.parametrize(
    ("coding", "data", "code"),
    [
        ("gzip", b"plain", "broken-coding"),
        ("deflate", b"\xff\xff plain", "broken-coding"),
        ("gzip", gzip.compress(bytes(300_000)), "too-large"),
        ("", bytes(300_000), "too-large"),
    ],
)
def test_broken_or_endless_bodies_are_refused(coding, data, code):
    with pytest.raises(UnreadableError, match=code):
        Decoder(coding).feed(data)


@pytest.mark.parametrize("coding", ["br", "zstd", "gzip, gzip"])
def test_codings_that_were_not_asked_for_are_refused(coding):
    with pytest.raises(UnreadableError, match="unknown-coding"):
        Decoder(coding)


def test_a_line_without_end_is_refused():
    with pytest.raises(UnreadableError, match="too-large"):
        list(EventReader().feed(b"data: " + b"x" * 70_000))
