"""The mails of one pass over a batch that can't be handed out now, by index in the batch.

There are three kinds: mails for a throttled mailbox provider; mails that the relays in use can't
carry; and mails whose retry time has not come.

Invariant: in the ledger these mails are DEFERRED or UNCERTAIN, so a crash does not change them.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from morefollows.courier.relays.interface import Carriers, Mail, Reply


class Unfit(NamedTuple):
    """A mail that some relays can't carry."""

    relays: frozenset[str]  #: names of these relays
    utf8: bool
    size: int
    reply: Reply  #: the reply of the last of them

    @classmethod
    def of(cls, mail: Mail, reply: Reply, before: Unfit | None) -> Unfit:
        """Adds the mail's relay. `before`: what was known of the mail."""
        assert mail.way is not None
        relays = frozenset([mail.way.name]) | (before.relays if before else frozenset())
        return cls(relays, mail.utf8, sum(map(len, mail.content)), reply)


class Waiting:
    """The waiting mails of one pass."""

    def __init__(self) -> None:
        self._shelves: dict[str, deque[int]] = {}
        self._parked: set[int] = set()  # keys of `unfit` that wait for a relay
        self._turn = False
        self.unfit: dict[int, Unfit] = {}
        self.later: dict[int, int] = {}  #: index → due time, ms since 1970

    def __bool__(self) -> bool:
        """Whether mails wait for a provider or a relay. If so, the pass goes on."""
        return bool(self._shelves or self._parked)

    def shelve(self, provider: str, i: int, *, again: bool) -> None:
        """Adds a mail for a throttled provider.

        `again`: it was deferred before, so it is sorted first.
        """
        shelf = self._shelves.setdefault(provider, deque())
        (shelf.appendleft if again else shelf.append)(i)

    def park(self, i: int, unfit: Unfit) -> None:
        """Adds a mail that waits for a relay that can carry it."""
        self.unfit[i] = unfit
        self._parked.add(i)

    def due(self, now: int) -> list[int]:
        """Removes and returns the mails whose retry time has come. `now`: ms since 1970."""
        if not self.later or min(self.later.values()) > now:
            return []
        found = [i for i, due_at_ms in self.later.items() if due_at_ms <= now]
        for i in found:
            del self.later[i]
        return found

    def take(self, allowance: Callable[[str], float], spent: Counter[str]) -> Iterator[int]:
        """Removes and yields the mails that their providers may be sent now.

        `spent`: allowance used by other batches, by provider; it is raised here.
        """
        for provider in list(self._shelves):
            shelf = self._shelves[provider]
            most = allowance(provider) - spent[provider]
            while shelf and most >= 1:
                # Retries and new mails alternate. If a provider accepts only retries, it uses
                # greylisting.
                self._turn = not self._turn
                yield shelf.popleft() if self._turn else shelf.pop()
                spent[provider] += 1
                most -= 1
            if not shelf:
                del self._shelves[provider]

    def carried(self, carriers: Callable[[Unfit], Carriers]) -> Iterator[tuple[int, Carriers]]:
        """Removes and yields mails with "ready" (a relay can carry it now) or "none"."""
        for i in list(self._parked):
            state = carriers(self.unfit[i])
            if state != "later":
                self._parked.discard(i)
                yield i, state

    def empty(self) -> list[int]:
        """Removes and returns all that wait for a provider or a relay.

        The caller gives them back with the batch.
        """
        found = [i for shelf in self._shelves.values() for i in shelf]
        found += self._parked
        self._shelves.clear()
        self._parked.clear()
        return found


def everything(_provider: str) -> float:
    """An allowance without a limit."""
    return math.inf
