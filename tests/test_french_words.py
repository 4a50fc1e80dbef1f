"""Dates, durations, numbers and lists in French as they are written in Canada; English stays as it was."""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from readiness.enums.standing import Status, Verdict
from readiness.rules import spoken
from readiness.rules.verdicts import Tally
from readiness.selectors.trend import Point
from readiness.templatetags import date_words, trends
from readiness.templatetags import readiness_words as words

pytestmark = pytest.mark.only_on("sqlite")
NOW = datetime(2026, 11, 21, 18, 16, 52, tzinfo=UTC)  # A Saturday.
TODAY = NOW.date()


def plain(text: str) -> str:
    """The text with ``~`` where a line may not break."""
    return text.replace(spoken.NO_BREAK, "~")


@pytest.fixture(autouse=True)
def _in_french() -> Iterator[None]:
    with translation.override("fr-ca"):
        yield


@pytest.mark.parametrize(
    ("ago", "said"),
    [
        (timedelta(seconds=10), "à l’instant"),
        (timedelta(minutes=5), "il y a 5~min"),
        (timedelta(hours=2), "il y a 2~h"),
        (timedelta(minutes=-5), "dans 5~min"),
        (timedelta(hours=-2), "dans 2~h"),
        (timedelta(seconds=-10), "maintenant"),
        (timedelta(days=1), "hier"),
    ],
)
def test_how_long_ago_something_was(ago: timedelta, said: str) -> None:
    assert plain(date_words.ago_words(NOW - ago, NOW)) == said


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 20), "hier"),
        (date(2026, 11, 21), "aujourd’hui"),
        (date(2026, 11, 22), "demain"),
        (date(2026, 11, 24), "mar. 24 nov."),
        (date(2026, 8, 1), "1er août"),
        (date(2027, 6, 3), "3 juin 2027"),
    ],
)
def test_a_day_as_people_say_it(day: date, said: str) -> None:
    assert date_words.day_words(day, TODAY) == said


def test_instants_times_and_spans() -> None:
    assert plain(date_words.exact_words(NOW)) == "samedi 21 novembre 2026, 18~h~16~min~52~s UTC"
    assert plain(date_words.end_words(NOW + timedelta(minutes=14), NOW)) == "18~h~30"
    assert plain(date_words.end_words(NOW + timedelta(hours=20), NOW)) == "demain, 14~h~16"
    assert [plain(date_words.span_words(timedelta(seconds=one))) for one in (30, 900, 21_600, 86_400, 90 * 86_400)] == [
        "30~s",
        "15~min",
        "6~h",
        "1~jour",
        "90~jours",
    ]
    assert words.long_day(date(2026, 3, 3)) == "3 mars 2026"
    assert spoken.full_day(date(2026, 3, 1)) == "dimanche 1er mars 2026"
    assert plain(words.clock(datetime(2026, 3, 3, 9, 5, tzinfo=UTC))) == "9~h~05"


def test_numbers_shares_and_lists() -> None:
    assert plain(spoken.number(1500)) == "1~500"
    assert plain(spoken.percent_words(12.5, 1)) == "12,5~%"
    assert spoken.listed(["a", "b", "c"]) == "a, b et c"
    assert plain(spoken.labelled("Responsable", "Mia Roy")) == "Responsable~: Mia Roy"


def test_a_verdict_says_how_many_waivers_it_rests_on() -> None:
    verdict = Verdict.READY_WITH_WAIVERS
    tallies = [Tally(verdict=verdict, counts=Counter({Status.WAIVED: n})) for n in (1, 2)]
    assert [words.verdict_words(tally) for tally in tallies] == [
        "Prêt, 1 dérogation",
        "Prêt, 2 dérogations",
    ]


def test_the_trend_is_said() -> None:
    points = [Point(day=date(2026, 11, one), items=4, settled=one, verified=0) for one in (1, 2)]

    assert plain(trends._said(points)) == (
        "Part des éléments réglés, de 25 à 50~%~: 1er nov. 25~%, 0~% par sonde; 2 nov. 50~%, 0~% par sonde."
    )
