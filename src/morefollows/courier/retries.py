"""When a deferred mail is tried again."""

from __future__ import annotations

import random

_MINUTES = (1, 2, 5, 10, 20, 30)
LONGEST_MS = int(_MINUTES[-1] * 60_000 * 1.1)  #: nothing waits for longer


def wait_ms(attempts: int) -> int:
    """Milliseconds to wait after so many passes (from 1): 1, 2, 5, 10, 20, 30, 30 … minutes, and up to a tenth more.

    The tenth keeps batches that were deferred together from coming back together.
    """
    minutes = _MINUTES[min(attempts, len(_MINUTES)) - 1]
    return int(minutes * 60_000 * random.uniform(1.0, 1.1))  # noqa: S311
