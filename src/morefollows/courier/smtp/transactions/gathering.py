"""Lets replies gather for up to a millisecond under load, so that many are read at once.

A wake-up of the process for each single reply costs a fifth of the CPU time. With many busy
connections it sleeps until more replies have arrived. The relay works on its mails meanwhile, and
if sending took that long already, there is no sleep.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

# Seconds of CPU to send one mail. Replies are read at most once in this time per busy connection.
_SENDING_TAKES = 40e-6
_LONGEST_WAIT = 0.001  # seconds between two reads of replies
_MANY = 8  # busy connections; with fewer, waiting would delay the relay


class ReplyGathering:
    """Delays the reads of one relay's connections. `busy`: the number of those with mails."""

    def __init__(self, busy: Callable[[], int]) -> None:
        self._busy = busy
        self._scheduled = False
        self._read_at = 0.0  # monotonic seconds

    def heard(self) -> None:
        """Called at each read with a reply. Sleeps before the next one, at most `_LONGEST_WAIT`."""
        if not self._scheduled and self._busy() >= _MANY:
            self._scheduled = True
            asyncio.get_running_loop().call_soon(self._gather)

    def _gather(self) -> None:
        self._scheduled = False
        busy = self._busy()
        now = time.monotonic()
        wait = self._read_at + min(busy * _SENDING_TAKES, _LONGEST_WAIT) - now
        if busy >= _MANY and wait > 0:
            time.sleep(wait)
            now = time.monotonic()
        self._read_at = now
