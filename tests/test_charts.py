"""What pages say and draw, as pure functions: dates, verdicts, strips, the arrival chart, facts as a list."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.utils.translation import override

from readiness.enums.standing import Status, Verdict
from readiness.rules.permissions import Actor
from readiness.rules.spoken import money
from readiness.rules.verdicts import Tally
from readiness.selectors.strips import Cell, Strip
from readiness.templatetags import charts, date_words, panels, readiness_words

NOW = datetime(2026, 11, 21, 18, 16, 52, tzinfo=UTC)


@pytest.mark.parametrize(
    ("before", "words"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=44), "just now"),
        (timedelta(seconds=45), "1 min ago"),
        (timedelta(minutes=3, seconds=59), "3 min ago"),
        (timedelta(minutes=60), "1 h ago"),
        (timedelta(hours=23, minutes=59), "23 h ago"),
        (timedelta(hours=24), "yesterday"),
        (timedelta(days=3), "Wed 18 Nov"),
        (timedelta(days=40), "12 Oct"),
        (timedelta(days=400), "17 Oct 2025"),
        (timedelta(seconds=-10), "now"),
        (timedelta(minutes=-5), "in 5 min"),
    ],
)
def test_an_instant_is_said_as_people_say_it(before, words):
    assert date_words.ago_words(NOW - before, NOW) == words


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 11, 20), "yesterday"),
        (date(2026, 11, 21), "today"),
        (date(2026, 11, 22), "tomorrow"),
        (date(2026, 11, 24), "Tue 24 Nov"),
        (date(2026, 11, 28), "Sat 28 Nov"),
        (date(2026, 11, 29), "29 Nov"),
        (date(2026, 12, 3), "3 Dec"),
        (date(2027, 1, 3), "3 Jan"),
        (date(2027, 3, 3), "3 Mar 2027"),
        (date(2025, 12, 3), "3 Dec 2025"),
    ],
)
def test_a_day_is_said_with_as_much_as_is_needed(day, words):
    assert date_words.day_words(day, date(2026, 11, 21)) == words


@pytest.mark.parametrize(
    ("end", "words"),
    [
        (datetime(2026, 12, 16, tzinfo=UTC), "15 Dec"),
        (datetime(2026, 11, 22, tzinfo=UTC), "today"),
        (datetime(2026, 11, 21, 20, 5, tzinfo=UTC), "20:05"),
        (datetime(2026, 11, 22, 7, 30, tzinfo=UTC), "tomorrow 07:30"),
        (datetime(2026, 12, 3, 7, 30, tzinfo=UTC), "3 Dec"),
    ],
)
def test_an_end_at_midnight_names_the_day_that_it_closes(end, words):
    assert date_words.end_words(end, NOW) == words


@pytest.mark.parametrize(
    ("span", "words"),
    [
        (timedelta(seconds=75), "75 s"),
        (timedelta(minutes=15), "15 min"),
        (timedelta(hours=6), "6 h"),
        (timedelta(days=1), "1 day"),
        (timedelta(days=90), "90 days"),
        (timedelta(seconds=1000), "17 min"),
    ],
)
def test_a_duration_is_said_in_its_largest_whole_unit(span, words):
    assert date_words.span_words(span) == words


def _tally(verdict: Verdict, **counts: int) -> Tally:
    return Tally(verdict=verdict, counts=Counter({Status(name): count for name, count in counts.items()}))


@pytest.mark.parametrize(
    ("tally", "words"),
    [
        (_tally(Verdict.READY, verified=3), "Ready"),
        (_tally(Verdict.READY_WITH_WAIVERS, verified=3, waived=1), "Ready, 1 waiver"),
        (_tally(Verdict.READY_WITH_WAIVERS, verified=3, waived=2), "Ready, 2 waivers"),
        (_tally(Verdict.NOT_READY, open=3), "Not ready"),
        (_tally(Verdict.REGRESSED, failing=1), "Regressed"),
    ],
)
def test_a_verdict_names_the_waivers_that_it_rests_on(tally, words):
    assert readiness_words.verdict_words(tally) == words


def test_every_verdict_and_status_has_a_word_and_a_cell():
    assert [readiness_words.verdict_word(verdict) for verdict in Verdict] == [
        "Ready",
        "Ready with waivers",
        "Not ready",
        "Regressed",
    ]
    letters = {readiness_words.LETTERS[status] for status in Status}
    assert letters == {letter for letter, _ in readiness_words.LEGENDS}


@pytest.mark.parametrize(
    ("name", "letters"), [("Maya Roy", "MR"), ("léa", "L"), ("jean-luc picard", "JL"), ("", "?"), ("...", "?")]
)
def test_a_person_is_two_letters(name, letters):
    assert readiness_words.initials_of(name) == letters


@pytest.mark.parametrize(
    ("actor", "words"),
    [
        (None, ""),
        (Actor(id=1, is_admin=False, is_reviewer=False, is_auditor=False, teams=frozenset()), "Reader"),
        (Actor(id=1, is_admin=False, is_reviewer=False, is_auditor=False, teams=frozenset({1})), "Team member"),
        (
            Actor(id=1, is_admin=True, is_reviewer=True, is_auditor=False, teams=frozenset({1})),
            "Admin, Reviewer, Team member",
        ),
    ],
)
def test_a_role_is_said_in_words(actor, words):
    assert readiness_words.role_words(actor) == words


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("https://wiki.example.ca", "wiki.example.ca"),
        ("https://wiki.example.ca/a", "wiki.example.ca/a"),
        ("https://wiki.example.ca/runbooks/keys/", "wiki.example.ca/…/keys"),
        ("https://example.ca/" + "x" * 80, ("example.ca/" + "x" * 80)[:47] + "…"),
    ],
)
def test_a_link_is_short_enough_to_read(url, words):
    assert readiness_words.short_link(url) == words


class Titles(HTMLParser):
    """Collect the tag, class and title of every cell."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.cells: list[tuple[str, str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if "title" in found:
            self.cells.append((tag, found["class"], found["title"]))


