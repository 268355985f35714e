"""Flow control: how many mails may be in flight on one connection.

It works as TCP Vegas does (Brakmo and Peterson, 1995), with mails in place of packets. The
shortest reply time so far is taken as the round trip. Any longer time means that mails waited at
the relay. The window grows while fewer than `_FEW` mails wait, and shrinks above `_MANY`.

So a distant relay gets many mails at once and a near one few. That also bounds how many mails a
broken connection leaves uncertain.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

_FIRST = 10  # mails, before the first measurement; TCP's initial window (RFC 6928)
_LEAST = 2
MOST = 250  #: mails, the upper limit for any relay
_MOST_OCTETS = 4 << 20
_FEW, _MANY = 8, 16  # mails waiting at the relay


class Window:
    """The window of one connection. It times one mail at once, from its last octet to its reply."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.mails = _FIRST
        self._clock = clock
        self._doubling = True  # slow start, until mails wait at the relay
        self._quickest = math.inf  # shortest reply time, in seconds
        self._until = 0  # replies until that of the timed mail; 0: no mail is timed
        self._sent_at = 0.0
        self._full = False

    def admits(self, mails: int, octets: int) -> bool:
        """Whether another mail may be sent with `mails` and `octets` already in flight."""
        if mails < self.mails and octets < _MOST_OCTETS:
            return True
        self._full = True
        return False

    def sent(self, mails: int) -> None:
        """Called after a mail was sent. `mails`: how many are in flight, including it."""
        if not self._until:
            self._until = mails
            self._sent_at = self._clock()
            self._full = False

    def answered(self, code: int) -> None:
        """Called at the reply to a mail's content, with its reply code."""
        if 400 <= code < 500:  # temporary failure: halve the window
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
