"""Mails that come back because the relay was in trouble: which of them are handed out again, and count no try."""

from __future__ import annotations

from typing import NamedTuple

from morefollows.courier.relays.interface import Reached, Reply, Way

#: So often a mail is put back in one pass, after the relay was in trouble with it and accepted others meanwhile.
LIMIT = 5
#: So often where nothing tells whether the trouble was the relay's own.
LIMIT_IN_TROUBLE = 100


class _PutBack(NamedTuple):
    times: int  #: after others had been accepted
    all: int
    progress: int  #: mails accepted by all relays, when it was put back last


class PutBacks:
    """Of one round, or of the letters of one lane."""

    def __init__(self) -> None:
        self._known: dict[int, _PutBack] = {}

    def __contains__(self, ticket: int) -> bool:
        """A connection has ended with it, or the relay could do nothing with it: it is sent alone next time."""
        return ticket in self._known

    def again(self, ticket: int, way: Way, reply: Reply) -> bool:
        """The relay was in trouble, which says nothing of the reader. Whether the mail is to be handed out again.

        A mail that brings the relay into trouble each time must not keep all others waiting. It is suspect if the
        relays accepted others since it was last put back. One that only stood behind another is not.
        """
        if reply.reached is Reached.QUEUED:
            return True
        before = self._known.get(ticket)
        if before is None:
            count = _PutBack(1, 1, way.progress)
        else:
            count = _PutBack(
                before.times + (way.progress > before.progress), before.all + 1, way.progress
            )
        if count.times >= LIMIT or count.all >= LIMIT_IN_TROUBLE:
            del self._known[ticket]
            return False
        self._known[ticket] = count
        return True

    def forget(self, ticket: int) -> None:
        """Its fate is decided."""
        self._known.pop(ticket, None)
