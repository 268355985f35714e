"""PostgreSQL connections that wait for a reply only for a limited time, and log long waits.

Imported on PostgreSQL only: psycopg takes a tenth of a second to load.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_WARN_AFTER = 5.0  # seconds


class TimedConnection(psycopg.Connection[Any]):
    """Waits for a reply at most `patience_seconds`, if that is set for this process."""

    patience_seconds: float | None = None
    waits_since = 0.0  #: since when it has been waiting, by `time.monotonic`; 0: it is not waiting

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        if timeout is not None:  # the caller enforces its own
            return super().wait(gen, interval, timeout)
        self.waits_since = time.monotonic()
        try:
            return super().wait(gen, interval, TimedConnection.patience_seconds)
        except psycopg.errors._WaitTimeout as error:
            log.error(
                "the database has not answered for %.0f s; its connection is closed",
                TimedConnection.patience_seconds or 0,
            )
            self.close()
            raise psycopg.OperationalError("the database does not answer") from error
        finally:
            self.waits_since = 0.0


class WatchedConnection(TimedConnection):
    """A connection of the pool. A long wait is logged while it lasts."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        with _lock:
            _open.add(self)
            if not _watching.is_set():
                _watching.set()
                threading.Thread(target=_watch, name="database-watch", daemon=True).start()


def _watch() -> None:
    """Logs long waits, checking every second. Runs in a thread of its own."""
    logged: dict[int, float] = {}
    while True:
        time.sleep(1.0)
        now = time.monotonic()
        with _lock:
            late = [
                (id(one), since)
                for one in _open
                if (since := one.waits_since) and now - since > _WARN_AFTER
            ]
        for number, since in late:
            if logged.get(number) != since:
                log.warning("the database has not answered for %.0f s", now - since)
        logged = dict(late)


_open: weakref.WeakSet[WatchedConnection] = weakref.WeakSet()
_lock = threading.Lock()
_watching = threading.Event()
