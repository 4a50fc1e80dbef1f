"""How often one may guess, to the millisecond, and under which address."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from readiness.rules.throttling import WINDOW, Bound, Failures, counted_address, quarter_of, refused_until

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MS = timedelta(milliseconds=1)


def bound(limit: int, *failures: tuple[float, int]) -> Bound:
    """A bound with so many failures so many seconds ago."""
    return Bound(limit, [Failures(NOW - timedelta(seconds=ago), count) for ago, count in failures])


def test_a_bound_is_full_at_its_limit_and_not_one_before() -> None:
    assert bound(5, (60, 4)).free_from(NOW) is None
    assert bound(5, (60, 5)).free_from(NOW) == NOW - timedelta(seconds=60) + WINDOW


def test_a_failure_counts_until_its_window_is_over_and_not_at_that_instant() -> None:
    full = Bound(1, [Failures(NOW, 1)])
    assert full.free_from(NOW + WINDOW - MS) == NOW + WINDOW
    assert full.free_from(NOW + WINDOW) is None


def test_what_must_go_is_the_oldest_that_still_fills_the_bound() -> None:
    assert bound(5, (600, 3), (300, 2), (60, 2)).free_from(NOW) == NOW - timedelta(seconds=600) + WINDOW
    assert bound(5, (600, 3), (300, 2), (60, 4)).free_from(NOW) == NOW - timedelta(seconds=300) + WINDOW


def test_the_longest_wait_of_all_full_bounds_holds() -> None:
    until = refused_until([bound(5, (600, 5)), bound(50, (60, 50)), bound(50, (1, 49))], now=NOW)
    assert until == NOW - timedelta(seconds=60) + WINDOW


def test_the_guess_that_is_counted_already_does_not_stand_in_its_own_way() -> None:
    assert refused_until([bound(5, (0, 5))], now=NOW, own=1) is None
    assert refused_until([bound(5, (0, 6))], now=NOW, own=1) == NOW + WINDOW


@given(
    st.integers(1, 8),
    st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 6)), max_size=12),
)
def test_it_is_free_then_and_not_a_millisecond_sooner(limit: int, failures: list[tuple[int, int]]) -> None:
    found = bound(limit, *failures)
    end = found.free_from(NOW)

    def counted(at: datetime) -> int:
        return sum(one.count for one in found.failures if at - one.at < WINDOW)

    assert (end is None) == (counted(NOW) < limit)
    if end is not None:
        assert counted(end) < limit <= counted(end - MS)


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2::9", "2001:db8:1:2::"),
        ("2001:db8:1:3::9", "2001:db8:1:3::"),
        ("::1", "::"),
        ("fe80::1%eth0", "fe80::"),
        ("", "0.0.0.0"),
        ("testserver", "0.0.0.0"),
        ("203.0.113.7, 10.0.0.1", "0.0.0.0"),
    ],
)
def test_guesses_are_counted_under_what_one_subscriber_holds(text: str, counted: str) -> None:
    assert counted_address(text) == counted


def test_a_quarter_ends_where_the_next_begins() -> None:
    number, end = quarter_of(NOW)
    assert end == NOW + timedelta(minutes=15)
    assert quarter_of(end - MS) == (number, end)
    assert quarter_of(end)[0] == number + 1
