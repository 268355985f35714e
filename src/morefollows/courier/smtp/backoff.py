"""Backoff: when to try a failing relay again.

Invariant: one cause counts once. Connections opened before the last counted failure share its
cause, so their ends change nothing.

- No connection, or a lost one: retried within `longest_probe`, because an attempt costs little.
- 4xx before any mail, or no reply to a mail: the wait grows with the length of the trouble.
- 5xx before any mail: retried after `longest_retry`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import Enum

_GROWTH = 3  # factor from one wait to the next
# No reply to a mail: the wait is at most this fraction (1/n) of the time since the first failure.
_OF_SILENCE = 4
# 4xx before any mail: the same fraction for that case.
_OF_TROUBLE = 10


class FailureCause(Enum):
    """Why the relay could not be used."""

    BROKEN = "broken"  #: no connection, no answer, or the connection was lost
    SILENT = "silent"  #: the relay has taken mails and sends no reply
    BUSY = "busy"  #: 4xx during connection setup
    REFUSED = "refused"  #: 5xx during connection setup, or a required feature is missing


class Backoff:
    """Backoff state of one relay in one process. Times are seconds on the clock `now`."""

    def __init__(
        self,
        first: float,
        longest_probe: float,
        longest_retry: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first, self._longest_probe, self._longest_retry = first, longest_probe, longest_retry
        self._now = now
        self.failures = 0  #: distinct failures in a row, without a reply to a mail in between
        self.resume_at = 0.0  #: earliest time to open a connection while none is ready
        self.more_at = 0.0  #: earliest time to open a connection beside others
        self._extra_refusals = 0  # refused in a row while other connections were in use
        self._failed_at = float("-inf")
        self._since = 0.0  # time of the first failure in the row

    def failed(self, begun: float, failure: FailureCause, *, others: bool) -> bool:
        """Records that the connection opened at `begun` failed or was lost.

        `others`: other connections are in use. Returns False if the cause was already counted;
        then nothing changes.
        """
        now = self._now()
        if others and failure is not FailureCause.BROKEN:
            self._extra_refusals += 1
            self.more_at = now + _jitter(
                min(self._longest_retry, self._growing(self._extra_refusals))
            )
            return True
        if begun <= self._failed_at:
            return False
        self.failures += 1
        self._failed_at = now
        if self.failures == 1:
            self._since = now
        delay = self._growing(self.failures)
        if failure is FailureCause.REFUSED:
            delay = self._longest_retry
        elif failure in (FailureCause.BUSY, FailureCause.SILENT):
            part = _OF_TROUBLE if failure is FailureCause.BUSY else _OF_SILENCE
            delay = min(
                delay, max(self._longest_probe, (now - self._since) / part), self._longest_retry
            )
        else:
            delay = min(delay, self._longest_probe, self._longest_retry)
        self.resume_at = now + _jitter(delay)
        return True

    def well(self) -> None:
        """Resets the counters. Called at the first reply to a mail on a connection."""
        self.failures = self._extra_refusals = 0

    def _growing(self, failures: int) -> float:
        return self._first * float(_GROWTH ** min(failures - 1, 12))


def _jitter(seconds: float) -> float:
    # Random, so that many senders do not retry at the same moment.
    return seconds * random.uniform(0.5, 1)  # noqa: S311 - not for cryptography
