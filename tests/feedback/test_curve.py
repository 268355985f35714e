"""The curve: times in, seconds and points out."""

from __future__ import annotations

from array import array

from hypothesis import given
from hypothesis import strategies as st

from morefollows.courier.ledger.claims import NEVER
from morefollows.feedback.curve import Histogram


def histogram(*times: int) -> Histogram:
    made = Histogram()
    made.add(array("I", times).tobytes())
    return made


def test_it_tells_the_seconds_to_each_share() -> None:
    seconds = histogram(*range(10, 1010, 10)).seconds(100)  # 100 mails, one each 10 ms
    assert seconds == {"first": 0.01, "p50": 0.5, "p90": 0.9, "p99": 0.99, "last": 1.0}


def test_a_share_that_is_not_reached_has_no_time() -> None:
    seconds = histogram(5, 20, NEVER, NEVER).seconds(4)
    assert seconds == {"first": 0.005, "p50": 0.02, "p90": None, "p99": None, "last": None}


def test_the_rate_counts_from_the_first_to_the_last() -> None:
    assert histogram(*range(1000, 2001, 10)).rate() == 101.0
    assert histogram(5).rate() == 0.0


def test_nobody_and_nothing() -> None:
    empty = Histogram()
    assert empty.seconds(0) == {"first": None, "p50": None, "p90": None, "p99": None, "last": None}
    assert empty.points() == [] and empty.accepted() == 0


times = st.lists(st.one_of(st.integers(0, 7_200_000), st.just(NEVER)), max_size=300)


@given(times, times)
def test_taking_off_what_was_added_leaves_what_was_there(one: list[int], other: list[int]) -> None:
    made = histogram(*one)
    made.add(array("I", other).tobytes())
    made.add(array("I", other).tobytes(), sign=-1)
    assert made.points() == histogram(*one).points()


@given(times)
def test_points_rise_to_the_number_accepted(some: list[int]) -> None:
    points = histogram(*some).points(50)
    accepted = sum(time != NEVER for time in some)
    assert len(points) <= 52
    assert points == sorted(points) and [n for _, n in points] == sorted(n for _, n in points)
    assert (points[-1][1] if points else 0) == accepted


@given(st.lists(st.integers(0, 7_200_000), min_size=1, max_size=300))
def test_a_bin_is_never_later_and_at_most_a_thousandth_earlier(some: list[int]) -> None:
    last = histogram(*some).seconds(len(some))["last"]
    assert last is not None
    latest = max(some)
    assert latest - max(latest / 1000, 1000 * (latest >= 1_000_000)) <= round(last * 1000) <= latest
