"""How many connections are open, overall and from each network, and which of them wait.

Event streams are not among them: `live.stream.hub` counts those.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from functools import lru_cache
from typing import Protocol

from morefollows.helpers import client_address, networks

log = logging.getLogger(__name__)

_WIDER = 4  # times as many connections from the /24 of an IPv4 address, or the /48 of an IPv6 one
_LOG_EVERY = 10.0


class Shedable(Protocol):
    """A connection that can be closed while it waits."""

    def shed(self) -> None:
        """Closes the connection. Called only between `waits` and `works`."""


class OpenConnections:
    """The open connections of this process.

    `most`: of all; at that number the one that has waited longest for a request is closed for a new
    one. `most_a_network`: from one IPv4 address or IPv6 /64; 0: connections come from our own
    proxies, and are not counted by network.
    """

    def __init__(self, most: int, most_a_network: int) -> None:
        self._most = most
        self._most_a_network = most_a_network
        self._open: dict[Shedable, tuple[str, str]] = {}
        self._waiting: dict[Shedable, None] = {}  # the one that has waited longest is first
        self._counts: Counter[str] = Counter()
        self._refused = 0
        self._logged_at = -_LOG_EVERY

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Shedable, peer: str) -> bool:
        """Counts a new connection. Returns false if it has to be closed instead."""
        places = self._places(peer)
        if any(
            self._counts[place] >= most
            for place, most in zip(
                places, (self._most_a_network, _WIDER * self._most_a_network), strict=True
            )
            if place
        ):
            self._tell("too many come from one network")
            return False
        if len(self._open) >= self._most:
            oldest = next(iter(self._waiting), None)
            self._tell("too many are open")
            if oldest is None:
                return False
            self.leave(oldest)
            oldest.shed()
        self._open[connection] = places
        self._counts.update(place for place in places if place)
        return True

    def leave(self, connection: Shedable) -> None:
        """Forgets a connection. Does nothing for one that is not counted."""
        self._waiting.pop(connection, None)
        for place in self._open.pop(connection, ()):
            if place:
                self._counts[place] -= 1
                if not self._counts[place]:
                    del self._counts[place]

    def waits(self, connection: Shedable) -> None:
        """Notes that a connection waits for its next request, or for the rest of a header."""
        if connection in self._open:
            self._waiting.pop(connection, None)
            self._waiting[connection] = None

    def works(self, connection: Shedable) -> None:
        """Notes that the header of a request is complete."""
        self._waiting.pop(connection, None)

    def _places(self, peer: str) -> tuple[str, str]:
        return _networks_of(peer) if self._most_a_network else ("", "")

    def _tell(self, why: str) -> None:
        """Logs refusals, no more often than every `_LOG_EVERY` seconds."""
        self._refused += 1
        now = time.monotonic()
        if now > self._logged_at + _LOG_EVERY:
            log.warning("%d connections were closed: %s", self._refused, why)
            self._refused, self._logged_at = 0, now


@lru_cache(10_000)
def _networks_of(peer: str) -> tuple[str, str]:
    """The network of a peer's address, and the wider one; "" twice if it is none."""
    address = client_address.behind_proxies(peer, "", 0)
    return (networks.network(address), networks.shortened(address)) if address else ("", "")
