"""Connections to PostgreSQL with limits: no wait for the server is endless or unlogged.

A server that disappears is detected by the kernel in about twelve seconds: by keepalives, and by
`tcp_user_timeout` for sent data. Behind a proxy that still acknowledges, the limit of
`TimedConnection` applies. The server itself ends slow statements after the time-outs of `options`.
Options in the URL override all of these.
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
_POOL_SECONDS = 5.0  # until a connection of the pool is free
_IDLE_SECONDS = 60.0  # until an idle connection of the pool is closed

# Commands such as imports and migrations may run long, but don't wait for locks without a limit.
_COMMAND = {"lock_timeout": "60s", "idle_in_transaction_session_timeout": "30min"}
# Statements of the web server and the senders are short.
_SERVICE = {
    "lock_timeout": "5s",
    "statement_timeout": "12s",
    "idle_in_transaction_session_timeout": "30s",
}
_SERVICE_PATIENCE = 15.0  # seconds for one reply of the server


class TimedConnection(psycopg.Connection[Any]):
    """Waits for a reply at most `patience` seconds, if that is set for this process."""

    patience: float | None = None
    waits_since = 0.0  #: since when it has been waiting, by `time.monotonic`; 0: it is not waiting

    def wait(
        self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None
    ) -> Result:
        if timeout is not None:  # the caller enforces its own
            return super().wait(gen, interval, timeout)
        self.waits_since = time.monotonic()
        try:
            return super().wait(gen, interval, TimedConnection.patience)
        except psycopg.errors._WaitTimeout as error:
            log.error(
                "the database has not answered for %.0f s; its connection is closed",
                TimedConnection.patience or 0,
            )
            self.close()
            raise psycopg.OperationalError("the database does not answer") from error
        finally:
            self.waits_since = 0.0


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Django's `OPTIONS` for every process. `given`: the options in the URL."""
    return {
        "connect_timeout": 5,
        "keepalives_idle": 5,
        "keepalives_interval": 3,
        "keepalives_count": 2,
        "tcp_user_timeout": 12_000,  # milliseconds
        **given,
        "options": _startup(_COMMAND, given),
    }


def set_service_timeouts(threads: int) -> None:
    """Sets time-outs for a service. Called when a web or sender process starts.

    On PostgreSQL its connections come from a pool of up to `threads`.
    """
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
    TimedConnection.patience = _SERVICE_PATIENCE
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


class _Watched(TimedConnection):
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
    """Returns the session's command-line options. The URL's come last, and override ours."""
    return " ".join(
        [*(f"-c {name}={value}" for name, value in ours.items()), str(given.get("options", ""))]
    ).strip()
