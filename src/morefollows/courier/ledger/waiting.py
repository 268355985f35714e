"""The mails of one round that are not to be handed out just now, by their places in the batch.

Three kinds: for a mailbox provider that is held back; those that the relays in use can't carry; and those whose own
time has not come. In the ledger they count as deferred (or stay uncertain), so that a crash makes none of them
uncertain.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from morefollows.courier.relays.interface import Carriers, Mail, Reply


class Unfit(NamedTuple):
    """A mail that some relays can't carry."""

    relays: frozenset[str]  #: their names
    utf8: bool
    size: int
    reply: Reply  #: why the last of them can't

    @classmethod
    def of(cls, mail: Mail, reply: Reply, before: Unfit | None) -> Unfit:
        """One more relay, the mail's, can't carry it. `before`: what was known of the mail."""
        assert mail.way is not None
        relays = frozenset([mail.way.name]) | (before.relays if before else frozenset())
        return cls(relays, mail.utf8, sum(map(len, mail.content)), reply)


class Waiting:
    """Of one round."""

    def __init__(self) -> None:
        self._shelves: dict[str, deque[int]] = {}
        self._parked: set[int] = set()  # those of `unfit` that wait
        self._turn = False
        self.unfit: dict[int, Unfit] = {}
        self.later: dict[int, int] = {}  #: when they are due, ms since 1970

    def __bool__(self) -> bool:
        """Some wait for a provider or a relay: they keep the round at work."""
        return bool(self._shelves or self._parked)

    def shelve(self, provider: str, i: int, *, again: bool) -> None:
        """This provider is held back. `again`: it has deferred the mail before, so it is older than others."""
        shelf = self._shelves.setdefault(provider, deque())
        (shelf.appendleft if again else shelf.append)(i)

    def park(self, i: int, unfit: Unfit) -> None:
        self.unfit[i] = unfit
        self._parked.add(i)

    def due(self, now: int) -> list[int]:
        """Those whose time has come. They wait no longer."""
        if not self.later or min(self.later.values()) > now:
            return []
        found = [i for i, due_at in self.later.items() if due_at <= now]
        for i in found:
            del self.later[i]
        return found

    def take(self, allowance: Callable[[str], float], spent: Counter[str]) -> Iterator[int]:
        """Those that their providers may be sent now. `spent`: what other rounds took of it, by provider."""
        for provider in list(self._shelves):
            shelf = self._shelves[provider]
            most = allowance(provider) - spent[provider]
            while shelf and most >= 1:
                # In turns: how a provider treats those that it has deferred, and how others, tells greylisting.
                self._turn = not self._turn
                yield shelf.popleft() if self._turn else shelf.pop()
                spent[provider] += 1
                most -= 1
            if not shelf:
                del self._shelves[provider]

    def carried(self, carriers: Callable[[Unfit], Carriers]) -> Iterator[tuple[int, Carriers]]:
        """Those that a relay can carry now ("ready"), and those that none can ("none")."""
        for i in list(self._parked):
            state = carriers(self.unfit[i])
            if state != "later":
                self._parked.discard(i)
                yield i, state

    def empty(self) -> list[int]:
        """All that wait for a provider or a relay: they are given back with their batch."""
        found = [i for shelf in self._shelves.values() for i in shelf]
        found += self._parked
        self._shelves.clear()
        self._parked.clear()
        return found


def everything(_provider: str) -> float:
    """An allowance without bound."""
    return math.inf
