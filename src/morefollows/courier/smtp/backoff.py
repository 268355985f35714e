"""When a relay in trouble is tried again.

Causes are counted, not connections: connections that were begun before the last counted failure ended by the same
cause. Then what failed (no connection, a connection lost) is tried soon, and never later than `longest_probe`, because
one attempt costs little and readers wait. A relay that answered "not now" (4xx) is asked less often the longer that
lasts, and one that said no (5xx) only after `longest_retry`.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from enum import Enum

_GROWTH = 3  # each failed attempt makes the next wait so many times as long
_OF_SILENCE = (
    4  # where it keeps mails without an answer: a wait is this part of the time that it has done so
)
_OF_TROUBLE = (
    10  # where the relay says "not now": a wait is this part of the time that it has said so
)


class Failure(Enum):
    """Why the relay could not be used."""

    BROKEN = "broken"  #: no connection, no answer, or the connection was lost
    SILENT = "silent"  #: it has taken mails, and does not answer
    BUSY = "busy"  #: it answered 4xx where it should have let us in
    REFUSED = "refused"  #: it answered 5xx there, or lacks what the settings require


class Backoff:
    """Of one relay in one process. Times are seconds of `now`."""

    def __init__(
        self,
        first: float,
        longest_probe: float,
        longest_retry: float,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first, self._longest_probe, self._longest_retry = first, longest_probe, longest_retry
        self._now = now
        self.failures = 0  #: causes in a row, without a mail that was answered between them
        self.resume_at = 0.0  #: not before that time a connection is opened while none is ready
        self.more_at = 0.0  #: not before that time one is opened beside others
        self._extra_refusals = 0  # connections in a row that were refused while others were in use
        self._failed_at = float("-inf")
        self._since = 0.0  # when the present trouble began

    def failed(self, begun: float, failure: Failure, *, others: bool) -> bool:
        """A connection that was begun then has failed, or was lost. `others`: there are some that are in use.

        Returns False if that was the same cause as before, which changes nothing.
        """
        now = self._now()
        if others and failure is not Failure.BROKEN:
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
        if failure is Failure.REFUSED:
            delay = self._longest_retry
        elif failure in (Failure.BUSY, Failure.SILENT):
            part = _OF_TROUBLE if failure is Failure.BUSY else _OF_SILENCE
            delay = min(
                delay, max(self._longest_probe, (now - self._since) / part), self._longest_retry
            )
        else:
            delay = min(delay, self._longest_probe, self._longest_retry)
        self.resume_at = now + _jitter(delay)
        return True

    def well(self) -> None:
        """A mail was answered, the first one on its connection: whatever the trouble was, it is over."""
        self.failures = self._extra_refusals = 0

    def _growing(self, failures: int) -> float:
        return self._first * float(_GROWTH ** min(failures - 1, 12))


def _jitter(seconds: float) -> float:
    return seconds * random.uniform(0.5, 1)  # noqa: S311 - so that many senders do not come back in step
