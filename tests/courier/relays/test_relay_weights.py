"""How fast a relay is fed, and how mails are shared out: counted, with a clock of our own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest

from morefollows.courier.relays.rate_limit import TokenBucket
from morefollows.courier.relays.relay_weights import RelayWeights


class Clock:
    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


@pytest.mark.parametrize("rate", [0.5, 14, 250, 8000])
def test_a_rate_is_kept_and_mails_come_evenly(rate: float) -> None:
    clock = Clock()
    bucket = TokenBucket(rate, clock)
    passed: list[float] = []
    while clock.time < 1004:
        while not bucket.wait():
            bucket.spend()
            passed.append(clock.time)
        clock.time += max(bucket.wait(), 0.001)
    assert rate * 4 * 0.98 <= len(passed) <= rate * 4 + rate * 0.05 + 2
    for start in range(
        1000, 1004
    ):  # in no second more than the rate, and the twentieth of a second that may bunch
        assert sum(start <= time < start + 1 for time in passed) <= rate * 1.05 + 2


def test_what_was_not_used_is_not_saved_up() -> None:
    clock = Clock()
    bucket = TokenBucket(10, clock)
    clock.time += 3600
    assert not bucket.wait()
    bucket.spend()
    assert bucket.wait() > 0


class Taker:
    def __init__(self, weight: int, weights: RelayWeights) -> None:
        self.weight = weight
        self.load = 0.0
        self.well = True
        self.at_rate_limit = self.came_back_empty = False
        self.in_flight, self.heard_at = 0, 0.0
        self.woken = 0
        weights.join(self)

    @property
    def takes_mail(self) -> bool:
        return self.well

    def wake(self) -> None:
        self.woken += 1


def drawn(weights: RelayWeights, takers: Sequence[Taker], batch_runs: int) -> Counter[Taker]:
    """Everyone asks as often as it can, the first most of all."""
    taken: Counter[Taker] = Counter()
    for _ in range(batch_runs):
        for eagerness, taker in enumerate(reversed(takers), 1):
            for _ in range(eagerness * 3):
                if weights.may_take(taker):
                    weights.took(taker)
                    taken[taker] += 1
    return taken


def test_shares_are_kept_however_eager_somebody_is() -> None:
    weights = RelayWeights(lambda wake: wake())
    small, large = Taker(1, weights), Taker(3, weights)
    taken = drawn(weights, [small, large], 1000)
    assert taken[large] / taken[small] == pytest.approx(3, rel=0.02)
    assert small.woken + large.woken > 0  # who had to wait is woken when it may go on


def test_one_in_trouble_holds_nobody_back_and_does_not_catch_up_all_it_missed() -> None:
    weights = RelayWeights(lambda wake: wake())
    one, other = Taker(1, weights), Taker(1, weights)
    other.well = False
    assert drawn(weights, [one, other], 0) == {}
    for _ in range(5000):
        assert weights.may_take(one)
        weights.took(one)
    other.well = True
    taken = drawn(weights, [one, other], 200)
    assert taken[other] - taken[one] < 50
