"""Connections to PostgreSQL that end: every wait for the server has a limit, and a line in the log before it.

A server that is gone without a word is noticed by the kernel in some twelve seconds (keepalives, and `tcp_user_timeout`
for what was sent); one behind a proxy that goes on acknowledging, by the limit of `Connection` itself. What the server
does for us it ends by itself, after the time-outs of `options`. What the URL says goes before all that.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen

log = logging.getLogger(__name__)

Result = TypeVar("Result")

_TELL_AFTER = 5.0  # seconds
_POOL_SECONDS = 5.0  # for a connection of the pool to be free
_IDLE_SECONDS = 60.0  # after which a connection of the pool is closed

# Commands may take long: importing, migrating, measuring. They wait for locks, but not for ever.
_COMMAND = {"lock_timeout": "60s", "idle_in_transaction_session_timeout": "30min"}
# The web server's and the senders' statements are all short.
_SERVICE = {
    "lock_timeout": "5s",
    "statement_timeout": "12s",
    "idle_in_transaction_session_timeout": "30s",
}
_SERVICE_PATIENCE = 15.0  # seconds for one answer of the server


class Connection(psycopg.Connection[Any]):
    """One that does not wait for an answer longer than `patience` seconds, if that is set for this process."""

    patience: float | None = None
    waits_since = 0.0  #: `time.monotonic`; 0: it does not wait

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        if timeout is not None:  # whoever gives one sees to it
            return super().wait(gen, interval, timeout)
        self.waits_since = time.monotonic()
        try:
            return super().wait(gen, interval, Connection.patience)
        except psycopg.errors._WaitTimeout as error:
            log.error(
                "the database has not answered for %.0f s; its connection is closed",
                Connection.patience or 0,
            )
            self.close()
            raise psycopg.OperationalError("the database does not answer") from error
        finally:
            self.waits_since = 0.0


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """`OPTIONS` of Django's connection, for every process. `given`: what the URL says."""
    return {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 12_000,  # milliseconds
        **given,
        "options": _startup(_COMMAND, given),
    }


def serve(threads: int) -> None:
    """To be called when a process that serves begins: on PostgreSQL its connections are kept in a pool of this size."""
    from django.conf import settings
    from django.db import connections

    connection = connections["default"]
    connection.close()
    if connection.vendor == "sqlite":
        connection.settings_dict["OPTIONS"]["timeout"] = 8
        return
    found = connection.settings_dict["OPTIONS"]
    given = settings.DATABASE_OPTIONS
    found["options"] = _startup(_SERVICE, given)
    Connection.patience = _SERVICE_PATIENCE
    if find_spec("psycopg_pool") is None:
        log.warning("psycopg-pool is not installed: every request makes a connection of its own")
        return
    found["pool"] = {
        "min_size": 0,
        "max_size": threads,
        "timeout": _POOL_SECONDS,
        "max_waiting": 4 * threads,
        "max_idle": _IDLE_SECONDS,
        "num_workers": 2,
        "connection_class": _Watched,
        "name": "database",
    }


class _Watched(Connection):
    """A connection of the pool: when it waits for long, the log says so while it does."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        with _lock:
            _open.add(self)
            if not _watching.is_set():
                _watching.set()
                threading.Thread(target=_watch, name="database-watch", daemon=True).start()


def _watch() -> None:
    """Every second."""
    told: dict[int, float] = {}
    while True:
        time.sleep(1.0)
        now = time.monotonic()
        with _lock:
            late = [
                (id(one), since)
                for one in _open
                if (since := one.waits_since) and now - since > _TELL_AFTER
            ]
        for number, since in late:
            if told.get(number) != since:
                log.warning("the database has not answered for %.0f s", now - since)
        told = dict(late)


_open: weakref.WeakSet[_Watched] = weakref.WeakSet()
_lock = threading.Lock()
_watching = threading.Event()


def _startup(ours: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """The command line options of a session. Of two for the same the later one counts."""
    return " ".join(
        [*(f"-c {name}={value}" for name, value in ours.items()), str(given.get("options", ""))]
    ).strip()
