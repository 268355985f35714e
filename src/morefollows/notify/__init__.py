"""Notifications between processes: there is something new in the database.

Three kinds carry them (`interface.Notifier`): datagrams between the processes with one data folder
(`datagrams`), PostgreSQL (`postgres`) and NATS (`nats`). `processes.bootstrap` chooses one for the
process with `use`; without that it is datagrams.

Invariant: `announce` never blocks and never fails. Notifications are best effort: listeners poll
the database at least every `Listener.patience_seconds`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Collection
from pathlib import Path

from morefollows.notify.datagrams import DatagramNotifier
from morefollows.notify.datagrams import socket_folder as socket_folder
from morefollows.notify.interface import MISSED, Notifier

_chosen: Notifier | None = None


def use(notifier: Notifier | None) -> None:
    """Chooses what carries this process's notifications; None: datagrams. Closes the one before."""
    global _chosen
    if _chosen is not None:
        _chosen.close()
    _chosen = notifier


def announce(data: Path, word: str) -> None:
    """Sends `word` to every listener. Never blocks and never fails. `data`: the data folder."""
    (_chosen or DatagramNotifier(data)).announce(word)


class Listener:
    """Receives notifications: ``await listener.wait()`` returns on the next one or a timeout.

    `words`: the notifications to wake up for; None: all. `heard`: called at each of them, before
    `wait` returns. `patience_seconds`: the timeout. `notifier`: None for the process's own.
    """

    patience_seconds = 1.0

    def __init__(
        self,
        data: Path,
        words: Collection[str] | None = None,
        heard: Callable[[], None] = lambda: None,
        notifier: Notifier | None = None,
    ) -> None:
        self._notifier = notifier or _chosen or DatagramNotifier(data)
        self._heard = heard
        self._words = None if words is None else frozenset(words)
        self._event = asyncio.Event()
        self._unsubscribe: Callable[[], None] | None = None

    async def open(self) -> None:
        """Begins to listen. Call before `wait`, in the event loop."""
        self._unsubscribe = await self._notifier.subscribe(self._received)

    def _received(self, word: str) -> None:
        if self._words is None or word in self._words or word == MISSED:
            self._event.set()
            self._heard()

    def wake(self) -> None:
        """Ends a wait. For callers in the same event loop."""
        self._event.set()

    async def wait(self, patience_seconds: float | None = None) -> None:
        """Returns on the next notification, or after `patience_seconds`; None: the class's.

        Returns at once if there was one since the last call.
        """
        seconds = self.patience_seconds if patience_seconds is None else patience_seconds
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._event.wait()
        self._event.clear()

    def close(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