STRIP = Strip(
    sections=(
        (Cell(slug="a", title="store: false & <more>", status=Status.VERIFIED), Cell(slug="b", title="B", status=None)),
        (Cell(slug="c", title="C", status=Status.FAILING),),
    ),
    sentence="1 verified, 1 failing",
)


def test_a_strip_has_one_cell_an_item_with_its_name_and_status_escaped():
    html = readiness_words.strip_image(STRIP, "assistant-web in prod")
    assert Titles(html).cells == [
        ("i", "v", "store: false & <more>: verified"),
        ("i", "n", "B: does not apply here"),
        ("i", "f", "C: failing"),
    ]
    assert "<more>" not in html
    assert 'role="img" aria-label="assistant-web in prod: 1 verified, 1 failing"' in html


def test_the_cells_of_a_sheet_are_links_to_its_items():
    html = readiness_words.strip_links(STRIP)
    assert [cell[0] for cell in Titles(html).cells] == ["a", "a", "a"]
    assert 'href="#item-c" title="C: failing" aria-label="C: failing"' in html
    assert readiness_words.entry_slugs(STRIP) == "a b c"


# --- the arrival chart ------------------------------------------------------------------------------------------------
def _fetch(arrived: list[float], *, start: float = 0.0, gap: float = 500.0, accept: str = "gzip") -> dict:
    events = [{"n": n, "sent_ms": start + n * gap, "arrived_ms": at} for n, at in enumerate(arrived)]
    return {"accept_encoding": accept, "status": 200, "headers": {"content-encoding": "gzip"}, "events": events}


HELD = _fetch([3540.0 + n * 2.5 for n in range(8)])
STREAMED = _fetch([n * 500.0 + 20 for n in range(8)], accept="identity")


def test_the_reading_that_tells_most_is_shown_first():
    readings = charts.arrivals({"fetches": [STREAMED, HELD]})
    assert charts.telling(readings) is readings[1]
    assert charts.telling([]) is None


def test_a_reading_is_said_in_words_with_its_numbers():
    (held,) = charts.arrivals({"fetches": [HELD]})
    assert held.said == (
        "8 test events were sent 500 ms apart; the first arrived 3.54 s and the last 3.56 s after the request, "
        "within 18 ms of each other."
    )


def test_only_differences_of_sending_times_count():
    (near,) = charts.arrivals({"fetches": [STREAMED]})
    far = _fetch([n * 500.0 + 20 for n in range(8)], start=1e8, accept="identity")
    assert charts.arrivals({"fetches": [far]}) == [near]


