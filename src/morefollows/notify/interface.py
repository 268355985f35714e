"""What a kind of notification does: `Notifier`. `datagrams`, `postgres` and `nats` implement it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

#: Heard after a time in which words may have been missed. Wakes up every listener.
MISSED = ""

#: What ends a subscription.
Unsubscribe = Callable[[], None]


class Notifier(Protocol):
    """Sends and receives notifications. Each is one short word, and they are best effort."""

    def announce(self, word: str) -> None:
        """Sends `word` to every listener, also in this process. Never blocks and never fails."""

    async def subscribe(self, heard: Callable[[str], None]) -> Unsubscribe:
        """Calls `heard` with each word, in the running event loop, until unsubscribed."""

    def close(self) -> None:
        """Sends what waits, for at most some seconds, and ends."""
