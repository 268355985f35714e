"""Waiting for something to become true, with a limit."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


#: Seconds after which a test says that something does not come: far beyond what it takes on the
#: busiest machine. What comes is waited for no longer than it takes, so that a generous limit costs
#: nothing.
PATIENCE = 120.0


def until(what: str, look: Callable[[], T], seconds: float = PATIENCE) -> T:
    """The first true value of `look`. On time-out it fails with `what` and the last value.

    `seconds` below `PATIENCE` count as that: how quick something is no test may depend on.
    """
    seconds = max(seconds, PATIENCE)
    begun = time.monotonic()
    deadline = begun + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < deadline, f"waited {seconds:g} seconds for {what}; saw {seen!r}"
        # The longer it takes, the less often: looks cost what else runs here the processor.
        time.sleep(min(0.3, 0.03 + (time.monotonic() - begun) / 20))
