"""So many mails a second, evenly: a token bucket that holds hardly more than one token."""

from __future__ import annotations

import time
from collections.abc import Callable

_BURST = 0.05  # seconds' worth of mails that may leave at once: timers are no finer, and connections are many


class Bucket:
    """Lets `rate` mails a second pass (GCRA, the virtual scheduling form of ITU-T I.371's leaky bucket)."""

    def __init__(self, rate: float, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._next = 0.0  # when the next mail is due, if they come evenly
        self.set_rate(rate)

    def set_rate(self, rate: float) -> None:
        self.rate = rate
        self._interval = 1 / rate
        self._next = min(self._next, self._now() + self._interval)

    def wait(self) -> float:
        """Seconds until a mail may pass; 0 if one may now."""
        early = self._next - _BURST - self._now()
        return early if early > 1e-9 else 0.0

    def spend(self) -> None:
        """A mail passes."""
        self._next = max(self._next, self._now()) + self._interval
