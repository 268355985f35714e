"""Decides which mails are sent again at once after a relay's error, without counting a try."""

from __future__ import annotations

from typing import NamedTuple

from morefollows.courier.relays.interface import AnsweringRelay, Reached, Reply

#: How often a mail is put back in one pass, if the relays accepted other mails in between.
LIMIT = 5
#: How often a mail is put back in one pass in all.
LIMIT_IN_TROUBLE = 100


class _PutBack(NamedTuple):
    """Counts of one mail."""

    times: int  #: put back after others had been accepted
    all: int
    progress: int  #: mails accepted by all relays when it was last put back


class PutBacks:
    """The counts of one pass over a batch, or of one lane's letters."""

    def __init__(self) -> None:
        self._known: dict[int, _PutBack] = {}

    def __contains__(self, ticket: int) -> bool:
        """Whether the mail was put back before. It is then sent alone on a connection."""
        return ticket in self._known

    def again(self, ticket: int, relay: AnsweringRelay, reply: Reply) -> bool:
        """Counts a relay's error, and returns whether the mail is handed out again at once.

        A mail that causes an error each time must not delay all others. So it counts against the
        mail if the relays accepted others since it was last put back. A mail that only waited
        behind another is always handed out again.
        """
        if reply.reached is Reached.QUEUED:
            return True
        before = self._known.get(ticket)
        if before is None:
            count = _PutBack(1, 1, relay.progress)
        else:
            count = _PutBack(
                before.times + (relay.progress > before.progress), before.all + 1, relay.progress
            )
        if count.times >= LIMIT or count.all >= LIMIT_IN_TROUBLE:
            del self._known[ticket]
            return False
        self._known[ticket] = count
        return True

    def forget(self, ticket: int) -> None:
        """Removes a mail whose outcome is decided."""
        self._known.pop(ticket, None)