def test_every_mark_stays_on_the_picture():
    (reading,) = charts.arrivals({"fetches": [_fetch([-30.0, 90_000.0])]})
    places = [float(x[:-1]) for point in reading.points for x in (point.sent_x, point.arrived_x)]
    assert all(1 <= place <= 99 for place in places)
    assert len(reading.ticks) <= charts.MOST_TICKS + 1


@pytest.mark.parametrize(
    ("arrived", "labels"),
    [
        ([0.0, 3000.0], ["0 s", "0.5 s", "1 s", "1.5 s", "2 s", "2.5 s", "3 s"]),
        ([0.0, 510.0], ["0 s", "100 ms", "200 ms", "300 ms", "400 ms", "500 ms"]),
    ],
)
def test_the_axis_is_marked_in_round_steps(arrived, labels):
    (reading,) = charts.arrivals({"fetches": [_fetch(arrived)]})
    assert [tick.label for tick in reading.ticks] == labels


@pytest.mark.parametrize(
    "facts",
    [
        {},
        {"fetches": None},
        {"fetches": "text"},
        {"fetches": [None, {}, {"events": []}, {"events": [{"sent_ms": "x", "arrived_ms": 1}]}, {"events": [7]}]},
    ],
)
def test_facts_of_another_shape_draw_nothing(facts):
    assert charts.arrivals(facts) == []
    assert not charts.draws_arrivals(facts)


def test_one_event_is_said_too():
    (reading,) = charts.arrivals({"fetches": [_fetch([40.0])]})
    assert reading.said == "One test event arrived 40 ms after the request."


def test_the_picture_says_what_it_shows_and_has_no_inline_style():
    findings = [{"clause": "stream-not-held", "judgement": "fail"}]
    html = Template("{% load charts %}{% arrival_chart facts findings %}").render(
        Context({"facts": {"fetches": [STREAMED, HELD]}, "findings": findings})
    )
    assert 'role="img"' in html
    assert charts.arrivals({"fetches": [HELD]})[0].said in html
    assert 'class="arrivals fail"' in html
    assert "style=" not in html
    assert html.count("<circle") == 32


# --- any facts, and panels --------------------------------------------------------------------------------------------
def test_facts_are_a_list_with_units():
    facts = {
        "cap": {"amount": 1500, "currency": "CAD"},
        "elapsed_ms": 12.0,
        "found": True,
        "tries": [1, 2],
        "reason": "",
        "records": [{"skipped": 1}],
        "s": 3,
    }
    assert [(row.name, row.value) for row in charts.fact_rows(facts)] == [
        ("Cap amount", "1,500"),
        ("Cap currency", "CAD"),
        ("Elapsed", "12 ms"),
        ("Found", "yes"),
        ("Tries", "1, 2"),
        ("Reason", "none"),
        ("S", "3"),
    ]
    assert charts.fact_rows(None) == []


def test_what_is_wrong_comes_first_and_each_sentence_once():
    findings = [
        {"judgement": "pass", "sentence": "A"},
        {"judgement": "inconclusive", "sentence": "B"},
        {"judgement": "fail", "sentence": "C"},
        {"judgement": "inconclusive", "sentence": "B"},
    ]
    assert [one["sentence"] for one in panels.findings_in_order(findings)] == ["C", "B", "A"]
    assert panels.any_fail(findings)
    assert not panels.any_fail(findings[:2])


@pytest.mark.parametrize(
    ("states", "words"),
    [
        (["running"], "1 probe running"),
        (["running", "running", "queued"], "2 probes running, 1 waiting"),
        (["queued", "queued"], "2 probes waiting"),
    ],
)
def test_open_runs_are_counted_in_words(states, words):
    assert panels.running_words([SimpleNamespace(state=state) for state in states]) == words


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (Decimal("1500.00"), "1,500 CAD"),
        (Decimal("12.50"), "12.50 CAD"),
        ("700.0", "700 CAD"),
        ("1E+3", "1,000 CAD"),
        ("1500.005", "1,500.005 CAD"),
        ("1E+999999", "1E+999999 CAD"),
        ("a text", "a text CAD"),
        ("", "CAD"),
    ],
)
def test_money_has_its_currency_and_decimals_where_it_is_not_whole(amount, words):
    assert money(amount, "CAD") == words
    rows = charts.fact_rows({"cap": str(amount), "currency": "CAD"})
    assert rows == [charts.Row(name="Cap", value=words)]
    with override("fr-ca"):
        assert money(Decimal("1700.5"), "CAD") == "1\xa0700,50\xa0CAD"
