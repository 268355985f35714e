"""When a mail is tried again, reader by reader, and how often one is repeated that got no answer.

What is known of a reader who has not been sent the mail yet is kept where the time of acceptance will be, in
`models.Batch.times`: 4 bytes, of which the highest bit is set. So it outlives the sender process, and each reader of a
batch has a time of their own.
"""

from __future__ import annotations

import random
from array import array
from typing import NamedTuple

from morefollows.courier.ledger.claims import NEVER, NOT_ACCEPTED

_MINUTES = (1, 2, 5, 10, 20, 30)
_LATER = 1.1  #: a wait is up to so many times as long, so that batches that were deferred together come back apart
LONGEST_MS = int(_MINUTES[-1] * 60_000 * _LATER)  #: nothing waits for longer
#: Copies that a reader may be sent of one alert as far as we know: the first, and two repeats.
MOST_COPIES = 3

_STEP_MS = 250
_LATEST = (1 << 23) - 1  # steps: 24 days
_MOST_TRIES = 62


def factor() -> float:
    """By how much all waits of one pass over a batch are longer."""
    return random.uniform(1.0, _LATER)  # noqa: S311 - no secret


def wait_ms(tries: int, longer: float | None = None) -> int:
    """Milliseconds to wait after so many tries (from 1): 1, 2, 5, 10, 20, 30, 30 … minutes, and up to a tenth more."""
    minutes = _MINUTES[min(tries, len(_MINUTES)) - 1]
    return int(minutes * 60_000 * (factor() if longer is None else longer))


class Known(NamedTuple):
    """Of a reader whose mail has not been accepted."""

    copies: int = 0  #: handed over, and not answered
    tries: int = 0  #: answered "not now" (4xx)
    due_at: int = 0  #: when it is tried again, ms since 1970; 0: at once


class Retries:
    """What is known of one batch's readers. `zero`: the alert's `held_until`, in ms since 1970.

    `times` is the batch's own; an item below `NOT_ACCEPTED` is the time of an acceptance.
    """

    def __init__(self, times: array[int], zero: int) -> None:
        self._times = times
        self._zero = zero
        self.longer = factor()

    def of(self, i: int) -> Known:
        packed = self._times[i]
        if packed == NEVER or packed < NOT_ACCEPTED:
            return Known()
        due = packed & _LATEST
        return Known(
            (packed >> 29) & 3, (packed >> 23) & 63, due * _STEP_MS + self._zero if due else 0
        )

    def deferred(self, i: int, now: int) -> int:
        """It was answered "not now". Returns when it is due again."""
        known = self.of(i)
        return self._put(i, known.copies, known.tries + 1, now)

    def unanswered(self, i: int, now: int, *, again: bool) -> int:
        """Its content was handed over, and no reply came. Returns how many copies the reader may have by now.

        `again`: it is tried again within this pass.
        """
        known = self.of(i)
        copies = min(known.copies + 1, MOST_COPIES)
        self._put(i, copies, known.tries, now, copies)
        if again:
            self.at_once(i)
        return copies

    def doubted(self, i: int) -> None:
        """A sender died that may have handed it over."""
        known = self.of(i)
        if not known.copies:
            self._put(i, 1, known.tries, self._zero)
            self.at_once(i)

    def postpone(self, i: int, due_at: int) -> None:
        """It was not tried, and is not to be before then."""
        known = self.of(i)
        self._pack(i, known.copies, known.tries, due_at)

    def at_once(self, i: int) -> None:
        """Its time has come, or is not waited for."""
        known = self.of(i)
        if known.due_at:
            self._pack(i, known.copies, known.tries, 0)

    def _put(self, i: int, copies: int, tries: int, now: int, waits: int = 0) -> int:
        due_at = now + wait_ms(waits or tries, self.longer)
        self._pack(i, copies, tries, due_at)
        return due_at

    def _pack(self, i: int, copies: int, tries: int, due_at: int) -> None:
        steps = min(max(-(-(due_at - self._zero) // _STEP_MS), 1), _LATEST) if due_at else 0
        self._times[i] = NOT_ACCEPTED | copies << 29 | min(tries, _MOST_TRIES) << 23 | steps
