"""The curve of an alert: mails accepted over time, and the seconds to the first, 50 %, … and last.

Zero is the end of the hold. Times are counted in bins, so that memory does not grow with the number
of readers. A bin is 1 ms wide in the first 10 s, 10 ms up to 100 s, 100 ms up to 1,000 s, then 1 s.
"""

from __future__ import annotations

from array import array
from collections import Counter
from typing import Literal, TypedDict

from morefollows.courier.ledger.claims import NOT_ACCEPTED


class Seconds(TypedDict):
    """Seconds from the end of the hold until that share was accepted; None if it was not yet."""

    first: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    last: float | None


class Histogram:
    """Counts of accepted mails by time in ms, in bins with three or four significant digits."""

    def __init__(self) -> None:
        self._bins: Counter[int] = Counter()

    def add(self, times: bytes, sign: int = 1) -> None:
        """Adds one batch's `Batch.times`; with ``sign=-1`` subtracts them."""
        packed = array("I")
        packed.frombytes(times)
        for time, count in Counter(packed).items():
            if time < NOT_ACCEPTED:
                self._bins[_bin(time)] += sign * count

    def accepted(self) -> int:
        return sum(self._bins.values())

    def between(self, start: float, end: float) -> int:
        """Mails accepted from `start` up to `end`, in milliseconds."""
        return sum(count for time, count in self._bins.items() if start <= time < end)

    def seconds(self, audience: int) -> Seconds:
        """`audience`: number of readers who should get it, without skipped and refused ones."""
        marks: dict[Literal["first", "p50", "p90", "p99", "last"], int] = {
            "first": 1,
            "p50": _share(audience, 50),
            "p90": _share(audience, 90),
            "p99": _share(audience, 99),
            "last": audience,
        }
        reached = Seconds(first=None, p50=None, p90=None, p99=None, last=None)
        total = 0
        for time, count in self._sorted():
            total += count
            for name, mark in marks.items():
                if reached[name] is None and total >= mark > 0:
                    reached[name] = time / 1000
        return reached

    def rate(self) -> float:
        """Mails accepted per second, from the first to the last."""
        times = self._sorted()
        if len(times) < 2:
            return 0.0
        return round(self.accepted() * 1000 / (times[-1][0] - times[0][0]), 1)

    def points(self, most: int = 120) -> list[tuple[float, int]]:
        """The curve as (seconds, accepted until then), with about `most` evenly spaced points."""
        points: list[tuple[float, int]] = []
        total, last = 0, self._last()
        step = max(last / most, 1)
        for time, count in self._sorted():
            total += count
            if not points or time >= points[-1][0] * 1000 + step or time == last:
                points.append((time / 1000, total))
        return points[-most - 2 :] if len(points) > most + 2 else points

    def _last(self) -> int:
        return max((time for time, count in self._bins.items() if count), default=0)

    def _sorted(self) -> list[tuple[int, int]]:
        return sorted((time, count) for time, count in self._bins.items() if count)


def _bin(time: int) -> int:
    for limit, width in ((10_000, 1), (100_000, 10), (1_000_000, 100)):
        if time < limit:
            return time - time % width
    return time - time % 1000


def _share(audience: int, percent: int) -> int:
    return -(-audience * percent // 100)
