"""How many mails may be in flight on one connection: as many as keep the relay busy, and few more.

As TCP Vegas does (Brakmo and Peterson, 1995), with mails for packets: the quickest reply so far tells how long the
way is, and what later ones take longer is the time in which mails waited at the relay. Less than `_FEW` waiting: the
window opens; more than `_MANY`: it closes. So a relay far away gets many, one beside us few, and what a broken
connection leaves uncertain is bounded by what was of use.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_FIRST = 10  # mails, before anything is known: as TCP's initial window (RFC 6928)
_LEAST = 2
MOST = 250  #: mails, wherever the relay is
_MOST_OCTETS = 4 << 20
_FEW, _MANY = 8, 16  # mails that wait at the relay


class Window:
    """Of one connection. One mail at a time is timed, from its last octet's way out to its reply."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.mails = _FIRST
        self._clock = clock
        self._doubling = True  # slow start: nothing has waited yet
        self._quickest = math.inf  # seconds
        self._until = 0  # replies until that of the mail that is timed; 0: none is
        self._sent_at = 0.0
        self._full = False

    def admits(self, mails: int, octets: int) -> bool:
        """May another mail leave, with so many in flight?"""
        if mails < self.mails and octets < _MOST_OCTETS:
            return True
        self._full = True
        return False

    def sent(self, mails: int) -> None:
        """A mail has left; with it there are so many in flight."""
        if not self._until:
            self._until = mails
            self._sent_at = self._clock()
            self._full = False

    def answered(self, code: int) -> None:
        """The relay has replied to the content of a mail."""
        if 400 <= code < 500:  # it asks for less
            self.mails = max(_LEAST, self.mails // 2)
            self._doubling = False
        if self._until:
            self._until -= 1
            if not self._until:
                self._adjust(self._clock() - self._sent_at)

    def _adjust(self, took: float) -> None:
        self._quickest = min(self._quickest, took)
        waiting = self.mails * (1 - self._quickest / took) if took > 0 else 0.0
        if waiting > _MANY:
            self._doubling = False
            self.mails = max(_LEAST, self.mails - max(1, int(waiting - _MANY) // 2))
        elif waiting < _FEW and self._full:
            self.mails = min(
                MOST, 2 * self.mails if self._doubling else self.mails + max(1, self.mails // 16)
            )
