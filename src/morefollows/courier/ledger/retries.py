"""When each reader's mail is tried again, and how often a mail without a reply is repeated.

The retry state of an open mail is stored in `models.Batch.times`, where the time of acceptance is
stored later. It takes 4 bytes, with the highest bit set. So it is kept after a crash, and each
reader of a batch has its own retry time.

Layout, from the highest bit: 1 (flag), copies (2 bits), tries (6 bits), due time (23 bits). The due
time counts steps of 250 ms from the end of the hold; 0 means at once.
"""

from __future__ import annotations

import random
from array import array
from typing import NamedTuple

from morefollows.courier.ledger.claims import NEVER, NOT_ACCEPTED

_MINUTES = (1, 2, 5, 10, 20, 30)
#: random factor of waits, so that mails deferred together are not all retried together
_LATER = 1.1
LONGEST_MS = int(_MINUTES[-1] * 60_000 * _LATER)  #: longest wait, ms
#: Most copies of one alert that a reader may be sent: the first, and two repeats.
MOST_COPIES = 3

_STEP_MS = 250
_LATEST = (1 << 23) - 1  # in steps: 24 days
# Not 63: with all bits set, the state would be `NEVER`.
_MOST_TRIES = 62


def factor() -> float:
    """A random factor for all waits of one pass over a batch."""
    return random.uniform(1.0, _LATER)  # noqa: S311 - no secret


def wait_ms(tries: int, longer: float | None = None) -> int:
    """Milliseconds to wait after so many tries (from 1), times the factor `longer`.

    The waits are 1, 2, 5, 10, 20, 30, 30 … minutes. Without `longer`, a random factor is used.
    """
    minutes = _MINUTES[min(tries, len(_MINUTES)) - 1]
    return int(minutes * 60_000 * (factor() if longer is None else longer))


class RetryState(NamedTuple):
    """The retry state of a mail that has not been accepted."""

    copies: int = 0  #: how often it was handed over without a reply
    tries: int = 0  #: temporary refusals (4xx, RFC 5321, section 4.2.1)
    due_at_ms: int = 0  #: retry time, ms since 1970; 0: at once


class Retries:
    """The retry states of one batch. `zero`: the alert's `held_until_ms`, in ms since 1970.

    `times`: the batch's own array, changed in place. An item below `NOT_ACCEPTED` is a time of
    acceptance.
    """

    def __init__(self, times: array[int], zero: int) -> None:
        self._times = times
        self._zero = zero
        self.longer = factor()

    def of(self, i: int) -> RetryState:
        """The retry state of the mail at `i`."""
        packed = self._times[i]
        if packed == NEVER or packed < NOT_ACCEPTED:
            return RetryState()
        due = packed & _LATEST
        return RetryState(
            (packed >> 29) & 3, (packed >> 23) & 63, due * _STEP_MS + self._zero if due else 0
        )

    def deferred(self, i: int, now: int) -> int:
        """Counts a temporary refusal. Returns when the mail is due again, in ms since 1970."""
        known = self.of(i)
        return self._put(i, known.copies, known.tries + 1, now)

    def unanswered(self, i: int, now: int, *, again: bool) -> int:
        """Counts a hand-over without a reply. Returns how many copies the reader may have.

        `again`: it is tried again within this pass.
        """
        known = self.of(i)
        copies = min(known.copies + 1, MOST_COPIES)
        self._put(i, copies, known.tries, now, copies)
        if again:
            self.at_once(i)
        return copies

    def doubted(self, i: int) -> None:
        """Counts one copy, if none is counted: a dead sender may have handed the mail over."""
        known = self.of(i)
        if not known.copies:
            self._put(i, 1, known.tries, self._zero)
            self.at_once(i)

    def postpone(self, i: int, due_at_ms: int) -> None:
        """Sets the retry time without counting a try."""
        known = self.of(i)
        self._pack(i, known.copies, known.tries, due_at_ms)

    def at_once(self, i: int) -> None:
        """Makes the mail due at once."""
        known = self.of(i)
        if known.due_at_ms:
            self._pack(i, known.copies, known.tries, 0)

    def _put(self, i: int, copies: int, tries: int, now: int, waits: int = 0) -> int:
        """Stores the state with the next retry time, in ms since 1970, and returns that time."""
        due_at_ms = now + wait_ms(waits or tries, self.longer)
        self._pack(i, copies, tries, due_at_ms)
        return due_at_ms

    def _pack(self, i: int, copies: int, tries: int, due_at_ms: int) -> None:
        # Rounded up, and at least one step: 0 means at once.
        steps = min(max(-(-(due_at_ms - self._zero) // _STEP_MS), 1), _LATEST) if due_at_ms else 0
        self._times[i] = NOT_ACCEPTED | copies << 29 | min(tries, _MOST_TRIES) << 23 | steps
