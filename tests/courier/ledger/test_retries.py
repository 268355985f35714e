"""Retries: 1, 2, 5, 10, 20, 30, 30 … minutes."""

from __future__ import annotations

import pytest

from morefollows.courier.ledger.retries import wait_ms


@pytest.mark.parametrize(
    ("attempts", "minutes"), [(1, 1), (2, 2), (3, 5), (4, 10), (5, 20), (6, 30), (7, 30), (500, 30)]
)
def test_it_waits_longer_each_time(attempts: int, minutes: int) -> None:
    waits = {wait_ms(attempts) for _ in range(50)}
    assert min(waits) >= minutes * 60_000 and max(waits) <= minutes * 66_000
    assert len(waits) > 10, "all at the same moment is a storm"
