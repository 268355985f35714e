"""Limits the rate of mails per second, evenly: a token bucket with hardly more than one token."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds' worth of mails that may leave at once, as timers are coarse and connections many.
_BURST = 0.05


class TokenBucket:
    """Allows `rate` mails a second.

    GCRA, the virtual scheduling form of the leaky bucket in ITU-T I.371.
    """

    def __init__(self, rate: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next = 0.0  # due time of the next mail at an even rate
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        self._interval = 1 / rate
        # Under a lower rate the next mail may be due much later. A higher rate must take effect
        # now.
        self._next = min(self._next, self._now() + self._interval)

    def wait(self) -> float:
        """Returns the seconds until a mail may leave; 0 if one may now."""
        # Less than a nanosecond is a rounding error. A timer for it would fire at once, again and
        # again.
        early = self._next - _BURST - self._now()
        return early if early > 1e-9 else 0.0

    def spend(self) -> None:
        """Called when a mail leaves."""
        self._next = max(self._next, self._now()) + self._interval
