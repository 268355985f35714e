"""What one mailbox provider takes, learned from its replies: connections, and mails on each.

Both begin at the provider's limits (`provider_limits`). Each time that it takes no further
connection, the number of connections is halved, and a minute without that raises it by one (AIMD,
as in RFC 5681).
A provider that closes a connection with 421 after some mails gets no more of them on the next ones.
What is learned holds for all routes of a provider in one sender process.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from morefollows.courier.mx.provider_limits import ProviderLimit

_HEALS_AFTER = 60.0  # seconds
_PROVEN = 5_000  # mails


def mails_after_421(most: int, taken: int) -> int:
    """The most mails on one connection, after one was closed with 421. 0 is no limit.

    `most`: the most so far. `taken`: how many mails that connection has taken, not 0.
    """
    return min(most or taken, taken)


class LearnedLimits:
    """What was learned of one provider. `limit`: where it begins, for this process."""

    def __init__(self, limit: ProviderLimit, now: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.connections = limit.connections
        #: The most mails on one connection; 0: no limit.
        self.mails_each = limit.mails_each
        self._now = now
        self._changed_at = 0.0
        self._since_broken = 0  # mails accepted since a connection was lost

    @property
    def may_pipeline(self) -> bool:
        """Whether the contents of many mails may be in flight on one connection (BDAT).

        If a host closes the connection while we send, its last replies are lost: then a mail that
        it has accepted is uncertain. So only one content is in flight until it has accepted many
        mails and closed no connection meanwhile.
        """
        return self._since_broken >= _PROVEN

    def relimit(self, limit: ProviderLimit) -> None:
        """Takes a new limit for this process. What was learned is scaled to it."""
        learned = self.connections * limit.connections // max(1, self.limit.connections)
        self.limit, self.connections = limit, max(1, min(learned, limit.connections))

    def accepted(self, mails: int) -> None:
        """Called each second with the number of mails accepted."""
        self._since_broken += mails

    def broken(self) -> None:
        """Called when a connection was lost, or closed by the provider."""
        self._since_broken = 0

    def note_mails_each(self, most: int) -> None:
        """Called with the most mails on one connection, as a pool of connections has it."""
        if most and (not self.mails_each or most < self.mails_each):
            self.mails_each = most

    def too_many(self) -> bool:
        """Called when the provider takes no further connection beside the open ones.

        Returns whether that counts: those that began within a second count once.
        """
        if self._now() < self._changed_at + 1:
            return False
        self._changed_at = self._now()
        self.connections = max(1, self.connections // 2)
        return True

    def heal(self) -> bool:
        """Called each second. Returns whether one more connection may be open from now on."""
        now = self._now()
        if self.connections >= self.limit.connections or now < self._changed_at + _HEALS_AFTER:
            return False
        self._changed_at = now
        self.connections += 1
        return True
