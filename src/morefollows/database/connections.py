"""Connections to PostgreSQL with limits: no wait for the server is endless or unlogged.

A server that disappears is detected by the kernel in about twelve seconds: by keepalives, and by
`tcp_user_timeout` for sent data. Behind a proxy that still acknowledges, the limit of
`timed_connection` applies. The server itself ends slow statements after the time-outs of `options`.
Options in the URL override all of these.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib.util import find_spec
from typing import Any

log = logging.getLogger(__name__)

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


def options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Returns Django's `OPTIONS` for every process. `given`: the options in the URL."""
    return {
        "connect_timeout": 5,
        # 5 s of silence, then 2 probes 3 s apart: a lost server is noticed after 11 s.
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
        # Seconds to wait for SQLite's write lock, until it raises "database is locked".
        connection.settings_dict["OPTIONS"]["timeout"] = 8
        return
    from morefollows.database.timed_connection import TimedConnection, WatchedConnection

    found = connection.settings_dict["OPTIONS"]
    given = settings.DATABASE_OPTIONS
    found["options"] = _startup(_SERVICE, given)
    TimedConnection.patience_seconds = _SERVICE_PATIENCE
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
        "connection_class": WatchedConnection,
        "name": "database",
    }


def _startup(ours: Mapping[str, str], given: Mapping[str, Any]) -> str:
    """Returns the session's command-line options. The URL's come last, and override ours."""
    return " ".join(
        [*(f"-c {name}={value}" for name, value in ours.items()), str(given.get("options", ""))]
    ).strip()
