"""Notifications through PostgreSQL (LISTEN and NOTIFY), over the process's session connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from morefollows.database.session import DatabaseSession, Notification
from morefollows.notify.interface import Notifier, Unsubscribe


class PostgresNotifier(Notifier):
    """`Notifier` for all processes with one PostgreSQL database."""

    def __init__(self, session: DatabaseSession) -> None:
        self._session = session

    def announce(self, word: str) -> None:
        """See `Notifier`. Called after COMMIT: a word in a transaction would hold a global lock."""
        self._session.notify(word)

    async def subscribe(self, heard: Callable[[str], None]) -> Unsubscribe:
        """See `Notifier`."""
        loop = asyncio.get_running_loop()

        def received(found: Notification) -> None:
            loop.call_soon_threadsafe(heard, found.word)

        return self._session.listen(received)

    def close(self) -> None:
        """See `Notifier`."""
        self._session.close()
